//! The commands that need no cluster, as a person and a pipeline run them: the real binary, its output and its exit status.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

mod check;

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use lenses_mcp_crds::yaml;
use serde_json::{Value, json};

const GOOD: &str = "
apiVersion: mcp.lenses.io/v1alpha1
kind: LensesMcpServer
metadata: {name: team-mcp}
spec:
  lenses: {url: 'http://hq.lenses.svc:9991', advertisedUrl: 'https://hq.example.com'}
  auth: {oauth: {introspection: {clientCredentialsSecretRef: {name: hq-client}}}}
  endpoint: {url: 'https://mcp.example.com'}
";

const NAMED_PORT: &str = "
apiVersion: mcp.lenses.io/v1alpha1
kind: LensesMcpServer
metadata: {name: team-mcp, namespace: tools}
spec:
  lenses: {serviceRef: {name: hq, namespace: lenses, port: api}, advertisedUrl: 'https://hq.example.com'}
  auth: {oauth: {}}
";

const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: hq, namespace: lenses}
spec: {ports: [{name: api, port: 9991}]}
";

fn operator(arguments: &[&str], input: &str) -> Output {
    let mut operator = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-operator"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    operator.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    operator.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn golden(name: &str, said: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/commands").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, said).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        said == wanted,
        "{} says otherwise (UPDATE_GOLDEN=1 writes it anew); now:\n{said}",
        path.display()
    );
}

#[test]
fn render_prints_every_object_that_a_resource_becomes() {
    let output = operator(&["render", "-f", "-", "--namespace", "tools"], GOOD);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let objects: Vec<Value> = yaml::from_documents(&out(&output)).unwrap();
    let kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    for kind in ["ServiceAccount", "Secret", "ConfigMap", "Service", "Deployment"] {
        assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
    }
    for object in &objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        // Settings are named by their digest, too.
        let is_named = match object["kind"].as_str() {
            Some("ConfigMap") => name.starts_with("team-mcp-"),
            _ => name == "team-mcp",
        };
        assert!(is_named, "{name}");
        assert_eq!(object["metadata"]["namespace"], "tools");
    }
    let settings =
        objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap()["data"].to_string();
    assert!(settings.contains("LENSES_ADVERTISED_URL='https://hq.example.com'"), "{settings}");
    assert_eq!(
        err(&output),
        "tools/team-mcp: taken to exist: spec.auth.oauth.introspection.clientCredentialsSecretRef: Secret tools/hq-client\n"
    );

    let output = operator(&["render", "-f", "-", "-n", "tools", "-o", "json"], GOOD);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"], json!(objects));
}

#[test]
fn render_takes_the_operators_settings() {
    let output = operator(&["render", "-f", "-", "--server-image", "registry.example/mcp:9"], GOOD);
    assert!(out(&output).contains("image: registry.example/mcp:9"), "{}", out(&output));
}

#[test]
fn render_looks_references_up_in_the_files_and_never_guesses_what_would_show() {
    let alone = operator(&["render", "-f", "-"], NAMED_PORT);
    assert_eq!(alone.status.code(), Some(1));
    assert_eq!(out(&alone), "");
    assert!(
        err(&alone).contains("the number of port api stands in Service lenses/hq"),
        "{}",
        err(&alone)
    );

    let with_service = operator(&["render", "-f", "-"], &[NAMED_PORT, SERVICE].join("---"));
    assert_eq!(with_service.status.code(), Some(0), "{}", err(&with_service));
    assert!(out(&with_service).contains("http://hq.lenses.svc:9991"), "{}", out(&with_service));
    assert_eq!(err(&with_service), "");
}

