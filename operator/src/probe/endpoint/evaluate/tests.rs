//! Each way in which an endpoint can be wrong, with its reason and what is said of it.

use axum::http::HeaderMap;
use reqwest::header::{CONTENT_TYPE, HeaderName, LOCATION, WWW_AUTHENTICATE};
use serde_json::json;

use super::*;

const URL: &str = "https://mcp.example.com/mcp";
const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
const ISSUER: &str = "https://hq.example.com";

fn endpoint(callers: Callers) -> Endpoint {
    let service = "http://team-mcp.tools.svc:80".parse().unwrap();
    let mode = VerificationMode::Endpoint;
    Endpoint { url: URL.to_owned(), service, mode, callers, expected_tools: None }
}

fn oauth() -> Endpoint {
    endpoint(Callers::SignedIn { issuer: ISSUER.to_owned() })
}

#[expect(clippy::unnecessary_wraps, reason = "tables hold answers beside their absence")]
fn answer(status: u16, headers: &[(HeaderName, &str)], body: &str) -> Result<Answer, NoAnswer> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    Ok(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: Some(body.as_bytes().to_vec()),
    })
}

fn challenge(metadata: &str) -> String {
    format!("Bearer resource_metadata=\"{metadata}\", scope=\"read\"")
}

fn first_call(endpoint: &Endpoint, outcome: &Result<Answer, NoAnswer>) -> Result<Next, Finding> {
    call_without_token(endpoint, &Way::to(endpoint).ok().unwrap(), outcome)
}

fn found(endpoint: &Endpoint, tools: Option<&Tools>) -> Finding {
    verified(endpoint, &Way::to(endpoint).ok().unwrap(), tools)
}

#[test]
fn the_message_says_which_address_was_examined() {
    let by = |mode| found(&Endpoint { mode, ..oauth() }, None).message;
    assert!(by(VerificationMode::Endpoint).starts_with(&format!("{URL} refuses")));
    let by_service = by(VerificationMode::Service);
    let service = format!("http://team-mcp.tools.svc/mcp (in place of {URL}, verification.mode");
    assert!(by_service.starts_with(&service), "{by_service}");
}

