//! HQ behind a name that only the proxy knows: `hq.test`.

use std::sync::Arc;

use axum::{
    Json, Router,
    routing::{get, post},
};
use futures::{SinkExt, StreamExt};
use lenses_mcp_server::{connections, lifecycle::Stages};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

/// A running HQ: the API and introspection at one port, the SQL websocket at another.
pub(crate) struct Hq {
    /// The port of the API.
    pub(crate) api: u16,
    /// The port of the websocket.
    pub(crate) sql: u16,
    /// The certificate, which is its own CA; `None`: plain HTTP.
    pub(crate) certificate: Option<String>,
}

impl Hq {
    pub(crate) async fn with_tls() -> Self {
        let made = rcgen::generate_simple_self_signed(["hq.test".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        Self { certificate: Some(certificate), ..Self::start(Some(Arc::new(config).into())).await }
    }

    pub(crate) async fn plain() -> Self {
        Self::start(None).await
    }

    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let active = json!({ "active": true, "scope": "read write delete" });
        let router =
            Router::new().route("/oauth2/introspect", post(async move || Json(active))).route(
                "/api/v1/environments",
                get(async || Json(json!({ "items": [{ "name": "dev" }] }))),
            );
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sql = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hq = Self {
            api: api.local_addr().unwrap().port(),
            sql: sql.local_addr().unwrap().port(),
            certificate: None,
        };
        let options = connections::Options { tls: tls.clone(), ..Default::default() };
        tokio::spawn(connections::serve(api, router, options, Stages::default()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = sql.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => answer(stream).await,
                        Some(tls) => answer(tls.accept(stream).await.unwrap()).await,
                    }
                });
            }
        });
        hq
    }
}

/// Answers one statement with one row.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let _statement = socket.next().await;
    for frame in [json!({ "type": "RECORD", "data": { "value": 1 } }), json!({ "type": "END" })] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
    }
}
