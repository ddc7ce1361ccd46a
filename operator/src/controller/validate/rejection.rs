//! Reasons why a server cannot be made, each with what to do.

use std::borrow::Cow;

use lenses_mcp_crds::conditions::Reason;

/// A reason why a server cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// The spec says what cannot be.
    #[error("{field}: {message}")]
    InvalidSpec { field: &'static str, message: String },
    /// Something that the spec names is not there.
    #[error("{field}: {kind} {namespace}/{name} does not exist{hint}")]
    ReferenceNotFound {
        field: &'static str,
        kind: &'static str,
        namespace: String,
        name: String,
        hint: String,
    },
    /// The Service is there, but not the port.
    #[error(
        "{field}: Service {namespace}/{name} has no port {port}{}",
        has.as_ref().map(|has| format!("; it has {has}")).unwrap_or_default()
    )]
    PortNotFound {
        field: &'static str,
        namespace: String,
        name: String,
        port: String,
        /// The ports that it has; none for a Service of another namespace.
        has: Option<String>,
    },
    /// An object of a name that is needed belongs to someone else.
    #[error(
        "{kind} {name} belongs to someone else and is left alone: delete it, or give this resource \
         another name"
    )]
    NameTaken { kind: Cow<'static, str>, name: String },
    /// The cluster lacks a kind that the spec asks an object of.
    #[error(
        "{field}: this cluster has no {kind}: install {install}, and it is made at once; all else \
         is made already"
    )]
    MissingApi { field: &'static str, kind: &'static str, install: &'static str },
}

/// All that keeps a server from being made; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejections {
    first: Box<Rejection>,
    others: Vec<Rejection>,
}

impl Rejections {
    /// The first, which gives the condition its reason, and the others.
    pub(super) fn new(first: Rejection, others: Vec<Rejection>) -> Self {
        Self { first: Box::new(first), others }
    }

    /// The reason for the condition: that of the first.
    pub(crate) fn reason(&self) -> Reason {
        match *self.first {
            Rejection::InvalidSpec { .. } => Reason::InvalidSpec,
            Rejection::ReferenceNotFound { .. } | Rejection::PortNotFound { .. } => {
                Reason::ReferenceNotFound
            }
            Rejection::NameTaken { .. } => Reason::NameTaken,
            Rejection::MissingApi { .. } => Reason::MissingApi,
        }
    }

    /// All of them, for people.
    pub(crate) fn message(&self) -> String {
        self.messages().join("; ")
    }

    /// Each of them, for people.
    pub(crate) fn messages(&self) -> Vec<String> {
        std::iter::once(&*self.first).chain(&self.others).map(ToString::to_string).collect()
    }
}
