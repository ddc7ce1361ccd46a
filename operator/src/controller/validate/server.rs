//! A server that can be made, as the builders take it.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LocalObjectReference, PodTemplateSpec},
    apimachinery::pkg::{
        api::resource::Quantity, apis::meta::v1::OwnerReference, util::intstr::IntOrString,
    },
};
use lenses_mcp_crds::{
    Autoscaling, CaBundle, DerivedSetting, DisruptionBudget, HttpRoute, ImagePullPolicy, Ingress,
    Limits, NetworkPolicy, Observability, Service, Tools, VerificationMode,
};

use super::{Destination, Rejection, SignIn, access::Access};
use crate::{controller::observed::ContentVersion, probe::Proxy};

/// A server that can be made. Builders take nothing else.
pub(crate) struct ValidServer {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) owner: OwnerReference,
    pub(crate) lenses: LensesHq,
    pub(crate) sign_in: SignIn,
    pub(crate) endpoint: Endpoint,
    pub(crate) contents: Contents,
    pub(crate) image: Image,
    pub(crate) pods: Pods,
    pub(crate) network: Network,
    pub(crate) tools: Tools,
    pub(crate) call_limits: Limits,
    /// What it lets its callers do.
    pub(crate) access: Access,
    /// What that no longer lets them do, if the old pods have to go first for it.
    pub(crate) narrowed: Option<String>,
    pub(crate) observability: Observability,
    /// What cannot be made since the cluster lacks its kind. Everything else is made.
    pub(crate) missing_apis: Vec<Rejection>,
    /// What the spec leaves open, with the rule that decided it.
    pub(crate) derived: Vec<DerivedSetting>,
}

/// HQ, as the pods reach it.
pub(crate) struct LensesHq {
    pub(crate) url: String,
    /// The authorities that its certificate is checked with, besides the system's.
    pub(crate) ca: Option<CaBundle>,
    /// The Secret with what is shown to it.
    pub(crate) client_certificate: Option<String>,
    /// The proxy through which it is reached.
    pub(crate) proxy: Option<Proxy>,
}

/// The server, as clients reach it.
pub(crate) struct Endpoint {
    /// The public URL, without `/mcp` and without a slash at its end.
    pub(crate) advertised_url: String,
    /// Whether the address that `advertised_url` is to have is yet to be assigned to the load
    /// balancer.
    pub(crate) awaits_address: bool,
    /// The names by which the Service is called inside the cluster.
    pub(crate) service_names: Vec<String>,
    /// The hosts that the server answers to, besides that of `advertised_url`.
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    /// The Secret with what clients are shown; none means plain HTTP.
    pub(crate) tls: Option<String>,
    pub(crate) service: Service,
    pub(crate) service_port: i32,
    pub(crate) ingress: Option<Ingress>,
    pub(crate) http_route: Option<HttpRoute>,
    /// What verification examines.
    pub(crate) verification_mode: VerificationMode,
}

/// What stands for the content of the Secrets and `ConfigMaps` that are used.
pub(crate) struct Contents {
    /// Each Secret that the pods read at their start, by its name.
    pub(crate) secrets: BTreeMap<String, ContentVersion>,
    /// The same of each `ConfigMap`.
    pub(crate) config_maps: BTreeMap<String, ContentVersion>,
    /// The Secret whose token verification shows, if it is there.
    pub(crate) verification: Option<ContentVersion>,
    /// The uid of the Secret with the sealing key, once it has been made.
    pub(crate) sealing_key: Option<String>,
    /// The last wish for a new sealing key.
    pub(crate) rotation: Option<String>,
}

/// What the pods run.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) pull_policy: ImagePullPolicy,
    pub(crate) pull_secrets: Vec<LocalObjectReference>,
}

/// The pods.
pub(crate) struct Pods {
    pub(crate) replicas: Replicas,
    pub(crate) progress_deadline_seconds: i32,
    /// How many pods a rolling update may add.
    pub(crate) max_surge: IntOrString,
    /// How many pods may be missing during a rolling update.
    pub(crate) max_unavailable: IntOrString,
    pub(crate) requests: BTreeMap<String, Quantity>,
    pub(crate) limits: BTreeMap<String, Quantity>,
    /// What is merged into them.
    pub(crate) template: Option<Box<PodTemplateSpec>>,
    /// `None` if there is to be none.
    pub(crate) disruption_budget: Option<DisruptionBudget>,
}

/// Who may connect to the pods, and what they connect to.
pub(crate) struct Network {
    pub(crate) policy: NetworkPolicy,
    pub(crate) destinations: Vec<Destination>,
    /// Where the operator runs.
    pub(crate) operator_namespace: String,
}

/// How many pods there are to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Replicas {
    /// So many.
    Fixed(i32),
    /// As many as the autoscaler says.
    Autoscaled(Autoscaling),
}
