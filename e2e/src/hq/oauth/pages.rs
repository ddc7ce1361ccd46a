//! The pages that a person sees: sign-in, consent, refusal. Rendered here, without script; whatever
//! a client chose is escaped.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, StatusCode, header};

use super::error::no_store;
use crate::hq::scope::Scopes;

const STYLE: &str = "body{font:16px system-ui,sans-serif;max-width:26rem;margin:12vh auto;\
                     padding:0 1rem;color-scheme:light dark}\
                     label{display:block;margin:.8rem 0}\
                     input:not([type=checkbox]){display:block;width:100%;padding:.5rem;\
                     box-sizing:border-box}\
                     button{padding:.5rem 1.2rem;margin:.5rem .5rem 0 0}\
                     small{display:block;margin-left:1.6rem;opacity:.75}.fault{color:#c62828}";

/// No `form-action`: browsers apply it to the redirect that follows the form too, and that goes to
/// the client.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// What both forms carry.
pub(crate) struct Form<'page> {
    /// Path of the issuer, before `/oauth2`.
    pub(crate) base: &'page str,
    /// The handle of the suspended request.
    pub(crate) handle: &'page str,
    /// The name that the client gave itself.
    pub(crate) client: &'page str,
    /// What was wrong with the last answer.
    pub(crate) fault: Option<&'page str>,
}

impl Form<'_> {
    /// Asks for name and password.
    pub(crate) fn sign_in(&self, status: StatusCode) -> Response {
        let client = escape(self.client);
        let body = format!(
            "<h1>Sign in to Lenses</h1><p>to connect <b>{client}</b></p>{}\
             <label>Username <input name=\"username\" autocomplete=\"username\" required \
             autofocus></label>\
             <label>Password <input name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required></label>\
             <button>Sign in</button></form>",
            self.opening("sign-in")
        );
        page(status, "Sign in", &body)
    }

    /// Asks which of the scopes to grant.
    pub(crate) fn consent(&self, status: StatusCode, user: &str, scopes: &Scopes) -> Response {
        let (client, user) = (escape(self.client), escape(user));
        let boxes = scopes.iter().fold(String::new(), |boxes, scope| {
            let (name, description) = (scope.as_str(), scope.description());
            let checkbox =
                format!("<input type=\"checkbox\" name=\"scope\" value=\"{name}\" checked>");
            boxes + &format!("<label>{checkbox} {name}<small>{description}</small></label>")
        });
        let body = format!(
            "<h1>Connect {client}?</h1>\
             <p>It will act as <b>{user}</b>, within what you tick:</p>{}{boxes}\
             <button name=\"decision\" value=\"approve\">Allow</button>\
             <button name=\"decision\" value=\"deny\">Deny</button></form>",
            self.opening("consent")
        );
        page(status, "Connect an application", &body)
    }

    fn opening(&self, step: &str) -> String {
        let fault = self
            .fault
            .map(|fault| format!("<p class=\"fault\">{}</p>", escape(fault)))
            .unwrap_or_default();
        let (base, handle) = (escape(self.base), self.handle);
        format!(
            "{fault}<form method=\"post\" action=\"{base}/oauth2/authorize/{step}\">\
             <input type=\"hidden\" name=\"request\" value=\"{handle}\">"
        )
    }
}

/// Tells the person why nothing can be granted.
pub(crate) fn refused(why: &str) -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "Not possible",
        &format!("<h1>This can't be done</h1><p class=\"fault\">{}</p>", escape(why)),
    )
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>{title} · Lenses</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
         <body>{body}</body></html>"
    );
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, no_store(), headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_chose_is_text_and_never_markup() {
        assert_eq!(escape("<b onclick='x'>\"&"), "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;");
    }
}
