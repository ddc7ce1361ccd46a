//! The OAuth 2.1 authorization server.
//!
//! In the order in which a client meets it: [`metadata`] (RFC 8414) → [`register`] (RFC 7591) or
//! [`client_metadata_document`] → [`authorize`] and [`sign_in`] (authorization code with PKCE, the
//! person's two forms) → [`token`] (code and refresh) → [`introspect`] (RFC 7662), asked by the
//! resource server → [`exchange`] (RFC 8693), by which that server gets a token for HQ's own API →
//! [`revoke`] (RFC 7009) and [`applications`], by which it ends. All of it reads and changes one
//! [`store`].

pub(crate) mod applications;
pub(crate) mod authorization_request;
pub(crate) mod authorize;
pub(crate) mod client_auth;
pub(crate) mod client_metadata_document;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod grant;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod pages;
pub(crate) mod pkce;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod sign_in;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod token;
