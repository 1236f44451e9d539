# mitori. "make help" lists the targets; "make demo" and "make test" are the two that a new user needs.
SHELL := /bin/bash
TAGS := opencv mujoco openblas onnxruntime
GO := GOTOOLCHAIN=local go
LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# One BLAS thread: the trainer splits the work itself.
export OPENBLAS_NUM_THREADS := 1

.PHONY: help demo test generate deps build build-arm64 lint bench bench-lateness fuzz soak trials clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

demo: build ## video -> policy -> robotd on the built-in demonstration; writes out/demo
	bin/mitori demonstrate march -o out/demo/clip.mp4
	bin/mitori learn out/demo/clip.mp4 --robot kata20 -o out/demo --show-faces
	@echo "Open out/demo/report.html (or out/demo/side_by_side.mp4)."

# The race detector needs a C compiler, and sees Go only: it runs on what has no C in it, but for packages that count much
# in one goroutine alone.
RACE := ./actuators/... ./firmware-bridge/... ./models/... ./cmd/robotd/...
ALONE := actuators/(selftest|replay|mode|energy|calibrate|commission)$$

test: build lint ## lint, and every test: plain, under the race detector, with all build tags
	CGO_ENABLED=0 $(GO) vet ./...
	$(GO) vet -tags "$(TAGS)" ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	CGO_ENABLED=0 $(GO) test -short ./...
	CGO_ENABLED=1 $(GO) test -short -race $$($(GO) list $(RACE) | grep -vE '$(ALONE)')
	$(GO) test -tags "$(TAGS)" -timeout 20m ./...

deps: ## install what is missing (apt, pip, npm), idempotent
	@.ci/deps

build: deps ## bin/mitori and bin/robotd
	@mkdir -p bin
	$(GO) build -tags "$(TAGS)" -o bin/mitori ./cmd/mitori
	CGO_ENABLED=0 $(GO) build -o bin/robotd ./cmd/robotd

build-arm64: ## robotd for the robot: pure Go, one file
	@mkdir -p bin/arm64
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -trimpath -o bin/arm64/robotd ./cmd/robotd

lint: ## golangci-lint, plain and with all build tags; builds the linter the first time
	$(LINT) run
	$(LINT) run --build-tags "$(subst $() ,$(comma),$(TAGS))"

generate: ## code from .proto files; needs protoc
	$(GO) generate ./...

bench: build ## benchmarks: medians and ratios in one run each
	@.ci/bench

soak: ## 10,000 flights into random faults, 200 standing robots, 10^7 first commands; SOAK=N flies N
	MITORI_SOAK_FLIGHTS=$${SOAK:-10000} $(GO) test -count=1 -timeout 4h -v -run '^TestSoak$$' ./sim/soak
	MITORI_SOAK_POSES=200 $(GO) test -tags mujoco -count=1 -timeout 1h -v -run '^TestStandingRobotsDoNotFall$$' ./sim/soak
	MITORI_TRIPLES=10000000 $(GO) test -count=1 -timeout 1h -v -run '^TestFirstCommandNeverJumps$$' ./actuators/loop

trials: ## the faults that robotd was tried with, case by case: one line each
	@TAGS="$(TAGS)" .ci/trials

bench-lateness: ## lateness of the loop at 1 kHz beside a C program with as much work; LATENESS=10m (1h for the slope of memory)
	MITORI_LATENESS=$${LATENESS:-10m} $(GO) test -count=1 -timeout 3h -v -run '^TestLatenessBesideC$$' ./actuators/loop

fuzz: ## every fuzz target for 30 s
	@TAGS="$(TAGS)" GOTOOLCHAIN=local .ci/fuzz

clean: ## remove what was built, keep .deps
	rm -rf bin out
comma := ,
