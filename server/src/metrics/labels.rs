//! The values that labels can have.

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// An enum of label values, each with its text in the exposition.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The value as it stands in the exposition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                EncodeLabelValue::encode(&self.as_str(), encoder)
            }
        }
    };
}

label_values! {
    /// How a tool call ended.
    Outcome {
        /// The tool did what was asked.
        Success = "success",
        /// The tool answered with an error that the model is told.
        Error = "error",
        /// The user is being asked whether to go on.
        Asked = "asked",
        /// The user said no.
        Declined = "declined",
        /// The caller lacks a scope, or HQ said that the user may not.
        Denied = "denied",
        /// HQ could not be reached or failed.
        Unavailable = "unavailable",
        /// The call ran into one of the server's own time limits.
        TimedOut = "timed_out",
        /// The client went away or cancelled.
        Cancelled = "cancelled",
    }
}

label_values! {
    /// How a call to Lenses HQ ended.
    LensesOutcome {
        /// A 2xx reply that could be read.
        Success = "success",
        /// 401: HQ does not take the credential.
        Unauthorized = "unauthorized",
        /// 403: the user has no right to it.
        Forbidden = "forbidden",
        /// Any other 4xx.
        Rejected = "rejected",
        /// 5xx.
        ServerError = "server_error",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No reply in time.
        TimedOut = "timed_out",
        /// A reply that could not be read, or was over the size limit.
        Unreadable = "unreadable",
        /// The caller went away first.
        Cancelled = "cancelled",
    }
}

label_values! {
    /// Which part of the server a request was for.
    Route {
        /// The MCP endpoint.
        Mcp = "mcp",
        /// OAuth metadata, RFC 9728 and the redirect for RFC 8414.
        Metadata = "metadata",
        /// Anything else.
        Other = "other",
    }
}

label_values! {
    /// What sign-in decided.
    SignIn {
        /// The caller is known and may go on.
        Accepted = "accepted",
        /// The request held no credential.
        Missing = "missing",
        /// The `Authorization` header could not be read as `Bearer` and one token.
        Malformed = "malformed",
        /// The credential is unknown, expired, revoked, or meant for another server.
        Invalid = "invalid",
        /// The token is good but lacks a scope that the call needs.
        InsufficientScope = "insufficient_scope",
        /// HQ could not be asked.
        Unavailable = "unavailable",
    }
}

label_values! {
    /// How a request to the introspection endpoint ended.
    Introspection {
        /// The token is active.
        Active = "active",
        /// The token is not active.
        Inactive = "inactive",
        /// 401 or 403: HQ refuses to introspect.
        Refused = "refused",
        /// Another status than 200.
        Error = "error",
        /// 200 with a body that is no introspection reply.
        Unreadable = "unreadable",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No reply in time.
        TimedOut = "timed_out",
    }
}

label_values! {
    /// Where the answer about a token came from, when HQ was not asked for this request.
    CacheHit {
        /// The cache of active tokens.
        Cached = "cached",
        /// The short memory of refused tokens.
        RecentlyRefused = "recently_refused",
        /// An introspection of the same token that was already under way.
        Shared = "shared",
    }
}

label_values! {
    /// Which TLS files.
    TlsFiles {
        /// Those of the MCP endpoint.
        Listener = "listener",
        /// Those for connections to HQ.
        Lenses = "lenses",
    }
}

label_values! {
    /// What became of changed files.
    Reload {
        /// They are in use.
        Success = "success",
        /// They can't be used.
        Failure = "failure",
    }
}
