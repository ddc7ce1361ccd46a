//! `mcp.lenses.io/v1alpha1`: the fields of a `LensesMcpServer`. The doc comments are what
//! `kubectl explain` prints.

#![expect(
    unreachable_pub,
    reason = "`KubeSchema` makes a private copy of each struct and calls it `pub`"
)]

mod auth;
mod duration;
mod endpoint;
mod lenses;
mod network_policy;
mod observability;
mod offer;
mod pod_template;
mod pods;
mod rollout;
mod scaling;
mod status;
mod verification;

pub use auth::{
    ApiKey, Audience, Auth, Callers, ClientRegistration, Introspection, OAuth, Scope, SecretKeyRef,
    SecretRef,
};
pub use endpoint::{
    Endpoint, ExternalTrafficPolicy, HttpRoute, Ingress, ParentRef, Service, ServiceType,
};
pub use lenses::{CaBundle, ConfigMapKeyRef, Lenses, LensesProxy, Scheme, ServiceRef, TlsSecret};
pub use network_policy::{Dns, NetworkPolicy};
pub use observability::{
    Audit, AuditDisabled, AuditFile, AuditStdout, Log, LogFormat, LogLevel, Metrics, Observability,
    OtlpProtocol, ServiceMonitor, Tracing,
};
pub use offer::{Confirm, EnvironmentRule, Limits, Tools};
pub use pod_template::SERVER_CONTAINER;
pub use pods::{ImagePullPolicy, Resources};
pub use rollout::{Rollout, SecurityChange};
pub use scaling::{Autoscaling, DisruptionBudget};
pub use status::{DerivedSetting, LensesMcpServerStatus, ListedTools};
pub use verification::{CredentialSecretRef, Verification, VerificationMode};

use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::rules;

/// What Lenses, which sign-in, where it is published.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[kube(
    group = "mcp.lenses.io",
    version = "v1alpha1",
    kind = "LensesMcpServer",
    plural = "lensesmcpservers",
    shortname = "lmcp",
    category = "all",
    category = "lenses",
    namespaced,
    status = "LensesMcpServerStatus",
    derive = "PartialEq",
    doc = "An MCP server for one Lenses HQ: AI tools sign in to it and work with Kafka through HQ, \
           each with its user's rights.",
    validation = rules::name_fits_a_service(),
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the server serves what the spec asks for."
    ),
    printcolumn(
        name = "URL", type_ = "string", json_path = ".status.url",
        description = "The MCP URL to give to a client."
    ),
    printcolumn(
        name = "Auth", type_ = "string", json_path = ".status.authMode",
        description = "How callers sign in."
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "How many replicas are ready."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "What holds the server back, if anything does."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Lenses",
        type_ = "string",
        json_path = ".status.lensesUrl",
        description = "Lenses HQ as the pods reach it.",
        priority = 1
    ),
    printcolumn(
        name = "Image", type_ = "string", json_path = ".status.image",
        description = "The image that runs.", priority = 1
    ),
    printcolumn(
        name = "Tools",
        type_ = "integer",
        json_path = ".status.tools.count",
        description = "How many tools the server lists, where the operator has a token to ask.",
        priority = 1
    ),
    printcolumn(
        name = "Verified",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Verified\")].status",
        description = "Whether a client finds its way to the server and to sign-in.",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::exactly_one_sign_in(),
    validation = rules::service_ref_needs_advertised_url(),
    validation = rules::lenses_url_fit_for_browsers(),
    validation = rules::cpu_target_needs_a_request(),
    validation = rules::replicas_after_autoscaling(),
    validation = rules::expected_tools_need_a_credential(),
    validation = rules::audit_file_is_on_a_volume()
)]
pub struct LensesMcpServerSpec {
    /// Which Lenses HQ this server is for, and how it is reached from inside and from outside.
    /// Exactly one of `url` and `serviceRef`.
    pub lenses: Lenses,

