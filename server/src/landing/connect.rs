//! What each client needs to be connected: links and texts that hold the endpoint's URL and never a
//! credential.
//!
//! Formats: claude.com "Directory and custom connectors" (install link), code.claude.com "MCP",
//! cursor.com "MCP install links", code.visualstudio.com "MCP developer guide" (URL handler,
//! `--add-mcp`).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use url::form_urlencoded::byte_serialize;

/// The name that clients show for this server; [`Servers`] spells it too.
const NAME: &str = "lenses";
/// Stands where the reader puts a token.
const PLACEHOLDER: &str = "YOUR_TOKEN";
/// VS Code asks for the token itself and puts it where this id is named, so that it is not in the
/// link.
const INPUT: &str = "lenses-token";
const TOKEN_INPUT: Input = Input {
    kind: "promptString",
    id: INPUT,
    description: "Token for the Lenses MCP server",
    password: true,
};

/// Links, commands and files, as the page shows them.
pub(super) struct Connect {
    pub(super) endpoint: String,
    pub(super) name: &'static str,
    pub(super) placeholder: &'static str,
    /// `None`: Claude's connectors can't show a token of their user's.
    pub(super) claude_link: Option<String>,
    pub(super) claude_code_command: String,
    pub(super) cursor_link: String,
    pub(super) vs_code_link: String,
    pub(super) vs_code_command: String,
    pub(super) others_json: String,
}

/// One server, as clients' files and links name it. Always in this order: it is read by people.
#[derive(Clone, Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    transport: Option<&'a str>,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<[Input; 1]>,
}

#[derive(Clone, Serialize)]
struct Headers {
    #[serde(rename = "Authorization")]
    authorization: String,
}

/// What VS Code asks its user for.
#[derive(Clone, Serialize)]
struct Input {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'static str,
    description: &'static str,
    password: bool,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "mcpServers")]
    servers: Servers<'a>,
}

#[derive(Serialize)]
struct Servers<'a> {
    lenses: Entry<'a>,
}

impl Connect {
    /// # Errors
    ///
    /// When JSON can't be written, which no address can cause.
    pub(super) fn new(endpoint: String, with_token: bool) -> Result<Self, serde_json::Error> {
        let bearer =
            |token: &str| with_token.then(|| Headers { authorization: format!("Bearer {token}") });
        let bare = Entry {
            name: None,
            transport: None,
            url: &endpoint,
            headers: bearer(PLACEHOLDER),
            inputs: None,
        };
        let cursor = serde_json::to_string(&bare)?;
        let others = Entry { transport: Some("http"), ..bare };
        let vs_code = serde_json::to_string(&Entry {
            name: Some(NAME),
            headers: bearer(&format!("${{input:{INPUT}}}")),
            inputs: with_token.then_some([TOKEN_INPUT]),
            ..others.clone()
        })?;
        let header = if with_token {
            format!(" --header \"Authorization: Bearer {PLACEHOLDER}\"")
        } else {
            String::new()
        };
        let claude_link = format!(
            "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Lenses\
             &connectorUrl={}",
            encode(&endpoint)
        );
        Ok(Self {
            name: NAME,
            placeholder: PLACEHOLDER,
            claude_link: (!with_token).then_some(claude_link),
            claude_code_command: format!(
                "claude mcp add --transport http {NAME} {}{header}",
                shell_word(&endpoint)
            ),
            cursor_link: format!(
                "cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={}",
                encode(&BASE64_STANDARD.encode(cursor))
            ),
            vs_code_link: format!("vscode:mcp/install?{}", encode(&vs_code)),
            vs_code_command: format!("code --add-mcp {}", shell_word(&vs_code)),
            others_json: serde_json::to_string_pretty(&File {
                servers: Servers { lenses: others },
            })?,
            endpoint,
        })
    }
}

/// As JavaScript's `encodeURIComponent`: a blank is `%20`, which all decoders read.
fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// One word of a POSIX shell, whatever is in it.
fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/._-".contains(&byte);
    if text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_documentation_has_the_pages_commands_and_file() {
        let page = include_str!("../../../docs/clients.md");
        for with_token in [false, true] {
            let connect =
                Connect::new("https://mcp.example.com/mcp".to_owned(), with_token).unwrap();
            assert!(page.contains(&connect.claude_code_command), "{}", connect.claude_code_command);
            if with_token {
                assert!(page.contains(&connect.others_json), "{}", connect.others_json);
            } else {
                assert!(page.contains(&connect.vs_code_command), "{}", connect.vs_code_command);
            }
        }
    }
}
