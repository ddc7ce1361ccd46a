//! Starting a node: its files, its process 1, its components one after the other as each can work.

mod error;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use kube::Client;
use serde_json::json;
use tokio::time::{Instant, timeout};

pub use self::error::StartError;
use super::binaries::Binaries;
use super::components::{self, Component};
use super::name::{ClusterName, MARKER};
use super::namespaces::{self, in_thread};
use super::{Say, containerd, pki, ready, remains, requirements, settings};

/// How long a start may take: some seconds are usual, and a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a node that lost a component may take to end.
const GRACE: Duration = Duration::from_secs(1);
/// How often process 1 is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// How much of a cluster is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// etcd and the API server.
    ApiServer,
    /// These and the controller manager.
    ControlPlane,
    /// All of it.
    Node,
}

/// Starts a node in `run`, which is there and empty, and returns its process 1 when everything
/// answers.
pub(super) fn start(
    name: &ClusterName,
    run: &Path,
    binaries: &Binaries,
    parts: Parts,
    say: Say<'_>,
) -> Result<u32, StartError> {
    write_files(run, name)?;
    make_cgroups(name)?;
    let mut child = in_thread(|| spawn(run, name, &binaries.kubernetes))?;
    let pid = child.id();
    let Some(input) = child.stdin.take() else {
        return Err(StartError::Node(io::Error::other("it has no standard input")));
    };
    let mut node = StartingNode { run, parts, child, input, deadline: Instant::now() + PATIENCE };
    in_thread(|| {
        namespaces::enter(pid, run)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Node)?;
        let result = runtime.block_on(async {
            let result = match parts {
                Parts::ApiServer => node.bring_up_api_server(say).await.map(drop),
                Parts::ControlPlane => node.bring_up_control_plane(say).await,
                Parts::Node => node.bring_up(binaries, say).await,
            };
            match result {
                // A step fails as well when the node ends below it, and then that is the fault.
                Err(StartError::Step { .. })
                    if timeout(GRACE, until_ended(&mut node.child)).await.is_ok() =>
                {
                    Err(node.ended())
                }
                result => result,
            }
        });
        runtime.shutdown_background();
        result
    })?;
    let StartingNode { mut child, mut input, .. } = node;
    writeln!(input, "{}", json!("keep")).map_err(StartError::Node)?;
    // Where this process lives on, the node must not stay behind as a zombie.
    std::thread::spawn(move || child.wait());
    Ok(pid)
}

fn write_files(run: &Path, name: &ClusterName) -> Result<(), StartError> {
    let mut files = settings::files(run, &name.qualified());
    files.extend(pki::make()?);
    let write = |path: &Path, content: &str| {
        let parent = path.parent().unwrap_or(run);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .and_then(|()| fs::write(path, content))
    };
    for (path, content) in files {
        let path = run.join(path);
        write(&path, &content).map_err(|source| StartError::File { path, source })?;
    }
    let logs = run.join("logs");
    fs::create_dir_all(&logs).map_err(|source| StartError::File { path: logs, source })
}

/// The cgroup that the kubelet puts its pods below.
fn make_cgroups(name: &ClusterName) -> Result<(), StartError> {
    for directory in remains::cgroup_directories(name) {
        let failed = |source| StartError::File { path: directory.clone(), source };
        // Only cgroup v2 has these files, and there a controller must be passed down.
        if let Some(parent) = directory.parent()
            && let Ok(controllers) = fs::read_to_string(parent.join("cgroup.controllers"))
        {
            let enable: Vec<_> =
                controllers.split_whitespace().map(|controller| format!("+{controller}")).collect();
            fs::write(parent.join("cgroup.subtree_control"), enable.join(" ")).map_err(failed)?;
        }
        fs::create_dir_all(&directory).map_err(failed)?;
    }
    Ok(())
}

fn spawn(run: &Path, name: &ClusterName, kubernetes: &Path) -> Result<Child, StartError> {
    let logs = run.join("logs");
    let log_path = logs.join("node.log");
    let log = fs::File::create(&log_path)
        .map_err(|source| StartError::File { path: log_path, source })?;
    let program = namespaces::make_node(run, &name.qualified(), kubernetes)?;
    Command::new(program)
        .arg("node")
        .arg(logs)
        // Nothing of the person's environment, such as a proxy, is the node's.
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env(MARKER, name.to_string())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(StartError::Node)
}

/// A node whose process 1 runs and takes orders. Dropped before the last order, it ends.
struct StartingNode<'a> {
    run: &'a Path,
    parts: Parts,
    child: Child,
    input: ChildStdin,
    deadline: Instant,
}

