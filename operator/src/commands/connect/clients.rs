//! What each client program needs: the commands and files of `docs/clients.md`.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::write::shell_word;

/// Stands where the reader puts a token.
const TOKEN: &str = "YOUR_TOKEN";
/// VS Code asks for the token itself and puts it where this id is named.
const INPUT: &str = "lenses-token";
/// What is left to do if a token is asked for.
const PUT_TOKEN: &str = "Replace YOUR_TOKEN by the token that whoever runs the server gives you.";

/// The client programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    ClaudeCode,
    /// Claude on the web and in the desktop app.
    ClaudeDesktop,
    Codex,
    #[value(name = "vscode")]
    VsCode,
    Cursor,
    GeminiCli,
    QwenCode,
    #[value(name = "opencode")]
    OpenCode,
    McpInspector,
    McpRemote,
    #[value(name = "mcporter")]
    McPorter,
    /// Libraries and other programs.
    Other,
}

/// What the server asks of its callers before they sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing: they sign in with OAuth, or anyone may call.
    Open,
    /// A token that is put into the client's settings.
    Token,
}

/// How a program is connected.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Connection {
    #[serde(skip)]
    pub(super) client: &'static str,
    /// To type in a POSIX shell, in this order.
    pub(super) commands: Vec<String>,
    /// The program's file of servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File>,
    /// What only a person can do.
    pub(super) steps: Vec<String>,
}

/// A file of servers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    /// Where the program looks for it.
    pub(super) path: &'static str,
    pub(super) content: Value,
    /// Whether it stands for the commands.
    #[serde(skip)]
    pub(super) is_enough: bool,
}

impl Program {
    pub(super) fn connection(self, name: &str, url: &str, access: Access) -> Connection {
        let with_token = access == Access::Token;
        let mut connection = Connection {
            client: self.title(),
            commands: self.commands(name, url, with_token),
            file: self.file(name, url, with_token),
            steps: self.steps(name, url, with_token),
        };
        let placeholder = connection.commands.iter().any(|command| command.contains(TOKEN))
            || connection
                .file
                .as_ref()
                .is_some_and(|file| file.content.to_string().contains(TOKEN))
            || connection.steps.iter().any(|step| step.contains(TOKEN));
        if placeholder {
            connection.steps.push(PUT_TOKEN.to_owned());
        }
        connection
    }

