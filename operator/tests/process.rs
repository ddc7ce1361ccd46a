//! The operator as a process: how it ends on settings that cannot be used, and what it tells before
//! it has reached an API server.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

use std::{
    env, fs,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// `run` with these environment variables and no others.
fn command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-operator"));
    command.arg("run").env_clear().envs(environment.iter().copied()).stderr(Stdio::piped());
    command
}

fn run(environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(environment).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_setting_that_cannot_be_used_is_named_with_status_78() {
    for (name, value, chart) in [
        ("LOG_LEVEL", "blah", Some("log.level")),
        ("LOG_FORMAT", "xml", Some("log.format")),
        ("WATCH_SELECTOR", "tier in gold", Some("watchSelector")),
        ("WATCH_NAMESPACES", "a,B", Some("watchNamespaces")),
        ("UPGRADES_AT_ONCE", "0", Some("upgradesAtOnce")),
        ("CLUSTER_DOMAIN", "a..b", Some("clusterDomain")),
        ("SERVER_IMAGE", "a b", Some("serverImage")),
        ("LEASE_NAME", "a_b", Some("the name of the release")),
        ("POD_NAMESPACE", "a.b", None),
        ("POD_NAME", "", None),
        ("ADMIN_ADDRESS", "9090", None),
        ("CONCURRENCY", "many", Some("concurrency")),
        ("RESYNC_INTERVAL_SECONDS", "9", None),
        ("HTTPS_PROXY", "proxy:3128", Some("proxy.url")),
        ("SECRETS_REQUIRE_LABEL", "maybe", Some("secrets.requireLabel")),
        ("POD_TEMPLATE_ALLOW_HOST_ACCESS", "2", Some("podTemplate.allowHostAccess")),
        ("VERIFICATION_MODE", "some", Some("verification.mode")),
        ("VERIFICATION_ALLOWED_CIDRS", "10.0.0.0/99", Some("verification.allowedCIDRs")),
    ] {
        let (status, said) = run(&[(name, value)]);
        assert_eq!(status, Some(78), "{name}: {said}");
        assert!(said.contains(&format!("<{name}>")) && said.contains(value), "{name}: {said}");
        let chart =
            chart.map(|value| format!("The chart sets it from {value}.")).unwrap_or_default();
        assert!(said.contains(&chart), "{name}: {said}");
    }
}

#[test]
fn a_text_log_into_a_pipe_has_no_colours() {
    // No API server is configured, so that it ends after its first lines.
    let admin = ("ADMIN_ADDRESS", "127.0.0.1:0");
    let (status, said) = run(&[("LOG_FORMAT", "text"), admin]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("ERROR") && !said.contains('\u{1b}'), "{said:?}");
}

/// Ends the process with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_is_live_but_not_ready_before_reaching_the_api_server() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (admin, nobody) = (free().to_string(), free());
    let directory = env::temp_dir().join(format!("lenses-mcp-operator-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let kubeconfig = directory.join("kubeconfig");
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: \
         {{server: 'http://{nobody}'}}}}], contexts: [{{name: c, context: {{cluster: c, user: \
         u}}}}], users: [{{name: u, user: {{}}}}]}}"
    );
    fs::write(&kubeconfig, text).unwrap();
    let environment =
        [("ADMIN_ADDRESS", admin.as_str()), ("KUBECONFIG", kubeconfig.to_str().unwrap())];
    let mut command = command(&environment);
    let _running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(format!("http://{admin}{path}")).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    };
    let alive = async {
        while get("/livez").await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), alive).await.unwrap();
    let (status, reason) = get("/readyz").await.unwrap();
    assert_eq!(status, 503, "{reason}");
    assert!(reason.contains("API server"), "{reason}");
    let (_, metrics) = get("/metrics").await.unwrap();
    for line in [
        "lenses_mcp_operator_leader 0\n",
        "lenses_mcp_operator_queue_depth 0\n",
        "lenses_mcp_operator_build_info{version=\"",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(line), "{line:?} is not in {metrics}");
    }
    fs::remove_dir_all(directory).unwrap();
}
