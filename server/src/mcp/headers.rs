//! What the headers of a request say about its body, held against the body.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::{
    message::Request,
    method::Call,
    revision::{PROTOCOL_VERSION, Revision, named, single},
};
use crate::json_rpc::RpcError;

const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";

/// The revision in which `request` is made.
///
/// # Errors
///
/// -32022 for one that is not known, -32020 if header and `_meta` differ, -32602 if `_meta` lacks
/// what revision 2026-07-28 requires, -32600 if the header contradicts `initialize`.
pub(super) fn revision(headers: &HeaderMap, request: &Request) -> Result<Revision, RpcError> {
    let header = single(headers, PROTOCOL_VERSION)?;
    if let Call::Initialize(params) = &request.call {
        if header.is_some_and(|header| header != params.protocol_version) {
            return Err(RpcError::invalid_request(
                StatusCode::BAD_REQUEST,
                "the header MCP-Protocol-Version and params.protocolVersion differ",
            ));
        }
        return Ok(Revision::negotiated(&params.protocol_version));
    }
    let meta = request.meta.protocol_version.as_deref();
    match (meta, header) {
        (Some(_), None) => {
            return Err(RpcError::header_mismatch(
                "the header MCP-Protocol-Version must repeat the version in _meta",
            ));
        }
        (Some(meta), Some(header)) if meta != header => {
            return Err(RpcError::header_mismatch(
                "the header MCP-Protocol-Version and the version in _meta differ",
            ));
        }
        _ => {}
    }
    let revision = revision_named(meta.or(header))?;
    let incomplete = meta.is_none() || request.meta.client_capabilities.is_none();
    if (revision.is_stateless() || matches!(request.call, Call::Discover(_))) && incomplete {
        return Err(missing_meta());
    }
    Ok(revision)
}

/// The revision of a message over HTTP. Before 2025-06-18 there was no header to name it.
fn revision_named(version: Option<&str>) -> Result<Revision, RpcError> {
    version.map_or(Ok(Revision::V2025_03_26), named)
}

fn missing_meta() -> RpcError {
    RpcError::invalid_params(
        "params._meta needs io.modelcontextprotocol/protocolVersion and \
         io.modelcontextprotocol/clientCapabilities",
    )
    .with_status(StatusCode::BAD_REQUEST)
}

/// Checks the headers that repeat a part of the body, so that proxies can route by them (SEP-2243).
/// `schema` gives the input schema of a tool, whose properties may name headers of their own.
///
/// # Errors
///
/// -32020 for a header that is missing or differs.
pub(super) fn check(
    headers: &HeaderMap,
    request: &Request,
    schema: impl FnOnce(&str) -> Option<std::sync::Arc<Map<String, Value>>>,
) -> Result<(), RpcError> {
    check_method(headers, request.call.method())?;
    let name = match &request.call {
        Call::CallTool(params) => Some(params.name.as_str()),
        Call::GetPrompt(params) => Some(params.name.as_str()),
        Call::ReadResource(params) => Some(params.uri.as_str()),
        _ => None,
    };
    if let Some(name) = name {
        must_equal(NAME, single(headers, NAME)?, Some(name))?;
    }
    if let Call::CallTool(params) = &request.call
        && let Some(schema) = schema(&params.name)
    {
        check_parameters(headers, &schema, &params.arguments)?;
    }
    Ok(())
}

/// Checks the headers of a notification, which has no `_meta` to name its revision.
///
/// # Errors
///
/// -32022 for a revision that is not known, -32020 if `Mcp-Method` is missing or differs.
pub(super) fn check_notification(headers: &HeaderMap, method: &str) -> Result<(), RpcError> {
    if revision_named(single(headers, PROTOCOL_VERSION)?)?.is_stateless() {
        check_method(headers, method)?;
    }
    Ok(())
}

fn check_method(headers: &HeaderMap, method: &str) -> Result<(), RpcError> {
    must_equal(METHOD, single(headers, METHOD)?, Some(method))
}

/// The headers `Mcp-Param-…` that the schema's top-level properties name with `x-mcp-header`.
fn check_parameters(
    headers: &HeaderMap,
    schema: &Map<String, Value>,
    arguments: &Map<String, Value>,
) -> Result<(), RpcError> {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (argument, property) in properties.into_iter().flatten() {
        let Some(name) = property.get("x-mcp-header").and_then(Value::as_str) else { continue };
        let header = format!("mcp-param-{}", name.to_ascii_lowercase());
        let value = match arguments.get(argument) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
            _ => None,
        };
        must_equal(&header, single(headers, &header)?, value.as_deref())?;
    }
    Ok(())
}

pub(super) fn must_equal(
    header: &str,
    found: Option<&str>,
    expected: Option<&str>,
) -> Result<(), RpcError> {
    if found.map(decoded).transpose()?.as_deref() == expected {
        Ok(())
    } else {
        Err(RpcError::header_mismatch(format!(
            "the header {header} does not say what the body says"
        )))
    }
}

/// The value of a header, which is base64 between `=?base64?` and `?=` if it is not plain ASCII.
fn decoded(value: &str) -> Result<String, RpcError> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="))
    else {
        return Ok(value.to_owned());
    };
    let bytes = STANDARD.decode(encoded).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| RpcError::header_mismatch("a header is not base64 of UTF-8"))
}
