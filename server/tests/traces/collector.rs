//! A collector: OTLP over HTTP and over gRPC, which keeps what it is sent.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

/// What came, and how the next batch is answered.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    batches: Vec<ExportTraceServiceRequest>,
    /// The header of the test in each batch.
    keys: Vec<String>,
    refuses: bool,
    refused: usize,
}

impl Collector {
    /// Starts one that speaks OTLP over HTTP: it, and its address.
    pub(crate) async fn over_http() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    /// Starts one that speaks gRPC.
    pub(crate) async fn over_grpc() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(collector.clone());
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        (collector, address)
    }

    /// Answers 500 from now on, or no longer.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.0.lock().unwrap().refuses = refuses;
    }

    /// How many batches were refused.
    pub(crate) fn refused(&self) -> usize {
        self.0.lock().unwrap().refused
    }

    /// Everything that came, as text.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap().batches)
    }

    /// The values of the header `x-key`, one for each batch.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().keys.clone()
    }

    /// The attributes of the sender, sorted.
    pub(crate) fn resource(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap();
        let resource = kept.batches[0].resource_spans[0].resource.as_ref().unwrap();
        attributes(&resource.attributes)
    }

    /// All spans, in the order of their names.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let kept = self.0.lock().unwrap();
        let resources = kept.batches.iter().flat_map(|batch| &batch.resource_spans);
        let mut spans: Vec<_> = resources
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| scope.spans.clone())
            .collect();
        spans.sort_by(|a, b| a.name.cmp(&b.name));
        spans
    }

    fn keep(&self, batch: ExportTraceServiceRequest, key: Option<&str>) -> bool {
        let mut kept = self.0.lock().unwrap();
        if kept.refuses {
            kept.refused += 1;
            return false;
        }
        kept.batches.push(batch);
        kept.keys.extend(key.map(str::to_owned));
        true
    }
}

/// `key=value`, sorted.
pub(crate) fn attributes(attributes: &[KeyValue]) -> Vec<String> {
    let value =
        |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(any_value::Value::StringValue(text)) => text.clone(),
            other => format!("{other:?}"),
        };
    let mut pairs: Vec<_> =
        attributes.iter().map(|pair| format!("{}={}", pair.key, value(&pair.value))).collect();
    pairs.sort_unstable();
    pairs
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let key = headers.get("x-key").map(|key| key.to_str().unwrap());
    let kept = collector.keep(ExportTraceServiceRequest::decode(body).unwrap(), key);
    if kept { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let key = request.metadata().get("x-key").map(|key| key.to_str().unwrap().to_owned());
        self.keep(request.into_inner(), key.as_deref());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}
