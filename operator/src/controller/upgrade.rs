//! Between build and apply: whether it is the server's turn to get what was built; and after them,
//! how far that is.

use lenses_mcp_crds::LensesMcpServer;

use super::{
    apply::{Applied, ApplyError},
    build::Children,
    observed::Dereferenced,
    validate::ValidServer,
};
use crate::{
    apis::Deployment,
    context::Context,
    probe::Known,
    upgrades::{self, Turn, Wanted},
    watching::{deployment::last_applied, servers::key},
};

/// Notes what cannot wait for the server's turn: what its author changed, and pods whose settings
/// are gone, which nothing but another rendering brings back.
pub(super) fn hasten(
    Context { upgrades: queue, .. }: &Context,
    server: &LensesMcpServer,
    found: &Dereferenced,
) {
    let lacks_settings = found.last_applied.is_some() && found.children.config_map.own().is_none();
    if upgrades::has_new_spec(server) || lacks_settings {
        queue.hasten(&key(server));
    }
}

/// Whether the pods get what was built.
pub(super) fn turn(
    Context { upgrades: queue, .. }: &Context,
    server: &LensesMcpServer,
    valid: &ValidServer,
    wanted: &Children,
    found: &Dereferenced,
) -> Turn {
    // Without a sealing key there are other pods to come in any case.
    let Some(deployment) = &wanted.deployment else { return Turn::Now { ends_with: None } };
    let wanted = Wanted {
        deployment,
        url: &format!("{}/mcp", valid.endpoint.advertised_url),
        lenses_url: &valid.lenses.url,
    };
    let runs = found.children.deployment.own().map(|deployment| &**deployment);
    let asked = found.last_applied.as_ref();
    upgrades::turn(&wanted, server, runs, asked, queue.claim(&key(server)))
}

/// Tells the queue where the server is. One that is paused or rejected cannot move, nor can one
/// whose new pods the API server refuses.
pub(super) fn follow(
    Context { upgrades: queue, verifications, .. }: &Context,
    server: &LensesMcpServer,
    wanted: Option<&Deployment>,
    applied: Result<&Applied, &ApplyError>,
    known: &Known,
) {
    let server = key(server);
    let phase = match (wanted, applied) {
        (Some(wanted), Ok(Applied { deployment: Some(now), .. })) => {
            let is_verified = known.endpoint.is_none() || verifications.is_verified(&server);
            Some(upgrades::phase(wanted, now, last_applied(now).as_ref(), is_verified))
        }
        (Some(_), Err(error)) if error.is_refused_now() => {
            queue.hasten(&server);
            None
        }
        // It is tried again, and keeps its turn.
        (Some(_), Err(_)) => return queue.looked_at(&server),
        _ => None,
    };
    queue.follow(&server, phase);
}
