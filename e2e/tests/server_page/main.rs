//! The landing page in Debian's Chromium: read, pressed, tabbed through and looked at, as its
//! readers do.
//!
//! Screenshots are left in `target/screenshots`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by panicking")]

mod chromium;
mod contrast;
#[path = "../in_process/mod.rs"]
mod in_process;
mod server;

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use url::Url;

use self::{
    chromium::{OTHER_NAME, browse},
    server::{MCP_URL, Server},
};

/// Every text that can be copied: the id of what shows it, the name that its button goes by, the
/// text.
fn copied_texts() -> [(&'static str, &'static str, String); 4] {
    let vs_code = format!(r#"{{"name":"lenses","type":"http","url":"{MCP_URL}"}}"#);
    let others = format!(
        r#"{{
  "mcpServers": {{
    "lenses": {{
      "type": "http",
      "url": "{MCP_URL}"
    }}
  }}
}}"#
    );
    let claude_code = format!("claude mcp add --transport http lenses {MCP_URL}");
    [
        ("mcp-url", "the MCP URL", MCP_URL.to_owned()),
        ("claude-code-command", "the command for Claude Code", claude_code),
        ("vs-code-command", "the command for VS Code", format!("code --add-mcp '{vs_code}'")),
        ("others-json", "the JSON for other clients", others),
    ]
}

#[tokio::test]
async fn the_page_asks_for_nothing_else_and_breaks_no_policy() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        for path in ["/", "/mcp"] {
            browser.open(&server.url(path)).await;
            assert_eq!(browser.text("h1").await, "Lenses MCP server", "{path}");
            assert_eq!(browser.requests().await, BTreeSet::from([server.url(path)]));
            assert_eq!(browser.complaints().await, [""; 0], "{path}");
        }
        // What was not seen above would be: the policy holds back what a script that got in would
        // load or run.
        let intruder = "const image = new Image(); image.src = '/elsewhere.png'; \
document.body.append(image);
            const script = document.createElement('script'); script.textContent = 'window.ran = \
true';
            document.body.append(script); return window.ran === undefined;";
        assert!(browser.run(intruder).await.as_bool().unwrap());
        let complaints = browser.complaints().await;
        assert!(complaints.iter().any(|line| line.contains("img-src")), "{complaints:?}");
        assert!(complaints.iter().any(|line| line.contains("script-src")), "{complaints:?}");
        assert_eq!(browser.requests().await, BTreeSet::from([server.url("/elsewhere.png")]));
    })
    .await;
}