#[test]
fn a_refusal_with_a_challenge_leads_to_the_metadata() {
    let good = answer(401, &[(WWW_AUTHENTICATE, &challenge(METADATA))], "");
    assert_eq!(first_call(&oauth(), &good), Ok(Next::ReadMetadata(METADATA.parse().unwrap())));
    let shared = answer(401, &[(WWW_AUTHENTICATE, "Bearer realm=\"lenses-mcp\"")], "");
    assert_eq!(first_call(&endpoint(Callers::WithToken), &shared), Ok(Next::ListTools));
    let open = answer(200, &[], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(first_call(&endpoint(Callers::Anyone), &open), Ok(Next::ListTools));
}

#[test]
fn each_fault_of_the_first_call_has_its_own_reason() {
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"secret"}}"#;
    let events = [(CONTENT_TYPE, "text/event-stream; charset=utf-8")];
    let elsewhere = challenge("https://evil.example/.well-known/oauth-protected-resource/mcp");
    let plain = challenge("http://mcp.example.com/.well-known/oauth-protected-resource/mcp");
    let (untrusted, refused) = (
        NoAnswer::Untrusted { cause: "invalid peer certificate: UnknownIssuer".into() },
        NoAnswer::Unreachable { cause: "Connection refused".into() },
    );
    for (endpoint, outcome, reason, said) in [
        (
            oauth(),
            answer(200, &[], result),
            Reason::TooOpen,
            "make the URL lead to Service team-mcp",
        ),
        (
            oauth(),
            answer(200, &[], error),
            Reason::TooOpen,
            "answers a call without a token (200 OK)",
        ),
        (oauth(), answer(200, &events, ""), Reason::TooOpen, "signs callers in"),
        (endpoint(Callers::WithToken), answer(202, &[], result), Reason::TooOpen, "202 Accepted"),
        (oauth(), answer(200, &[], "<html>secret"), Reason::ChallengeMissing, "a login page"),
        (oauth(), answer(204, &[], ""), Reason::ChallengeMissing, "not MCP"),
        (oauth(), answer(401, &[], ""), Reason::ChallengeMissing, "pass WWW-Authenticate on"),
        (
            oauth(),
            answer(401, &[(WWW_AUTHENTICATE, "Basic realm=\"x\"")], ""),
            Reason::ChallengeMissing,
            "no Bearer",
        ),
        (
            oauth(),
            answer(401, &[(WWW_AUTHENTICATE, "Bearer")], ""),
            Reason::ChallengeMissing,
            "no resource_metadata",
        ),
        (endpoint(Callers::WithToken), answer(401, &[], ""), Reason::ChallengeMissing, "no Bearer"),
        (
            oauth(),
            answer(401, &[(WWW_AUTHENTICATE, &elsewhere)], ""),
            Reason::MetadataMismatch,
            "evil.example",
        ),
        (
            oauth(),
            answer(401, &[(WWW_AUTHENTICATE, &plain)], ""),
            Reason::MetadataMismatch,
            "\"http://mcp.example.com",
        ),
        (
            oauth(),
            answer(401, &[(WWW_AUTHENTICATE, &challenge("/x"))], ""),
            Reason::MetadataMismatch,
            "\"/x\"",
        ),
        (
            oauth(),
            answer(308, &[(LOCATION, "https://other.example/mcp?code=secret")], ""),
            Reason::EndpointUnreachable,
            "to \"https://other.example/mcp\", where",
        ),
        (oauth(), answer(404, &[], "secret"), Reason::EndpointUnreachable, "404 Not Found"),
        (oauth(), answer(403, &[], error), Reason::EndpointUnreachable, "403 Forbidden"),
        (oauth(), answer(503, &[], ""), Reason::EndpointUnreachable, "503"),
        (oauth(), Err(refused), Reason::EndpointUnreachable, "tried from the operator's pod"),
        (oauth(), Err(untrusted), Reason::CertificateUntrusted, "spec.lenses.caBundle"),
        (
            endpoint(Callers::Anyone),
            answer(401, &[], ""),
            Reason::EndpointUnreachable,
            "callers.anyone is true",
        ),
        (
            endpoint(Callers::Anyone),
            answer(200, &[], "<html>"),
            Reason::ChallengeMissing,
            "not MCP",
        ),
    ] {
        let finding = first_call(&endpoint, &outcome).unwrap_err();
        assert_eq!((finding.holds, finding.reason), (false, reason), "{finding:?}");
        assert!(finding.message.contains(said), "{said:?} is not in {:?}", finding.message);
        assert!(!finding.message.contains("secret"), "{:?}", finding.message);
    }
}

#[test]
fn metadata_must_be_this_servers_byte_for_byte() {
    let url: Url = METADATA.parse().unwrap();
    let of = |resource: &str, servers: serde_json::Value| {
        answer(
            200,
            &[],
            &json!({ "resource": resource, "authorization_servers": servers }).to_string(),
        )
    };
    assert_eq!(metadata(&oauth(), &url, &of(URL, json!([ISSUER]))), Ok(()));
    for (outcome, said) in [
        (
            of("https://mcp.example.com/mcp/", json!([ISSUER])),
            "names the resource \"https://mcp.example.com/mcp/\"",
        ),
        (of("https://MCP.example.com/mcp", json!([ISSUER])), "byte for byte"),
        (of("http://mcp.example.com/mcp", json!([ISSUER])), "set spec.endpoint.url"),
        (
            of(URL, json!(["https://hq.example.com/"])),
            "at [\"https://hq.example.com/\"], and HQ's issuer is",
        ),
        (of(URL, json!([])), "at [], and"),
        (of(URL, json!([ISSUER, "https://evil.example"])), "evil.example"),
        (answer(200, &[], "<html>"), "no protected resource metadata"),
        (answer(200, &[], "{}"), "no protected resource metadata"),
        (answer(404, &[], ""), "/.well-known/oauth-protected-resource in"),
        (
            Ok(Answer { body: None, ..answer(200, &[], "").unwrap() }),
            "is answered with 200 OK and no protected resource metadata",
        ),
    ] {
        let finding = metadata(&oauth(), &url, &outcome).unwrap_err();
        assert_eq!(finding.reason, Reason::MetadataMismatch, "{finding:?}");
        assert!(finding.message.contains(said), "{said:?} is not in {:?}", finding.message);
    }
    let gone = Err(NoAnswer::Unreachable { cause: "reset".into() });
    assert_eq!(metadata(&oauth(), &url, &gone).unwrap_err().reason, Reason::EndpointUnreachable);
}

