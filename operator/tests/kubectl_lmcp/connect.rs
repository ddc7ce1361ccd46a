//! `connect`: it prints what `docs/clients.md` has, and merges it into files.

use std::fs;

use serde_json::{Value, json};

use crate::{directory, doc, err, lmcp, out};

const URL: &str = "https://mcp.example.com/mcp";

/// Each program and its section of the page.
const SECTIONS: [(&str, &str); 12] = [
    ("claude-code", "Claude Code"),
    ("claude-desktop", "Claude on the web and in the desktop app"),
    ("codex", "Codex"),
    ("vscode", "VS Code"),
    ("cursor", "Cursor"),
    ("gemini-cli", "Gemini CLI"),
    ("qwen-code", "Qwen Code"),
    ("opencode", "opencode"),
    ("mcp-inspector", "MCP Inspector"),
    ("mcp-remote", "mcp-remote and mcporter"),
    ("mcporter", "mcp-remote and mcporter"),
    ("other", "Libraries and other programs"),
];

fn connection(client: &str, more: &[&str]) -> Value {
    let arguments = ["connect", "--url", URL, "--client", client, "-o", "json"];
    let output = lmcp(&[&arguments[..], more].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{client}: {}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn commands(connection: &Value) -> Vec<String> {
    let commands = connection["commands"].as_array().unwrap().iter();
    commands.map(|command| command.as_str().unwrap().to_owned()).collect()
}

fn section(page: &str, title: &str) -> String {
    let start = page.split(&format!("\n### {title}\n")).nth(1);
    assert!(start.is_some(), "there is no section {title}");
    start.unwrap().split("\n### ").next().unwrap().split("\n## ").next().unwrap().to_owned()
}

fn blocks(section: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    blocks.map(|rest| rest.split_once("```").unwrap().0.trim().to_owned()).collect()
}

#[test]
fn every_program_is_in_the_documentation_as_it_is_printed() {
    let page = doc("clients.md");
    let titles: Vec<_> = SECTIONS.iter().map(|(_, title)| *title).collect();
    let programs = page.split("\n## Programs\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for title in programs.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(titles.contains(&title), "connect does not know {title}");
    }
    for title in titles {
        let of_section: Vec<_> = SECTIONS.iter().filter(|(_, known)| *known == title).collect();
        let text = section(&page, title);
        // Of libraries, the file with a token is shown.
        let more: &[&str] = if title.starts_with("Libraries") { &["--api-key"] } else { &[] };
        let printed: Vec<_> =
            of_section.iter().map(|(client, _)| connection(client, more)).collect();
        let shown: Vec<_> = blocks(&text, "sh")
            .iter()
            .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert_eq!(printed.iter().flat_map(commands).collect::<Vec<_>>(), shown, "{title}");
        let files: Vec<Value> = blocks(&text, "json")
            .iter()
            .map(|block| serde_json::from_str(block).unwrap())
            .collect();
        let contents = printed.iter().filter(|one| one.get("file").is_some());
        let contents: Vec<_> = contents.map(|one| one["file"]["content"].clone()).collect();
        assert_eq!(contents, files, "{title}");
        for file in printed.iter().filter_map(|one| one["file"]["path"].as_str()) {
            let is_named = text.contains(&format!("`{file}`"));
            assert!(is_named || file.contains("file of servers"), "{title}: {file}");
        }
    }
}

/// What a section says to do with an API key: a whole command, an option to add to it, members to
/// add to the server, or arguments to add.
#[test]
fn what_the_documentation_adds_for_an_api_key_is_printed() {
    let page = doc("clients.md");
    for (client, title) in SECTIONS {
        let text = section(&page, title);
        let printed = connection(client, &["--api-key"]);
        let Some(line) = text.split("**With an API key:**").nth(1) else { continue };
        let line = line.split("\n- **").next().unwrap();
        for snippet in line.split('`').skip(1).step_by(2).filter(|part| part.contains("YOUR_TOKEN"))
        {
            let object = format!("{{{snippet}}}");
            let list = format!("[{snippet}]");
            let servers = &printed["file"]["content"];
            let server = servers.as_object().into_iter().flatten().next();
            let server = server.map(|(_, servers)| &servers["lenses"]);
            let is_printed = if let Ok(Value::Object(members)) = serde_json::from_str(&object) {
                members.iter().all(|(name, value)| server.unwrap()[name] == *value)
            } else if let Ok(Value::Array(items)) = serde_json::from_str(&list) {
                server.is_none_or(|server| server["args"].as_array().unwrap().ends_with(&items))
            } else if snippet.starts_with("--header") {
                commands(&printed).iter().any(|command| command.ends_with(snippet))
            } else {
                commands(&printed).iter().any(|command| command == snippet)
                    || printed["steps"].to_string().contains(snippet)
            };
            assert!(is_printed, "{client}: {snippet}: {printed}");
        }
    }
    let codex = "codex mcp add lenses --url https://mcp.example.com/mcp --bearer-token-env-var MCP_CALLER_TOKEN";
    assert!(section(&page, "Codex").contains(codex));
    assert_eq!(commands(&connection("codex", &["--api-key"])), [codex]);
}

#[test]
fn no_program_gets_a_token_but_a_placeholder_for_one() {
    for (client, _) in SECTIONS {
        let open = connection(client, &[]).to_string();
        assert!(!open.contains("YOUR_TOKEN") && !open.contains("Bearer"), "{client}: {open}");
        let with_token = connection(client, &["--api-key"]).to_string();
        let places = ["YOUR_TOKEN", "${input:lenses-token}", "MCP_CALLER_TOKEN"];
        assert!(places.iter().any(|place| with_token.contains(place)), "{client}: {with_token}");
    }
}

#[test]
fn another_name_and_url_are_quoted_for_the_shell() {
    let url = "https://mcp.example.com/it's/mcp";
    let arguments = ["connect", "--url", url, "--client", "claude-code", "--server-name", "prod"];
    let said = out(&lmcp(&arguments, ""));
    let command = said.lines().next().unwrap();
    let words = std::process::Command::new("sh")
        .args(["-c", &command.replace("claude", "printf '%s\\n'")])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert_eq!(words.lines().skip(4).collect::<Vec<_>>(), ["prod", url], "{command}");
}

#[test]
fn a_file_keeps_what_it_has_and_its_order() {
    let directory = directory("merge");
    let path = directory.join("mcp.json");
    let file = path.to_str().unwrap();
    let write = |client: &str, more: &[&str]| {
        let arguments = ["connect", "--url", URL, "--client", client, "--write", file];
        lmcp(&[&arguments[..], more].concat(), "")
    };
    let read = || fs::read_to_string(&path).unwrap();

    // It is made.
    assert_eq!(write("cursor", &[]).status.code(), Some(0));
    let made: Value = serde_json::from_str(&read()).unwrap();
    assert_eq!(made, json!({ "mcpServers": { "lenses": { "url": URL } } }));
    let before = read();
    let output = write("cursor", &[]);
    assert!(out(&output).contains("is there already"), "{}", out(&output));
    assert_eq!(read(), before);

    // What is there stays where it is.
    let other =
        r#"{"z": [1, 2.5, null, true, "é"], "mcpServers": {"b": {"y": 1, "x": 2}}, "a": -3}"#;
    fs::write(&path, other).unwrap();
    assert_eq!(write("cursor", &[]).status.code(), Some(0));
    let text = read();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    let parts = [
        "\"z\"",
        "2.5",
        "\"é\"",
        "\"mcpServers\"",
        "\"b\"",
        "\"y\"",
        "\"x\"",
        "\"lenses\"",
        "\"a\"",
    ];
    assert!(parts.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{text}");
    let merged: Value = serde_json::from_str(&text).unwrap();
    let mut wanted: Value = serde_json::from_str(other).unwrap();
    wanted["mcpServers"]["lenses"] = json!({ "url": URL });
    assert_eq!(merged, wanted);

    // VS Code asks for the token once.
    fs::write(&path, r#"{"inputs": [{"id": "other"}]}"#).unwrap();
    assert_eq!(write("vscode", &["--api-key"]).status.code(), Some(0));
    let second = write("vscode", &["--api-key", "--server-name", "second"]);
    assert_eq!(second.status.code(), Some(0), "{}", err(&second));
    let merged: Value = serde_json::from_str(&read()).unwrap();
    assert_eq!(merged["inputs"].as_array().unwrap().len(), 2, "{merged}");
    assert_eq!(merged["servers"].as_object().unwrap().len(), 2, "{merged}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no other file is left");
}

#[test]
fn a_file_that_cannot_be_merged_is_not_touched() {
    let directory = directory("refused");
    let path = directory.join("mcp.json");
    let file = path.to_str().unwrap();
    for (text, client, said) in [
        ("{ // comment\n}", "cursor", "is not plain JSON"),
        ("[]", "cursor", "the document is not an object"),
        (r#"{"mcpServers": []}"#, "cursor", "mcpServers is not an object"),
        (r#"{"mcpServers": {"lenses": {"url": "x"}}}"#, "cursor", "has another server lenses"),
        ("{}", "codex", "Codex has no file of servers"),
    ] {
        fs::write(&path, text).unwrap();
        let output = lmcp(&["connect", "--url", URL, "--client", client, "--write", file], "");
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(err(&output).contains(said), "{text}: {}", err(&output));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    for (arguments, said) in [
        (&["--url", "mcp.example.com"][..], "relative URL"),
        (&["--url", "ftp://x/mcp"], "is not an MCP URL"),
        (&["--url", URL, "a"], "cannot be used with"),
        (&["--api-key", "a"], "cannot be used with"),
        (&["a", "--server-name", "A B"], "is not a name"),
    ] {
        let output = lmcp(&[&["connect", "--client", "cursor"], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(said), "{arguments:?}: {}", err(&output));
    }
}