#[tokio::test]
async fn each_copy_button_copies_exactly_what_is_shown_and_says_so() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        browser.allow_reading_the_clipboard().await;
        browser.open(&server.url("/")).await;
        assert_eq!(browser.all("button").await.len(), copied_texts().len());
        for (id, name, text) in copied_texts() {
            browser.listen_to_status().await;
            let button = browser.one(&format!("button[data-copies={id}]")).await;
            assert_eq!(button.text().await.unwrap().lines().next(), Some("Copy"), "{id}");
            button.click().await.unwrap();
            browser.wait_for_status(&format!("Copied {name}.")).await;
            assert_eq!(browser.text(&format!("#{id}")).await, text);
            assert_eq!(browser.clipboard().await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_clipboard_api_the_buttons_copy_all_the_same() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        browser.allow_reading_the_clipboard().await;
        for (id, name, text) in copied_texts() {
            // Plain http to another machine's name is no secure context.
            browser.open(&server.url_by_name(OTHER_NAME)).await;
            assert_eq!(
                browser.run("return [isSecureContext, typeof navigator.clipboard]").await,
                json!([false, "undefined"])
            );
            browser.listen_to_status().await;
            browser.one(&format!("button[data-copies={id}]")).await.click().await.unwrap();
            browser.wait_for_status(&format!("Copied {name}.")).await;
            browser.open(&server.url("/")).await;
            assert_eq!(browser.clipboard().await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn the_links_hand_clients_this_server() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        browser.open(&server.url("/")).await;
        let mut seen = Vec::new();
        for link in browser.all("a").await {
            seen.push((
                link.attr("id").await.unwrap().unwrap_or_default(),
                link.attr("href").await.unwrap().unwrap(),
            ));
        }
        let ids: Vec<_> = seen.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(
            ids,
            ["claude-link", "cursor-link", "vs-code-link", "issuer-link", "metadata-link"]
        );
        let link = |wanted: &str| seen.iter().find(|(id, _)| id == wanted).unwrap().1.clone();

        let claude = Url::parse(&link("claude-link")).unwrap();
        assert_eq!(&claude[..url::Position::AfterPath], "https://claude.ai/customize/connectors");
        let query: Vec<_> = claude.query_pairs().into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            query,
            [
                pair("modal", "add-custom-connector"),
                pair("connectorName", "Lenses"),
                pair("connectorUrl", MCP_URL)
            ]
        );

        let cursor = Url::parse(&link("cursor-link")).unwrap();
        assert_eq!(
            &cursor[..url::Position::AfterPath],
            "cursor://anysphere.cursor-deeplink/mcp/install"
        );
        let query: Vec<_> = cursor.query_pairs().into_owned().collect();
        let [(name, lenses), (config, encoded)] = &query[..] else { panic!("{query:?}") };
        assert_eq!((name.as_str(), lenses.as_str(), config.as_str()), ("name", "lenses", "config"));
        let decoded: Value =
            serde_json::from_slice(&BASE64_STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(decoded, json!({"url": MCP_URL}));

        // As VS Code reads it: `decodeURIComponent`, then JSON.
        let read =
            "const [handler, query] = document.getElementById('vs-code-link').href.split('?');
            return [handler, JSON.parse(decodeURIComponent(query))];";
        let server_entry = json!({"name": "lenses", "type": "http", "url": MCP_URL});
        assert_eq!(browser.run(read).await, json!(["vscode:mcp/install", server_entry]));

        assert_eq!(link("issuer-link"), "https://lenses.example.com");
        assert_eq!(
            link("metadata-link"),
            "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
        );
    })
    .await;
}

#[tokio::test]
async fn with_a_token_the_links_say_where_it_goes_and_hold_none() {
    let server = Server::with_callers_token().await;
    browse(async |browser| {
        browser.open(&server.url("/")).await;
        let read = "const query = id => document.getElementById(id).href.split('?')[1];
            return [JSON.parse(atob(new URLSearchParams(query('cursor-link')).get('config'))),
                    JSON.parse(decodeURIComponent(query('vs-code-link')))];";
        let url = server.url("/mcp");
        let vs_code = json!({
            "name": "lenses", "type": "http", "url": url,
            "headers": {"Authorization": "Bearer ${input:lenses-token}"},
            "inputs": [{"type": "promptString", "id": "lenses-token", "password": true,
                        "description": "Token for the Lenses MCP server"}],
        });
        assert_eq!(
            browser.run(read).await,
            json!([{"url": url, "headers": {"Authorization": "Bearer YOUR_TOKEN"}}, vs_code])
        );
        assert_eq!(
            browser.text("#claude-code-command").await,
            format!(
                "claude mcp add --transport http lenses {url} --header \"Authorization: Bearer \
                 YOUR_TOKEN\""
            )
        );
        browser.screenshot("page-token", 1280).await;
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_reaches_every_control_shows_where_it_is_and_presses_it() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        browser.allow_reading_the_clipboard().await;
        browser.open(&server.url("/")).await;
        let controls = browser
            .run(
                "return [...document.querySelectorAll('a, button')].map(e => e.id || \
                 e.dataset.copies)",
            )
            .await;
        let mut reached = Vec::new();
        for _ in controls.as_array().unwrap() {
            browser.press(Key::Tab).await;
            let at = "const at = document.activeElement, style = getComputedStyle(at);
                return [at.id || \
at.dataset.copies, style.outlineStyle, parseFloat(style.outlineWidth) >= 2];";
            let Value::Array(found) = browser.run(at).await else { panic!("no array") };
            assert_eq!(found[1..], [json!("solid"), json!(true)], "{found:?}");
            reached.push(found[0].clone());
        }
        assert_eq!(Value::from(reached), controls);

        browser.open(&server.url("/")).await;
        browser.listen_to_status().await;
        browser.press(Key::Tab).await;
        browser.press(Key::Enter).await;
        browser.wait_for_status("Copied the MCP URL.").await;
        assert_eq!(browser.clipboard().await, MCP_URL);
    })
    .await;
}

#[tokio::test]
async fn text_is_legible_in_light_and_dark_and_fits_a_phone() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        let mut backgrounds = BTreeSet::new();
        for (scheme, width, name) in [
            ("light", 1280, "page-light"),
            ("dark", 1280, "page-dark"),
            ("light", 375, "page-phone"),
            ("dark", 320, "page-phone-dark"),
        ] {
            browser.prefer(scheme, width).await;
            browser.open(&server.url("/")).await;
            browser.listen_to_status().await;
            // So that what the status line looks like is measured too.
            browser.one("button").await.click().await.unwrap();
            let faint = contrast::below_aa(&browser.run(contrast::TEXTS).await);
            assert_eq!(faint, [""; 0], "{name}");
            let overflow =
                browser.run("return document.documentElement.scrollWidth - innerWidth").await;
            assert!(overflow.as_f64().unwrap() <= 0.0, "{name} is {overflow} px too wide");
            browser.open(&server.url("/")).await;
            browser.screenshot(name, width).await;
            backgrounds.insert(
                browser
                    .run("return getComputedStyle(document.body).backgroundColor")
                    .await
                    .to_string(),
            );
        }
        assert_eq!(backgrounds.len(), 2, "light and dark look the same: {backgrounds:?}");
    })
    .await;
}

#[tokio::test]
async fn without_script_everything_but_the_copy_buttons_is_there() {
    let server = Server::with_oauth().await;
    browse(async |browser| {
        browser.without_script().await;
        browser.open(&server.url("/")).await;
        for (id, _, text) in copied_texts() {
            assert_eq!(browser.text(&format!("#{id}")).await, text);
        }
        for link in browser.all("a").await {
            assert!(link.is_displayed().await.unwrap());
        }
        for button in browser.all("button").await {
            assert!(!button.is_displayed().await.unwrap());
        }
    })
    .await;
}
