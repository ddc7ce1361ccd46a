//! The commands for people and pipelines. Those that ask a cluster do so with their caller's own
//! rights.
//!
//! All of them end with 0 when all is well, 1 when what they looked at is not, and 2 when they could
//! not look.

mod admission;
pub mod check;
pub mod check_api;
pub mod cluster;
mod columns;
pub mod connect;
pub mod crd;
pub mod doctor;
pub mod hq;
mod manifests;
pub mod migrate;
mod offline;
pub mod render;
pub mod report;
mod sensitive;
pub mod status;
pub mod tools;
pub mod version;
pub mod write;

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgAction, Args, ValueEnum};
use lenses_mcp_crds::yaml;
use serde::Serialize;

use crate::{
    context::{Defaults, VerificationDefaults},
    probe::Proxy,
    settings,
};

/// What was looked at is not as it must be.
const NOT_WELL: u8 = 1;
/// The command could not look.
const COULD_NOT_LOOK: u8 = 2;

/// Which manifests.
#[derive(Args, Clone, Debug)]
pub struct Files {
    /// A file of YAML or JSON documents, a directory of such files, or - for standard input. May be
    /// given more than once.
    ///
    /// Services, Secrets and `ConfigMaps` that a resource refers to are looked for among the documents of all files.
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,

    /// Read the directories in directories, too.
    #[arg(short = 'R', long)]
    recursive: bool,

    /// The namespace of documents that name none.
    #[arg(short, long, default_value = "default", value_parser = settings::label)]
    namespace: String,
}

/// What the operator would be told: the settings of `run` that decide what a resource becomes.
#[derive(Args, Clone, Debug)]
pub struct OperatorSettings {
    /// The image of a server whose resource names none.
    #[arg(long, env = "SERVER_IMAGE", default_value = settings::SERVER_IMAGE, value_parser = settings::image)]
    server_image: String,

    /// The domain of the cluster's DNS names.
    #[arg(long, env = "CLUSTER_DOMAIN", default_value = "cluster.local", value_parser = settings::domain)]
    cluster_domain: String,

    /// The namespace in which the operator runs: its pods are let in by the `NetworkPolicies`.
    #[arg(long, env = "POD_NAMESPACE", default_value = "lenses-mcp-operator", value_parser = settings::label)]
    operator_namespace: String,
    /// As the operator's setting of that name.
    #[arg(long, env = "POD_TEMPLATE_ALLOW_HOST_ACCESS", default_value_t = false, action = ArgAction::Set)]
    pod_template_allow_host_access: bool,

    /// The HTTP proxy of resources whose `spec.lenses.proxy` has `fromEnvironment`. Default: none.
    #[arg(long, value_name = "URL", default_value = "", value_parser = settings::proxy)]
    proxy: String,

    /// What such resources reach without the proxy, separated by commas.
    #[arg(long, value_name = "LIST", default_value = "")]
    no_proxy: String,
}

impl OperatorSettings {
    fn defaults(self) -> Defaults {
        Defaults {
            image: self.server_image,
            image_pull_secrets: Vec::new(),
            cluster_domain: self.cluster_domain,
            namespaces: Vec::new(),
            selector: String::new(),
            upgrades_at_once: 1,
            operator_namespace: self.operator_namespace,
            allow_host_access: self.pod_template_allow_host_access,
            verification: VerificationDefaults::default(),
            proxy: Proxy::of_operator(self.proxy, self.no_proxy),
        }
    }
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// How objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectOutput {
    /// One YAML document an object.
    Yaml,
    /// One JSON document: a `List`.
    Json,
}

/// A value as `kubectl` would print it.
fn structured(value: &impl Serialize, output: Output) -> String {
    let written = match output {
        Output::Yaml => yaml::to_string(value).map_err(|error| error.to_string()),
        Output::Json | Output::Table => serde_json::to_string_pretty(value)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string()),
    };
    // Every key of what is written here is text, so there is nothing that either form cannot hold.
    written.unwrap_or_default()
}

fn could_not_look(error: &impl std::fmt::Display) -> ExitCode {
    write::to_stderr(format_args!("error: {error}"));
    ExitCode::from(COULD_NOT_LOOK)
}
