//! What is advised, by what the call does or by how its caller signed in.

use Advice::{ByIntent, BySignIn};

/// What the model is told to do.
pub(super) enum Advice {
    /// The same whoever calls: after a call that reads, creates, updates, triggers, deletes.
    ByIntent([&'static str; 5]),
    /// The same whatever the call does: with OAuth, an API key over HTTP, stdio.
    BySignIn([&'static str; 3]),
}

/// The same after every change that is no deletion.
const fn by(read: &'static str, change: &'static str, delete: &'static str) -> Advice {
    ByIntent([read, change, change, change, delete])
}

pub(super) const CORRECT: Advice =
    ByIntent(["Correct the arguments as the message says and try again."; 5]);

pub(super) const NOT_FOUND: Advice = by(
    "Check the names with the list tools (list_environments, list_topics, …) and try again.",
    "Check the names with the list tools (list_environments, list_topics, …) and try again.",
    "It may have been deleted already: check the names with the list tools before you try again.",
);

pub(super) const CONFLICT: Advice = ByIntent([
    "It is being changed: try once more in a moment, then tell the user.",
    "Look at what is there first, then choose another name or leave it as it is.",
    "It is in use or being changed: look at what uses it, such as a group's consumers, ask the \
     user to stop that first, then try again.",
    "It is busy: look at its state, try again in a few seconds, then tell the user.",
    "It is in use: look at what uses it, and ask the user before you change that.",
]);

pub(super) const REBALANCE: Advice =
    ByIntent(["A rebalance is going on: try again in a few seconds, then tell the user."; 5]);

pub(super) const FAILED: Advice = by(
    "This may pass: try once more, then tell the user.",
    "A change may have been made: look before repeating it. This may pass: try once more, then \
     tell the user.",
    "It may have been deleted: look before repeating it. This may pass: try once more, then tell \
     the user.",
);

pub(super) const NO_AGENT: Advice = ByIntent(
    ["The environment can't be used until its agent is connected again: check_environment_health \
      tells; other environments are not affected."; 5],
);

pub(super) const OLD_AGENT: Advice = ByIntent(
    ["The environment's agent must be upgraded for this: tell the user; retrying does not help, \
      and tools that the agent knows go on working."; 5],
);

pub(super) const AGENT_FAILED: Advice = by(
    "The agent is connected, but Lenses HQ's call to it failed: try once more, then tell the user \
     to look at the agent's log; other environments are not affected.",
    "A change may have been made: look before repeating it. The agent is connected, but Lenses \
     HQ's call to it failed: try once more, then tell the user to look at the agent's log; other \
     environments are not affected.",
    "It may have been deleted: look before repeating it. The agent is connected, but Lenses HQ's \
     call to it failed: try once more, then tell the user to look at the agent's log; other \
     environments are not affected.",
);

pub(super) const LICENCE: Advice = ByIntent(
    ["Tell the user, who can ask whoever holds the Lenses licence; retrying does not help."; 5],
);

pub(super) const LATER: Advice = ByIntent(["Wait a little, then try again with fewer calls."; 5]);

pub(super) const NOT_HQ: Advice = by(
    "Something other than Lenses HQ seems to answer (a proxy or login page): tell the user that \
     this server's LENSES_URL should be checked.",
    "A change may have been made: look before repeating it. Something other than Lenses HQ seems \
     to answer (a proxy or login page): tell the user that this server's LENSES_URL should be \
     checked.",
    "It may have been deleted: look before repeating it. Something other than Lenses HQ seems to \
     answer (a proxy or login page): tell the user that this server's LENSES_URL should be \
     checked.",
);

pub(super) const RESTARTING: Advice = by(
    "Lenses HQ is restarting or overloaded: try once more in a moment, then tell the user.",
    "A change may have been made: look before repeating it. Lenses HQ is restarting or overloaded: \
     try once more in a moment, then tell the user.",
    "It may have been deleted: look before repeating it. Lenses HQ is restarting or overloaded: \
     try once more in a moment, then tell the user.",
);

pub(super) const AWAY: Advice = by(
    "Lenses HQ is down or restarting, or this server does not reach it (LENSES_URL, trusted \
     certificates): try once more in a moment, then tell the user.",
    "Nothing was changed. Lenses HQ is down or restarting, or this server does not reach it \
     (LENSES_URL, trusted certificates): try once more in a moment, then tell the user.",
    "Nothing was changed. Lenses HQ is down or restarting, or this server does not reach it \
     (LENSES_URL, trusted certificates): try once more in a moment, then tell the user.",
);

pub(super) const TOO_LARGE: Advice = by(
    "Ask for less: one item instead of the list, or a query with WHERE and LIMIT.",
    "A change may have been made: look before repeating it.",
    "It may have been deleted: look before repeating it.",
);

pub(super) const UNAUTHORIZED: Advice = BySignIn([
    "The session has expired or been revoked: ask the user to sign in again, do not retry with the \
     same token.",
    "All callers of this server share its LENSES_API_KEY, and the user has nothing to sign in to: \
     tell the user that whoever runs this server must set LENSES_API_KEY to the token of a service \
     account that exists in Lenses HQ. Do not retry.",
    "Tell the user to set LENSES_API_KEY, in the configuration with which the client starts this \
     server, to the token of a service account that exists in Lenses HQ, and to start it again. Do \
     not retry.",
]);

pub(super) const FORBIDDEN: Advice = BySignIn([
    "The user's Lenses permissions do not include this: tell the user, who can ask a Lenses \
     administrator; retrying does not help.",
    "The permissions of the service account behind LENSES_API_KEY do not include this: tell the \
     user, who can ask a Lenses administrator to extend them; retrying does not help.",
    "The permissions of the service account behind LENSES_API_KEY do not include this: tell the \
     user, who can ask a Lenses administrator to extend them; retrying does not help.",
]);

pub(super) const UNUSABLE: Advice = BySignIn([
    "Ask the user to sign in again, do not retry with the same token.",
    "Tell the user that whoever runs this server must correct its LENSES_API_KEY. Do not retry.",
    "Tell the user to correct LENSES_API_KEY in the configuration with which the client starts \
     this server, and to start it again. Do not retry.",
]);
