//! Which client calls, and the proof of it (RFC 6749 §2.3), at the token, introspection and
//! revocation endpoints.

use std::collections::HashMap;

use http::HeaderMap;
use url::form_urlencoded;

use super::error::OAuthError;
use super::store::{Client, Store};
use crate::hq::credentials;
use crate::hq::secret::Hashed;

/// A form whose parameters came at most once each (RFC 6749 §3.2), except those that may repeat.
#[derive(Debug, Default)]
pub(crate) struct Form {
    single: HashMap<String, String>,
    /// `resource` may repeat (RFC 8707 §2).
    pub(crate) resources: Vec<String>,
    /// `audience` may repeat (RFC 8693 §2.1).
    pub(crate) audiences: Vec<String>,
}

impl Form {
    /// # Errors
    /// `invalid_request` naming a parameter that was repeated.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            if name == "resource" {
                form.resources.push(value.into_owned());
            } else if name == "audience" {
                form.audiences.push(value.into_owned());
            } else if form.single.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::invalid_request(format!("parameter {name:?} is repeated")));
            }
        }
        Ok(form)
    }

    /// A parameter; one without a value counts as left out (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.single.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// # Errors
    /// `invalid_request` naming the parameter that is missing.
    pub(crate) fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::invalid_request(format!("parameter {name:?} is missing")))
    }
}

/// The client that calls: a confidential one by its secret (Basic or in the form), a public one by
/// its `client_id`.
///
/// # Errors
/// `invalid_client` when there is none, it is unknown, or its secret is wrong, missing, or sent by
/// a client that has none.
pub(crate) fn authenticate<'store>(
    store: &'store Store,
    headers: &HeaderMap,
    form: &Form,
) -> Result<&'store Client, OAuthError> {
    let (id, secret) = match (credentials::basic(headers), form.get("client_secret")) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::invalid_request(
                "the client authenticates in two ways at once",
            ));
        }
        (Some((id, secret)), None) => (decoded(&id), Some(decoded(&secret))),
        (None, secret) => {
            let id = form
                .get("client_id")
                .ok_or_else(|| OAuthError::invalid_client("the request names no client"))?;
            (id.to_owned(), secret.map(str::to_owned))
        }
    };
    let client =
        store.client(&id).ok_or_else(|| OAuthError::invalid_client("the client is not known"))?;
    if client.secret == secret.as_deref().map(Hashed::of) {
        Ok(client)
    } else {
        Err(OAuthError::invalid_client(
            "the client's secret is wrong, missing, or not one that this client has",
        ))
    }
}

/// Basic carries id and secret form-encoded (RFC 6749 §2.3.1).
fn decoded(value: &str) -> String {
    let pair = format!("={value}");
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
