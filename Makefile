# Everything that is done with this repository, by name. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Kith is pure Go: no C compiler is needed to build or to test it. The race detector is the one exception.
export CGO_ENABLED ?= 0
# The version comes from VERSION; stamping it as well fails in checkouts that somebody else owns.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LISTEN  ?= 127.0.0.1:8080
IMAGE   ?= kith-dev/kith:$(VERSION)
# Where `make image` puts the image, and where a namespaced install goes.
IMAGE_FILE ?= dist/kith.tar
NAMESPACE  ?= kith

LDFLAGS    = -s -w -X main.version=$(VERSION)
TOOL       = $(GO) tool -modfile=hack/tools/go.mod
QUICKSTART = config/samples/quickstart
PROMETHEUS = .cache/prometheus
# What `make generate` writes: generate-check compares these before and after.
GENERATED  = api config docs

##@ Every day

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z][a-z-]*:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kith: static, reproducible, with its version.
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/kith ./cmd/kith

.PHONY: run
run: build ## Read the quickstart's forum, show what its members do for each other, serve the metrics on LISTEN.
	bin/kith run -f $(QUICKSTART) --data-dir .cache/quickstart --listen $(LISTEN)

.PHONY: test
test: ## Run the test suite (under ten minutes on two cores).
	$(GO) test -timeout 10m ./...

.PHONY: test-race
test-race: ## Run the test suite under the race detector (needs a C compiler).
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./...

.PHONY: lint
lint: ## Check style, mistakes and the direction of imports.
	$(TOOL) golangci-lint run

.PHONY: format
format: ## Format all Go files as lint wants them.
	$(TOOL) golangci-lint fmt

##@ Generated files

.PHONY: generate
generate: generate-api generate-rbac generate-docs generate-quickstart generate-monitoring ## Write everything that is derived; doing it twice changes nothing.

.PHONY: generate-api
generate-api: ## Deep copies and CustomResourceDefinitions from api/v1alpha1.
	$(TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1/...
	$(TOOL) controller-gen crd paths=./api/v1alpha1/... output:crd:dir=config/crd/bases

.PHONY: generate-rbac
generate-rbac: ## What the operator may do, from the markers in controllers.
	$(TOOL) controller-gen rbac:roleName=kith-operator paths=./controllers output:rbac:dir=config/rbac

.PHONY: generate-docs
generate-docs: ## The connectors' pages from the catalogue, the kinds' pages from the CustomResourceDefinitions.
	$(GO) run ./hack/docs

.PHONY: generate-quickstart
generate-quickstart: ## The quickstart's invented forum, and its copy of config/library.
	$(GO) run ./hack/quickstart

.PHONY: generate-monitoring
generate-monitoring: ## Dashboards, recording rules and alerts from internal/monitoring.
	$(GO) run ./hack/dashboards

.PHONY: generate-check
generate-check: ## Fail if `make generate` changes anything.
	@git rev-parse --verify --quiet HEAD >/dev/null || { echo "generate-check: not in a git checkout" >&2; exit 1; }; \
	snapshot() { \
		git diff HEAD -- $(GENERATED); \
		git ls-files --others --exclude-standard -z -- $(GENERATED) | xargs -0 -r sha256sum; \
	}; \
	before=$$(snapshot | sha256sum); \
	$(MAKE) generate; \
	if [ "$$before" != "$$(snapshot | sha256sum)" ]; then \
		git status --short -- $(GENERATED); git diff --stat HEAD -- $(GENERATED); \
		echo "generate-check: generated files are stale; run 'make generate' and commit what it changes" >&2; \
		exit 1; \
	fi

##@ Slower checks

.PHONY: test-rules
test-rules: $(PROMETHEUS)/promtool ## Try recording rules, alerts and the dashboards' queries with promtool.
	PROMTOOL=$(abspath $<) $(GO) test -count=1 ./internal/monitoring ./hack/dashboards

.PHONY: prometheus
prometheus: $(PROMETHEUS)/prometheus $(PROMETHEUS)/promtool ## Build the pinned Prometheus and promtool into .cache/prometheus.

# Of all ways to find targets only Kubernetes' is built in, which takes two minutes instead of ten.
$(PROMETHEUS)/%: hack/prometheus/go.mod
	cd hack/prometheus && $(GO) build -trimpath -tags remove_all_sd,enable_kubernetes_sd -o $(abspath $@) github.com/prometheus/prometheus/cmd/$*

.PHONY: prometheus-operator
prometheus-operator: $(PROMETHEUS)/operator ## Build the pinned Prometheus operator into .cache/prometheus.

$(PROMETHEUS)/operator: hack/prometheus-operator/go.mod
	cd hack/prometheus-operator && $(GO) build -trimpath -o $(abspath $@) github.com/prometheus-operator/prometheus-operator/cmd/operator

.PHONY: smoke
smoke: build ## Run bin/kith on the quickstart once, from manifests to metrics.
	$(GO) run ./hack/smoke -kith bin/kith -manifests $(QUICKSTART)

.PHONY: bench
bench: build ## Measure: events per second, growth, start-up, memory. The last line of each is its figure. EVENTS=5000000 for the full curve.
	$(GO) run ./hack/bench $(if $(EVENTS),-grow $(EVENTS)) all
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m ./internal/... ./connectors/...

.PHONY: e2e
e2e: ## Bring up a cluster (as root), install Kith, compare what Prometheus sees with an independent count, break a few things.
	KITH_E2E=short $(GO) test -count=1 -v -timeout 60m -run KithInACluster ./test/e2e

.PHONY: e2e-faults
e2e-faults: ## The same with every fault, while the forum goes on living (about half an hour).
	KITH_E2E=faults $(GO) test -count=1 -v -timeout 120m -run KithInACluster ./test/e2e

.PHONY: soak
soak: ## Kill hub and connector at KILLS random moments (default 50), together and apart; totals must not move.
	KITH_KILLS=$(or $(KILLS),50) $(GO) test -count=1 -v -timeout 2h ./test/crash

.PHONY: fuzz
fuzz: ## Fuzz each fuzz target for FUZZTIME (default 30s).
	@$(GO) list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r pkg dir; do \
		for name in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go 2>/dev/null | cut -d' ' -f2); do \
			echo "fuzz $$pkg $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(or $(FUZZTIME),30s) "$$pkg"; \
		done; \
	done

