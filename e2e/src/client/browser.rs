//! A person at a browser: opens the authorization URL, fills in each form that comes, and stops
//! where the browser would hand the answer back to the application.

use reqwest::{Method, Response, StatusCode, header::LOCATION};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// Which scopes the person ticks in the consent form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// Those that are ticked when the form opens.
    AsAsked,
    /// Just these.
    Only(&'static [&'static str]),
}

/// A person with a user name, a password and a browser with cookies.
#[derive(Debug, Clone)]
pub struct Browser {
    http: reqwest::Client,
    user: String,
    password: String,
}

/// Why the person did not come back with an answer.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The page could not be fetched.
    #[error("browser: {0}")]
    Http(#[from] reqwest::Error),
    /// A page that is neither a form nor a redirect.
    #[error("browser: {url} answered {status} with no form in it: {text}")]
    NoForm {
        /// The page.
        url: Url,
        /// Its status.
        status: StatusCode,
        /// The words on it.
        text: String,
    },
    /// An address that is none.
    #[error("browser: {0}")]
    Url(#[from] url::ParseError),
    /// Forms and redirects without end.
    #[error("browser: no answer for the application after {0} pages")]
    TooManyPages(usize),
}

const PAGES: usize = 8;

impl Browser {
    /// A person who logs in as `user` with `password`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(user: &str, password: &str) -> Result<Self, BrowserError> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(super::TIMEOUT)
            .build()?;
        Ok(Self { http, user: user.to_owned(), password: password.to_owned() })
    }

    /// Goes from `authorization_url` through login and consent; returns the address under
    /// `redirect_uri` that the browser is sent to at last, with its `code` or `error`.
    ///
    /// # Errors
    /// When a page is neither form nor redirect, can't be fetched, or there are too many of them.
    pub async fn authorize(
        &self,
        authorization_url: &str,
        redirect_uri: &str,
        ticks: Ticks,
    ) -> Result<String, BrowserError> {
        let mut response = self.http.get(Url::parse(authorization_url)?).send().await?;
        for _ in 0..PAGES {
            let page = response.url().clone();
            if let Some(target) = location(&response) {
                if target.starts_with(redirect_uri) {
                    return Ok(target);
                }
                response = self.http.get(page.join(&target)?).send().await?;
                continue;
            }
            let status = response.status();
            let html = response.text().await?;
            let form = self.fill(&html, ticks).ok_or_else(|| BrowserError::NoForm {
                url: page.clone(),
                status,
                text: words(&html),
            })?;
            let target = page.join(&form.action)?;
            response = self.http.request(form.method, target).form(&form.fields).send().await?;
        }
        Err(BrowserError::TooManyPages(PAGES))
    }

    /// The page's form with everything in it that this person would enter, sent off by its first
    /// submit button.
    fn fill(&self, html: &str, ticks: Ticks) -> Option<Form> {
        let document = Html::parse_document(html);
        let form = document.select(&selector("form")?).next()?;
        let mut fields = Vec::new();
        for input in form.select(&selector("input, button")?) {
            let Some(name) = input.attr("name") else { continue };
            let value = input.attr("value").unwrap_or_default();
            let entered = match kind(input) {
                // One button is pressed: the first.
                "submit" if fields.iter().any(|(known, _)| known == name) => None,
                "checkbox" => ticked(input, value, ticks).then(|| value.to_owned()),
                "password" => Some(self.password.clone()),
                "text" | "email" => Some(self.user.clone()),
                _ => Some(value.to_owned()),
            };
            fields.extend(entered.map(|value| (name.to_owned(), value)));
        }
        let method =
            if form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
                Method::POST
            } else {
                Method::GET
            };
        Some(Form { action: form.attr("action").unwrap_or_default().to_owned(), method, fields })
    }
}

struct Form {
    action: String,
    method: Method,
    fields: Vec<(String, String)>,
}

fn kind(input: ElementRef<'_>) -> &str {
    input.attr("type").unwrap_or(if input.value().name() == "button" { "submit" } else { "text" })
}

fn ticked(input: ElementRef<'_>, value: &str, ticks: Ticks) -> bool {
    match ticks {
        Ticks::AsAsked => input.attr("checked").is_some(),
        Ticks::Only(scopes) => scopes.contains(&value),
    }
}

fn location(response: &Response) -> Option<String> {
    let target = response.headers().get(LOCATION)?.to_str().ok()?;
    response.status().is_redirection().then(|| target.to_owned())
}

fn selector(css: &str) -> Option<Selector> {
    Selector::parse(css).ok()
}

fn words(html: &str) -> String {
    let document = Html::parse_document(html);
    let text: Vec<&str> =
        document.root_element().text().flat_map(str::split_whitespace).take(60).collect();
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Browser {
        super::super::trust_ring();
        Browser::new("alice", "secret").unwrap()
    }

    #[test]
    fn fills_in_user_and_password_and_keeps_hidden_fields() {
        let form = alice()
            .fill(
                r#"<form method="post" action="/login">
                   <input type="hidden" name="csrf" value="x&amp;y">
                   <input name="username"><input type="password" name="password">
                   <button>Log in</button></form>"#,
                Ticks::AsAsked,
            )
            .unwrap();
        assert_eq!(form.method, Method::POST);
        assert_eq!(form.action, "/login");
        let fields: Vec<_> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("csrf", "x&y"), ("username", "alice"), ("password", "secret")]);
    }

    #[test]
    fn ticks_what_the_person_wants_and_presses_the_first_button() {
        let html = r#"<form method="post"><input type="checkbox" name="scope" value="read" checked>
            <input type="checkbox" name="scope" value="write" checked>
            <button name="decision" value="approve">Allow</button>
            <button name="decision" value="deny">No</button></form>"#;
        let fields = |ticks| alice().fill(html, ticks).unwrap().fields;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            fields(Ticks::AsAsked),
            [pair("scope", "read"), pair("scope", "write"), pair("decision", "approve")]
        );
        assert_eq!(
            fields(Ticks::Only(&["write"])),
            [pair("scope", "write"), pair("decision", "approve")]
        );
    }
}
