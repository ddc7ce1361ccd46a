//! The bounds on connections.

use std::{sync::Arc, time::Duration};

use lenses_mcp_server::{client_address::TrustedProxies, settings::Connections};

use crate::{OAUTH, errors, http, read};

#[test]
fn each_bound_on_connections_can_be_set() {
    let settings = read(&[
        OAUTH,
        &[
            ("MCP_CONNECTIONS_PER_ADDRESS", "7"),
            ("MCP_TRUSTED_PROXIES", "10.0.0.0/8, fd00::1"),
            ("MCP_HEAD_TIMEOUT", "1s"),
            ("MCP_WRITE_TIMEOUT", "2s"),
            ("MCP_IDLE_TIMEOUT", "3s"),
        ],
    ])
    .unwrap();
    let http = http(&settings);
    let trusted = ["10.0.0.0/8", "fd00::1"].map(|proxy| proxy.parse().unwrap()).to_vec();
    assert_eq!(
        http.connections,
        Connections {
            per_address: 7,
            trusted_proxies: Arc::new(TrustedProxies::new(trusted)),
            head_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(3),
        }
    );
}

#[test]
fn a_bound_that_cannot_be_used_is_named_with_what_to_write() {
    for (name, value, expected) in [
        ("MCP_CONNECTIONS_PER_ADDRESS", "0", "write a whole number from 1"),
        ("MCP_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "write IP addresses or networks"),
        ("MCP_TRUSTED_PROXIES", "0.0.0.0/0", "trusts every client"),
        ("MCP_HEAD_TIMEOUT", "0", "write a time from 1s"),
        ("MCP_WRITE_TIMEOUT", "2h", "to 1h"),
        ("MCP_IDLE_TIMEOUT", "soon", "write a time"),
    ] {
        let errors = errors(&[OAUTH, &[(name, value)]]);
        assert!(errors.starts_with(name) && errors.contains(expected), "{errors}");
    }
}
