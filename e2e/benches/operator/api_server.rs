//! What is measured of the API server.

use std::time::Duration;

use lenses_mcp_e2e::api_server::ApiServer;

use crate::process;

/// The processor time of the API server so far.
pub(crate) fn cpu_time(server: &ApiServer) -> Duration {
    let run = server.cluster.kubeconfig().with_file_name("");
    let is_it = |pid: &u32| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments.contains("kube-apiserver") && arguments.contains(&*run.to_string_lossy())
    };
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut ids =
        processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    process::cpu_time(ids.find(is_it).unwrap())
}
