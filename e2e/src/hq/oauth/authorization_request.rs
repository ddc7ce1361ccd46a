//! What an application asks a person for.

use crate::hq::scope::Scopes;

/// An authorization request that can be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    /// Never empty.
    pub(crate) scopes: Scopes,
    pub(crate) state: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) login_hint: Option<String>,
}

#[cfg(test)]
impl AuthorizationRequest {
    pub(crate) fn for_tests(client_id: &str, redirect_uri: &str, scopes: Scopes) -> Self {
        let (client_id, redirect_uri) = (client_id.to_owned(), redirect_uri.to_owned());
        Self {
            client_id,
            redirect_uri,
            scopes,
            state: None,
            code_challenge: None,
            resources: Vec::new(),
            login_hint: None,
        }
    }
}
