//! HQ's whole router.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};
use tower::limit::GlobalConcurrencyLimitLayer;

use super::oauth::{
    applications, authorize, introspect, metadata, register, revoke, sign_in, token,
};
use super::problem::Problem;
use super::routes::{
    approvals, configs, connectors, consumers, datasets, offsets, partitions, streams,
    topic_metadata, topics,
};
use super::{Hq, environments, faults, meta_info, requests, sql};

/// Requests that are served at the same time; more wait.
const MAX_IN_FLIGHT: usize = 1_024;

/// Every route of the stand-in. A path is matched as it was sent and only then decoded, so a name
/// with an encoded `/`, `?` or `..` is a name and never another route.
pub(crate) fn router(hq: Arc<Hq>) -> Router {
    let oauth = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/oauth2/register", post(register::register))
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/oauth2/authorize/sign-in", post(sign_in::sign_in))
        .route("/oauth2/authorize/consent", post(sign_in::consent))
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/api/v0/users/me/oauth2/authorizations", get(applications::list))
        .route("/api/v0/users/me/oauth2/authorizations/{id}", delete(applications::revoke));

    let proxy = Router::new()
        .route("/api/topics", get(topics::list).post(topics::create))
        .route("/api/topics/{topic}", get(topics::show))
        .route("/api/topics/{topic}/brokerConfigs", get(configs::list))
        .route("/api/topics/{topic}/{partition}/{offset}/resend", put(partitions::resend))
        .route("/api/configs/topics/{topic}", put(configs::update))
        .route("/api/v1/kafka/topic", post(topics::create_with_schema))
        .route("/api/v1/kafka/topics/{topic}/partitions", put(partitions::add))
        .route("/api/v2/topics/{topic}/partitions", get(partitions::show))
        .route("/api/metadata/topics", get(topic_metadata::list))
        .route("/api/metadata/topics/{topic}", get(topic_metadata::show))
        .route("/api/v1/metadata/topics", post(topic_metadata::update))
        .route("/api/v1/datasets", get(datasets::list))
        .route("/api/v1/datasets/{connection}/{dataset}", get(datasets::show))
        .route(
            "/api/v1/datasets/{connection}/{dataset}/messages/metrics",
            get(datasets::message_metrics),
        )
        .route(
            "/api/v1/datasets/{connection}/{dataset}/description",
            put(datasets::update_description),
        )
        .route("/api/v1/datasets/{connection}/{dataset}/tags", put(datasets::update_tags))
        .route("/api/consumers", get(consumers::list))
        .route("/api/consumers/{name}", get(consumers::list_by_topic).delete(consumers::delete))
        .route("/api/consumers/{group}/offsets", put(offsets::reset))
        .route("/api/consumers/{group}/offsets/delete", post(offsets::delete))
        .route(
            "/api/consumers/{group}/offsets/topics/{topic}/partitions/{partition}",
            put(offsets::set),
        )
        .route(
            "/api/consumers/{group}/topics/{topic}/partitions/{partition}/offsets",
            delete(offsets::delete_partition),
        )
        .route("/api/kafka-connect/connectors", get(connectors::list).post(connectors::create))
        .route("/api/kafka-connect/validate", post(connectors::check))
        .route(
            "/api/kafka-connect/clusters/{cluster}/connectors/{connector}",
            delete(connectors::delete),
        )
        .route(
            "/api/kafka-connect/clusters/{cluster}/connectors/{connector}/{action}",
            put(connectors::act),
        )
        .route(
            "/api/kafka-connect/clusters/{cluster}/connectors/{connector}/tasks/{task}/restart",
            put(connectors::restart_task),
        )
        .route(
            "/api/v1/resource/kafka/connect/{cluster}/connector/{connector}",
            get(connectors::definition),
        )
        .route("/api/v2/streams", get(streams::list).post(streams::create))
        .route("/api/v2/streams/{id}", get(streams::show))
        .route("/api/v1/streams/{id}", delete(streams::delete))
        .route("/api/v1/deployment/targets", get(streams::targets))
        .route("/api/v1/k8s/logs/{cluster}/{namespace}/{pod}/download", get(streams::logs))
        .route("/api/v1/approvals", get(approvals::list).post(approvals::create))
        .route("/api/v1/approvals/{id}", get(approvals::show))
        .route("/api/ws/v2/sql/execute", get(sql::execute));

    let api = Router::new()
        .route("/api/v1/meta-info", get(meta_info::show))
        .route("/api/v1/environments", get(environments::list).post(environments::create::create))
        .route("/api/v1/environments/{environment}", get(environments::show))
        .route("/api/v1/consumer-groups", get(environments::consumer_groups::list))
        .nest("/api/v1/environments/{environment}/proxy", proxy);

    let whole = Router::new()
        .route("/", get(async || "Lenses HQ (stand-in)\n"))
        .merge(oauth)
        .merge(api)
        .fallback(async || Problem::not_found("route"));

    // An issuer with a path: HQ is dialled below that path, and its metadata is asked for at the
    // root, before it (RFC 8414 §3.1).
    let path = hq.issuer.path();
    let served = if path.is_empty() {
        whole
    } else {
        let below = format!("/.well-known/oauth-authorization-server{path}");
        whole.clone().nest(&path, whole).route(&below, get(metadata::show))
    };
    served
        .layer(from_fn_with_state(hq.clone(), faults::inject))
        .layer(from_fn_with_state(hq.clone(), requests::record))
        .layer(GlobalConcurrencyLimitLayer::new(MAX_IN_FLIGHT))
        .with_state(hq)
}
