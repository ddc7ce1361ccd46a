//! An HTTP proxy that wants credentials: CONNECT, and requests in absolute form.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use lenses_mcp_e2e::{bed::Trouble, cluster::NODE_ADDRESS};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// The user.
pub(crate) const USERNAME: &str = "proxy-user";
/// The password, which a URL can hold only percent-encoded.
pub(crate) const PASSWORD: &str = "hunter2@proxy";

/// A running proxy.
pub(crate) struct ForwardProxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    /// A proxy that knows the host `name`, and reaches it at `host`.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) async fn start(name: &'static str, host: &str) -> Result<Self, Trouble> {
        let listener = TcpListener::bind((NODE_ADDRESS, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, host) = (Arc::clone(&asked), host.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, host) = (Arc::clone(&seen), host.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, name, &host, &seen).await {
                        eprintln!("proxy: {error}");
                    }
                });
            }
        });
        Ok(Self { address, asked })
    }

    /// Its URL, without credentials.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `METHOD path` of the first request of each connection that it has let through; of CONNECT,
    /// the host.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

async fn serve(
    mut client: TcpStream,
    name: &str,
    host: &str,
    asked: &Mutex<Vec<String>>,
) -> Result<(), Trouble> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8(head.clone())?;
    let basic = BASE64_STANDARD.encode(format!("{USERNAME}:{PASSWORD}"));
    let authorization = format!("proxy-authorization: basic {basic}").to_lowercase();
    if !text.to_lowercase().contains(&authorization) {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return Ok(client.write_all(refusal).await?);
    }
    let mut words = text.split_whitespace();
    let (method, target) = (words.next().ok_or("no method")?, words.next().ok_or("no target")?);
    let target = target.strip_prefix("http://").unwrap_or(target);
    let (authority, path) = target
        .split_once('/')
        .map_or((target, String::new()), |(host, path)| (host, format!("/{path}")));
    let port = authority.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    let mut server = TcpStream::connect(format!("{host}:{}", port.ok_or("another host")?)).await?;
    let is_tunnel = method == "CONNECT";
    if let Ok(mut asked) = asked.lock() {
        asked.push(format!("{method} {}", if is_tunnel { authority } else { &path }));
    }
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        // Servers take the absolute form too (RFC 9112 §3.2.2).
        server.write_all(&head).await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
