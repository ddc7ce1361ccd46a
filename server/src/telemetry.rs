//! Where spans go. They wait in a queue of bounded length and are sent by a thread of their own, so
//! that a collector that is slow or gone costs spans and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Limited};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::{metadata::MetadataMap, transport::ClientTlsConfig},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{self, SdkTracerProvider, ShouldSample, SpanData},
};
use tokio::runtime::Handle;
use tonic::transport::Channel;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};
use url::Url;

use crate::{
    proxies::Proxies,
    settings::{Exporter, Protocol, Sampler, Traces},
    tls::{self, TlsError, TlsMetrics, Trust},
    traces::TARGET,
};

/// Longest time for one batch.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time to send what is left when the server ends: within what it has left of its grace
/// period.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(800);
/// Largest reply of a collector that is read, in bytes.
const REPLY_MAX: usize = 64 * 1024;

/// Why no spans can be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The machine's trust store can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client can't be set up.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The gRPC client can't be set up.
    #[error(transparent)]
    Grpc(#[from] tonic::transport::Error),
    /// The address is none of gRPC's.
    #[error(transparent)]
    Address(#[from] http::uri::InvalidUri),
    /// The library refuses the settings.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

/// Spans on their way out.
#[derive(Debug)]
pub struct Export(SdkTracerProvider);

impl Export {
    /// Sends spans as `traces` say. To be called on the runtime that is to carry the requests.
    /// Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn start(
        traces: &Traces,
        proxies: &Proxies,
        metrics: Arc<TlsMetrics>,
    ) -> Result<Self, ExportError> {
        let resource =
            traces.resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        // Not `builder()`: what it would add is read from the environment alone, and settings may
        // be in a file.
        let resource =
            Resource::builder_empty().with_attribute(version).with_attributes(resource).build();
        let builder = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(sampler(traces.sampler));
        let provider = match &traces.exporter {
            Exporter::Console => builder.with_batch_exporter(Console),
            Exporter::Otlp { protocol, endpoint, headers } => {
                let headers = headers.iter().cloned().collect();
                let exporter = match protocol {
                    Protocol::HttpProtobuf => over_http(endpoint, headers, proxies, metrics)?,
                    Protocol::Grpc => over_grpc(endpoint, headers, proxies)?,
                };
                builder.with_batch_exporter(Reported { exporter, failing: AtomicBool::new(false) })
            }
        };
        Ok(Self(provider.build()))
    }

    /// What takes the spans.
    #[must_use]
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let is_ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == TARGET;
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(env!("CARGO_PKG_NAME")))
            // Of the code and the threads, traces tell nothing.
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_ours))
    }

    /// Sends what is left, as far as there is time.
    pub fn finish(self) {
        // A collector that does not answer was logged when it first did not.
        let _sent = self.0.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

fn sampler(Sampler { parent_based, share }: Sampler) -> Box<dyn ShouldSample> {
    let root = trace::Sampler::TraceIdRatioBased(share);
    Box::new(if parent_based { trace::Sampler::ParentBased(Box::new(root)) } else { root })
}

fn over_http(
    endpoint: &Url,
    headers: HeaderMap,
    proxies: &Proxies,
    metrics: Arc<TlsMetrics>,
) -> Result<SpanExporter, ExportError> {
    let tls = tls::client_config(&Trust::default(), [endpoint], metrics)?;
    let http = proxies
        .apply(reqwest::Client::builder())?
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .timeout(TIMEOUT)
        .build()?;
    let client = OnRuntime { http, runtime: Handle::current() };
    let builder = SpanExporter::builder().with_http().with_http_client(client);
    Ok(builder.with_endpoint(endpoint.as_str()).with_timeout(TIMEOUT).build()?)
}

fn over_grpc(
    endpoint: &Url,
    headers: HeaderMap,
    proxies: &Proxies,
) -> Result<SpanExporter, ExportError> {
    let mut builder =
        SpanExporter::builder().with_tonic().with_metadata(MetadataMap::from_headers(headers));
    let tls = (endpoint.scheme() == "https").then(|| ClientTlsConfig::new().with_native_roots());
    if let Some(tunnel) = proxies.tunnel(endpoint) {
        let mut channel = Channel::builder(endpoint.as_str().parse()?).timeout(TIMEOUT);
        if let Some(tls) = tls {
            channel = channel.tls_config(tls)?;
        }
        builder = builder.with_channel(channel.connect_with_connector_lazy(tunnel));
    } else if let Some(tls) = tls {
        builder = builder.with_tls_config(tls);
    }
    Ok(builder.with_endpoint(endpoint.as_str()).with_timeout(TIMEOUT).build()?)
}

/// The HTTP client for a thread that is not the runtime's.
#[derive(Debug)]
struct OnRuntime {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, request) = (self.http.clone(), request.try_into()?);
        // Even making the future wants the runtime, for its timeout.
        let receiving = self.runtime.spawn(async move {
            let (parts, body) =
                Response::<reqwest::Body>::from(http.execute(request).await?).into_parts();
            let body = Limited::new(body, REPLY_MAX).collect().await?.to_bytes();
            Ok(Response::from_parts(parts, body))
        });
        receiving.await?
    }
}

/// Says once that spans can't be sent, and once that they can again.
#[derive(Debug)]
struct Reported<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter
    for Reported<E>
{
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        let failed = result.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            if let Err(error) = &result {
                tracing::warn!(
                    %error,
                    "traces can't be sent and are dropped, which is logged once: check \
                     OTEL_EXPORTER_OTLP_ENDPOINT"
                );
            } else {
                tracing::info!("traces are sent again");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Spans as log lines: on standard error, because over stdio standard output is the protocol.
#[derive(Debug)]
struct Console;

impl opentelemetry_sdk::trace::SpanExporter for Console {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let attributes =
                span.attributes.iter().map(|pair| format!("{}={}", pair.key, pair.value));
            let elapsed = span.end_time.duration_since(span.start_time).unwrap_or_default();
            tracing::info!(
                name = &*span.name,
                trace_id = %span.span_context.trace_id(),
                span_id = %span.span_context.span_id(),
                parent_span_id = %span.parent_span_id,
                duration_ms = elapsed.as_secs_f64() * 1_000.0,
                attributes = attributes.collect::<Vec<_>>().join(" "),
                "span"
            );
        }
        Ok(())
    }
}
