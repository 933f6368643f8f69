# Yingda. "make help" lists what there is; the README needs only "make up" and "make test".
# Everything that is built lands in bin/, everything that runs keeps its state in .run/; git ignores both.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Go builds with every core already; and what is checked first comes first, whatever -j says.
.NOTPARALLEL:

include hack/tools/versions.mk

## Variables (make <target> NAME=value)
CLUSTER    ?= local#     where make up installs: local, a cluster on this machine; or current, the cluster of the current KUBECONFIG
VALUES     ?=#     with CLUSTER=current, the file with the chart's values (start from charts/yingda/values-example.yaml)
BRAND      ?=#     the brand of make brand, or one to apply with CLUSTER=current: a folder in config/samples, or a path
KAFKA      ?= kfake#     the broker of the local stack: kfake, or apache; make up says so where it must take kfake instead
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)#     what the product says it is; as git describes the checkout unless set
TEST_FLAGS ?= -race#     flags of go test in make test; add -count=1 to run what is cached
RUN        ?= .#     which tests make test runs (a regular expression of go test)
FUZZTIME   ?= 10s#     how long make fuzz gives each fuzz target
BENCH_OUT  ?= docs/performance.md#     where make bench writes what it measured
INTEROP_OUT ?= docs/interop.md#     where make interop writes what passes
BENCH_OPERATOR_OUT ?= docs/performance-operator.md#     where make bench-operator does

STEP := hack/tools/step

# One set of build flags wherever it can be (programs, vet, linters), so that everything shares one build cache: the
# dependencies are large. Only the race detector needs cgo.
export CGO_ENABLED := 0
# No commit in programs: the version is enough, and git shows root no checkout of somebody else's.
export GOFLAGS := $(strip $(filter-out -buildvcs=%,$(shell go env GOFLAGS)) -buildvcs=false)
# What must be the same wherever it is built (the product; the stack, which internal/testenv builds likewise).
PORTABLE := GOFLAGS='$(GOFLAGS) -trimpath'

# Development programs with heavy dependencies live in modules of their own, so that the product's go.mod stays small.
MODULES := . hack/cluster hack/stack hack/staffing hack/tools/golangci-lint

.PHONY: FORCE
FORCE:

bin .run/reports:
	@mkdir -p $@

##@ Run it

.PHONY: up
up: $(if $(filter current,$(CLUSTER)),bin/local bin/helm,may-up build) ## Bring up the cluster, the stack and the sample brand, and play one conversation (CLUSTER=current: install into your own)
	@bin/local up --cluster=$(CLUSTER) --kafka=$(KAFKA) $(if $(filter current,$(CLUSTER)),--values='$(VALUES)' --brand='$(BRAND)')

# Asked before anything is built: the first build takes a quarter of an hour.
.PHONY: may-up
may-up:
	@[ '$(CLUSTER)' = local ] || { echo "CLUSTER is local or current, not $(CLUSTER)" >&2; exit 1; }
	@[ -z '$(BRAND)' ] || { echo "make up brings the sample brand; make brand BRAND=$(BRAND) adds another one after it" >&2; exit 1; }
	@[ -z '$(VALUES)' ] || { echo "VALUES are for CLUSTER=current: the local cluster has hack/local/values.yaml" >&2; exit 1; }
	@[ "$$(uname -s)" = Linux ] && [ "$$(id -u)" -eq 0 ] || { echo "make up runs a Kubernetes node on this machine: it needs Linux and root" >&2; exit 1; }

.PHONY: brand
brand: bin/local ## Onboard another brand on the local cluster, after make up (BRAND=qiming, or the path of a folder of your own)
	@bin/local brand '$(BRAND)'

.PHONY: down
down: bin/local ## Remove every trace of make up but its data; safe to repeat
	@bin/local down

.PHONY: purge
purge: bin/local ## make down, and its data too
	@bin/local down --purge

##@ Build

.PHONY: build
build: bin/yingda bin/cluster bin/stack bin/wechatsim bin/traces bin/local bin/helm ## Build everything that make up needs

.PHONY: image
image: bin/yingda ## Build bin/yingda, the static binary that is all there is in the image (make up imports it)

.PHONY: tools
tools: $(TOOLS) ## Install the pinned development tools into bin/

# go build knows best what changed and is quick when nothing did: every program is handed to it every time.
bin/yingda: FORCE
	@$(STEP) "build yingda $(VERSION)" env $(PORTABLE) go build -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/yingda

bin/wechatsim: FORCE
	@$(STEP) "build wechatsim" env $(PORTABLE) go build -o $@ ./hack/wechatsim/cmd/wechatsim

bin/traces: FORCE
	@$(STEP) "build traces" env $(PORTABLE) go build -o $@ ./hack/traces/cmd/traces

