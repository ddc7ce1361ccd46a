//! What the model should do after a call to Lenses HQ failed.

use super::Error;
use crate::identity::SignInMode;

/// What a call was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To look.
    Read,
    /// To create something.
    Create,
    /// To set what is there to another value.
    Update,
    /// To set something going.
    Trigger,
    /// To delete something.
    Delete,
}

impl Error {
    /// What the model should do next, in sentences. It depends on whose the credential is and on
    /// what may have happened.
    #[must_use]
    pub fn advice(&self, sign_in: SignInMode, intent: Intent) -> String {
        let next = match self {
            Self::Unauthorized(_) => refused_credential(sign_in),
            Self::Credential => unusable_credential(sign_in),
            Self::Forbidden(_) => missing_permission(sign_in),
            _ => self.next(intent),
        };
        let done = match (self, intent) {
            (_, Intent::Read) => "",
            (Self::Unreachable { .. }, _) => "Nothing was changed. ",
            (error, _) if !error.may_have_changed() => "",
            (_, Intent::Delete) => "It may have been deleted: look before repeating it. ",
            _ => "A change may have been made: look before repeating it. ",
        };
        format!("{done}{next}").trim_end().to_owned()
    }

    fn next(&self, intent: Intent) -> &'static str {
        match (self, intent) {
            (Self::NotFound(_), Intent::Delete) => {
                "It may have been deleted already: check the names with the list tools before you \
                 try again."
            }
            (Self::NotFound(_), _) => {
                "Check the names with the list tools (list_environments, list_topics, …) and try \
                 again."
            }
            // Kafka refuses all changes of a consumer group that rebalances, and Kafka Connect
            // those of its connectors.
            (Self::Conflict(problem), _) if problem.names_rebalance() => {
                "A rebalance is going on: try again in a few seconds, then tell the user."
            }
            (Self::Conflict(_), Intent::Read) => {
                "It is being changed: try once more in a moment, then tell the user."
            }
            (Self::Conflict(_), Intent::Create) => {
                "Look at what is there first, then choose another name or leave it as it is."
            }
            (Self::Conflict(_), Intent::Update) => {
                "It is in use or being changed: look at what uses it, such as a group's consumers, \
                 ask the user to stop that first, then try again."
            }
            (Self::Conflict(_), Intent::Trigger) => {
                "It is busy: look at its state, try again in a few seconds, then tell the user."
            }
            (Self::Conflict(_), Intent::Delete) => {
                "It is in use: look at what uses it, and ask the user before you change that."
            }
            (Self::Agent(_), _) => {
                "The environment can't be used until its agent is connected again: \
                 check_environment_health tells; other environments are not affected."
            }
            (Self::AgentFailed(_), _) => {
                "The agent is connected, but Lenses HQ's call to it failed: try once more, then \
                 tell the user to look at the agent's log; other environments are not affected."
            }
            (Self::AgentTooOld(_), _) => {
                "The environment's agent must be upgraded for this: tell the user; retrying does \
                 not help, and tools that the agent knows go on working."
            }
            (Self::Licence(_), _) => {
                "Tell the user, who can ask whoever holds the Lenses licence; retrying does not \
                 help."
            }
            (Self::Rejected { .. }, _) => {
                "Correct the arguments as the message says and try again."
            }
            (Self::TooManyRequests(_), _) => "Wait a little, then try again with fewer calls.",
            (Self::Failed { .. }, _) => "This may pass: try once more, then tell the user.",
            (Self::InvalidQuery(_) | Self::Query(_), _) => {
                "Correct the statement as the message says and try again."
            }
            (Self::Unreachable { .. }, _) => {
                "Lenses HQ is down or restarting, or this server does not reach it (LENSES_URL, \
                 trusted certificates): try once more in a moment, then tell the user."
            }
            (Self::Interrupted { .. } | Self::TimedOut { .. }, _) => {
                "Lenses HQ is restarting or overloaded: try once more in a moment, then tell the \
                 user."
            }
            (Self::Overloaded, _) => "Try again in a moment; ask for less if you can.",
            (Self::TooLarge { .. }, Intent::Read) => {
                "Ask for less: one item instead of the list, or a query with WHERE and LIMIT."
            }
            (Self::Unreadable { .. }, _) => {
                "Something other than Lenses HQ seems to answer (a proxy or login page): tell the \
                 user that this server's LENSES_URL should be checked."
            }
            (
                Self::TooLarge { .. }
                | Self::Unauthorized(_)
                | Self::Forbidden(_)
                | Self::Credential,
                _,
            ) => "",
        }
    }

    /// Whether a change that failed so may have been made all the same.
    fn may_have_changed(&self) -> bool {
        matches!(
            self,
            Self::AgentFailed(_)
                | Self::Failed { .. }
                | Self::Query(_)
                | Self::Interrupted { .. }
                | Self::TimedOut { .. }
                | Self::TooLarge { .. }
                | Self::Overloaded
                | Self::Unreadable { .. }
        )
    }
}

fn refused_credential(sign_in: SignInMode) -> &'static str {
    match sign_in {
        SignInMode::OAuth => {
            "The session has expired or been revoked: ask the user to sign in again, do not retry \
             with the same token."
        }
        SignInMode::ApiKey => {
            "All callers of this server share its LENSES_API_KEY, and the user has nothing to sign \
             in to: tell the user that whoever runs this server must set LENSES_API_KEY to the \
             token of a service account that exists in Lenses HQ. Do not retry."
        }
        SignInMode::Stdio => {
            "Tell the user to set LENSES_API_KEY, in the configuration with which the client \
             starts this server, to the token of a service account that exists in Lenses HQ, and \
             to start it again. Do not retry."
        }
    }
}

fn unusable_credential(sign_in: SignInMode) -> &'static str {
    match sign_in {
        SignInMode::OAuth => "Ask the user to sign in again, do not retry with the same token.",
        SignInMode::ApiKey => {
            "Tell the user that whoever runs this server must correct its LENSES_API_KEY. Do not \
             retry."
        }
        SignInMode::Stdio => {
            "Tell the user to correct LENSES_API_KEY in the configuration with which the client \
             starts this server, and to start it again. Do not retry."
        }
    }
}

fn missing_permission(sign_in: SignInMode) -> &'static str {
    match sign_in {
        SignInMode::OAuth => {
            "The user's Lenses permissions do not include this: tell the user, who can ask a \
             Lenses administrator; retrying does not help."
        }
        SignInMode::ApiKey | SignInMode::Stdio => {
            "The permissions of the service account behind LENSES_API_KEY do not include this: \
             tell the user, who can ask a Lenses administrator to extend them; retrying does not \
             help."
        }
    }
}
