//! The condition types and reasons of a `LensesMcpServer`: all the words that `status.conditions`
//! can hold.

use std::fmt;

/// An enum of words: each stands in a status as the code spells it.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $word,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// The word as it stands in `status.conditions`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The type of a condition.
    ConditionType {
        /// All of the others that apply are true. This is what `kubectl wait` waits on.
        Ready,
        /// The spec is valid, what it refers to exists, and no name is taken.
        Accepted,
        /// The Deployment serves what the spec asks for with all its replicas.
        Available,
        /// Lenses HQ answers, and its OAuth settings are as sign-in needs them.
        LensesReachable,
        /// A call made as a client would, from the refusal to the sign-in, holds together at the
        /// advertised URL.
        Verified,
        /// kstatus: work is under way. Present only while true.
        Reconciling,
        /// kstatus: nothing will move until somebody acts. Present only while true.
        Stalled,
    }
}

words! {
    /// Why a condition is as it is.
    Reason {
        /// Ready: nothing holds the server back.
        Ready,
        /// Accepted: nothing to say.
        Accepted,
        /// Accepted, with a warning: `auth.apiKey.callers.anyone` is true.
        AnyoneMayCall,
        /// The spec contradicts itself, or this operator cannot read it.
        InvalidSpec,
        /// A Secret, a Service or a port of one that the spec names is not there.
        ReferenceNotFound,
        /// An object of a name that this resource needs belongs to someone else.
        NameTaken,
        /// The cluster lacks the API of something that the spec asks for. All else is made.
        MissingApi,
        /// Nothing but the address that the Service's load balancer is to be given.
        AddressPending,
        /// The API server refused a change, or did not answer.
        ApplyFailed,
        /// The Deployment serves.
        Available,
        /// Pods are being made or replaced.
        RolloutInProgress,
        /// Pods were to be made or replaced, and that has not succeeded in the Deployment's
        /// deadline.
        RolloutStalled,
        /// The image of the pods cannot be had.
        ImagePullFailed,
        /// The pods end again and again.
        CrashLooping,
        /// No node takes the pods.
        Unschedulable,
        /// The pods run and are not ready.
        ProbeFailing,
        /// `spec.paused` is true and there is nothing that runs.
        Paused,
        /// `LensesReachable`, `Verified`: not looked at yet.
        Verifying,
        /// `Verified`: no pod serves, so there is nothing to look at.
        NoPodServes,
        /// `LensesReachable`: HQ answers as it must.
        LensesReachable,
        /// HQ does not answer, or answers that it cannot.
        Unreachable,
        /// A certificate is not signed by an authority that is trusted here, or is not for the name
        /// that is dialled.
        CertificateUntrusted,
        /// HQ publishes no authorization server metadata (RFC 8414): its authorization server is
        /// off.
        LensesMetadataMissing,
        /// What answers in HQ's place says something that is no metadata.
        LensesMetadataUnreadable,
        /// HQ calls itself otherwise than clients are told.
        IssuerMismatch,
        /// HQ lets no client register itself (RFC 7591).
        RegistrationClosed,
        /// HQ does not offer PKCE with S256 (RFC 7636).
        PkceMissing,
        /// HQ does not answer this server about tokens (RFC 7662).
        IntrospectionRefused,
        /// What answers at the introspection endpoint is not HQ, or calls a made-up token good.
        IntrospectionUntrue,
        /// A Secret or `ConfigMap` that verification needs is missing, or holds something else.
        MaterialUnusable,
        /// A Secret that verification needs does not have the label that lets the operator read it.
        SecretNotLabelled,
        /// The address is one that the operator does not dial on a resource's word.
        AddressForbidden,
        /// `Verified`: a client finds its way.
        Verified,
        /// The advertised URL does not lead to this server.
        EndpointUnreachable,
        /// A call without a token is refused, but the client is not told where to sign in (RFC 9728
        /// §5.1).
        ChallengeMissing,
        /// The protected resource metadata (RFC 9728) is not this server's, or clients would refuse
        /// it.
        MetadataMismatch,
        /// A call without a token is answered.
        TooOpen,
        /// The server does not take the token of `verification.credentialSecretRef`.
        CredentialRefused,
        /// The server takes the token, but does not list its tools.
        ToolsNotListed,
        /// The tools are not those of `verification.expectedToolsDigest`.
        ToolsChanged,
    }
}

impl Reason {
    /// Whether the message that comes with it quotes what a container, the kubelet or the scheduler
    /// said.
    #[must_use]
    pub fn is_told_by_others(self) -> bool {
        matches!(
            self,
            Self::RolloutStalled
                | Self::ImagePullFailed
                | Self::CrashLooping
                | Self::Unschedulable
                | Self::ProbeFailing
        )
    }

    /// Whether a condition with this reason is neither true nor false: `Unknown`.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Verifying | Self::NoPodServes)
    }
}
