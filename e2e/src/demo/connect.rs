//! How a person connects a real client, in words to paste.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Ways to connect Claude Code, VS Code and Cursor to the server at `mcp_url`, and how to sign in
/// to the stand-in HQ.
pub(super) fn instructions(mcp_url: &str) -> String {
    let vs_code = json!({"name": "lenses", "type": "http", "url": mcp_url});
    let cursor = STANDARD.encode(json!({"url": mcp_url}).to_string());
    format!(
        "\
The MCP server is at {mcp_url}. Opened in a browser, that page has the commands and links.

  Claude Code   claude mcp add --transport http lenses {mcp_url}
                then /mcp in Claude Code, and sign in
  VS Code       code --add-mcp '{vs_code}'
  Cursor        cursor://anysphere.cursor-deeplink/mcp/install?name=lenses&config={cursor}

Sign in as alice (all rights) or bob (reads everything, creates topics named sandbox.* only); the \
password is the name.
HQ is a stand-in: its data is made up and forgotten when the demo ends."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_told_the_url_that_it_must_dial() {
        let text = instructions("http://127.0.0.1:8000/mcp");
        assert!(
            text.contains("claude mcp add --transport http lenses http://127.0.0.1:8000/mcp\n"),
            "{text}"
        );
        assert!(
            text.contains(r#"'{"name":"lenses","type":"http","url":"http://127.0.0.1:8000/mcp"}'"#),
            "{text}"
        );
        let config = text.split("config=").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        assert_eq!(STANDARD.decode(config).unwrap(), br#"{"url":"http://127.0.0.1:8000/mcp"}"#);
    }
}
