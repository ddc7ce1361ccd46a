//! The addresses of a cluster and the settings files of its components: pure, so that a test sees
//! what a node would run.

use std::path::Path;

use serde_json::{Value, json};

use super::pause_image;
use super::pki::RenderedFile;
use super::requirements::CNI_PLUGINS;

pub(super) const NODE_NAME: &str = "node";
/// The node's own address, on a network that ends in its namespace: every cluster has the same.
pub const NODE_ADDRESS: &str = "10.90.0.1";
pub(super) const API_SERVER_PORT: u16 = 6443;
/// The first address of the Services' range, which the API server takes for itself.
pub(super) const API_SERVER_ADDRESS: &str = "10.96.0.1";
pub(super) const ETCD_PORT: u16 = 2379;
const DNS_ADDRESS: &str = "10.96.0.10";
pub(super) const DNS_DOMAIN: &str = "cluster.local";
pub(super) const SERVICES: &str = "10.96.0.0/16";
pub(super) const PODS: &str = "10.244.0.0/16";
/// What the controller manager gives the first node out of [`PODS`].
const NODE_PODS: &str = "10.244.0.0/24";

/// A Service's name that leads to loopback inside the cluster, whether there is a DNS or not.
pub const LOOPBACK_SERVICE: &str = "loopback.test-bed.svc.cluster.local";

/// Every settings file, to be written below `run`. `name` sets this cluster's cgroup apart.
pub(super) fn files(run: &Path, name: &str) -> Vec<RenderedFile> {
    let run = run.display();
    vec![
        ("containerd.toml".to_owned(), containerd(&run.to_string())),
        ("cni/pods.conflist".to_owned(), cni().to_string()),
        ("audit-policy.json".to_owned(), audit_policy().to_string()),
        ("kubelet.json".to_owned(), kubelet(&run.to_string(), name).to_string()),
        ("kube-proxy.json".to_owned(), kube_proxy(&run.to_string()).to_string()),
        ("Corefile".to_owned(), corefile(&run.to_string())),
        ("dns.json".to_owned(), dns_objects().to_string()),
        // For what runs by `cluster exec`: straight to the server, so that names resolve as soon as
        // it answers.
        (
            "exec/resolv.conf".to_owned(),
            format!(
                "nameserver {NODE_ADDRESS}\nsearch svc.{DNS_DOMAIN} {DNS_DOMAIN}\noptions ndots:5 \
                 timeout:1\n"
            ),
        ),
        // A name for what listens on loopback: with that address itself, a URL would mean the
        // user's machine, and the operator would not dial it.
        (
            "exec/hosts".to_owned(),
            format!("127.0.0.1 localhost {LOOPBACK_SERVICE}\n::1 localhost\n"),
        ),
        (
            "exec/nsswitch.conf".to_owned(),
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n".to_owned(),
        ),
    ]
}

fn containerd(run: &str) -> String {
    let pause = pause_image::NAME;
    format!(
        r#"version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# What this kernel or a read-only system cannot have, and nobody here asks for.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{run}/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Lowering the score is a right that root in a container may not have; then no pod would start.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{run}/cni"
"#
    )
}

/// Each pod by a pair of its own to the node, not by a bridge: then all traffic is routed, and
/// Services work from pod to pod without the kernel's bridge filter.
fn cni() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni",
                "ranges": [[{ "subnet": NODE_PODS }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    })
}

/// Who asked for what, without bodies; the cluster's own components left out, so that a test counts
/// its operator's requests.
fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {
                "level": "None",
                "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]
            },
            { "level": "None", "users": [
                "system:anonymous", "system:apiserver", "system:coredns",
                "system:kube-controller-manager", "system:kube-proxy", "system:kube-scheduler",
            ] },
            { "level": "Metadata" },
        ],
    })
}

fn kubelet(run: &str, name: &str) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": { "enabled": false },
            "x509": { "clientCAFile": format!("{run}/pki/ca.crt") }
        },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{name}"),
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DNS_DOMAIN,
        "containerRuntimeEndpoint": format!("unix://{run}/containerd.sock"),
        // A test bed on a nearly full disk is still a test bed.
        "evictionHard": {
            "imagefs.available": "0%", "memory.available": "0%", "nodefs.available": "0%",
            "nodefs.inodesFree": "0%"
        },
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": false,
        "resolvConf": "",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    })
}

fn kube_proxy(run: &str) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": format!("{run}/kube-proxy.kubeconfig") },
        "clusterCIDR": PODS,
        // The limits are the machine's, not this network namespace's.
        "conntrack": { "maxPerCore": 0, "min": 0 },
        "healthzBindAddress": "127.0.0.1:10256",
        "hostnameOverride": NODE_NAME,
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "nftables",
    })
}

/// No forwarding: names outside the cluster do not exist in it.
fn corefile(run: &str) -> String {
    format!(
        ".:53 {{
    bind {NODE_ADDRESS}
    errors
    cache 5
    kubernetes {DNS_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {run}/coredns.kubeconfig
        pods insecure
        ttl 5
    }}
}}
"
    )
}

/// The Service of the DNS server, which is a process of the node and not a pod, and what the server
/// may read.
fn dns_objects() -> Value {
    let ports = |target: bool| {
        ["UDP", "TCP"].map(|protocol| {
            let mut port = json!({
                "name": format!("dns-{}", protocol.to_lowercase()), "port": 53,
                "protocol": protocol
            });
            if target {
                port["targetPort"] = json!(53);
            }
            port
        })
    };
    json!({
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": { "name": "kube-dns", "namespace": "kube-system" },
                "spec": { "clusterIP": DNS_ADDRESS, "ports": ports(true) },
            },
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": "kube-dns", "namespace": "kube-system",
                    "labels": { "kubernetes.io/service-name": "kube-dns" }
                },
                "addressType": "IPv4",
                "endpoints": [{ "addresses": [NODE_ADDRESS], "conditions": { "ready": true } }],
                "ports": ports(false),
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": { "name": "system:coredns" },
                "rules": [
                    {
                        "apiGroups": [""], "resources": ["namespaces", "pods", "services"],
                        "verbs": ["list", "watch"]
                    },
                    {
                        "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                        "verbs": ["list", "watch"]
                    },
                ],
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": { "name": "system:coredns" },
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                    "name": "system:coredns"
                },
                "subjects": [{
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                    "name": "system:coredns"
                }],
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(run: &str, name: &str) -> Vec<RenderedFile> {
        files(Path::new(run), name)
    }

    #[test]
    fn two_clusters_differ_in_run_directory_and_cgroup_only() {
        let one = rendered("/run/one", "one");
        let other = rendered("/run/other", "other");
        let moved: Vec<_> = one
            .iter()
            .map(|(path, content)| {
                (
                    path.clone(),
                    content.replace("/run/one", "/run/other").replace("\"/one\"", "\"/other\""),
                )
            })
            .collect();
        assert_eq!(moved, other);
        assert!(
            one.iter().any(|(path, content)| path == "kubelet.json"
                && content.contains(r#""cgroupRoot":"/one""#))
        );
    }

    #[test]
    fn the_audit_log_has_every_service_account_but_the_clusters_own() {
        let policy = audit_policy();
        assert_eq!(policy["rules"][2], json!({ "level": "Metadata" }));
        assert_eq!(policy["omitStages"], json!(["RequestReceived"]));
        assert!(!policy["rules"].to_string().contains("\"system:serviceaccounts\""));
    }
}
