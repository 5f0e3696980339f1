# Everything that is done with orbital is done by one of these; CI calls nothing else.
# Without arguments: what there is.

PREFIX ?= /usr/local
DESTDIR ?=
RUNTIME ?= $(BINARY)
ARGS ?=
WAY ?=

TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
BINARY := $(TARGET)/release-static/orbital
ENGINE := $(TARGET)/release-static/orbital-engine
# Also of the engine, where it has been built.
MANUAL = rm -rf $(TARGET)/manual && cargo run --quiet --locked --package manual \
	$$(test ! -x $(ENGINE) || echo --features engine) -- $(TARGET)/manual
UNIFIED := $(CURDIR)/conformance/in-unified
# Root for what makes containers for all users to see.
ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env PATH="$$PATH")

.DEFAULT_GOAL := help
.PHONY: help setup build release engine install demo examples check lint test conformance differential runtime-tools windows bench bench-engine soak vm vm-test callers clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | \
		while IFS="$$(printf '\t')" read -r name what; do printf '  make %-14s %s\n' "$$name" "$$what"; done

setup: ## install what a fresh Debian machine lacks for building and the demo
	@.config/setup

build: ## the static binary for this machine: target/release-static/orbital, and its manual: target/manual
	@.config/setup --for build --for release
	@.config/release
	@$(MANUAL)

release: ## the same, by a chosen WAY=rustup|debian|glibc, and say which way was taken
	@.config/setup --for build --for release
	@.config/release $(if $(WAY),--way $(WAY))
	@$(MANUAL)

engine: ## orbital-engine beside it, for images and run IMAGE: target/release-static/orbital-engine, and its manual
	@.config/setup --for build --for release
	@.config/release $(if $(WAY),--way $(WAY))
	@.config/release --engine $(if $(WAY),--way $(WAY))
	@$(MANUAL)

install: ## put what was built, man pages and completions below $(DESTDIR)$(PREFIX) (PREFIX=/usr/local)
	@test -x $(BINARY) -a -d $(TARGET)/manual || { echo "there is no $(BINARY) with its manual yet: run make release first" >&2; exit 1; }
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/orbital
	@if [ -x $(ENGINE) ]; then set -x; install -D -m 755 $(ENGINE) $(DESTDIR)$(PREFIX)/bin/orbital-engine; \
		else echo "without orbital-engine (images, run IMAGE): make engine builds it"; fi
	cd $(TARGET)/manual && find . -type f -exec install -D -m 644 {} $(abspath $(DESTDIR)$(PREFIX))/share/{} \;

demo: ## what a container is, in a minute: the life of one, with every command shown
	@.config/setup --for build --for release --for demo
	@.config/release --quiet
	@ORBITAL=$(BINARY) bundle-examples/demo

examples: ## bundle-examples anew: root file systems, plans, and messages of the broken ones
	@.config/setup --for build --for demo --for test
	bundle-examples/make-rootfs
	ORBITAL_GOLDEN=write cargo test --quiet --locked --lib goldens
	@cargo build --quiet --locked --workspace --bin orbital --bin conformance
	ORBITAL_GOLDEN=write $(ROOT) $(UNIFIED) $(TARGET)/debug/conformance \
		--runtime $(TARGET)/debug/orbital --filter messages/
	@echo "read what has changed before it is kept: git diff bundle-examples"

check: ## the quick part, without root: format, clippy, unit tests, goldens, house rules
	@.config/setup --for build --for check
	@.config/verify fmt clippy tests

lint: ## format, clippy, licences and bans, house rules
	@.config/setup --for build --for lint
	@.config/verify fmt clippy deny house-rules

test: ## everything, as root: check, lint, the release binary, the conformance suite against it, the engine, a short soak, its peers, Windows under Wine, and the suite in the VM
	@.config/setup --for test --for vm
	@.config/verify fmt clippy deny root-tests engine fuzz release conformance soak differential windows vm

