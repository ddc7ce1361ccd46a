//! What is built from source: each program, its module, and how it is linked.

/// A Go module and the programs that come of it.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The module's directory, below this crate's.
    pub(super) module: &'static str,
    pub(super) builds: &'static [Build],
}

pub(super) struct Build {
    pub(super) output: &'static str,
    pub(super) package: &'static str,
    pub(super) ldflags: &'static str,
}

pub(super) const KUBERNETES: Program = Program {
    name: "kubernetes",
    module: "cluster",
    builds: &[
        Build {
            output: "kubernetes",
            package: ".",
            // Without the version, clients cannot parse what the API server says of itself.
            ldflags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 -X \
                      k8s.io/component-base/version.gitMajor=1 -X \
                      k8s.io/component-base/version.gitMinor=34",
        },
        Build { output: "pause", package: "./pause", ldflags: "-s -w" },
    ],
};

pub(super) const HELM: Program = Program {
    name: "helm",
    module: "cluster/helm",
    builds: &[Build {
        output: "helm",
        package: "helm.sh/helm/v4/cmd/helm",
        ldflags: "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1",
    }],
};

/// A real ingress controller and Gateway. Its dependencies, too, do not agree with those of
/// Kubernetes.
pub(super) const TRAEFIK: Program = Program {
    name: "traefik",
    module: "cluster/traefik",
    builds: &[Build {
        output: "traefik",
        package: "github.com/traefik/traefik/v3/cmd/traefik",
        ldflags: "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=3.5.3",
    }],
};

/// The `CustomResourceDefinitions` of APIs that a cluster may lack: nothing is built, files of
/// modules are copied.
pub(super) const APIS: Program = Program { name: "apis", module: "cluster/apis", builds: &[] };

/// Those files, by module and directory.
pub(super) const DEFINITIONS: [(&str, &str, &[&str]); 2] = [
    (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard",
        &[
            "gateway.networking.k8s.io_gatewayclasses.yaml",
            "gateway.networking.k8s.io_gateways.yaml",
            "gateway.networking.k8s.io_grpcroutes.yaml",
            "gateway.networking.k8s.io_httproutes.yaml",
            "gateway.networking.k8s.io_referencegrants.yaml",
        ],
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
        &["monitoring.coreos.com_servicemonitors.yaml"],
    ),
];
