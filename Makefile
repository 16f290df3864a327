# Everything is a target of this file; `make` alone lists them.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

# One set of flags for everything but race, so that build, tests and the size test share one build cache.
export CGO_ENABLED := 0
export GOFLAGS     := $(filter-out -trimpath,$(GOFLAGS)) -trimpath

TOOL     := go tool -modfile=tools.mod
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null)
BUILD    := go build -ldflags '-s -w -X main.release=$(VERSION)'
TESTS     = $(shell go list ./... | grep -v -e /test/hosts -e /test/browser -e /test/guests -e /test/radio$$)
RACE     := ./protocol/... ./store/... ./node/... ./examples/... ./test/crowd/...
BENCH    ?= .
FUZZTIME ?= 10s
SCENARIO ?= square
SEED     ?= 1
NODES    ?=

.PHONY: help run build page test check race lint fuzz bench sim generate generated hosts browser guests radio web webtest compare clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: build ## build and start a node: make run ARGS=--loopback-only
	bin/longear relay $(ARGS)

build: page ## build bin/longear, with the page for phones if node and npm are there
	$(BUILD) -o bin/longear ./cmd/longear

test: ## everything that can fail, as CI runs it (installs what it needs on Debian as root)
	.ci/packages
	$(MAKE) page lint webtest
	go test -timeout 30m $(TESTS)
	$(MAKE) race hosts browser guests generated radio compare
	@echo "make test: ok"

check: lint ## the everyday check: lint and the short tests
	go test -short -timeout 5m $(TESTS)

race: ## the short tests under the race detector, where that is affordable
	CGO_ENABLED=1 go test -race -short -timeout 20m $(RACE)

lint: ## formatting, vet for each kind of system, modern Go, staticcheck
	@out=$$($(TOOL) gofumpt -l protocol store node cmd examples test); \
		if [ -n "$$out" ]; then echo "not gofumpt'ed:"; echo "$$out"; exit 1; fi
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	go fix -diff ./...
	$(TOOL) staticcheck ./...

fuzz: ## run every fuzz target for FUZZTIME
	@go test -list '^Fuzz' ./... \
	| awk '/^Fuzz/{name[++n]=$$1} /^ok/{for(i=1;i<=n;i++) print $$2, name[i]; n=0}' \
	| while read -r pkg target; do \
		echo "== $$pkg $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg" </dev/null; \
	done

bench: ## run all benchmarks and print their tables: make bench BENCH=Verify
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...
	cd test/compare && go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

sim: ## play a crowd in virtual time: make sim SCENARIO=square SEED=1 NODES=300 (the page is bin/SCENARIO.html)
	$(BUILD) -o bin/crowdsim ./cmd/crowdsim
	bin/crowdsim test/crowd/testdata/$(SCENARIO).txt --seed $(SEED) $(NODES:%=--nodes %) --html bin/$(SCENARIO).html

hosts: ## nodes on hosts of their own, in network namespaces (root)
	go test -count=1 -timeout 10m ./test/hosts/...

browser: page ## the pages, looked at in a real browser (chromium, node, npm)
	go test -count=1 -timeout 20m -v ./test/browser/...

guests: ## phones around a hub, in network namespaces (root; udhcpc, chromium, node, npm for some)
	go test -count=1 -timeout 10m ./test/guests/...

radio: ## Wi-Fi Direct by real wpa_supplicants on simulated radios in virtual machines (qemu; it needs no KVM)
	go test -count=1 -timeout 30m -v ./test/radio

web: cmd/longear/web/node_modules/.package-lock.json ## fetch what the page is made with, check and bundle it (node, npm)
	cd cmd/longear/web && npm run --silent check && npm run --silent build

# The page is built in where it can be. Without it a hub serves its board alone.
page:
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || ! command -v npm >/dev/null; then \
		echo "WITHOUT THE PAGE: a hub of this build serves its board alone: no node 20 or later, or no npm"; \
	elif ! $(MAKE) cmd/longear/web/node_modules/.package-lock.json; then \
		echo "WITHOUT THE PAGE: a hub of this build serves its board alone: npm could not fetch its packages"; \
	else cd cmd/longear/web && npm run --silent build; fi

webtest: ## the TypeScript's own tests
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || ! command -v npm >/dev/null; then \
		echo "SKIPPED: the TypeScript is not checked, built or tested: no node 20 or later, or no npm"; \
	elif ! $(MAKE) cmd/longear/web/node_modules/.package-lock.json; then \
		echo "SKIPPED: the TypeScript is not checked, built or tested: npm could not fetch its packages"; \
	else cd cmd/longear/web && npm run --silent check && npm run --silent test; fi

cmd/longear/web/node_modules/.package-lock.json: cmd/longear/web/package-lock.json
	cd cmd/longear/web && npm ci --silent
	@touch $@

compare: ## the comparison benchmarks, a module of their own, still build
	cd test/compare && go vet ./... && go test -run '^$$' ./...

generate: bin/protoc-gen-go ## regenerate the protobuf code (needs protoc)
	protoc --plugin=bin/protoc-gen-go --proto_path=protocol/pb --go_out=paths=source_relative:protocol/pb protocol/pb/longear.proto

generated: bin/protoc-gen-go ## the protobuf code is what the schema generates
	@command -v protoc >/dev/null || { echo "SKIPPED: generated code not compared: no protoc"; exit 0; }; \
	tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	protoc --plugin=bin/protoc-gen-go --proto_path=protocol/pb --go_out=paths=source_relative:"$$tmp" protocol/pb/longear.proto; \
	diff -u -I '^//.*protoc ' protocol/pb/longear.pb.go "$$tmp/longear.pb.go"

bin/protoc-gen-go: tools.mod
	go build -modfile=tools.mod -o $@ google.golang.org/protobuf/cmd/protoc-gen-go

clean: ## remove what was built
	rm -rf bin
	find cmd/longear/web/built -type f ! -name README.txt -delete
