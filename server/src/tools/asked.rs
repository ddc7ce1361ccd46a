//! What tools ask about the server that they run in.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use futures::future::BoxFuture;

use super::unavailable::Unavailable;
use crate::{
    lenses::Name,
    report::{LensesVersion, Report},
    scope::ScopeSet,
};

/// What the server offers, whoever calls.
pub trait Offer: Debug + Send + Sync {
    /// The scopes that can be of use.
    fn scopes(&self) -> ScopeSet;

    /// The environments to which the server is limited; `None` if it is not.
    fn environments(&self) -> Option<&BTreeSet<Name>>;

    /// Whether the environment of this name is offered.
    fn includes_environment(&self, name: &str) -> bool;

    /// Whether some call of `tool` may be for the environment of this name.
    fn offers_in(&self, name: &str, tool: &str) -> bool;

    /// Whether it depends on the environment what is offered.
    fn depends_on_environment(&self) -> bool;

    /// What keeps a caller with `scopes` from the tool of this name, whatever it is called with.
    fn unavailable(&self, tool: &str, scopes: ScopeSet) -> Option<Unavailable>;

    /// What keeps a caller with `scopes` from the tool in the environment of this name, whatever
    /// else it is called with.
    fn unavailable_in(
        &self,
        environment: &str,
        tool: &str,
        scopes: ScopeSet,
    ) -> Option<Unavailable>;
}

/// Checks of Lenses HQ that need no caller.
pub trait Checks: Debug + Send + Sync {
    /// What they find now, or found a moment ago. Never fails: an HQ that does not answer is what
    /// it reports.
    fn report(&self) -> BoxFuture<'_, Arc<Report>>;

    /// HQ's version, as HQ said it not long ago; `None` if HQ does not tell it.
    fn lenses_version(&self) -> BoxFuture<'_, Option<LensesVersion>>;
}
