//! The containers of docs/clients.md and docs/audit.md: the server with exactly the variables that
//! a reader gives it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::binary::{Listening, Process, binary, get, wait_until_listening};

const IMAGE: &str = "lensesio/lenses-mcp-server";
/// The reader's shell, for compose.
const SHELL: [(&str, &str); 2] =
    [("${LENSES_API_KEY}", "sa_key"), ("${MCP_CALLER_TOKEN}", "0123456789abcdef0123456789abcdef")];

type Environment = BTreeMap<String, String>;

/// The fenced blocks of the page that start a container: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced
        .filter(|block| block.contains(IMAGE))
        .filter_map(|block| block.split_once('\n'))
        .collect()
}

/// The environment that `docker`, run by `command`, would give the container.
fn of_docker(command: &mut Command) -> Environment {
    let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process");
    let path = format!("{}:{}", stub.display(), std::env::var("PATH").unwrap());
    let output = command.env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    environment(&String::from_utf8(output.stdout).unwrap())
}

/// What the stand-in for docker printed.
fn environment(pairs: &str) -> Environment {
    let pairs = pairs.split_terminator('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The page `name` of the documentation.
fn page(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(page).unwrap()
}

/// The environment of a client's file that starts the container.
fn of_client(file: &str) -> Environment {
    let file: Value = serde_json::from_str(file).unwrap();
    let server = &file["mcpServers"]["lenses"];
    let texts = |value: &Value| value.as_str().unwrap().to_owned();
    let mut command = Command::new(texts(&server["command"]));
    command.args(server["args"].as_array().unwrap().iter().map(texts));
    command
        .envs(server["env"].as_object().unwrap().iter().map(|(name, value)| (name, texts(value))));
    of_docker(&mut command)
}

/// `environment` of the one service of a compose file.
fn of_compose(file: &str) -> Environment {
    let (_, lines) = file.split_once("    environment:\n").unwrap();
    let pairs = lines.lines().map_while(|line| line.strip_prefix("      ")?.split_once(": "));
    pairs
        .map(|(name, value)| {
            let value = value.trim_matches('"');
            let value = SHELL.iter().find(|(named, _)| *named == value).map_or(value, |(_, is)| is);
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn command(environment: &Environment) -> Command {
    let pairs = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    binary(&pairs.collect::<Vec<_>>())
}

/// Starts the server over HTTP. Its ports are free ones, for the lack of a container's network.
fn listen(environment: &Environment) -> Listening {
    let mut command = command(environment);
    command.envs([("PORT", "0"), ("ADMIN_PORT", "0"), ("LOG_FORMAT", "json")]);
    wait_until_listening(command)
}

fn list_tools(endpoint: SocketAddr, authorization: &str) -> String {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let mut stream = TcpStream::connect(("127.0.0.1", endpoint.port())).unwrap();
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Sends a client without a token to HQ.
fn signs_in_with_oauth(environment: &Environment) {
    let server = listen(environment);
    let refused = list_tools(server.endpoint, "");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let metadata = "/.well-known/oauth-protected-resource/mcp";
    let named = format!("resource_metadata=\"{}{metadata}\"", environment["MCP_ADVERTISED_URL"]);
    assert!(refused.contains(&named), "{refused}");
    let endpoint = SocketAddr::from(([127, 0, 0, 1], server.endpoint.port()));
    let metadata = get(endpoint, metadata);
    let metadata: Value = serde_json::from_str(metadata.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(metadata["resource"], format!("{}/mcp", environment["MCP_ADVERTISED_URL"]));
    assert_eq!(metadata["authorization_servers"], json!([environment["LENSES_URL"]]));
}

/// Serves callers who show the token, and nobody else.
fn takes_the_callers_token(environment: &Environment) {
    let server = listen(environment);
    let refused = list_tools(server.endpoint, "");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let token = format!("Authorization: Bearer {}\r\n", environment["MCP_CALLER_TOKEN"]);
    let answer = list_tools(server.endpoint, &token);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("list_topics"), "{answer}");
}

/// Answers a line on standard input, and ends with it.
fn speaks_on_standard_output(environment: &Environment) {
    let mut command = command(environment);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut process = Process(child);
    writeln!(input, r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"}}"#).unwrap();
    let answer = BufReader::new(output).lines().next().unwrap().unwrap();
    assert!(answer.contains("list_topics"), "{answer}");
    drop(input);
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

#[test]
fn each_container_of_the_documentation_starts_and_serves_as_documented() {
    let page = page("clients.md");
    let mut served = BTreeMap::from([("oauth", 0), ("token", 0), ("stdio", 0)]);
    for (language, block) in blocks(&page) {
        let environment = match language {
            "sh" => of_docker(Command::new("sh").args(["-e", "-c", block])),
            "json" => of_client(block),
            "yaml" => of_compose(block),
            _ => panic!("a container in {language}: {block}"),
        };
        let is = |name: &str, value| environment.get(name).is_some_and(|found| found == value);
        let (kind, check): (_, fn(&Environment)) = if is("OAUTH_ENABLED", "true") {
            ("oauth", signs_in_with_oauth)
        } else if is("TRANSPORT", "http") {
            ("token", takes_the_callers_token)
        } else {
            ("stdio", speaks_on_standard_output)
        };
        check(&environment);
        *served.get_mut(kind).unwrap() += 1;
    }
    // As a command and for compose; over stdio as a command and in a client's file.
    assert_eq!(served, BTreeMap::from([("oauth", 2), ("token", 2), ("stdio", 2)]));
}

#[test]
fn the_audit_pages_container_writes_audit_and_log_to_two_files() {
    let page = page("audit.md");
    let [("sh", block)] = blocks(&page)[..] else { panic!("{page}") };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-page");
    std::fs::create_dir_all(&folder).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    // What the command writes is what the container writes on each stream.
    let nothing = of_docker(Command::new("sh").args(["-e", "-c", block]).current_dir(&folder));
    assert_eq!(nothing, Environment::new());
    let environment = environment(&read("audit.jsonl"));
    let file = |name: &str| std::fs::File::create(folder.join(name)).unwrap();
    let mut command = command(&environment);
    command.envs([("PORT", "0"), ("ADMIN_PORT", "0"), ("LOG_FORMAT", "json")]);
    command.stdout(file("audit.jsonl")).stderr(file("server.log"));
    let server = Process(command.spawn().unwrap());
    let line = |name: &str, text: &str| loop {
        let lines = read(name);
        // The last may not be whole yet.
        let whole = lines.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: Vec<Value> = whole.map(|line| serde_json::from_str(line).unwrap()).collect();
        if let Some(line) = lines.into_iter().find(|line| line.to_string().contains(text)) {
            return line;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let address = line("server.log", "\"listening\"")["address"].as_str().unwrap().to_owned();
    let refused = list_tools(address.parse().unwrap(), "Authorization: Bearer not a token\r\n");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert_eq!(line("audit.jsonl", "lenses-mcp-audit")["event"], "sign_in");
    drop(server);
    assert!(!read("server.log").contains("lenses-mcp-audit"));
    assert!(read("audit.jsonl").lines().all(|line| line.starts_with(r#"{"schema":"lenses"#)));
}
