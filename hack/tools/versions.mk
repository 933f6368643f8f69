# The development tools, and the one place that pins them (golangci-lint: its own module beside this file).
#
# $(call tool,<name>,<version>,<package>) makes "make bin/<name>". The program lies in bin/.tools/<name>@<version>-<go
# version> and bin/<name> is a link to it, so that a new pin or a new Go, and nothing else, installs it again. What is
# downloaded is checked against the Go checksum database.

GO_VERSION := $(shell go env GOVERSION)

define tool
TOOLS += bin/$(1)
.PHONY: bin/$(1)
bin/$(1): bin/.tools/$(1)@$(2)-$(GO_VERSION)
	@ln -sfn .tools/$(1)@$(2)-$(GO_VERSION) $$@
bin/.tools/$(1)@$(2)-$(GO_VERSION):
	@rm -rf bin/.tools/$(1)@* bin/.tools/new.$(1)
	@GOBIN=$(CURDIR)/bin/.tools/new.$(1) hack/tools/step "install $(1) $(2)" go install -ldflags '-s -w' $(3)@$(2)
	@mv bin/.tools/new.$(1)/$(1) $$@ && rmdir bin/.tools/new.$(1)
endef

$(eval $(call tool,controller-gen,v0.23.0,sigs.k8s.io/controller-tools/cmd/controller-gen))
$(eval $(call tool,crd-ref-docs,v0.3.0,github.com/elastic/crd-ref-docs))
$(eval $(call tool,sqlc,v1.31.1,github.com/sqlc-dev/sqlc/cmd/sqlc))
$(eval $(call tool,helm,v4.3.1,helm.sh/helm/v4/cmd/helm))
$(eval $(call tool,workflowcheck,v0.6.0,go.temporal.io/sdk/contrib/tools/workflowcheck))
$(eval $(call tool,gotestsum,v1.13.0,gotest.tools/gotestsum))

# Plays kubelets for make bench-operator, and is installed by that alone.
$(eval $(call tool,kwok,v0.8.0,sigs.k8s.io/kwok/cmd/kwok))
TOOLS := $(filter-out bin/kwok,$(TOOLS))

# golangci-lint with the Kubernetes checkers linked in; go.mod there pins all three.
TOOLS += bin/golangci-lint
bin/golangci-lint: $(wildcard hack/tools/golangci-lint/*) bin/.tools/$(GO_VERSION)
	@hack/tools/step "install golangci-lint" go -C hack/tools/golangci-lint build -ldflags '-s -w' -o $(CURDIR)/$@ .

bin/.tools/$(GO_VERSION):
	@mkdir -p $(@D) && rm -f $(@D)/go1* && touch $@
