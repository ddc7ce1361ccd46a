//! The variables of OpenTelemetry: what they mean, and that none of them stops the start.

use lenses_mcp_server::settings::{Exporter, Protocol, Sampler, Traces};

use crate::{API_KEY, Files, OAUTH, read, read_with};

const ON: &[(&str, &str)] =
    &[("LENSES_URL", "https://lenses.example.com"), ("OTEL_ENABLED", "yes")];

fn traces(set: &[(&str, &str)]) -> Traces {
    match read(&[OAUTH, ON, set]).map(|settings| settings.traces) {
        Ok(Some(traces)) => traces,
        other => panic!("no traces: {other:?}"),
    }
}

fn endpoint(set: &[(&str, &str)]) -> (Protocol, String) {
    match traces(set).exporter {
        Exporter::Otlp { protocol, endpoint, .. } => (protocol, endpoint.into()),
        Exporter::Console => panic!("not OTLP"),
    }
}

#[test]
fn traces_are_off_unless_they_are_wanted() {
    assert!(read(&[API_KEY]).unwrap().traces.is_none());
    let set = [("OTEL_ENABLED", "no"), ("OTEL_EXPORTER", "zipkin")];
    let settings = read(&[API_KEY, &set]).unwrap();
    assert!(settings.traces.is_none() && settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn the_endpoint_follows_the_rules_of_the_otlp_exporter() {
    use Protocol::{Grpc, HttpProtobuf};
    let (protocol, base, whole) = (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    );
    for (set, expected, url) in [
        (&[][..], HttpProtobuf, "http://localhost:4318/v1/traces"),
        (&[(protocol, "grpc")], Grpc, "http://localhost:4317/"),
        (&[(base, "https://otel.example.com")], HttpProtobuf, "https://otel.example.com/v1/traces"),
        (&[(base, "http://[::1]:4318/otlp/")], HttpProtobuf, "http://[::1]:4318/otlp/v1/traces"),
        (
            &[(protocol, "grpc"), (base, "https://otel.example.com:4317")],
            Grpc,
            "https://otel.example.com:4317/",
        ),
        (
            &[(base, "http://a"), (whole, "http://b/traces?tenant=1")],
            HttpProtobuf,
            "http://b/traces?tenant=1",
        ),
    ] {
        assert_eq!(endpoint(set), (expected, url.to_owned()), "{set:?}");
    }
}

#[test]
fn the_service_name_comes_from_its_variable_the_resource_or_the_default() {
    let (name, attributes) = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES");
    for (set, expected) in [
        (&[][..], "lenses-mcp"),
        (&[(attributes, "service.name=of%20resource, a=b")], "of resource"),
        (&[(attributes, "service.name=other"), (name, "mine")], "mine"),
    ] {
        let names: Vec<_> =
            traces(set).resource.into_iter().filter(|(key, _)| key == "service.name").collect();
        assert_eq!(names, [("service.name".to_owned(), expected.to_owned())], "{set:?}");
    }
}

#[test]
fn each_sampler_of_the_specification_is_understood() {
    for (name, argument, parent_based, share) in [
        ("always_on", "0.5", false, 1.0),
        ("always_off", "", false, 0.0),
        ("traceidratio", "0.25", false, 0.25),
        ("traceidratio", "", false, 1.0),
        ("parentbased_always_on", "", true, 1.0),
        ("parentbased_always_off", "", true, 0.0),
        ("parentbased_traceidratio", "0", true, 0.0),
    ] {
        let set = [("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)];
        assert_eq!(traces(&set).sampler, Sampler { parent_based, share }, "{name} {argument}");
    }
}

#[test]
fn headers_of_the_collector_are_a_secret() {
    let settings = read(&[
        OAUTH,
        ON,
        &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2, x = y z")],
    ])
    .unwrap();
    assert!(settings.effective().to_string().contains("OTEL_EXPORTER_OTLP_HEADERS='(hidden)'"));
    assert!(!format!("{settings:?}").contains("hunter2"));
    let files = Files([("/headers", "authorization=Basic hunter3\n")].into());
    let of_file =
        read_with(&files, &[OAUTH, ON, &[("OTEL_EXPORTER_OTLP_HEADERS_FILE", "/headers")]])
            .unwrap();
    for (settings, expected) in [(settings, "Bearer hunter2"), (of_file, "Basic hunter3")] {
        let Some(Traces { exporter: Exporter::Otlp { headers, .. }, .. }) = settings.traces else {
            panic!("not OTLP")
        };
        assert_eq!(
            (headers[0].0.as_str(), headers[0].1.to_str().unwrap()),
            ("authorization", expected)
        );
        assert!(headers.iter().all(|(_, value)| value.is_sensitive()));
    }
}

#[test]
fn whatever_is_wrong_the_server_starts_without_traces_and_says_why() {
    for (name, value, expected) in [
        (
            "OTEL_ENABLED",
            "maybe",
            "OTEL_ENABLED is \"maybe\": write true or false; no traces are sent",
        ),
        ("OTEL_EXPORTER", "jaeger", "write otlp or console"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "write http/protobuf or grpc"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4318",
            "write it with http:// or https:// in front",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:hunter2@otel",
            "write it without user and password",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://otel/#x", "write it without"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2", "write name=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hunter2", "write name=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=hunter2%0a", "write name=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS_FILE", "/none", "can't be read"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=x", "write name=value"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff", "write name=value"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "write always_on or"),
    ] {
        let settings = read(&[OAUTH, ON, &[(name, value)]]).unwrap();
        assert!(settings.traces.is_none(), "{name}={value}");
        let warnings = settings.warnings.join("\n");
        assert!(
            warnings.starts_with(name) && warnings.contains(expected),
            "{name}={value}: {warnings}"
        );
        assert!(
            warnings.ends_with("; no traces are sent") && !warnings.contains("hunter2"),
            "{warnings}"
        );
    }
    for argument in ["2", "-0.1", "NaN", "half"] {
        let set = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", argument)];
        let warnings = read(&[OAUTH, ON, &set]).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{argument}: {warnings:?}");
    }
}