/// `doctor` needs a cluster, and is held to its page there.
#[test]
fn the_commands_in_the_docs_run_and_print_what_the_docs_show() {
    let program = Path::new(env!("CARGO_BIN_EXE_lenses-mcp-operator")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut seen = 0;
    for (file, text) in texts("docs") {
        for block in blocks(&text, "console") {
            let Some((command, shown)) =
                block.strip_prefix("$ ").and_then(|block| block.split_once('\n'))
            else {
                continue;
            };
            if !["lenses-mcp-operator check", "lenses-mcp-operator render"]
                .iter()
                .any(|run| command.contains(run))
            {
                continue;
            }
            seen += 1;
            let run = Command::new("sh")
                .args(["-c", command])
                .current_dir(root())
                .env("PATH", &path)
                .output()
                .unwrap();
            assert_eq!(run.status.code(), Some(0), "{file}: {command}: {}", err(&run));
            assert!(
                shown.is_empty() || out(&run) == shown,
                "{file}: {command} prints now:\n{}",
                out(&run)
            );
        }
    }
    assert!(seen >= 3, "{seen} commands");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The manifests and pages of a directory of the repository.
fn texts(directory: &str) -> Vec<(String, String)> {
    let files =
        std::fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let texts =
        files.filter(|file| file.extension().is_some_and(|kind| kind == "md" || kind == "yaml"));
    texts.map(|file| (file.display().to_string(), std::fs::read_to_string(file).unwrap())).collect()
}

/// The fenced blocks of a page that are in `language`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn a_reader_that_stops_reading_is_no_fault() {
    for arguments in [&["crd"][..], &["render", "-f", "-"], &["check", "-f", "-"]] {
        let mut operator = Command::new(env!("CARGO_BIN_EXE_lenses-mcp-operator"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Before the command has its input; the definition is longer than a pipe holds.
        drop(operator.stdout.take());
        operator.stdin.take().unwrap().write_all(GOOD.as_bytes()).unwrap_or_default();
        let output = operator.wait_with_output().unwrap();
        assert!(!err(&output).contains("panicked"), "{arguments:?}: {}", err(&output));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn an_hq_is_examined_before_there_is_a_resource() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "issuer": url, "registration_endpoint": url, "code_challenge_methods_supported": ["S256"],
    });
    let answers = std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = if request.contains("introspect") {
                json!({ "active": false })
            } else if request.contains("meta-info") {
                json!({ "version": "6.3.0" })
            } else {
                metadata.clone()
            }
            .to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    let output = operator(&["hq", &url, "-o", "json"], "");
    answers.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    let links: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = |at: usize| links[at]["found"].as_str().unwrap().to_owned();
    assert!(found(0).contains("their tokens can be checked"), "{links}");
    assert_eq!(found(1), "6.3.0");

    // Nothing listens there any more.
    let output = operator(&["hq", &url], "");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(out(&output).contains("BROKEN"), "{}", out(&output));
}

#[test]
fn completion_of_a_shell_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = operator(&["completion", shell], "");
        assert_eq!(output.status.code(), Some(0));
        for command in ["doctor", "check", "render"] {
            assert!(out(&output).contains(command), "{shell} {command}");
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_status_2_and_says_why() {
    for (arguments, input, said) in [
        (&["check", "-f", "no-such-file.yaml"][..], "", "failed to read no-such-file.yaml"),
        (&["render", "-f", "no-such-file.yaml"], "", "failed to read no-such-file.yaml"),
        (&["check", "-f", "-"], "a: [", "standard input is not YAML"),
        (&["check", "-f", "-"], "", "no LensesMcpServer in -"),
        (&["render", "-f", "-"], SERVICE, "no LensesMcpServer in -"),
        (&["check"], "", "--filename"),
        (&["check", "-f", "-", "-o", "xml"], "", "table, json, yaml"),
        (&["render", "-f", "-", "--namespace", "No"], "", "is not a name"),
        (&["doctor", "mcp"], "", "failed to find a cluster"),
        (&["doctor", "mcp", "--kubeconfig", "no-such-file"], "", "no-such-file"),
        (&["doctor"], "", "<NAME>"),
        (&["doctor", "-A", "mcp"], "", "cannot be used with"),
        (&["hq", "lenses.example.com"], "", "relative URL"),
        (&["hq", "ftp://hq"], "", "is not the URL of an HQ"),
        (
            &["doctor", "mcp", "--token-file", "no-such-file"],
            "",
            "failed to read \"no-such-file\" (--token-file)",
        ),
        (&["doctor", "mcp", "--ca-file", "Cargo.toml"], "", "write certificates in PEM"),
    ] {
        let output = operator(arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(said), "{arguments:?} said {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }
}