bin/local: FORCE
	@$(STEP) "build local" env $(PORTABLE) go build -o $@ ./hack/local

# Kubernetes refuses to name itself unless the linker stamps the version in; it is the one of hack/cluster/go.mod.
KUBE_VERSION = $(shell sed -n 's|^\s*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p' hack/cluster/go.mod)
KUBE_PARTS   = $(subst ., ,$(KUBE_VERSION:v%=%))
KUBE_STAMP   = k8s.io/component-base/version
# bin/pause, the program of the image that holds a pod's namespaces, lies beside it.
bin/cluster: FORCE | bin
	@$(STEP) "build cluster (Kubernetes $(KUBE_VERSION); the first build takes minutes)" \
		go -C hack/cluster build -o $(CURDIR)/bin/ \
		-ldflags '-s -w -X $(KUBE_STAMP).gitVersion=$(KUBE_VERSION) -X $(KUBE_STAMP).gitMajor=$(word 1,$(KUBE_PARTS)) -X $(KUBE_STAMP).gitMinor=$(word 2,$(KUBE_PARTS))' . ./pause

bin/stack: FORCE
	@$(STEP) "build stack (Kafka protocol broker and Temporal; the first build takes minutes)" \
		env $(PORTABLE) go -C hack/stack build -ldflags '-s -w' -o $(CURDIR)/$@ .

# etcd, kube-apiserver and kubectl under the names by which envtest looks for them.
bin/k8s: bin/cluster FORCE
	@bin/cluster links $@

##@ Test

# $(call gotest,<name of the step and report>,<module>,<arguments of go test>): the report in .run/reports is what .ci/run counts.
gotest = cd $(2) && $(CURDIR)/$(STEP) "$(1)" $(CURDIR)/bin/gotestsum --format $(TEST_FORMAT) \
	--jsonfile $(CURDIR)/.run/reports/$(subst /,-,$(subst $() ,-,$(1))).json -- -timeout $(TEST_TIMEOUT) $(3) ./$(4)...
TEST_FORMAT  = pkgname-and-test-fails
TEST_TIMEOUT = 20m

.PHONY: test
test: export KUBEBUILDER_ASSETS = $(CURDIR)/bin/k8s
test: test-packages bin/k8s bin/stack bin/helm bin/gotestsum | .run/reports ## Unit, envtest and integration tests with the race detector, and the other modules' own
	@export CGO_ENABLED=1; $(call gotest,test,.,$(TEST_FLAGS) -run '$(RUN)')
	@export $(PORTABLE); $(call gotest,test hack/stack,hack/stack,$(filter-out -race,$(TEST_FLAGS)) -run '$(RUN)')
	@$(call gotest,test hack/cluster,hack/cluster,$(filter-out -race,$(TEST_FLAGS)) -run '$(RUN)')

# The race detector needs a C compiler, the tests' databases a PostgreSQL.
.PHONY: test-packages
test-packages: bin/local
	@bin/local test-packages

# The tests on the real cluster read .run/env, which make up writes, and are never served from the cache.
E2E_FLAGS = -tags e2e -count=1 -v
e2e e2e-faults: TEST_FORMAT = standard-verbose
e2e: TEST_TIMEOUT = 30m
e2e-faults: TEST_TIMEOUT = 60m

.PHONY: e2e
e2e: up bin/gotestsum | .run/reports ## Play the story of a customer on the real cluster (make up, then test/e2e)
	@$(call gotest,e2e,.,$(E2E_FLAGS) -run '^TestStory',test/e2e/)

# The faults ask most of the broker: Apache Kafka, or kfake where that cannot run (make up says why).
.PHONY: e2e-faults
e2e-faults: KAFKA = apache
e2e-faults: up bin/gotestsum | .run/reports ## Kill and cut off what the story runs on, and count every message and case
	@$(call gotest,e2e-faults,.,$(E2E_FLAGS) -run '^TestFaults',test/e2e/)

# The programs of both versions are built in .run/upgrade, of which what is in bin/ is a beginning.
.PHONY: e2e-upgrade
e2e-upgrade: export FROM ?= $(shell git describe --tags --abbrev=0 2>/dev/null)
e2e-upgrade: TEST_TIMEOUT = 60m
e2e-upgrade: TEST_FORMAT = standard-verbose
e2e-upgrade: bin/gotestsum | .run/reports ## Upgrade from FROM (the last tag) to this commit while cases are open
	@$(call gotest,e2e-upgrade,.,$(E2E_FLAGS) -run '^TestUpgrade',test/e2e/)

.PHONY: bench
bench: up ## Measure the product against its floor and write BENCH_OUT
	@$(STEP) "bench" go run ./test/bench -out $(BENCH_OUT)