##@ A real Kubernetes

CLUSTER = cd hack/cluster && $(GO) run .

.PHONY: cluster-up
cluster-up: ## Bring up a Kubernetes of one node on this machine, from Go modules and Debian packages (root).
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Take it down and leave nothing behind but its binaries.
	@$(CLUSTER) down

.PHONY: cluster-status
cluster-status: ## What runs of it, and where.
	@$(CLUSTER) status

.PHONY: cluster-build
cluster-build: ## Build its binaries into .cache/cluster/bin (minutes the first time, then nothing).
	@$(CLUSTER) build

.PHONY: envtest-assets
envtest-assets: ## Build etcd, kube-apiserver and kubectl for envtest and print their folder, for KUBEBUILDER_ASSETS.
	@$(CLUSTER) assets

.PHONY: kind-up
kind-up: ## The same with kind, where Docker and kind exist; `kind delete cluster --name kith` removes it.
	@for tool in docker kind; do \
		command -v $$tool >/dev/null || { echo "kind-up: $$tool is not installed; 'make cluster-up' needs neither" >&2; exit 1; }; \
	done
	@docker info >/dev/null 2>&1 || { echo "kind-up: the Docker daemon does not answer; 'make cluster-up' needs none" >&2; exit 1; }
	kind create cluster --name kith --wait 2m

##@ Shipping

.PHONY: image
image: ## Build the container image IMAGE into dist/kith.tar, with Docker or with buildah.
	hack/image/build.sh '$(IMAGE)' '$(VERSION)' '$(IMAGE_FILE)'

.PHONY: manifests
manifests: ## Write what installs IMAGE: dist/install.yaml for a cluster; dist/crds.yaml and install-namespaced.yaml for NAMESPACE.
	@mkdir -p dist
	$(TOOL) kustomize build config/crd -o dist/crds.yaml
	hack/manifests.sh default dist/install.yaml '$(IMAGE)'
	hack/manifests.sh namespaced dist/install-namespaced.yaml '$(IMAGE)' '$(NAMESPACE)'

.PHONY: clean
clean: ## Remove what was built and the quickstart's ledger.
	@[ ! -d .cache/cluster/run ] || { echo "clean: a cluster is up; 'make cluster-down' first" >&2; exit 1; }
	rm -rf bin dist .cache
