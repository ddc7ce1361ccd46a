//! The opening handshake (RFC 6455 §4.1), made by the HTTP client: the same trust, timeouts and
//! limits, and a refusal is read as any other reply of HQ.

use http::{
    HeaderValue, StatusCode,
    header::{
        AUTHORIZATION, CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::{HttpConnector, proxy::Tunnel};
use reqwest::{Body, RequestBuilder, Response, Upgraded};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use url::{Position, Url};

use super::super::{
    CONNECT_TIMEOUT, CallerClient, Error, body, body::ReadError, endpoint::Endpoint, error::chain,
};
use crate::proxies;

/// The largest frame that is read whatever the limits say: HQ's own cap on what it proxies.
const MAX_FRAME_BYTES: usize = 32 << 20;
/// Queries read records of a few hundred bytes; the library's default of 128 KiB per connection
/// would be idle memory.
const BUFFER_BYTES: usize = 16 << 10;
/// Room beside the request for its header, a close and some pongs.
const SPARE_WRITE_BYTES: usize = 4 << 10;

/// Sends `request` over a connection of its own.
async fn through(
    tunnel: Tunnel<HttpConnector>,
    url: &Url,
    request: RequestBuilder,
) -> Result<Response, Error> {
    let unreachable = |error: &dyn std::error::Error| Error::Unreachable { reason: chain(error) };
    let request = request.build().map_err(|error| unreachable(&error))?;
    let connecting = timeout(CONNECT_TIMEOUT, proxies::connect(tunnel, url)).await;
    let connection = connecting
        .map_err(|_| Error::TimedOut { after: CONNECT_TIMEOUT })?
        .map_err(|error| unreachable(&*error))?;
    let (mut sender, connection) =
        http1::handshake(connection).await.map_err(|error| unreachable(&error))?;
    tokio::spawn(connection.with_upgrades());
    let mut head = http::Request::builder().uri(&url[Position::BeforePath..]);
    if let Some(headers) = head.headers_mut() {
        headers.clone_from(request.headers());
        let host = HeaderValue::try_from(url.authority()).map_err(|error| unreachable(&error))?;
        headers.insert(HOST, host);
    }
    let request = head.body(Body::default()).map_err(|error| unreachable(&error))?;
    let interrupted = |error| Error::Interrupted { reason: chain(&error) };
    let response = sender.send_request(request).await.map_err(interrupted)?;
    Ok(response.map(Body::wrap).into())
}

pub(super) type Socket = WebSocketStream<Upgraded>;

impl CallerClient {
    /// The largest message that is read from a websocket, in bytes.
    pub(super) fn max_message_bytes(&self) -> usize {
        self.client.0.response_max_bytes.min(MAX_FRAME_BYTES)
    }

    /// Opens a websocket over which one message of `request_bytes` will be sent.
    pub(super) async fn open(
        &self,
        endpoint: Endpoint,
        request_bytes: usize,
    ) -> Result<Socket, Error> {
        let key = generate_key();
        let url = endpoint.handshake();
        let request = self
            .client
            .0
            .http
            .get(url.clone())
            .header(AUTHORIZATION, self.bearer()?)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let request = request.headers(self.origin.headers());
        // A proxy forwards no upgrade of plain HTTP: it is asked for a tunnel. With TLS it always
        // is.
        let tunnel = (url.scheme() == "http").then(|| self.client.0.proxies.tunnel(&url)).flatten();
        let response = match tunnel {
            Some(tunnel) => through(tunnel, &url, request).await?,
            None => request.send().await.map_err(|error| self.transport_error(error))?,
        };
        let no_websocket = Error::Unreadable { what: "something other than a websocket" };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let reply = body::read(response, &self.bounds()).await;
            return Err(match reply {
                Ok(_) => no_websocket,
                Err(ReadError::Reply(error)) => error,
                Err(ReadError::Transport(error)) => self.transport_error(error),
            });
        }
        let accepted =
            response.headers().get(SEC_WEBSOCKET_ACCEPT).map(http::HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(no_websocket);
        }
        let upgraded = response.upgrade().await.map_err(|error| self.transport_error(error))?;
        let most = Some(self.max_message_bytes());
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            // HQ may send pings and take no pongs: what waits to be sent must not grow.
            .max_write_buffer_size(request_bytes + SPARE_WRITE_BYTES)
            .max_message_size(most)
            .max_frame_size(most);
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
    }
}