.PHONY: bench-cases
bench-cases: bin/stack ## Measure cases on Temporal against their floor, on SQLite and on Postgres, and write docs/performance-cases.md (takes an hour)
	@$(STEP) "bench-cases (SQLite)" go run ./test/benchcases -on sqlite
	@$(STEP) "bench-cases (Postgres)" go run ./test/benchcases -on postgres

.PHONY: bench-operator
bench-operator: bin/k8s bin/kwok ## Measure the operator against its floor, and write BENCH_OPERATOR_OUT (takes ten minutes)
	@$(STEP) "bench-operator" go run ./test/benchoperator -out $(BENCH_OPERATOR_OUT)

.PHONY: interop
interop: ## Hold the simulator and our crypto against npm packages of others, and write INTEROP_OUT (needs Node.js)
	@$(STEP) "interop" go run ./test/interop -out $(INTEROP_OUT)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME
	@hack/tools/fuzz $(FUZZTIME)

##@ Check

.PHONY: generate
generate: bin/controller-gen bin/sqlc reference ## Regenerate deep copies, CRDs, docs/reference and queries from their sources
	@$(STEP) "generate deep copies" bin/controller-gen object paths=./api/... paths=./internal/keda/...
	@$(STEP) "generate CRDs" bin/controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	@rm -f charts/yingda/files/crds/*.yaml && cp config/crd/bases/*.yaml charts/yingda/files/crds/ # helm reads no file outside its chart
	@$(STEP) "generate queries" bin/sqlc generate -f internal/store/sqlc.yaml

.PHONY: reference
reference: bin/crd-ref-docs ## Regenerate docs/reference from the types
	@$(STEP) "generate docs/reference" bin/crd-ref-docs --source-path=api --output-path=docs/reference/README.md --renderer=markdown \
		--config=hack/tools/crd-ref-docs/config.yaml --templates-dir=hack/tools/crd-ref-docs/templates --max-depth=16 --log-level=WARN

.PHONY: lint
lint: bin/golangci-lint ## Lint the product (golangci-lint with the Kubernetes checkers), format and vet the other modules
	@$(STEP) "golangci-lint" env $(PORTABLE) bin/golangci-lint run ./...
	@$(STEP) "gofmt of the other modules" hack/tools/gofmt-check $(filter-out .,$(MODULES))
	@$(STEP) "vet hack/cluster" go -C hack/cluster vet -tags e2e ./...
	@$(STEP) "vet hack/stack" env $(PORTABLE) go -C hack/stack vet ./...
	@$(STEP) "vet hack/staffing" env $(PORTABLE) go -C hack/staffing vet ./...
	@$(STEP) "vet hack/tools/golangci-lint" go -C hack/tools/golangci-lint vet ./...

.PHONY: tidy-check
tidy-check: ## Fail where go.mod or go.sum of a module is not tidy
	@for module in $(MODULES); do $(STEP) "tidy $$module" go -C $$module mod tidy -diff; done

.PHONY: workflow-check
workflow-check: bin/workflowcheck ## Fail where workflow code does what cannot be replayed
	@$(STEP) "workflowcheck" env $(PORTABLE) bin/workflowcheck ./workers/workflows/...

.PHONY: chart-check
chart-check: bin/helm ## Lint the chart, with its own values and those of its tests
	@for values in charts/yingda/values.yaml $$(ls charts/yingda/testdata/*/values.yaml); do \
		$(STEP) "helm lint $$values" bin/helm lint --strict --quiet --values $$values charts/yingda; done

.PHONY: shell-check
shell-check: ## Check the shell scripts, where shellcheck is installed
	@if command -v shellcheck >/dev/null; then $(STEP) "shellcheck" shellcheck $(SCRIPTS); else echo "==> shellcheck is not installed: skipped"; fi
SCRIPTS = .ci/run $(filter-out %.mk,$(shell git ls-files 'hack/tools/*' ':!hack/tools/*/*'))

.PHONY: verify
verify: $(TOOLS) ## Regenerate, lint and check everything, and fail if the tree changed by it
	@hack/tools/unchanged $(MAKE) generate
	@$(MAKE) lint tidy-check workflow-check chart-check shell-check

##@ Help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make <target> [VARIABLE=value]"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' Makefile
	@echo; echo "Variables"
	@awk -F '# +' '/^[A-Z_]+ +\?=.*# / {split($$1, a, " "); sub(/^[A-Z_]+ +\?= */, "", $$1); \
		printf "  %-15s %s%s\n", a[1], $$2, ($$1 == "" || $$1 ~ /shell/) ? "" : " (default: " $$1 ")"}' Makefile