impl StartingNode<'_> {
    async fn bring_up(&mut self, binaries: &Binaries, say: Say<'_>) -> Result<(), StartError> {
        let run = self.run;
        let containerd = requirements::find("containerd")
            .unwrap_or_else(|| PathBuf::from("/usr/bin/containerd"));
        self.order_program(
            "containerd",
            &[
                containerd.display().to_string(),
                "--config".to_owned(),
                run.join("containerd.toml").display().to_string(),
            ],
        )?;
        let client = self.bring_up_api_server(say).await?;
        self.wait("containerd", ready::containerd(&containerd::socket(run))).await?;
        containerd::load(run, &binaries.pause_image)
            .map_err(|error| step("load the pause image", error))?;
        say("containerd answers");
        for component in components::after_api_server(run) {
            self.order(&component)?;
        }
        make_dns_objects(binaries, run)?;
        self.order(&components::dns(run))?;
        self.wait("a Ready node", ready::node(&client))
            .await?
            .map_err(|error| step("watch the node", error))?;
        say("the node is Ready");
        self.wait("the default ServiceAccount", ready::default_service_account(&client))
            .await?
            .map_err(|error| step("watch the default ServiceAccount", error))?;
        self.wait("the cluster's DNS", ready::dns()).await?;
        say("DNS answers");
        Ok(())
    }

    async fn bring_up_control_plane(&mut self, say: Say<'_>) -> Result<(), StartError> {
        let client = self.bring_up_api_server(say).await?;
        for component in components::after_api_server(self.run) {
            if component.name == "kube-controller-manager" {
                self.order(&component)?;
            }
        }
        self.wait("the default ServiceAccount", ready::default_service_account(&client))
            .await?
            .map_err(|error| step("watch the default ServiceAccount", error))
    }

    async fn bring_up_api_server(&mut self, say: Say<'_>) -> Result<Client, StartError> {
        let run = self.run;
        self.order(&components::etcd())?;
        self.wait("etcd", ready::etcd()).await?;
        self.order(&components::api_server(run))?;
        let client = ready::client(&run.join("admin.kubeconfig"))
            .await
            .map_err(|error| step("make a client", error))?;
        self.wait("the API server", ready::api_server(&client)).await?;
        say("the API server is ready");
        Ok(client)
    }

    fn order(&mut self, component: &Component) -> Result<(), StartError> {
        let mut args =
            vec![self.run.join("kubernetes").display().to_string(), component.name.to_owned()];
        args.extend_from_slice(&component.args);
        self.order_program(component.name, &args)
    }

    /// Of a control plane each part may be killed, and is started again, as a kubelet does.
    fn order_program(&mut self, name: &str, args: &[String]) -> Result<(), StartError> {
        let restart = self.parts == Parts::ControlPlane;
        let order = json!({ "name": name, "args": args, "restart": restart });
        writeln!(self.input, "{order}").map_err(|error| match self.child.try_wait() {
            Ok(Some(_)) => self.ended(),
            _ => StartError::Node(error),
        })
    }

    /// Waits for `condition`, for as long as the node lives and there is time.
    async fn wait<T>(
        &mut self,
        what: &'static str,
        condition: impl Future<Output = T>,
    ) -> Result<T, StartError> {
        tokio::select! {
            value = condition => Ok(value),
            () = until_ended(&mut self.child) => Err(self.ended()),
            () = tokio::time::sleep_until(self.deadline) => Err(
                StartError::Late { what, logs: self.run.join("logs") }
            ),
        }
    }

    fn ended(&self) -> StartError {
        let logs = self.run.join("logs");
        let said = last_lines(&logs.join("node.log"), 1);
        let component = said
            .strip_prefix("node: ")
            .and_then(|said| said.split_once(" ended: "))
            .map(|(component, _)| component);
        let log = component
            .map(|component| last_lines(&logs.join(format!("{component}.log")), 3))
            .unwrap_or_default();
        StartError::Ended { reason: format!("{said}\n{log}").trim().to_owned(), logs }
    }
}

fn make_dns_objects(binaries: &Binaries, run: &Path) -> Result<(), StartError> {
    const STEP: &str = "make the DNS Service";
    let output = Command::new(&binaries.kubernetes)
        .args(["kubectl", "create", "--filename"])
        .arg(run.join("dns.json"))
        .arg("--kubeconfig")
        .arg(run.join("admin.kubeconfig"))
        .env_clear()
        .env("HOME", run)
        .output()
        .map_err(|error| step(STEP, error))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(step(STEP, String::from_utf8_lossy(&output.stderr).trim()))
    }
}

async fn until_ended(child: &mut Child) {
    while !matches!(child.try_wait(), Ok(Some(_))) {
        tokio::time::sleep(INTERVAL).await;
    }
}

fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

fn step(step: &'static str, reason: impl std::fmt::Display) -> StartError {
    StartError::Step { step, reason: reason.to_string() }
}
