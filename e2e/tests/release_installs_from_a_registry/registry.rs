//! A registry on loopback that wants credentials: the program of Debian's package docker-registry,
//! as a process in the cluster's network. containerd takes images from loopback without TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use lenses_mcp_e2e::bed::{Bed, OPERATOR_NAMESPACE, Trouble, cluster, helm};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::previous;

/// The repository of this project.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The version that is released.
pub(crate) const THIS: &str = env!("CARGO_PKG_VERSION");
/// The version before it. `make images` makes its programs.
pub(crate) const PREVIOUS: &str = concat!(env!("CARGO_PKG_VERSION"), "-previous");
/// The Secret with the credentials.
pub(crate) const PULL_SECRET: &str = "registry";
/// Who may push and pull: name and password, and the same with the password's digest (bcrypt).
const CREDENTIALS: &str = "release:push-and-pull";
const HTPASSWD: &str = "release:$2b$05$abcdefghijklmnopqrstuu29iL5eU2wxiqEdPBAi1ANj6vTAMryzG\n";
/// How long the registry may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running registry. It ends when this is dropped.
pub(crate) struct Registry {
    address: String,
    directory: PathBuf,
    _process: Child,
}

impl Registry {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) async fn start() -> Result<Self, Trouble> {
        let address = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.to_string();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("registry-{}", address.replace(':', "-")));
        fs::create_dir_all(&directory)?;
        let file = |name: &str| directory.join(name);
        let htpasswd = json!({"realm": "registry", "path": file("htpasswd")});
        let settings = json!({
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": true}},
            "storage": {"filesystem": {"rootdirectory": file("storage")}},
            "http": {"addr": address},
            "auth": {"htpasswd": htpasswd},
        });
        fs::write(file("settings.json"), settings.to_string())?;
        fs::write(file("htpasswd"), HTPASSWD)?;
        fs::write(file("credentials.json"), credentials(&address).to_string())?;
        fs::write(file("nothing.json"), "{}")?;
        let log = fs::File::create(cluster()?.logs().join(format!("registry-{address}.log")))?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(file("settings.json"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let listens = async {
            while TcpStream::connect(&address).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, listens)
            .await
            .map_err(|_| format!("the registry does not listen {PATIENCE:?} after its start"))?;
        Ok(Self { address, directory, _process: process })
    }

    /// Its host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The chart of the operator in it.
    pub(crate) fn chart(&self) -> String {
        format!("oci://{}/charts/lenses-mcp-operator", self.path())
    }

    /// The repository of an image in it.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    fn path(&self) -> String {
        format!("{}/lensesio", self.address)
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).to_string_lossy().into_owned()
    }

    /// Pushes what is in `dist/`, as a release does: with `make push`.
    ///
    /// # Errors
    /// What it says when it fails.
    pub(crate) async fn push(&self, with_credentials: bool) -> Result<String, Trouble> {
        let helm = cluster()?.file("helm").ok_or("no Helm")?;
        let name = if with_credentials { "credentials.json" } else { "nothing.json" };
        let mut make = Command::new("make");
        make.arg("push")
            .arg(format!("REGISTRY={}", self.path()))
            .arg(format!("HELM={}", helm.display()))
            .arg("PLAIN_HTTP=1")
            .env("REGISTRY_AUTH_FILE", self.file(name))
            .env("HELM_REGISTRY_CONFIG", self.file(name));
        run(make).await
    }

    /// Pushes a previous release, whose chart takes images by their tags.
    ///
    /// # Errors
    /// What skopeo or Helm says.
    pub(crate) async fn push_previous(&self) -> Result<(), Trouble> {
        for name in ["lenses-mcp-operator", "lenses-mcp-server"] {
            let mut skopeo = Command::new("skopeo");
            skopeo
                .args(["copy", "--quiet", "--dest-tls-verify=false", "--authfile"])
                .arg(self.file("credentials.json"))
                .arg(format!("docker-archive:target/images/fast/previous/{name}.tar"))
                .arg(format!("docker://{}:{PREVIOUS}", self.image(name)));
            run(skopeo).await?;
        }
        let chart = previous::package(&self.directory.join("charts")).await?;
        let charts = format!("oci://{}/charts", self.path());
        let to = ["--plain-http", "--registry-config", &self.file("credentials.json")];
        helm(&[&["push", &chart, &charts], &to[..]].concat()).await.map(drop)
    }

    /// Runs `helm ACTION RELEASE` of the chart of a version in it, in the operator's namespace.
    ///
    /// # Errors
    /// What Helm says.
    pub(crate) async fn helm(
        &self,
        action: &[&str],
        version: &str,
        values: &[&str],
    ) -> Result<String, Trouble> {
        let (chart, credentials) = (self.chart(), self.file("credentials.json"));
        let from = [
            &chart,
            "--version",
            version,
            "--plain-http",
            "--registry-config",
            &credentials,
            "--namespace",
            OPERATOR_NAMESPACE,
            "--wait",
        ];
        helm(&[action, &from[..], values].concat()).await
    }

    /// Makes the Secret with its credentials in a namespace.
    ///
    /// # Errors
    /// What kubectl says.
    pub(crate) async fn pull_secret(&self, bed: &Bed, namespace: &str) -> Result<(), Trouble> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": PULL_SECRET, "namespace": namespace},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": credentials(&self.address).to_string()},
        });
        // The namespace is the Secret's own, not the bed's.
        let there = Bed { namespace: namespace.to_owned(), ..bed.clone() };
        there.apply(&secret).await
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // What is left of it is in a directory for what may be deleted.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Credentials as Docker, skopeo, Helm and a pull secret have them.
fn credentials(address: &str) -> Value {
    json!({"auths": {address: {"auth": BASE64_STANDARD.encode(CREDENTIALS)}}})
}

/// The digest by which the release's chart names an image.
///
/// # Errors
/// When there is no release in `dist/`.
pub(crate) fn digest(name: &str) -> Result<String, Trouble> {
    Ok(fs::read_to_string(format!("{ROOT}/target/dist/{name}.digest"))?.trim().to_owned())
}

async fn run(mut command: Command) -> Result<String, Trouble> {
    let output = command.current_dir(ROOT).stdin(Stdio::null()).output().await?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(said.into_owned()) } else { Err(said.into()) }
}