conformance: ## judge a runtime: RUNTIME=/usr/bin/runc ARGS="--filter kill" (orbital by default)
	@.config/setup --for test
	@$(if $(filter $(BINARY),$(RUNTIME)),.config/release --quiet)
	@cargo build --quiet --locked --package conformance --bin conformance
	@$(ROOT) $(UNIFIED) $(TARGET)/debug/conformance --runtime $(RUNTIME) $(ARGS)

differential: ## the same 300 bundles and more through orbital, runc, crun and libcontainer, compared from inside
	@.config/setup --for build --for release --for test
	@.config/release --quiet
	@cargo build --quiet --locked --package conformance --features reference --bin differential --bin reference || \
		{ echo "going on without the libcontainer driver" >&2; \
		cargo build --quiet --locked --package conformance --bin differential; }
	@$(ROOT) $(UNIFIED) $(TARGET)/debug/differential --orbital $(BINARY) $(ARGS)

runtime-tools: ## the OCI's own validation programs, from a built checkout: RUNTIME_TOOLS=DIR RUNTIME=PATH
	@test -n "$(RUNTIME_TOOLS)" || { echo "name a built checkout of the OCI's runtime-tools: RUNTIME_TOOLS=DIR" >&2; exit 1; }
	@.config/setup --for test
	@$(if $(filter $(BINARY),$(RUNTIME)),.config/release --quiet)
	@cargo build --quiet --locked --package conformance --bin runtime-tools
	@$(ROOT) $(UNIFIED) $(TARGET)/debug/runtime-tools --runtime $(RUNTIME) --tools $(RUNTIME_TOOLS) $(ARGS)

windows: ## orbital.exe, cross-built, and its tests under Wine; what Wine cannot show is said
	@.config/setup --for windows
	@.config/windows $(if $(WAY),--way $(WAY)) build
	@.config/verify windows

bench: ## how long each verb takes, beside other runtimes and the bare floor: ARGS="--runs 5"
	@.config/setup --for build --for release --for demo --for bench
	@.config/release --quiet
	@cargo build --quiet --locked --release --package conformance --features reference --bin bench --bin reference || \
		{ echo "going on without the libcontainer driver" >&2; \
		cargo build --quiet --locked --release --package conformance --bin bench; }
	@$(ROOT) $(UNIFIED) $(TARGET)/release/bench --orbital $(BINARY) $(ARGS)

soak: ## 2,000 lives, several at a time, with the runtime killed at random moments: ARGS="--cycles 300 --seed 7"
	@.config/setup --for build --for release --for test
	@.config/release --quiet
	@cargo build --quiet --locked --package conformance --bin soak
	@$(ROOT) $(UNIFIED) $(TARGET)/debug/soak --runtime $(BINARY) $(ARGS)

bench-engine: ## how long a pull takes, beside podman and skopeo with umoci: ARGS="--layers 20 --megabytes 600"
	@.config/setup --for build --for bench-engine
	@conformance/bench/engine $(ARGS)

vm: ## the test machine: Debian in QEMU with unified cgroup v2 and systemd (conformance/vm/README.md)
	@$(ROOT) conformance/vm/image

vm-test: ## the conformance suite inside the test machine: ARGS="--filter cgroup/"
	@.config/setup --for test
	@.config/release --quiet
	@cargo build --quiet --locked --release --package conformance --bin conformance
	@$(ROOT) conformance/vm/run --systemd --share $(CURDIR):ro --share $(TARGET):ro -- \
		"time conformance/vm/suite $(CURDIR) $(TARGET)/release/conformance $(BINARY) $(ARGS)"

callers: ## what people do with podman and other callers, in the test machine, with runc, crun and orbital: ARGS="--filter podman/exec"
	@.config/setup --for test
	@.config/release --quiet
	@cargo build --quiet --locked --release --package conformance --bin callers
	@$(ROOT) conformance/vm/run --systemd --share $(CURDIR)/conformance/callers --share $(TARGET):ro -- \
		"./inside $(TARGET)/release/callers $(BINARY) --report $(CURDIR)/conformance/callers/report.md $(ARGS)"

clean: ## remove what was built, and the examples' root file systems
	cargo clean
	rm -rf bundle-examples/*/rootfs bundle-examples/*/rootfs.new
