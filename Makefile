# What a person and CI call. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
# The images' profile: fast, for the demo and the tests, or release, which ships.
PROFILE ?= fast
STATIC = target/$(HOST)/$(PROFILE)
IMAGES = target/images/$(PROFILE)
# The most that the server's image may take, in MiB.
release_MIB := 15
fast_MIB := 24
# Tests that hold for the release profile only are ignored unless that is the profile.
RELEASE_TESTS = $(if $(filter release,$(PROFILE)),-- --include-ignored)
# Glibc binaries with their C library inside: an image that starts from scratch needs nothing else.
STATIC_FLAGS := CARGO_TARGET_$(shell tr a-z- A-Z_ <<<"$(HOST)")_RUSTFLAGS
STATIC_CARGO := $(STATIC_FLAGS)="$(shell release/flags $(HOST))" cargo
# A test is a file, or a directory with a main.rs. Those of the server alone need no cluster; those
# of the cluster itself start clusters of their own; all others run inside one, and the test of
# rights after them, because it looks at what they did. `make gitops` runs those of the GitOps
# examples.
E2E_TESTS := $(basename $(notdir $(wildcard e2e/tests/*.rs))) \
  $(notdir $(patsubst %/main.rs,%,$(wildcard e2e/tests/*/main.rs)))
SERVER_TESTS := $(filter server_%,$(E2E_TESTS))
CLUSTER_TESTS := $(filter cluster_%,$(E2E_TESTS))
# Not part of `make test`: each has a target of its own.
APART_TESTS := $(filter release_% prometheus_% gitops,$(E2E_TESTS))
INSIDE_TESTS := $(filter-out $(SERVER_TESTS) $(CLUSTER_TESTS) $(APART_TESTS) rights,$(E2E_TESTS))
# The packages of the workspace, to be built one by one.
CRATES := $(addprefix lenses-mcp-,crds oauth process-metrics operator server e2e)
CARGO_DENY := 0.20.2

# The MCP conformance suite, installed.
SUITE := target/conformance/suite

.PHONY: help try demo test lint lint-code lint-crates lint-manifests lint-dependencies advisories \
  unit server conformance clients e2e faults fuzz bench bench-operator generate images \
  previous-images dist push release-test charts alerts prometheus gitops linux-root cluster \
  demo-programs kubernetes test-kubernetes

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 20

try: ## Start a stand-in HQ and the server; sign in; call tools. Needs neither root nor Linux.
	@echo "The first run compiles the server and its dependencies: up to 4 minutes on 2 cores."
	cargo build -p lenses-mcp-e2e --no-default-features --features local --bin local-demo --locked
	exec target/debug/local-demo

demo: linux-root ## Start Kubernetes, HQ, the operator and a server; sign in; call tools.
	@echo "The first run builds everything from source: about 15 minutes on 2 cores."
	echo "Later runs take 20 seconds."
	BED=yes e2e/steps demo-programs=4 start:kubernetes images=4 kubernetes=7
	exec $(STATIC)/demo --images $(IMAGES)

test: linux-root ## Run every test there is. PROFILE=release: with the images that ship.
	@e2e/steps cluster start:test-kubernetes lint-code unit server conformance images \
	  test-kubernetes e2e

# `make test` runs the part that needs no tools that take minutes to build.
lint: lint-code lint-crates lint-manifests lint-dependencies ## Run every linter but `advisories`.

lint-code: target/tools/lint/installed ## Check format, style, prose, Rust, scripts and YAML.
	PATH=$(CURDIR)/target/tools/lint/bin:$$PATH
	cargo fmt --all --check
	.ci/style
	.ci/links
	.ci/prose
	.ci/blocks
	cargo clippy --workspace --all-targets --features lenses-mcp-server/conformance --locked \
	  -- -D warnings
	git grep -lE '^#!/.*sh$$' -- ':!*.rs' ':!*.md' | xargs shellcheck
	git ls-files '*.yaml' '*.yml' | xargs yamllint --strict
	git ls-files '*Dockerfile' | xargs hadolint

# A crate that is built with others may use features that only they ask for.
lint-crates: ## Build the documentation, and each crate on its own, without a warning.
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
	for crate in $(CRATES); do cargo clippy -p $$crate --locked -- -D warnings; done
	cargo clippy -p lenses-mcp-e2e --no-default-features --locked -- -D warnings

MANIFEST_TOOLS := $(addprefix target/tools/, helm3 helm4 kubeconform lint/installed \
  manifests/installed)
