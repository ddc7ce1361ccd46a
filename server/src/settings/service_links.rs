//! What Kubernetes sets in a pod's environment for each Service beside it ("Accessing the Service",
//! environment variables): a Service called `lenses-hq` makes `LENSES_HQ_SERVICE_HOST`, and one
//! called `mcp` makes `MCP_PORT=tcp://…`. None of it is a setting.

/// What the values of `…_PORT` begin with.
const SCHEMES: [&str; 3] = ["tcp://", "udp://", "sctp://"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether Kubernetes has set `name` to `value`.
pub(super) fn is_one(name: &str, value: &str) -> bool {
    let of_port = || {
        let (_, port) = name.rsplit_once("_PORT_")?;
        let (port, rest) = port.split_once('_')?;
        let protocol = rest.split('_').next()?;
        Some(port.parse::<u16>().is_ok() && PROTOCOLS.contains(&protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || of_port().unwrap_or(false)
        || (name.ends_with("_PORT") && SCHEMES.iter().any(|scheme| value.starts_with(scheme)))
}
