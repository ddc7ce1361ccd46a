//! The components of the control plane and the node, and the arguments of each: pure, as the
//! settings are.

use std::path::Path;

use super::settings::{
    API_SERVER_PORT, DNS_DOMAIN, ETCD_PORT, NODE_ADDRESS, NODE_NAME, PODS, SERVICES,
};

/// A component: its name, and the arguments of the one program.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: &'static str,
    pub(super) args: Vec<String>,
}

pub(super) fn etcd() -> Component {
    let client = format!("http://127.0.0.1:{ETCD_PORT}");
    let peer = format!("http://127.0.0.1:{}", ETCD_PORT + 1);
    component(
        "etcd",
        &[
            &format!("--name={NODE_NAME}"),
            "--data-dir=/var/lib/etcd",
            // The data is in memory and dies with the node: there is nothing to make durable.
            "--unsafe-no-fsync",
            "--log-level=warn",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster={NODE_NAME}={peer}"),
        ],
    )
}

pub(super) fn api_server(run: &Path) -> Component {
    let run = run.display();
    component(
        "kube-apiserver",
        &[
            &format!("--advertise-address={NODE_ADDRESS}"),
            &format!("--secure-port={API_SERVER_PORT}"),
            &format!("--etcd-servers=http://127.0.0.1:{ETCD_PORT}"),
            &format!("--tls-cert-file={run}/pki/apiserver.crt"),
            &format!("--tls-private-key-file={run}/pki/apiserver.key"),
            &format!("--client-ca-file={run}/pki/ca.crt"),
            &format!("--service-account-issuer=https://kubernetes.default.svc.{DNS_DOMAIN}"),
            &format!("--service-account-key-file={run}/pki/service-accounts.pub"),
            &format!("--service-account-signing-key-file={run}/pki/service-accounts.key"),
            &format!("--service-cluster-ip-range={SERVICES}"),
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            &format!("--kubelet-client-certificate={run}/pki/kubelet-client.crt"),
            &format!("--kubelet-client-key={run}/pki/kubelet-client.key"),
            // By name it would have to be in a DNS that knows nodes.
            "--kubelet-preferred-address-types=InternalIP",
            &format!("--audit-policy-file={run}/audit-policy.json"),
            &format!("--audit-log-path={run}/audit.log"),
            "--audit-log-maxsize=256",
            "--audit-log-maxbackup=1",
            // Nobody calls through a proxy; components look these up and complain if they are not
            // there.
            &format!("--requestheader-client-ca-file={run}/pki/ca.crt"),
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--profiling=false",
        ],
    )
}

/// What waits for the API server: everything but DNS.
pub(super) fn after_api_server(run: &Path) -> Vec<Component> {
    let run = run.display();
    // The controller manager's and the scheduler's own limits are for thousands of nodes' sake;
    // here they would be what gets measured.
    let rates = ["--kube-api-qps=2000", "--kube-api-burst=4000"];
    let as_component = |name: &str| {
        ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
            .map(|flag| format!("--{flag}={run}/{name}.kubeconfig"))
    };
    let [kcm_1, kcm_2, kcm_3] = as_component("kube-controller-manager");
    let [scheduler_1, scheduler_2, scheduler_3] = as_component("kube-scheduler");
    vec![
        component(
            "kubelet",
            &[
                &format!("--config={run}/kubelet.json"),
                &format!("--kubeconfig={run}/kubelet.kubeconfig"),
                &format!("--hostname-override={NODE_NAME}"),
                &format!("--node-ip={NODE_ADDRESS}"),
                "--root-dir=/var/lib/kubelet",
            ],
        ),
        component(
            "kube-controller-manager",
            &[
                &kcm_1,
                &kcm_2,
                &kcm_3,
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                "--use-service-account-credentials",
                &format!("--root-ca-file={run}/pki/ca.crt"),
                &format!("--service-account-private-key-file={run}/pki/service-accounts.key"),
                &format!("--cluster-signing-cert-file={run}/pki/ca.crt"),
                &format!("--cluster-signing-key-file={run}/pki/ca.key"),
                "--allocate-node-cidrs",
                "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",
                &format!("--cluster-cidr={PODS}"),
                &format!("--service-cluster-ip-range={SERVICES}"),
                // Autoscaling in seconds: the defaults wait minutes for pods and metrics to settle.
                "--horizontal-pod-autoscaler-sync-period=1s",
                "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
                "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
                rates[0],
                rates[1],
            ],
        ),
        component(
            "kube-scheduler",
            &[
                &scheduler_1,
                &scheduler_2,
                &scheduler_3,
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                rates[0],
                rates[1],
            ],
        ),
        component("kube-proxy", &[&format!("--config={run}/kube-proxy.json")]),
    ]
}

/// What waits for the objects in `dns.json`, its rights among them: refused once, it tries again
/// only after a while.
pub(super) fn dns(run: &Path) -> Component {
    component("coredns", &[&format!("-conf={}/Corefile", run.display())])
}

fn component(name: &'static str, args: &[&str]) -> Component {
    Component { name, args: args.iter().map(|arg| (*arg).to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{pki, settings};

    #[test]
    fn every_kubeconfig_that_a_component_names_is_made() {
        let run = Path::new("/run/one");
        let made: Vec<String> =
            pki::make().unwrap().into_iter().map(|(path, _)| format!("/run/one/{path}")).collect();
        let written: Vec<String> = settings::files(run, "one")
            .into_iter()
            .map(|(path, _)| format!("/run/one/{path}"))
            .collect();
        let mut components = after_api_server(run);
        components.extend([api_server(run), etcd(), dns(run)]);
        for arg in components.iter().flat_map(|component| &component.args) {
            if let Some((_, path)) = arg.split_once('=').filter(|(_, value)| {
                value.starts_with("/run/one/") && !value.ends_with("audit.log")
            }) {
                assert!(
                    made.iter().chain(&written).any(|file| file == path),
                    "{arg} names a file that nobody writes"
                );
            }
        }
    }
}
