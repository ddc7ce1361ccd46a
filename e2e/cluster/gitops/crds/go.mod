// The CustomResourceDefinitions of Argo CD, Flux and External Secrets, for `make gitops`: files of
// these modules, of which nothing is built.
module lenses-mcp-e2e/gitops/crds

go 1.26.3

require (
	github.com/argoproj/argo-cd/v3 v3.5.7
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/helm-controller v1.4.0
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
)
