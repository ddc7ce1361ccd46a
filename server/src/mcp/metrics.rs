//! What is counted of MCP requests.

use std::{fmt, time::Duration};

use opentelemetry::TraceId;
use prometheus_client::{
    encoding::{EncodeLabel as _, EncodeLabelSet, LabelSetEncoder},
    metrics::{counter::Counter, exemplar::HistogramWithExemplars, family::Family},
    registry::{Registry, Unit},
};

use super::revision::Revision;
use crate::{
    completion::Source,
    instruments::{Histograms, Trace, TracedHistograms, label_values, latency},
    tools::Outcome,
    traces::Target,
};

/// The bounds of `mcp.server.operation.duration` in OpenTelemetry's conventions, in seconds.
const OPERATION_SECONDS: [f64; 14] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

label_values! {
    /// What carries the messages.
    Transport {
        /// HTTP.
        Tcp = "tcp",
        /// Standard input and output.
        Pipe = "pipe",
    }
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The tool's result is an error.
    ToolError,
    /// The JSON-RPC error of this code.
    Code(i32),
    /// The client went away first, or cancelled it.
    Cancelled,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToolError => f.write_str("tool_error"),
            Self::Code(code) => code.fmt(f),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// A request of MCP, as OpenTelemetry's conventions name what matters of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationLabels {
    /// `mcp.method.name`: one that this server has, or a word for all others.
    pub method: &'static str,
    /// `gen_ai.tool.name`, `gen_ai.prompt.name` or `lenses.resource`.
    pub target: Target,
    /// `error.type` and `rpc.response.status_code`.
    pub failure: Option<Failure>,
    /// `network.transport`.
    pub transport: Transport,
    /// `mcp.protocol.version`.
    pub revision: Revision,
}

impl EncodeLabelSet for OperationLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("mcp_method_name", self.method).encode(encoder.encode_label())?;
        match self.target {
            Target::Nothing => {}
            Target::Tool(name) => ("gen_ai_tool_name", name).encode(encoder.encode_label())?,
            Target::Prompt(name) => ("gen_ai_prompt_name", name).encode(encoder.encode_label())?,
            Target::Resource(kind) => ("lenses_resource", kind).encode(encoder.encode_label())?,
        }
        if let Some(failure) = self.failure {
            ("error_type", failure.to_string()).encode(encoder.encode_label())?;
            if let Failure::Code(code) = failure {
                ("rpc_response_status_code", code).encode(encoder.encode_label())?;
            }
        }
        ("network_transport", self.transport).encode(encoder.encode_label())?;
        ("mcp_protocol_version", self.revision.as_str()).encode(encoder.encode_label())
    }
}

fn operation_histogram() -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new(OPERATION_SECONDS.into_iter())
}

/// Calls of tools, prompts, resources and completions.
#[derive(Debug)]
pub struct McpMetrics {
    operations: TracedHistograms<OperationLabels>,
    tool_calls: Family<ToolLabels, Counter>,
    tool_seconds: Histograms<ToolLabel>,
    prompts_asked: Family<PromptLabels, Counter>,
    resource_reads: Family<ResourceLabels, Counter>,
    completions: Family<CompletionLabels, Counter>,
}

impl McpMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            operations: Family::new_with_constructor(operation_histogram),
            tool_calls: Family::default(),
            tool_seconds: Family::new_with_constructor(latency),
            prompts_asked: Family::default(),
            resource_reads: Family::default(),
            completions: Family::default(),
        };
        registry.register(
            "tool_calls",
            "Tool calls, by tool and outcome",
            metrics.tool_calls.clone(),
        );
        registry.register_with_unit(
            "tool_call_duration",
            "Time that a tool call took, by tool",
            Unit::Seconds,
            metrics.tool_seconds.clone(),
        );
        registry.register(
            "prompts_asked",
            "Prompts asked for, by prompt and outcome",
            metrics.prompts_asked.clone(),
        );
        registry.register(
            "resource_reads",
            "Resources read, by kind and outcome",
            metrics.resource_reads.clone(),
        );
        registry.register(
            "completions",
            "Completions of arguments, by the tool that shows the same names and by outcome",
            metrics.completions.clone(),
        );
        metrics
    }

    /// Registers the one metric that has the name of OpenTelemetry's conventions, and so no prefix
    /// of this server's.
    pub fn register_operations(&self, root: &mut Registry) {
        root.register_with_unit(
            "mcp_server_operation_duration",
            "Time from an MCP request to its result, by method, by what it is about, and by error",
            Unit::Seconds,
            self.operations.clone(),
        );
    }

    /// A request ended. `trace` is the one that it is in, if that is sampled.
    pub fn operation_ended(
        &self,
        labels: &OperationLabels,
        elapsed: Duration,
        trace: Option<TraceId>,
    ) {
        let seconds = elapsed.as_secs_f64();
        self.operations.get_or_create(labels).observe(seconds, trace.map(Trace), None);
    }

    /// A tool call ended. `tool` must be the name of a tool that exists, so that the label stays
    /// bounded.
    pub fn tool_called(&self, tool: &'static str, outcome: Outcome, elapsed: Duration) {
        self.tool_calls.get_or_create(&ToolLabels { tool, outcome }).inc();
        self.tool_seconds.get_or_create(&ToolLabel { tool }).observe(elapsed.as_secs_f64());
    }

    /// A prompt was asked for, one that exists.
    pub fn prompt_asked(&self, prompt: &'static str, outcome: Outcome) {
        self.prompts_asked.get_or_create(&PromptLabels { prompt, outcome }).inc();
    }

    /// A resource was read; `resource` is its kind and not its URI.
    pub fn resource_read(&self, resource: &'static str, outcome: Outcome) {
        self.resource_reads.get_or_create(&ResourceLabels { resource, outcome }).inc();
    }

    /// An argument was completed from `source`.
    pub fn completed(&self, source: Source, outcome: Outcome) {
        self.completions.get_or_create(&CompletionLabels { source: source.tool(), outcome }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabels {
    tool: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabel {
    tool: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PromptLabels {
    prompt: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    resource: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CompletionLabels {
    source: &'static str,
    outcome: Outcome,
}