#[test]
fn a_list_of_tools_is_read_and_what_keeps_it_is_told() {
    let url: Url = URL.parse().unwrap();
    let list = concat!(
        r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a","inputSchema":{}}],"#,
        r#""nextCursor":"n"}}"#,
    );
    assert_eq!(
        page(&url, &answer(200, &[], list), Some(CREDENTIAL)).unwrap().next_cursor.as_deref(),
        Some("n")
    );
    let event = answer(200, &[(CONTENT_TYPE, "text/event-stream")], &format!("data: {list}\n\n"));
    assert_eq!(page(&url, &event, None).unwrap().tools.len(), 1);
    let error = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"secret"}}"#;
    let too_large = Ok(Answer { body: None, ..answer(200, &[], "").unwrap() });
    for (outcome, reason, said) in [
        (answer(401, &[], ""), Reason::CredentialRefused, "spec.verification.credentialSecretRef"),
        (answer(403, &[], ""), Reason::CredentialRefused, "the scope \"read\""),
        (answer(200, &[], error), Reason::ToolsNotListed, "200 OK and error -32603"),
        (answer(400, &[], error), Reason::ToolsNotListed, "400 Bad Request and error -32603"),
        (answer(200, &[], "{}"), Reason::ToolsNotListed, "no list"),
        (too_large, Reason::ToolsNotListed, "more than is read"),
        (
            Err(NoAnswer::Unreachable { cause: "reset".into() }),
            Reason::EndpointUnreachable,
            "reset",
        ),
    ] {
        let finding = page(&url, &outcome, Some(CREDENTIAL)).unwrap_err();
        assert_eq!(finding.reason, reason, "{finding:?}");
        assert!(
            finding.message.contains(said) && !finding.message.contains("secret"),
            "{:?}",
            finding.message
        );
    }
    assert_eq!(page(&url, &answer(401, &[], ""), None).unwrap_err().reason, Reason::ToolsNotListed);
    assert_eq!(bearer(None, CREDENTIAL).unwrap_err().reason, Reason::MaterialUnusable);
}

#[test]
fn a_url_that_leads_nowhere_differs_from_a_server_that_is_down() {
    let service: Url = "http://team-mcp.tools.svc/mcp".parse().unwrap();
    let finding = || Finding::bad(Reason::EndpointUnreachable, "x");
    let up = answer(401, &[], "");
    assert!(
        with_the_service(finding(), &service, &up)
            .message
            .starts_with("x; the Service itself (http://team-mcp")
    );
    let down = Err(NoAnswer::Unreachable { cause: "Connection refused".into() });
    assert!(
        with_the_service(finding(), &service, &down)
            .message
            .contains("nor does the Service itself answer")
    );
    let ill = answer(500, &[], "");
    assert!(
        with_the_service(finding(), &service, &ill).message.contains("500 Internal Server Error")
    );
}

#[test]
fn a_loopback_address_is_reported_with_the_dialled_address() {
    let mut local = oauth();
    local.url = "http://127.0.0.1:8000/mcp".to_owned();
    let finding =
        first_call(&local, &Err(NoAnswer::Unreachable { cause: "reset".into() })).unwrap_err();
    assert!(
        finding.message.contains("team-mcp.tools.svc/mcp (in place of http://127.0.0.1:8000/mcp"),
        "{finding:?}"
    );
}

#[test]
fn unexpected_tools_are_reported_with_both_digests_and_expected_ones_pass() {
    let tools = Tools { count: 45, digest: "sha256:b".to_owned() };
    let expecting =
        |digest: Option<&str>| Endpoint { expected_tools: digest.map(str::to_owned), ..oauth() };
    let changed = found(&expecting(Some("sha256:a")), Some(&tools));
    assert!(!changed.holds && changed.reason == Reason::ToolsChanged, "{changed:?}");
    for said in ["45 tools", "sha256:a", "sha256:b", "spec.verification.expectedToolsDigest"] {
        assert!(changed.message.contains(said), "{said}: {changed:?}");
    }
    for (expected, listed) in [(Some("sha256:b"), Some(&tools)), (None, Some(&tools)), (None, None)]
    {
        let good = found(&expecting(expected), listed);
        assert!(good.holds && good.reason == Reason::Verified, "{expected:?}: {good:?}");
    }
}
