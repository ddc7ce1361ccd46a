//! The whole server in the test's process, on loopback.

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use lenses_mcp_server::{
    audit::AuditLog,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use tokio::{net::TcpListener, task::AbortHandle};

/// A server that ends when this is dropped.
pub(crate) struct Serving(AbortHandle);

/// Serves on `listener` with these environment variables, which select HTTP. `HOST` and `PORT` are
/// those of the listener.
pub(crate) fn serve(listener: TcpListener, variables: &[(&str, &str)]) -> Serving {
    let address = listener.local_addr().unwrap();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let environment: BTreeMap<_, _> = variables
        .iter()
        .chain(&[("HOST", host.as_str()), ("PORT", port.as_str())])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let no_files = |_: &Path| Err(io::ErrorKind::NotFound.into());
    let settings = Settings::read(&Variables::load(environment, &no_files).unwrap()).unwrap();
    let Transport::Http(http) = &settings.transport else { unreachable!("not HTTP") };
    let routers = start::http_routers(
        &settings,
        http,
        Arc::new(Metrics::new()),
        AuditLog::default(),
        &Stages::default(),
        Arc::new,
    );
    let router = routers.unwrap().endpoint;
    Serving(tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle())
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
