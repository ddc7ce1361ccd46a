//! The cluster itself: it comes up, lets things in and out, stands a crash of any of its parts, and
//! goes without a trace.
//!
//! Needs root and makes clusters of its own, so it runs beside `cluster exec`, not in it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may end this way")]
#![expect(clippy::disallowed_methods, reason = "no runtime runs in this process")]

mod traces;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use self::traces::{Traces, networks};
use lenses_mcp_e2e::cluster::{Cluster, ClusterName, require_root};

/// A name that nobody else has, and the promise to end what has it.
struct Mine(ClusterName);

impl Mine {
    fn new(role: &str) -> Self {
        Self(format!("{role}-{}", std::process::id()).parse().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
        command.args(["--name", &self.0.to_string()]).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it says of the cluster, which is on standard error.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "cluster {arguments:?}: {}\n{said}", output.status);
        said
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["exec", "--", "kubectl"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {}\n{said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The processes that carry the cluster's mark, with their command lines.
    fn processes(&self) -> Vec<(i32, String)> {
        let mark = format!("LENSES_MCP_E2E_CLUSTER={}", self.0);
        let numbers = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let marked = numbers.filter(|pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        });
        marked
            .map(|pid| {
                (
                    pid,
                    fs::read_to_string(format!("/proc/{pid}/cmdline"))
                        .unwrap_or_default()
                        .replace('\0', " "),
                )
            })
            .collect()
    }

    /// Ends a process as a crash does.
    fn kill(&self, part: &str) {
        let (pid, _) = self
            .processes()
            .into_iter()
            .find(|(_, line)| line.contains(part))
            .unwrap_or_else(|| panic!("no {part} runs"));
        assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    }

    fn run_directory(&self) -> PathBuf {
        PathBuf::from(format!("/run/lenses-mcp-e2e-{}", self.0))
    }

    fn wait_until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(
                Instant::now() < deadline,
                "{what} within 30 s; of cluster {} run: {:#?}",
                self.0,
                self.processes()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.run(&["down"]);
        }
    }
}

#[test]
fn a_cluster_lives_and_leaves_nothing() {
    if let Err(reason) = require_root() {
        eprintln!("skipped: {reason}");
        return;
    }
    let (one, other) = (Mine::new("one"), Mine::new("other"));
    let before = Traces::of(&[&one, &other]);

    let said = one.succeed(&["up"]);
    assert!(said.contains("is up; kubeconfig:"), "{said}");
    assert!(one.succeed(&["up"]).contains("is up already"));
    what_runs_inside_is_at_home(&one);
    pods_run(&one);
    what_is_outside_reaches_in(&one);
    two_live_side_by_side(&one, &other);
    a_crash_of_a_part_ends_it_and_the_next_up_starts_anew(&one);

    let inside = one
        .processes()
        .into_iter()
        .map(|(pid, _)| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap());
    let inside: BTreeSet<_> = inside.collect();
    assert_eq!(inside.len(), 1, "one network has all of a cluster");
    let mut left_behind = one.command(&["exec", "--", "sleep", "600"]).spawn().unwrap();
    one.wait_until("a command runs inside", || {
        one.processes().iter().any(|(_, line)| line.starts_with("sleep"))
    });
    assert!(one.succeed(&["down"]).contains("is gone"));
    assert_eq!(
        left_behind.wait().unwrap().signal(),
        Some(9),
        "a command inside goes with the cluster"
    );
    assert_eq!(one.processes(), []);
    assert!(networks().is_disjoint(&inside));
    assert_eq!(Traces::of(&[&one, &other]), before);

    a_crash_of_up_itself_is_cleaned_by_the_next(&one);
    assert!(one.succeed(&["down"]).contains("is gone"));
    assert!(one.succeed(&["down"]).contains("was not up"));
    assert_eq!(one.processes(), []);
    assert_eq!(Traces::of(&[&one, &other]), before);
}

fn what_runs_inside_is_at_home(cluster: &Mine) {
    assert_eq!(cluster.run(&["exec", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(cluster.run(&["exec", "--", "sh", "-c", "kill -TERM $$"]).status.signal(), Some(15));
    let mut cat = cluster
        .command(&["exec", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cat.stdin.take().unwrap().write_all(b"through").unwrap();
    assert_eq!(cat.wait_with_output().unwrap().stdout, b"through");

    let mut here = cluster.command(&["exec", "--", "cat", "Cargo.toml"]);
    here.current_dir(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(
        here.output().unwrap().stdout,
        fs::read("Cargo.toml").unwrap(),
        "files and directory are the caller's"
    );
    let resolved = cluster
        .run(&["exec", "--", "getent", "hosts", "kubernetes.default.svc.cluster.local"])
        .stdout;
    assert!(
        String::from_utf8(resolved).unwrap().starts_with("10.96.0.1 "),
        "names of the cluster resolve"
    );
    assert!(cluster.run(&["exec", "--", "helm", "version"]).status.success());

    let itself = cluster.run(&[
        "exec",
        "--",
        env!("CARGO_BIN_EXE_cluster"),
        "--name",
        &cluster.0.to_string(),
        "down",
    ]);
    assert!(
        !itself.status.success()
            && String::from_utf8_lossy(&itself.stderr).contains("run it outside")
    );
}

fn pods_run(cluster: &Mine) {
    cluster.kubectl(&["run", "pod", "--image=localhost/pause:1"]);
    cluster.kubectl(&["wait", "--for=condition=Ready", "pod/pod", "--timeout=30s"]);
    let events = Cluster::find(&cluster.0).unwrap().audit_events().unwrap().map(Result::unwrap);
    let by_admin: Vec<_> = events
        .filter(|event| event.user.username == "admin" && event.verb == "create")
        .filter(|event| event.object_ref.as_ref().is_some_and(|object| object.name == "pod"))
        .collect();
    assert_eq!(by_admin.len(), 1, "each request is once in the audit log: {by_admin:#?}");
    let image = cluster.run(&["load", "no-such-image.tar"]);
    assert!(
        !image.status.success()
            && String::from_utf8_lossy(&image.stderr).contains("no-such-image.tar")
    );
}

fn what_is_outside_reaches_in(cluster: &Mine) {
    let forward = Cluster::find(&cluster.0)
        .unwrap()
        .forward("127.0.0.1:0".parse().unwrap(), "kubernetes.default.svc.cluster.local:443")
        .unwrap();
    let mut connection = TcpStream::connect(forward.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Client sent an HTTP request to an HTTPS server"), "{answer:?}");
    let address = forward.address();
    drop(forward);
    assert!(TcpStream::connect(address).is_err(), "nothing listens any more");
}

fn two_live_side_by_side(one: &Mine, other: &Mine) {
    other.succeed(&["up"]);
    assert_eq!(other.kubectl(&["get", "pods", "--output=name"]), "");
    assert_eq!(one.kubectl(&["get", "pods", "--output=name"]), "pod/pod\n");
    other.succeed(&["down"]);
    assert_eq!(
        one.kubectl(&["get", "pods", "--output=name"]),
        "pod/pod\n",
        "the end of one is not the other's"
    );
}

fn a_crash_of_a_part_ends_it_and_the_next_up_starts_anew(cluster: &Mine) {
    cluster.kill("kube-controller-manager");
    cluster.wait_until("the whole cluster ends", || cluster.processes().is_empty());
    let gone = cluster.run(&["exec", "--", "true"]);
    assert!(!gone.status.success() && String::from_utf8_lossy(&gone.stderr).contains("is not up"));
    assert!(cluster.succeed(&["up"]).contains("removed what was left"));
    assert_eq!(cluster.kubectl(&["get", "pods", "--output=name"]), "", "it is a new cluster");
}

fn a_crash_of_up_itself_is_cleaned_by_the_next(cluster: &Mine) {
    let mut up = cluster.command(&["up"]).stderr(Stdio::null()).spawn().unwrap();
    cluster.wait_until("it is halfway up", || {
        cluster.run_directory().join("logs/kube-apiserver.log").exists()
    });
    up.kill().unwrap();
    up.wait().unwrap();
    cluster.wait_until("what it started ends", || cluster.processes().is_empty());
    assert!(cluster.run_directory().exists(), "something was left to clean");
    assert!(cluster.succeed(&["up"]).contains("removed what was left"));
}
