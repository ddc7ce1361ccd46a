//! The chart's roles are what the operator needs: no right is missing, and none is there that it
//! does not use.
//!
//! The API server's audit log tells of all other tests, so this one runs last: `make e2e` sees to
//! it.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::{Api, api::ListParams};
use lenses_mcp_e2e::{
    bed::{Bed, OPERATOR_NAMESPACE, OPERATOR_RELEASE, Trouble, cluster, prove},
    cluster::AuditEvent,
};

/// A verb on a resource: `patch deployments.apps`.
type Right = String;

#[tokio::test]
async fn the_operator_has_every_right_it_needs_and_no_unused_one() {
    prove(|bed| async move {
        let granted = granted(&bed).await?;
        let Requests { refused, allowed } = requests()?;
        // Helm takes roles away before pods, and gives them after: what was refused just then was
        // allowed at any other time.
        let missing: Vec<_> = refused.difference(&allowed).collect();
        assert!(missing.is_empty(), "asked for, but never allowed: {missing:#?}");
        let used: BTreeSet<_> = allowed.into_iter().map(|request| request.right).collect();
        let unused: Vec<_> = granted.difference(&used).collect();
        assert!(unused.is_empty(), "granted, but used in no test: {unused:#?}");
        Ok(())
    })
    .await;
}

/// What the roles of the installed chart grant.
async fn granted(bed: &Bed) -> Result<BTreeSet<Right>, Trouble> {
    // The aggregated roles are for people.
    let of_release = ListParams::default().labels(&format!(
        "app.kubernetes.io/instance={OPERATOR_RELEASE},\
         !rbac.authorization.k8s.io/aggregate-to-edit"
    ));
    let everywhere = Api::<ClusterRole>::all(bed.client.clone()).list(&of_release).await?;
    let here =
        Api::<Role>::namespaced(bed.client.clone(), OPERATOR_NAMESPACE).list(&of_release).await?;
    let rules = everywhere
        .into_iter()
        .filter_map(|role| role.rules)
        .chain(here.into_iter().filter_map(|role| role.rules));
    let rights: BTreeSet<_> = rules.flatten().flat_map(|rule| rights(&rule)).collect();
    assert!(!rights.is_empty(), "the release has no roles");
    Ok(rights)
}

fn rights(rule: &PolicyRule) -> Vec<Right> {
    let mut rights = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            rights.extend(rule.verbs.iter().map(|verb| right(verb, group, resource)));
        }
    }
    rights
}

fn right(verb: &str, group: &str, resource: &str) -> Right {
    format!("{verb} {resource}.{group}").trim_end_matches('.').to_owned()
}

/// What an operator asked for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    by: String,
    /// Empty for all of them.
    namespace: String,
    right: Right,
}

/// What operators asked for in all tests, whichever release they were of.
#[derive(Default)]
struct Requests {
    allowed: BTreeSet<Request>,
    refused: BTreeSet<Request>,
}

fn requests() -> Result<Requests, Trouble> {
    let mut requests = Requests::default();
    for event in cluster()?.audit_events()? {
        let event = event?;
        let (is_allowed, has_created) = (event.is_allowed(), event.has_created());
        let AuditEvent { user, verb, object_ref: Some(object), .. } = event else { continue };
        // As the chart names the operator's ServiceAccount in every release.
        if !user.username.starts_with("system:serviceaccount:")
            || !user.username.ends_with("lenses-mcp-operator")
        {
            continue;
        }
        let mut asked = |verb: &str| {
            let right = right(verb, &object.api_group, &object.in_rules());
            let request =
                Request { by: user.username.clone(), namespace: object.namespace.clone(), right };
            if is_allowed { &mut requests.allowed } else { &mut requests.refused }.insert(request);
        };
        asked(&verb);
        if has_created {
            asked("create");
        }
    }
    Ok(requests)
}
