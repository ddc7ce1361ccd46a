//! Where traces go: the variables of the OpenTelemetry specification ("OpenTelemetry Environment
//! Variable Specification", "OTLP Exporter Configuration"). Whatever is wrong with them, the server
//! starts.

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use url::Url;

use super::{
    parse,
    reader::{Invalid, Reader},
    variable as var,
};

const SERVICE_NAME: &str = "service.name";
const DEFAULT_SERVICE_NAME: &str = "lenses-mcp";
/// The path of the signal under `OTEL_EXPORTER_OTLP_ENDPOINT`.
const TRACES_PATH: &str = "/v1/traces";
const CONSEQUENCE: &str = "no traces are sent";

/// Traces that are wanted.
#[derive(Debug, Clone)]
pub struct Traces {
    /// What is said of this server with each batch, `service.name` among it.
    pub resource: Vec<(String, String)>,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// Where they go.
    pub exporter: Exporter,
}

/// Which traces are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether a client's own decision, where it sends one, counts before `share`.
    pub parent_based: bool,
    /// The share of traces, from 0 to 1.
    pub share: f64,
}

/// Where traces go.
#[derive(Debug, Clone)]
pub enum Exporter {
    /// Into the log.
    Console,
    /// To a collector.
    Otlp {
        /// How it is spoken to.
        protocol: Protocol,
        /// The whole address; with gRPC its path is not used.
        endpoint: Url,
        /// Sent with each batch, each marked as sensitive.
        headers: Vec<(HeaderName, HeaderValue)>,
    },
}

/// The protocol of a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Protobuf over HTTP.
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

/// Reads them where `OTEL_ENABLED` says that they are wanted.
pub(super) fn read(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Option<Traces> {
    reader.dispensable(warnings, CONSEQUENCE, |reader| {
        if !reader.value(&var::OTEL_ENABLED, parse::flag)? {
            return Ok(None);
        }
        // Each is read before any is used, so that a fault in one does not hide those of the
        // others.
        let resource = read_resource(reader);
        let sampler = read_sampler(reader);
        let exporter = read_exporter(reader);
        Ok(Some(Traces { resource: resource?, sampler: sampler?, exporter: exporter? }))
    })?
}

fn read_resource(reader: &mut Reader<'_>) -> Result<Vec<(String, String)>, Invalid> {
    let name = reader.optional(&var::OTEL_SERVICE_NAME, |text| Ok(text.to_owned()))?;
    let mut resource = reader.optional(&var::OTEL_RESOURCE_ATTRIBUTES, pairs)?.unwrap_or_default();
    let named = resource.iter().any(|(key, _)| key == SERVICE_NAME);
    if let Some(name) = name.or_else(|| (!named).then(|| DEFAULT_SERVICE_NAME.to_owned())) {
        resource.retain(|(key, _)| key != SERVICE_NAME);
        resource.push((SERVICE_NAME.to_owned(), name));
    }
    Ok(resource)
}

fn read_sampler(reader: &mut Reader<'_>) -> Result<Sampler, Invalid> {
    let (parent_based, share) = reader.value(
        &var::OTEL_TRACES_SAMPLER,
        parse::word(&[
            ("always_on", (false, Some(1.0))),
            ("always_off", (false, Some(0.0))),
            ("traceidratio", (false, None)),
            ("parentbased_always_on", (true, Some(1.0))),
            ("parentbased_always_off", (true, Some(0.0))),
            ("parentbased_traceidratio", (true, None)),
        ]),
    )?;
    let share = match share {
        Some(share) => share,
        None => reader.optional(&var::OTEL_TRACES_SAMPLER_ARG, self::share)?.unwrap_or(1.0),
    };
    Ok(Sampler { parent_based, share })
}

fn read_exporter(reader: &mut Reader<'_>) -> Result<Exporter, Invalid> {
    if !reader.value(&var::OTEL_EXPORTER, parse::word(&[("otlp", true), ("console", false)]))? {
        return Ok(Exporter::Console);
    }
    let protocol = reader.value(
        &var::OTEL_EXPORTER_OTLP_PROTOCOL,
        parse::word(&[("http/protobuf", Protocol::HttpProtobuf), ("grpc", Protocol::Grpc)]),
    );
    let base = reader.optional(&var::OTEL_EXPORTER_OTLP_ENDPOINT, parse::base_url);
    let whole = reader.optional(&var::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, parse::endpoint_url);
    let headers = read_headers(reader);
    let protocol = protocol?;
    let endpoint = match (whole?, base?) {
        (Some(whole), _) => whole,
        (None, Some(base)) => collector(&base, protocol),
        (None, None) => {
            let port = if protocol == Protocol::Grpc { 4317 } else { 4318 };
            match format!("http://localhost:{port}").parse() {
                Ok(base) => collector(&base, protocol),
                Err(_) => {
                    return Err(reader
                        .missing(&var::OTEL_EXPORTER_OTLP_ENDPOINT, "write the collector's URL"));
                }
            }
        }
    };
    Ok(Exporter::Otlp { protocol, endpoint, headers: headers? })
}

/// The address for traces under `base`.
fn collector(base: &Url, protocol: Protocol) -> Url {
    let mut url = base.clone();
    if protocol == Protocol::HttpProtobuf {
        url.set_path(&format!("{}{TRACES_PATH}", base.path().trim_end_matches('/')));
    }
    url
}

fn read_headers(reader: &mut Reader<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Invalid> {
    let Some(text) = reader.secret_text(&var::OTEL_EXPORTER_OTLP_HEADERS)? else {
        return Ok(Vec::new());
    };
    pairs(text.expose_secret())
        .ok()
        .and_then(|pairs| pairs.into_iter().map(header).collect())
        .ok_or_else(|| {
            reader.invalid_secret(
                &var::OTEL_EXPORTER_OTLP_HEADERS,
                "no list of headers (not shown)",
                "write name=value, with commas between, percent-encoded values",
            )
        })
}

fn header((name, value): (String, String)) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::try_from(name).ok()?, value))
}

/// `name=value` with commas between, values percent-encoded, blanks around each passed over.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty())?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            Some((name.trim().to_owned(), value.into_owned()))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| "write name=value, with commas between".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "write a number from 0 to 1".to_owned())
}