lint-manifests: $(MANIFEST_TOOLS) ## Lint charts, manifests, Dockerfiles and workflows.
	@cargo build -p lenses-mcp-operator --locked
	.ci/manifests
	target/tools/actionlint -shellcheck target/tools/lint/bin/shellcheck

lint-dependencies: target/tools/bin/cargo-deny ## Check licences, sources and bans of dependencies.
	@target/tools/bin/cargo-deny check --deny warnings bans licenses sources

# Not part of `lint`, because it loads the RustSec advisory database from GitHub.
advisories: target/tools/bin/cargo-deny ## Check dependencies against known vulnerabilities.
	@target/tools/bin/cargo-deny check --deny warnings advisories

unit: ## Run the tests that need no cluster, generated files against their source included.
	cargo test --workspace --exclude lenses-mcp-e2e --locked
	cargo test -p lenses-mcp-e2e --lib --bins --locked

server: ## Run the tests of the whole server that need no cluster, its page in a browser included.
	cargo test -p lenses-mcp-e2e --locked $(addprefix --test ,$(SERVER_TESTS))

# With the packages of `unit`, so that cargo builds hardly a dependency again.
conformance: $(SUITE)/installed ## Run the MCP conformance suite against the server.
	cargo test --workspace --exclude lenses-mcp-e2e --features lenses-mcp-server/conformance \
	  --test conformance --locked -- --nocapture

# Not part of `make test`: it installs 2 GB of programs, and drives terminals for about 10 minutes.
clients: target/clients/installed ## Sign in, call and sign out with client programs by their page.
	@cargo build -p lenses-mcp-server -p lenses-mcp-e2e --no-default-features \
	  --bin lenses-mcp-server --bin hq --locked
	target/clients/python/bin/python e2e/clients/run.py --hq target/debug/hq \
	  --server target/debug/lenses-mcp-server --target target/clients

target/clients/installed: $(addprefix e2e/clients/, \
  package.json package-lock.json requirements.txt requirements-langchain.txt .npmrc install)
	@e2e/clients/install target/clients

$(SUITE)/installed: $(addprefix server/tests/conformance/, \
  package.json package-lock.json .npmrc install)
	@server/tests/conformance/install $(SUITE)

