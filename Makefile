# Two commands: make demo, make test. The rest are parts of the second, or take
# longer than a test should.

GO ?= go
RUN = $(GO) run ./internal/runtests

# Debian leaves the folder of servers (nginx, redis) out of an ordinary user's path.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin

.PHONY: demo test cross test-go test-web test-interop test-browser test-long faults battery fuzz soak autobahn bench lint fmt parts

demo: ## the demo, in a browser
	$(GO) run ./cmd/sockeye demo $(ARGS)

test: parts ## everything, with every part
	SOCKEYE_PARTS=all $(RUN)

test-go: ## what needs Go alone
	$(RUN) -only format,go

test-web: parts
	SOCKEYE_PARTS=all $(RUN) -only web,vectors

test-interop: parts
	SOCKEYE_PARTS=all $(RUN) -only interop

test-browser: parts
	SOCKEYE_PARTS=all $(RUN) -only browser

test-long: faults battery ## the long form of tests that have one, once, and all Go tests ten times over
	SOCKEYE_PARTS=all SOCKEYE_LONG=1 $(RUN) -only go
	SOCKEYE_PARTS=all $(RUN) -count 10

faults: parts ## every transport, broker and guarantee over a bad network, nodes and stores killed, some ten minutes; writes docs/faults.md
	SOCKEYE_PARTS=all SOCKEYE_LONG=1 FAULTS_RESULTS=$(CURDIR)/docs/faults.md $(GO) test -count 1 -timeout 60m -run 'TestFaults|TestCluster' ./interop/faults

battery: parts ## every attack on a server; writes docs/battery.md
	SOCKEYE_PARTS=all HOSTILE_RESULTS=$(CURDIR)/docs/battery.md $(GO) test -count 1 -timeout 30m -run TestServer ./interop/hostile

fuzz: ## each fuzz target for five minutes, as many at a time as there are cores
	$(RUN) -only fuzz -fuzztime 5m

soak: ## mixed load over a network that fails, for half an hour, with accounts and curves
	$(GO) run ./interop/soak -o docs/soak.md $(ARGS)

autobahn: ## the WebSocket layer against the Autobahn suite; needs Python 2.7
	scripts/autobahn.sh

bench: ## against hard-coded servers and the official one, some ten minutes
	cd bench && $(GO) run . $(ARGS)

cross: ## the binary for the platforms of releases
	$(RUN) -only cross

lint:
	golangci-lint run ./...

fmt:
	gofmt -w $$(git ls-files '*.go')

parts: ## install what the tests need
	@scripts/setup-parts.sh
