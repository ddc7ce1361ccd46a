//! The Deployment is applied, unless it is as wanted, or as admission wants it: to apply again what
//! admission rewrites changes nothing.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;

use super::{
    ApplyError,
    drift::{differences, drifted},
    ensure,
    managed_fields::Segment,
};
use crate::{context::Context, controller::observed::Ownership, rewritten::Rewritten};

pub(super) async fn ensure_deployment(
    Context { client, caches, rewritten, .. }: &Context,
    wanted: &Deployment,
    found: &Ownership<Deployment>,
) -> Result<Arc<Deployment>, ApplyError> {
    if let Ownership::Own(observed) = found
        && is_settled(rewritten, wanted, observed)
    {
        return Ok(Arc::clone(observed));
    }
    let applied = ensure(client, wanted, found, &caches.deployments.own).await?;
    if !matches!(found, Ownership::Own(observed) if Arc::ptr_eq(observed, &applied)) {
        rewritten.note(&applied, drifted(wanted, &*applied));
    }
    Ok(applied)
}

/// Whether admission rewrote what is wanted, and nobody has changed it since.
fn is_settled(rewritten: &Rewritten, wanted: &Deployment, observed: &Deployment) -> bool {
    let spec = Segment::Field("spec".to_owned());
    // Metadata do not count in the generation. If something else is wanted, its digest in an
    // annotation is another.
    rewritten.is_unchanged(observed)
        && differences(wanted, observed).iter().all(|path| path.first() == Some(&spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::{
        build,
        fixtures::{oauth_server, valid},
    };

    fn deployment() -> Deployment {
        let wanted = build::build(&valid(&oauth_server())).deployment.unwrap();
        build::applied(wanted, None)
    }

    fn with_image(mut deployment: Deployment, image: &str, generation: i64) -> Deployment {
        deployment.metadata.uid = Some("u".to_owned());
        deployment.metadata.generation = Some(generation);
        let pod = deployment.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
        pod.containers[0].image = Some(image.to_owned());
        deployment
    }

    #[test]
    fn what_admission_rewrote_is_not_applied_again() {
        let (wanted, rewritten) = (deployment(), Rewritten::default());
        let stored = with_image(wanted.clone(), "mirror.example/default:1", 2);
        assert!(!is_settled(&rewritten, &wanted, &stored), "nothing has been applied yet");
        rewritten.note(&stored, drifted(&wanted, &stored));
        assert!(is_settled(&rewritten, &wanted, &stored));
    }

    #[test]
    fn what_somebody_changed_since_admission_is_applied() {
        let (wanted, rewritten) = (deployment(), Rewritten::default());
        let stored = with_image(wanted.clone(), "mirror.example/default:1", 2);
        rewritten.note(&stored, drifted(&wanted, &stored));
        let edited = with_image(wanted.clone(), "edited:1", 3);
        let mut unlabelled = stored.clone();
        unlabelled.metadata.labels = None;
        let mut replaced = stored.clone();
        replaced.metadata.uid = Some("v".to_owned());
        for changed in [&edited, &unlabelled, &replaced] {
            assert!(!is_settled(&rewritten, &wanted, changed));
        }
        let mut server = oauth_server();
        server.spec.image = Some("other:1".to_owned());
        let other = build::applied(build::build(&valid(&server)).deployment.unwrap(), None);
        assert!(!is_settled(&rewritten, &other, &stored), "something else is wanted");
        rewritten.note(&wanted, drifted(&wanted, &wanted));
        assert!(!is_settled(&rewritten, &wanted, &stored), "admission rewrites it no more");
    }
}