    /// How callers sign in. Required: exactly one of `oauth` and `apiKey`. `oauth: {}` is all that
    /// most need; there is no value that means "no sign-in" by omission.
    #[serde(default)]
    pub auth: Auth,

    /// Where the server is published: its public URL, its Service, and the browser origins that may
    /// call it. Optional.
    #[serde(default)]
    pub endpoint: Endpoint,

    /// The server's image, with a tag or a digest, such as `lensesio/lenses-mcp-server:0.1.0`.
    /// Default: the image of the operator's own version, which is what it was tested with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// When the image is pulled: `Always`, `IfNotPresent` or `Never`. Default: `IfNotPresent`.
    #[serde(default)]
    pub image_pull_policy: ImagePullPolicy,

    /// Secrets of type `kubernetes.io/dockerconfigjson` in this namespace with the credentials of
    /// the image's registry. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub image_pull_secrets: Vec<SecretRef>,

    /// How many pods serve. The server keeps no state, so any number works; 0 stops it.
    /// `kubectl scale` sets this field. It means nothing while `autoscaling` is set. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: i32,

    /// Lets load decide how many pods serve, by a `HorizontalPodAutoscaler` of this resource's
    /// name. It starts from the number that there is. When this field is taken away, `replicas`
    /// holds again, and must then be 0 or at least `minReplicas`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// How many pods may be missing while nodes are drained, as a `PodDisruptionBudget`. There is
    /// one only when more than one pod can run: of a single pod it would hold the drain up or mean
    /// nothing. Default: `maxUnavailable: 1`.
    #[serde(default)]
    pub disruption_budget: DisruptionBudget,

    /// Who may reach the pods, and whom they may reach, as a `NetworkPolicy`. Most of it follows
    /// from the rest of this spec. Default: one is made.
    #[serde(default)]
    pub network_policy: NetworkPolicy,

    /// CPU and memory of each pod, as in a container's `resources`. Default: requests of 50m CPU
    /// and 64Mi, a limit of 256Mi memory, and no CPU limit, which would only slow requests down;
    /// what is written here replaces all of them.
    #[serde(default)]
    pub resources: Resources,

    /// Which tools the server offers, and which Lenses environments they may touch. Default: all of
    /// them, within each caller's rights in Lenses.
    #[serde(default)]
    pub tools: Tools,

    /// The bounds on each call.
    #[serde(default)]
    pub limits: Limits,

    /// How a change reaches the pods.
    #[serde(default)]
    pub rollout: Rollout,

    /// How HQ and the endpoint are checked, as a client would find them; `LensesReachable` and
    /// `Verified` tell the outcome. Optional.
    #[serde(default)]
    pub verification: Verification,

    /// What the server logs, who is told of its metrics, and where it sends traces. Optional.
    #[serde(default)]
    pub observability: Observability,

    /// Whatever else the pods are to be, as a partial pod template: labels, annotations,
    /// `nodeSelector`, `tolerations`, `affinity`, `topologySpreadConstraints`, `priorityClassName`,
    /// sidecars, volumes and the like; `kubectl explain pod` knows the fields. It is merged as
    /// Kubernetes merges (strategically): lists of named things item by item, others as a whole.
    /// The container `lenses-mcp-server` is the server's own; it can be given `env`,
    /// `volumeMounts`, `securityContext` and so on, and not another image, command or port, and
    /// none of the settings that fields of this spec decide. Without it the pods hold the Pod
    /// Security Standard `restricted` and spread over the nodes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "pod_template::partial_pod_template")]
    #[x_kube(
        validation = rules::pod_labels_are_the_operators(),
        validation = rules::server_container_stays_the_servers(),
        validation = rules::no_settings_in_the_environment(),
        validation = rules::volumes_of_the_operator(),
        validation = rules::sidecars_have_images()
    )]
    pub pod_template: Option<Box<PodTemplateSpec>>,

    /// While true, the operator changes nothing that runs, whatever this spec says; it still checks
    /// the spec and reports. Default: false.
    #[serde(default)]
    pub paused: bool,
}

fn one() -> i32 {
    1
}
