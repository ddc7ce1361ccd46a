//! Where traces are sent.

use serde_json::json;

use crate::commands::migrate::{
    conversion::Conversion,
    fields,
    this_machine::is_this_machine,
    variables::{Environment, secret},
};

pub(super) fn convert(conversion: &mut Conversion, environment: &mut Environment) {
    let field = "observability.tracing";
    let enabled = environment.text(conversion, "OTEL_ENABLED", field);
    let exporter = environment.text(conversion, "OTEL_EXPORTER", field);
    let is_enabled = enabled.is_some_and(|enabled| fields::is_true(&enabled));
    if !is_enabled {
        let names: Vec<_> =
            environment.names().into_iter().filter(|name| name.starts_with("OTEL_")).collect();
        for name in names {
            environment.take(&name);
            conversion.drop_key(name, "OTEL_ENABLED is not true");
        }
        return;
    }
    if exporter.is_some_and(|exporter| exporter != "otlp") {
        let what = "spans are sent with OTLP only: write the collector into \
                    spec.observability.tracing.otlpEndpoint";
        conversion.leave_open("OTEL_EXPORTER", what);
    }
    let [protocol, endpoint, traces] = [
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    .map(|name| environment.text(conversion, name, "observability.tracing.otlpEndpoint"));
    let traces = traces.map(|url| url.trim_end_matches("/v1/traces").to_owned());
    let Some(endpoint) = traces.or(endpoint).filter(|url| !is_this_machine(url)) else {
        let what = "no collector is named that pods can reach: write it into \
                    spec.observability.tracing.otlpEndpoint";
        return conversion.leave_open("OTEL_EXPORTER_OTLP_ENDPOINT", what);
    };
    conversion.set("observability.tracing.otlpEndpoint", endpoint);
    match protocol.as_deref() {
        None | Some("http/protobuf") => {}
        Some(grpc) if grpc.starts_with("grpc") => {
            conversion.set("observability.tracing.protocol", "grpc");
        }
        Some(_) => conversion.leave_open(
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "write grpc into spec.observability.tracing.protocol, or leave it out for \
             http/protobuf",
        ),
    }
    let sampler = environment.text(conversion, "OTEL_TRACES_SAMPLER", field);
    let share = environment.text(conversion, "OTEL_TRACES_SAMPLER_ARG", field);
    let ratio = share.as_ref().and_then(|share| share.parse::<f64>().ok());
    match (sampler.as_deref(), ratio) {
        (None | Some("parentbased_always_on"), _) => {
            if share.is_some() {
                let why = "OTEL_TRACES_SAMPLER samples every trace";
                conversion.drop_key("OTEL_TRACES_SAMPLER_ARG", why);
            }
        }
        (Some("parentbased_traceidratio"), Some(ratio)) => {
            conversion.set("observability.tracing.sampleRatio", ratio);
        }
        _ => {
            let what = "write the share of traces into spec.observability.tracing.sampleRatio";
            conversion.leave_open("OTEL_TRACES_SAMPLER", what);
        }
    }
    if let Some(headers) = environment.take("OTEL_EXPORTER_OTLP_HEADERS") {
        let (name, key) = secret(conversion, headers, "otlp", "headers");
        conversion.add_pod_variable(&json!({
            "name": "OTEL_EXPORTER_OTLP_HEADERS",
            "valueFrom": { "secretKeyRef": { "name": name, "key": key } },
        }));
    }
}
