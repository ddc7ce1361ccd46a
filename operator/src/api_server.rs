//! The addresses of the API server, which no author of a resource can make the operator dial.

use std::net::SocketAddr;

use axum::http::Uri;
use kube::Client;

/// The addresses behind `url`, which is the client's, and those that the API server tells of
/// itself. What cannot be had is left out with a warning.
pub(crate) async fn addresses(client: &Client, url: &Uri) -> Vec<SocketAddr> {
    let mut addresses = match resolved(url).await {
        Ok(addresses) => addresses,
        Err(error) => {
            tracing::warn!(%url, %error, "failed to resolve the API server's host");
            Vec::new()
        }
    };
    match client.list_core_api_versions().await {
        Ok(versions) => addresses.extend(
            versions
                .server_address_by_client_cidrs
                .iter()
                .filter_map(|known| known.server_address.parse::<SocketAddr>().ok()),
        ),
        Err(error) => tracing::warn!(%error, "failed to ask the API server for its address"),
    }
    addresses
}

async fn resolved(url: &Uri) -> std::io::Result<Vec<SocketAddr>> {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, routing::get};
    use kube::Config;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_address_that_is_dialled_and_those_that_are_told_are_known() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let told = json!([{ "clientCIDR": "0.0.0.0/0", "serverAddress": "10.90.0.1:6443" }]);
        let versions = json!({ "versions": ["v1"], "serverAddressByClientCIDRs": told });
        let app = Router::new().route("/api", get(async move || Json(versions)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url: Uri = format!("http://{own}").parse().unwrap();
        let client = Client::try_from(Config::new(url.clone())).unwrap();
        assert_eq!(addresses(&client, &url).await, [own, "10.90.0.1:6443".parse().unwrap()]);
    }
}