e2e: linux-root previous-images ## Run the tests that need a cluster, on a cluster made for them.
	cargo build -p lenses-mcp-e2e --bins --tests --locked
	cluster=target/debug/cluster
	name=test-$$$$
	trap '$$cluster down --name $$name' EXIT
	$$cluster up --name $$name --test-programs
	$$cluster load --name $$name $(IMAGES)/*.tar $(IMAGES)/previous/*.tar
	$$cluster exec --name $$name -- env E2E_CLUSTER=$$name \
	  cargo test -p lenses-mcp-e2e --locked --offline $(addprefix --test ,$(INSIDE_TESTS)) \
	  $(RELEASE_TESTS)
	$$cluster exec --name $$name -- env E2E_CLUSTER=$$name \
	  cargo test -p lenses-mcp-e2e --locked --offline --test rights
	cargo test -p lenses-mcp-e2e --locked $(addprefix --test ,$(CLUSTER_TESTS))

FAULT_SECONDS := 600
FAULT_SEED = $(shell date +%s)

faults: linux-root images ## Cause random faults for FAULT_SECONDS; then all is as the specs say.
	FAULT_SECONDS=$(FAULT_SECONDS) FAULT_SEED=$(FAULT_SEED) cargo test -p lenses-mcp-e2e --locked \
	  --test cluster_survives_random_faults -- --nocapture

FUZZ_SECONDS := 60
FUZZ_INPUTS :=
FUZZ_TARGET :=

fuzz: ## Run each fuzz target, or FUZZ_TARGET alone, for FUZZ_SECONDS or over FUZZ_INPUTS inputs.
	$(if $(FUZZ_INPUTS),FUZZ_INPUTS=$(FUZZ_INPUTS),FUZZ_SECONDS=$(FUZZ_SECONDS)) \
	  cargo test --profile fast -p lenses-mcp-server --lib --locked -- fuzz::$(FUZZ_TARGET) --nocapture

# With the operator, as in `images`, so that cargo builds few dependencies again.
bench: override PROFILE := release
bench: images ## Measure the server as it ships, and its calls against those of a bare rmcp server.
	$(STATIC_CARGO) bench -p lenses-mcp-operator -p lenses-mcp-server --bench figures --locked \
	  --target $(HOST)

RESOURCES := 10000

bench-operator: override PROFILE := release
bench-operator: linux-root images ## Measure the operator as it ships, and a bare client beside it.
	$(STATIC_CARGO) run --release --locked --target $(HOST) -p lenses-mcp-e2e \
	  --bin bench-operator -- \
	  --operator $(CURDIR)/$(STATIC)/lenses-mcp-operator \
	  --server $(CURDIR)/$(STATIC)/lenses-mcp-server --resources $(RESOURCES)

linux-root:
	@if [ "$$(uname -s)" != Linux ] || [ "$$(id -u)" != 0 ]; then
	  echo "A cluster needs Linux and root (this is $$(uname -s), user $$(id -un));" \
	    "make try, make lint-code and make unit run here." >&2
	  exit 1
	fi

# These are the CRD in crds/ and in the chart, the charts' schemas and READMEs, and pages in docs/.
generate: ## Write the files that are made from source.
	@UPDATE_TOOLS=1 cargo test --quiet -p lenses-mcp-operator --test tool_names
	cargo run --quiet -p lenses-mcp-operator -- crd > target/crd.yaml
	cp target/crd.yaml crds/lensesmcpservers.yaml
	cp target/crd.yaml charts/lenses-mcp-operator/files/lensesmcpservers.yaml
	UPDATE_CHARTS=1 cargo test --quiet -p lenses-mcp-operator --test chart
	UPDATE_DOCS=1 cargo test --quiet -p lenses-mcp-server --test docs
	UPDATE_DOCS=1 cargo test --quiet -p lenses-mcp-operator --test operator_page
	UPDATE_DOCS=1 cargo test --quiet -p lenses-mcp-operator --test kubectl_lmcp page

# The same packages and features in each build, so that cargo builds each dependency once. Without
# default features, the stand-in HQ has nothing of the test bed's clients and cluster. With BED=yes
# it has, because the demo's own programs, which share the dependencies, need them.
PROGRAMS = $(STATIC_CARGO) build --profile $(PROFILE) --locked --target $(HOST) \
  -p lenses-mcp-operator -p lenses-mcp-server -p lenses-mcp-e2e --no-default-features \
  $(if $(BED),--features lenses-mcp-e2e/bed)

images: ## Build the images from the Dockerfiles that ship, into target/images/PROFILE.
	@$(PROGRAMS) --bin lenses-mcp-operator --bin lenses-mcp-server --bin hq
	e2e/images $(STATIC) $(IMAGES) $(VERSION) $($(PROFILE)_MIB)

# For the test of upgrades alone.
previous-images: images
	@e2e/images $(STATIC) $(IMAGES) $(VERSION) $($(PROFILE)_MIB) previous

# Where the images and charts of a release are.
REGISTRY := docker.io/lensesio
# Of which the images are; of which triples the kubectl plugin is. A macOS program needs a Mac's
# linker.
ARCHITECTURES := amd64 arm64
PLUGIN_TRIPLES := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-pc-windows-gnu
HELM := target/tools/helm4

dist: override PROFILE := $(if $(filter command line,$(origin PROFILE)),$(PROFILE),release)
dist: $(HELM) ## Make a release in dist/: images, charts, manifests, plugins, bills of materials.
	@VERSION=$(VERSION) PROFILE=$(PROFILE) REGISTRY=$(REGISTRY) HELM=$(CURDIR)/$(HELM) \
	  ARCHITECTURES="$(ARCHITECTURES)" PLUGIN_TRIPLES="$(PLUGIN_TRIPLES)" release/dist

push: $(HELM) ## Push the images and charts in dist/ to REGISTRY.
	@VERSION=$(VERSION) REGISTRY=$(REGISTRY) HELM=$(CURDIR)/$(HELM) release/push

# Not part of `make test`, because `make dist` takes minutes. Any profile and processor will do:
# `make dist PROFILE=fast ARCHITECTURES=amd64 PLUGIN_TRIPLES=`.
release-test: linux-root images ## Install the release in dist/ from a registry on a test cluster.
	@[ -e dist/lenses-mcp-server-$(VERSION).oci.tar ] ||
	  { echo "release-test: dist/ has no release of $(VERSION): run make dist" >&2; exit 1; }
	release/requirements docker-registry=docker-registry skopeo=skopeo
	e2e/on-cluster release release_installs_from_a_registry $(IMAGES)/lenses-mcp-e2e-hq.tar

# Not part of `make test`, which renders the charts with Helm 4 alone: Helm 3 takes minutes to
# build.
charts: target/tools/helm3 target/tools/helm4 ## Render the charts with Helm 3 and 4.
	@cargo build -p lenses-mcp-e2e --test renders_the_charts --locked
	for helm in 3 4; do
	  mkdir -p target/tools/$$helm
	  ln -sf ../helm$$helm target/tools/$$helm/helm
	  PATH=$(CURDIR)/target/tools/$$helm:$$PATH \
	    cargo test -p lenses-mcp-e2e --test renders_the_charts --locked
	done

# Not part of `make test` either: promtool takes minutes to build.
alerts: target/tools/promtool ## Check the chart's alerts, and test them on good and bad data.
	@target/tools/promtool check rules --lint=all charts/lenses-mcp-operator/files/alerts.yaml
	target/tools/promtool test rules e2e/alerts/alerts_test.yaml

# Nor this, for the same reason.
MONITORING := $(addprefix target/tools/, \
  prometheus prometheus-operator prometheus-operator-crds kube-state-metrics)

prometheus: linux-root images $(MONITORING) ## Query every panel and rule in a real Prometheus.
	@e2e/on-cluster prometheus prometheus_answers_every_panel_and_rule $(IMAGES)/*.tar

target/tools/promtool target/tools/prometheus: e2e/cluster/prometheus/go.sum
	go build -C e2e/cluster/prometheus -tags remove_all_sd,enable_kubernetes_sd \
	  -ldflags "-s -w" -o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/$(@F)

target/tools/prometheus-operator: e2e/cluster/prometheus-operator/go.sum
	go build -C e2e/cluster/prometheus-operator -ldflags "-s -w" -o $(CURDIR)/$@ \
	  github.com/prometheus-operator/prometheus-operator/cmd/operator

target/tools/prometheus-operator-crds: e2e/cluster/prometheus-operator/go.sum
	mkdir -p $@
	cp "$$(go list -C e2e/cluster/prometheus-operator -m -f '{{.Dir}}' \
	  github.com/prometheus-operator/prometheus-operator)"/example/prometheus-operator-crd/* $@
	touch $@

target/tools/kube-state-metrics: e2e/cluster/kube-state-metrics/go.sum
	go build -C e2e/cluster/kube-state-metrics -ldflags "-s -w" -o $(CURDIR)/$@ \
	  k8s.io/kube-state-metrics/v2

# Not part of `make test` either: Argo CD takes minutes to build.
gitops: linux-root target/tools/gitops target/tools/gitops-crds ## Apply the GitOps examples.
	@cargo build -p lenses-mcp-operator --bin lenses-mcp-operator --locked
	cargo build -p lenses-mcp-e2e --bin cluster --test gitops --locked
	cluster=target/debug/cluster
	name=gitops-$$$$
	trap '$$cluster down --name $$name' EXIT
	$$cluster up --name $$name --api-server
	$$cluster exec --name $$name -- env E2E_CLUSTER=$$name \
	  cargo test -p lenses-mcp-e2e --locked --offline --test gitops

target/tools/gitops: $(wildcard e2e/cluster/gitops/*.go) e2e/cluster/gitops/go.sum
	go build -C e2e/cluster/gitops -ldflags "-s -w" -o $(CURDIR)/$@ .

target/tools/gitops-crds: $(addprefix e2e/cluster/gitops/crds/, copy go.mod go.sum)
	@e2e/cluster/gitops/crds/copy $@

target/tools/helm4: e2e/cluster/helm/go.sum
	go build -C e2e/cluster/helm -o $(CURDIR)/$@ \
	  -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1" helm.sh/helm/v4/cmd/helm

target/tools/helm3: e2e/cluster/helm3/go.sum
	go build -C e2e/cluster/helm3 -o $(CURDIR)/$@ \
	  -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0" helm.sh/helm/v3/cmd/helm

# With actionlint.
target/tools/kubeconform: .ci/tools/go.sum
	go build -C .ci/tools -ldflags "-s -w" -o $(CURDIR)/target/tools/ tool

target/tools/%/installed: .ci/tools/requirements-%.txt
	@release/requirements python3=python3-venv
	rm -rf target/tools/$*
	python3 -m venv target/tools/$*
	target/tools/$*/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

target/tools/bin/cargo-deny:
	cargo install --quiet --locked --root target/tools cargo-deny@$(CARGO_DENY)

# Steps of `make test` and `make demo`. The builds of Kubernetes do not depend on the program that
# they run: in the background, cargo would wait for the cargo of other steps.
# With a test, because the features of the tests' dependencies make others of them.
cluster:
	cargo build -p lenses-mcp-e2e --bin cluster --test rights --locked

test-kubernetes:
	@target/debug/cluster build --test-programs

demo-programs:
	@$(PROGRAMS) --bin cluster --bin demo

kubernetes:
	@target/$(HOST)/fast/cluster build
