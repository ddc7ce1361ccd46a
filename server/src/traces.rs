//! Traces: a span for each MCP request, and below it one for each call to Lenses HQ, sent as
//! `OTEL_…` say.
//!
//! Spans say what was called, how it ended and how long it took: names and attributes are those of
//! OpenTelemetry's conventions for MCP. Nothing in them is a caller's own text but the request's
//! id: no token, no argument, no statement, no record, and a name only if a tool, a prompt or a
//! kind of resources has it. They are `tracing`'s spans under a target of their own, so that where
//! no traces are wanted nobody takes them and they cost a look at a flag; the log never shows them.
//!
//! A request joins the trace of its client: `traceparent` in its `_meta`, else in its HTTP headers.
//! It goes on to HQ in the same header, so that a call can be followed through. Sign-in comes
//! before there is a request of MCP to speak of: its questions to HQ are in the metrics, not here.

use http::HeaderMap;
use opentelemetry::{
    Context, TraceId,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of all spans that are traces, and of nothing else.
pub(crate) const TARGET: &str = "traces";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// What a request says about the trace that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// The revision of MCP in which the request is made.
    pub revision: &'a str,
    /// `traceparent` of the request's `_meta` (SEP-414).
    pub traceparent: Option<&'a str>,
    /// `tracestate` of the request's `_meta`.
    pub tracestate: Option<&'a str>,
    /// The request's HTTP headers; empty over stdio.
    pub headers: &'a HeaderMap,
}

/// A request of MCP that begins now.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method: one that this server has, or a word for all others.
    pub method: &'static str,
    /// What the method is about.
    pub target: Target,
    /// The request's id, as JSON: of bounded length, and the one text of the caller's in a span.
    pub id: &'a str,
    /// `tcp` or `pipe`.
    pub transport: &'static str,
}

/// What a request is about. Its name is one that this server has, never a caller's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The server.
    Nothing,
    /// This tool.
    Tool(&'static str),
    /// This prompt.
    Prompt(&'static str),
    /// A resource of this kind: the URI holds names.
    Resource(&'static str),
}

impl Request<'_> {
    /// Its span: to be the current one while the request is answered.
    #[must_use]
    pub fn span(self, parent: &Parent<'_>) -> Span {
        let Self { method, target, id, transport } = self;
        let span = tracing::info_span!(
            target: TARGET,
            "mcp",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            mcp.method.name = method,
            mcp.protocol.version = parent.revision,
            jsonrpc.request.id = id.trim_matches('"'),
            network.transport = transport,
            gen_ai.operation.name = Empty,
            gen_ai.tool.name = Empty,
            gen_ai.prompt.name = Empty,
            lenses.resource = Empty,
            lenses.outcome = Empty,
            error.type = Empty,
            rpc.response.status_code = Empty,
        );
        if !span.is_disabled() {
            target.describe(method, &span);
            // Refused only for a span that nobody takes.
            let _taken = span.set_parent(parent.context());
        }
        span
    }
}

impl Target {
    fn describe(self, method: &str, span: &Span) {
        let (field, name) = match self {
            Self::Nothing => return,
            Self::Tool(tool) => {
                span.record("gen_ai.operation.name", "execute_tool");
                ("gen_ai.tool.name", tool)
            }
            Self::Prompt(prompt) => ("gen_ai.prompt.name", prompt),
            Self::Resource(kind) => ("lenses.resource", kind),
        };
        span.record(field, name);
        span.record("otel.name", format_args!("{method} {name}"));
    }
}

/// Notes on the current request's span how its call of a tool, prompt or resource ended.
pub(crate) fn outcome(outcome: &'static str) {
    // Without traces, the current span is the log's, and looking for it is not free.
    if tracing::span_enabled!(target: TARGET, tracing::Level::INFO) {
        Span::current().record("lenses.outcome", outcome);
    }
}

/// The trace of `span`, if it is sampled.
pub(crate) fn sampled(span: &Span) -> Option<TraceId> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_sampled().then(|| context.trace_id())
}

/// Notes how the request or call of `span` ended: `failure` is the error's type if it failed.
pub fn ended(span: &Span, failure: Option<&str>) {
    if let Some(failure) = failure {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", failure);
    }
}

/// A call to Lenses HQ that begins now. `operation` is the client's method, not the path, which may
/// hold a caller's words.
pub(crate) fn lenses_call(operation: &'static str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "lenses",
        otel.name = format_args!("lenses {operation}"),
        otel.kind = "client",
        otel.status_code = Empty,
        lenses.operation = operation,
        error.type = Empty,
    )
}

/// Writes the current span into the headers of a request that is made within it.
pub(crate) fn pass_on(headers: &mut HeaderMap) {
    // Without traces there is no context, and nothing is written.
    TraceContextPropagator::new()
        .inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

impl Parent<'_> {
    /// The headers that tell HQ of the client's trace, if the client is in one. They hold unless
    /// this server traces too.
    pub(crate) fn passed_on(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.traceparent.is_some() || self.headers.contains_key(TRACEPARENT) {
            let mut injector = HeaderInjector(&mut headers);
            TraceContextPropagator::new().inject_context(&self.context(), &mut injector);
        }
        headers
    }

    /// The span at the client that the request belongs to.
    fn context(&self) -> Context {
        let propagator = TraceContextPropagator::new();
        let none = Context::new();
        if self.traceparent.is_some() {
            propagator.extract_with_context(&none, self)
        } else {
            propagator.extract_with_context(&none, &HeaderExtractor(self.headers))
        }
    }
}

/// SEP-414: the names of the W3C's headers, in a request's `_meta`.
impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.traceparent,
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}
