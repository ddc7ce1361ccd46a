//! `check-api`: waits until the API server accepts a `LensesMcpServer` resource. The chart's test and
//! its start-up check run this.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use kube::{Api, Client, api::PostParams};
use lenses_mcp_crds::{LensesMcpServer, yaml};
use tokio::time::{Instant, sleep, timeout};

use super::{
    COULD_NOT_LOOK, NOT_WELL,
    cluster::{Cluster, ClusterError, block_on},
    write,
};
use crate::{api_error, settings};

/// Time between two attempts.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

/// A resource that every version of the `CustomResourceDefinition` accepts.
const RESOURCE: &str = "
apiVersion: mcp.lenses.io/v1alpha1
kind: LensesMcpServer
metadata: {generateName: api-check-}
spec:
  lenses: {url: 'https://lenses.example.com'}
  auth: {oauth: {}}
  endpoint: {url: 'https://mcp.example.com'}
";

/// The arguments of `check-api`.
#[derive(Args, Clone, Debug)]
pub struct CheckApi {
    /// Seconds to wait until the API server accepts the resource. 0: one attempt.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u32,
    /// The namespace of the resource, which is not created. Default: that of the current context.
    #[arg(short, long, env = "POD_NAMESPACE", value_parser = settings::label)]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: Cluster,
}

/// Runs it: exit status 0 if the API server accepts the resource, 1 if not, 2 if there is no cluster.
#[must_use]
pub fn run(arguments: &CheckApi) -> ExitCode {
    block_on(check(arguments)).unwrap_or_else(|error| fail(&error.to_string(), COULD_NOT_LOOK))
}

async fn check(arguments: &CheckApi) -> ExitCode {
    let config = arguments.cluster.config().await;
    let client = config.and_then(|config| Client::try_from(config).map_err(ClusterError::Client));
    let client = match client {
        Ok(client) => client,
        Err(error) => return fail(&error.to_string(), COULD_NOT_LOOK),
    };
    let namespace = arguments.namespace.as_deref().unwrap_or(client.default_namespace());
    let resources = Api::<LensesMcpServer>::namespaced(client.clone(), namespace);
    let end = Instant::now() + Duration::from_secs(arguments.wait.into());
    loop {
        let error = match dry_run(&resources).await {
            Ok(()) => {
                write::to_stdout("the API server accepts LensesMcpServer resources\n");
                return ExitCode::SUCCESS;
            }
            Err(error) => error,
        };
        if Instant::now() >= end {
            return fail(&error, NOT_WELL);
        }
        sleep(INTERVAL).await;
    }
}

/// Creates the resource without keeping it.
async fn dry_run(resources: &Api<LensesMcpServer>) -> Result<(), String> {
    let resource: LensesMcpServer = yaml::from_documents(RESOURCE)
        .map_err(|error| error.to_string())?
        .pop()
        .ok_or("there is no resource")?;
    let parameters = PostParams { dry_run: true, ..PostParams::default() };
    timeout(ATTEMPT, resources.create(&parameters, &resource))
        .await
        .map_err(|_| format!("no answer from the API server within {} s", ATTEMPT.as_secs()))?
        .map(drop)
        .map_err(|error| {
            let reason = api_error::message(&error);
            format!("failed to create a LensesMcpServer as a dry run: {reason}")
        })
}

fn fail(error: &str, status: u8) -> ExitCode {
    write::to_stderr(format_args!("error: {error}"));
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_error_says_what_the_api_server_did_not_accept() {
        // Nothing listens on port 1 of the loopback address.
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let client = Client::try_from(config).unwrap();
        let error = dry_run(&Api::namespaced(client, "default")).await.unwrap_err();
        assert!(error.starts_with("failed to create a LensesMcpServer as a dry run"), "{error}");
    }
}
