//! Programs that run inside the cluster, as a person there would run them.

use std::{
    env,
    io::{self, Write},
    process::Stdio,
};

use crate::{
    cluster::{Cluster, ClusterName},
    demo::Error,
};

/// How a person looks inside the cluster `name` from another terminal, with the `cluster` that
/// `make demo` builds beside this program.
pub(super) fn instructions(name: &ClusterName) -> io::Result<String> {
    let program = env::current_exe()?.with_file_name("cluster");
    let program = program.strip_prefix(env::current_dir()?).unwrap_or(&program).display();
    Ok(format!("Look inside    {program} --name {name} exec -- kubectl get pods --all-namespaces"))
}

/// The cluster, to run kubectl and Helm in.
pub(super) struct Inside {
    cluster: Cluster,
}

impl Inside {
    pub(super) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// Runs `program ARGUMENTS` with `input` and returns what it prints.
    pub(super) async fn run(
        &self,
        program: &'static str,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, Error> {
        let cluster = self.cluster.clone();
        let arguments: Vec<String> =
            arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let input = input.to_owned();
        let shown = format!("{program} {}", arguments.join(" "));
        let work = move || {
            cluster.inside(|| {
                let mut command = cluster.command(program);
                let mut child = command
                    .args(arguments)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()?;
                if let Some(mut stdin) = child.stdin.take() {
                    stdin.write_all(input.as_bytes())?;
                }
                child.wait_with_output()
            })
        };
        let output = tokio::task::spawn_blocking(work).await???;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
        }
    }
}