    fn title(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::ClaudeDesktop => "Claude",
            Self::Codex => "Codex",
            Self::VsCode => "VS Code",
            Self::Cursor => "Cursor",
            Self::GeminiCli => "Gemini CLI",
            Self::QwenCode => "Qwen Code",
            Self::OpenCode => "opencode",
            Self::McpInspector => "MCP Inspector",
            Self::McpRemote => "mcp-remote",
            Self::McPorter => "mcporter",
            Self::Other => "this program",
        }
    }

    fn commands(self, name: &str, url: &str, with_token: bool) -> Vec<String> {
        let word = shell_word(url);
        let header = header_option(with_token);
        let add = match self {
            Self::ClaudeCode => format!("claude mcp add --transport http {name} {word}{header}"),
            Self::Codex if with_token => {
                format!("codex mcp add {name} --url {word} --bearer-token-env-var MCP_CALLER_TOKEN")
            }
            Self::Codex => format!("codex mcp add {name} --url {word}"),
            Self::VsCode => {
                let server = vs_code_server(url, with_token);
                format!("code --add-mcp {}", shell_word(&VsCode { name, server }.to_string()))
            }
            Self::GeminiCli => {
                format!("gemini mcp add --scope user --transport http {name} {word}{header}")
            }
            Self::QwenCode => format!("qwen mcp add --transport http {name} {word}{header}"),
            Self::McpInspector => "npx @modelcontextprotocol/inspector".to_owned(),
            Self::McPorter if !with_token => return vec![format!("npx mcporter auth {word}")],
            Self::OpenCode if !with_token => return vec![format!("opencode mcp auth {name}")],
            _ => return Vec::new(),
        };
        let sign_in = match self {
            Self::ClaudeCode => format!("claude mcp login {name}"),
            Self::Codex => format!("codex mcp login {name}"),
            _ => return vec![add],
        };
        if with_token { vec![add] } else { vec![add, sign_in] }
    }

    fn file(self, name: &str, url: &str, with_token: bool) -> Option<File> {
        let headers = with_token.then(|| json!({ "Authorization": format!("Bearer {TOKEN}") }));
        let server = |mut server: Value| {
            if let Some(headers) = &headers {
                server["headers"] = headers.clone();
            }
            server
        };
        let (path, list, server) = match self {
            Self::ClaudeCode => {
                (".mcp.json", "mcpServers", server(json!({ "type": "http", "url": url })))
            }
            Self::Other => {
                ("its file of servers", "mcpServers", server(json!({ "type": "http", "url": url })))
            }
            Self::VsCode => {
                let mut content = json!({ "servers": { name: vs_code_server(url, with_token) } });
                if with_token {
                    content["inputs"] = vs_code_inputs();
                }
                return Some(File { path: ".vscode/mcp.json", content, is_enough: true });
            }
            Self::Cursor => ("~/.cursor/mcp.json", "mcpServers", server(json!({ "url": url }))),
            Self::GeminiCli => {
                ("~/.gemini/settings.json", "mcpServers", server(json!({ "httpUrl": url })))
            }
            Self::QwenCode => {
                ("~/.qwen/settings.json", "mcpServers", server(json!({ "httpUrl": url })))
            }
            Self::OpenCode => {
                let mut server = server(json!({ "type": "remote", "url": url }));
                if with_token {
                    server["oauth"] = json!(false);
                }
                ("opencode.json", "mcp", server)
            }
            Self::ClaudeDesktop => {
                ("claude_desktop_config.json", "mcpServers", mcp_remote(url, with_token))
            }
            Self::McpRemote => {
                ("the program's file of servers", "mcpServers", mcp_remote(url, with_token))
            }
            Self::Codex | Self::McpInspector | Self::McPorter => return None,
        };
        let is_enough = self != Self::OpenCode;
        Some(File { path, content: json!({ list: { name: server } }), is_enough })
    }

    fn steps(self, name: &str, url: &str, with_token: bool) -> Vec<String> {
        let step = match self {
            Self::ClaudeDesktop if with_token => {
                "A connector cannot send a token, so the desktop app starts mcp-remote: the file \
                 is in Settings, Developer."
                    .to_owned()
            }
            Self::ClaudeDesktop => format!(
                "Or without mcp-remote, if {url} can be reached from the internet: Settings, \
                 Connectors, Add custom connector."
            ),
            Self::Codex if with_token => {
                "Put the token into the environment variable MCP_CALLER_TOKEN.".to_owned()
            }
            Self::GeminiCli | Self::QwenCode if !with_token => {
                format!("Then run /mcp auth {name} in a session.")
            }
            Self::McpInspector if with_token => format!(
                "Choose Streamable HTTP, paste {url}, and add the header Authorization with \
                 Bearer {TOKEN}."
            ),
            Self::McpInspector => format!("Choose Streamable HTTP, paste {url}, and connect."),
            Self::McPorter if with_token => {
                format!(
                    "Put {url} into mcporter's file with the header Authorization: Bearer {TOKEN}."
                )
            }
            _ => return Vec::new(),
        };
        vec![step]
    }
}

fn header_option(with_token: bool) -> String {
    if with_token { format!(" --header \"Authorization: Bearer {TOKEN}\"") } else { String::new() }
}

fn mcp_remote(url: &str, with_token: bool) -> Value {
    let mut arguments = vec!["mcp-remote".to_owned(), url.to_owned()];
    if with_token {
        arguments.extend(["--header".to_owned(), format!("Authorization: Bearer {TOKEN}")]);
    }
    json!({ "command": "npx", "args": arguments })
}

fn vs_code_server(url: &str, with_token: bool) -> Value {
    let mut server = json!({ "type": "http", "url": url });
    if with_token {
        server["headers"] = json!({ "Authorization": format!("Bearer ${{input:{INPUT}}}") });
    }
    server
}

fn vs_code_inputs() -> Value {
    json!([{
        "type": "promptString",
        "id": INPUT,
        "description": "Token for the Lenses MCP server",
        "password": true,
    }])
}

/// What `code --add-mcp` takes: the server with its name, in the order in which people read it.
struct VsCode<'a> {
    name: &'a str,
    server: Value,
}

impl std::fmt::Display for VsCode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, server } = self;
        write!(f, r#"{{"name":{},"type":"http","url":{}"#, json!(name), server["url"])?;
        if server["headers"].is_object() {
            write!(f, r#","headers":{},"inputs":{}"#, server["headers"], vs_code_inputs())?;
        }
        f.write_str("}")
    }
}
