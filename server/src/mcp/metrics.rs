//! What is counted of MCP requests.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::{Registry, Unit},
};

use crate::{
    completion::Source,
    instruments::{Histograms, latency},
    tools::Outcome,
};

/// Calls of tools, prompts, resources and completions.
#[derive(Debug)]
pub struct McpMetrics {
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

    /// A tool call ended. `tool` must be the name of a tool that exists, so that the label stays bounded.
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
