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
INSIDE_TESTS := $(filter-out $(SERVER_TESTS) $(CLUSTER_TESTS) rights gitops,$(E2E_TESTS))

# The MCP conformance suite, installed.
SUITE := target/conformance/suite

.PHONY: help demo test lint unit server conformance clients e2e faults fuzz bench bench-operator \
  generate images dist push charts alerts gitops linux-root cluster demo-programs kubernetes \
  test-kubernetes

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

demo: linux-root ## Start Kubernetes, HQ, the operator and a server; sign in; call tools.
	@echo "The first run builds everything from source: about 15 minutes on 2 cores."
	echo "Later runs take 20 seconds."
	e2e/steps demo-programs start:kubernetes images kubernetes
	exec target/$(HOST)/fast/demo --images $(IMAGES)

test: linux-root ## Run every test there is. PROFILE=release: with the images that ship.
	@e2e/steps cluster start:test-kubernetes lint unit server conformance images \
	  test-kubernetes e2e

lint: ## Check format, style, prose and lints.
	cargo fmt --all --check
	.ci/style
	.ci/links
	.ci/prose
	cargo clippy --workspace --all-targets --features lenses-mcp-server/conformance --locked \
	  -- -D warnings

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

e2e: linux-root images ## Run the tests that need a cluster, on a cluster made for them.
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
	    "make lint unit is what runs here." >&2
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

# All in one build, so that cargo builds each dependency once. Without default features, the
# stand-in HQ has nothing of the test bed's clients and cluster.
images: ## Build the images from the Dockerfiles that ship, into target/images/PROFILE.
	@$(STATIC_CARGO) build --profile $(PROFILE) --locked --target $(HOST) \
	  -p lenses-mcp-operator -p lenses-mcp-server -p lenses-mcp-e2e --no-default-features --bins
	e2e/images $(STATIC) $(IMAGES) $(VERSION) $($(PROFILE)_MIB)

# Where the images and charts of a release are.
REGISTRY := docker.io/lensesio
# Of which the images are; of which triples the kubectl plugin is. A macOS program needs a Mac's
# linker.
ARCHITECTURES := amd64 arm64
PLUGIN_TRIPLES := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-pc-windows-gnu
HELM := $(CURDIR)/target/tools/helm4

dist: override PROFILE := $(if $(filter command line,$(origin PROFILE)),$(PROFILE),release)
dist: $(HELM) ## Make a release in dist/: images, charts, manifests, plugins, bills of materials.
	@VERSION=$(VERSION) PROFILE=$(PROFILE) REGISTRY=$(REGISTRY) HELM=$(HELM) \
	  ARCHITECTURES="$(ARCHITECTURES)" PLUGIN_TRIPLES="$(PLUGIN_TRIPLES)" release/dist

push: $(HELM) ## Push the images and charts in dist/ to REGISTRY.
	@VERSION=$(VERSION) REGISTRY=$(REGISTRY) HELM=$(HELM) release/push

# Not part of `make test`, which renders the charts with Helm 4 alone: Helm 3 takes minutes to
# build.
charts: target/tools/helm3 target/tools/helm4 ## Render and lint the charts with Helm 3 and 4.
	@cargo build -p lenses-mcp-e2e --test renders_the_charts --locked
	for helm in 3 4; do
	  mkdir -p target/tools/$$helm
	  ln -sf ../helm$$helm target/tools/$$helm/helm
	  for chart in charts/*; do target/tools/helm$$helm lint --strict $$chart; done
	  PATH=$(CURDIR)/target/tools/$$helm:$$PATH \
	    cargo test -p lenses-mcp-e2e --test renders_the_charts --locked
	done

# Not part of `make test` either: promtool takes minutes to build.
alerts: target/tools/promtool ## Check the chart's alerts, and test them on good and bad data.
	@target/tools/promtool check rules --lint=all charts/lenses-mcp-operator/files/alerts.yaml
	target/tools/promtool test rules e2e/alerts/alerts_test.yaml

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

target/tools/promtool: e2e/cluster/promtool/go.sum
	go build -C e2e/cluster/promtool -ldflags "-s -w" -o $(CURDIR)/$@ \
	  github.com/prometheus/prometheus/cmd/promtool

target/tools/helm4: e2e/cluster/helm/go.sum
	go build -C e2e/cluster/helm -o $(CURDIR)/$@ \
	  -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1" helm.sh/helm/v4/cmd/helm

target/tools/helm3: e2e/cluster/helm3/go.sum
	go build -C e2e/cluster/helm3 -o $(CURDIR)/$@ \
	  -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0" helm.sh/helm/v3/cmd/helm

# Steps of `make test` and `make demo`. The builds of Kubernetes do not depend on the program that
# they run: in the background, cargo would wait for the cargo of other steps.
# With a test, because the features of the tests' dependencies make others of them.
cluster:
	cargo build -p lenses-mcp-e2e --bin cluster --test rights --locked

test-kubernetes:
	@target/debug/cluster build --test-programs

# In the images' profile and target, to share their dependencies.
demo-programs:
	@$(STATIC_CARGO) build --profile fast --locked --target $(HOST) -p lenses-mcp-e2e \
	  --bin cluster --bin demo

kubernetes:
	@target/$(HOST)/fast/cluster build
