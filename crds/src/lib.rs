//! The vocabulary of the operator: the `LensesMcpServer` API, its conditions, and the CRD made from
//! them.
//!
//! One `LensesMcpServer` is one MCP server for one Lenses HQ. Its author says which Lenses
//! ([`Lenses`]), which sign-in ([`Auth`]) and where it is published ([`Endpoint`]); the operator
//! derives the rest and shows in [`LensesMcpServerStatus`] what it derived and by which rule.
//!
//! Read in this order: [`v1alpha1`] (the fields), `rules` (what a manifest may say, as CEL),
//! [`conditions`] (what the operator answers), [`schema`] (the CRD). This crate has no client and
//! does no IO.

pub mod conditions;
mod rules;
pub mod schema;
mod server_settings;
pub mod tools;
pub mod v1alpha1;
pub mod yaml;

pub use server_settings::{is_server_setting, may_be_set};
pub use v1alpha1::{
    ApiKey, Audience, Audit, AuditDisabled, AuditFile, AuditStdout, Auth, Autoscaling, CaBundle,
    Callers, ClientRegistration, ConfigMapKeyRef, Confirm, CredentialSecretRef, DerivedSetting,
    DisruptionBudget, Dns, Endpoint, EnvironmentRule, ExternalTrafficPolicy, HttpRoute,
    ImagePullPolicy, Ingress, Introspection, Lenses, LensesMcpServer, LensesMcpServerSpec,
    LensesMcpServerStatus, Limits, ListedTools, Log, LogFormat, LogLevel, Metrics, NetworkPolicy,
    OAuth, Observability, OtlpProtocol, ParentRef, Resources, Rollout, SERVER_CONTAINER, Scheme,
    Scope, SecretKeyRef, SecretRef, SecurityChange, Service, ServiceMonitor, ServiceRef,
    ServiceType, TlsSecret, Tools, Tracing, Verification, VerificationMode,
};

/// The API group of every kind in this crate.
pub const GROUP: &str = "mcp.lenses.io";
