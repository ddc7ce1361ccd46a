// The CustomResourceDefinitions that a cluster may lack: files of these modules, of which nothing
// is built.
module lenses-mcp-e2e/apis

go 1.26.0

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
