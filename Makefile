# What CI runs is `make test`; everything else is for people.

GO ?= go
N ?= 20
DB ?= sqlite

.PHONY: all build test prepare check fmt lint crash load quality bench fuzz slow

all: build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/faqbot ./cmd/faqbot

# All tests, with the race detector, on SQLite and on a Postgres of their own. As root on Debian it
# installs what is missing; anyone else is told what to install.
test: prepare check
	.ci/with-postgres $(GO) test -race -shuffle=on -timeout 14m ./...

# What takes too long for every run: all hostile files that are known, at full size, with what each takes.
slow:
	FAQBOT_SLOW=1 $(GO) test -timeout 30m -v -run 'TestHostileInputs|TestPoolSurvivesItsReaders' ./knowledge/faqfile

prepare:
	@.ci/prepare

check:
	@test -z "$$(gofmt -l cmd eval bot retrieval handoff knowledge)" || { echo "not gofmt'ed:"; gofmt -l cmd eval bot retrieval handoff knowledge; exit 1; }
	$(GO) vet ./...

# golangci-lint is not needed to build or test; .golangci.yml says what it should look at.
lint:
	golangci-lint run

# Kills the real binary N times under load and counts what was lost: make crash N=300 [DB=postgres]
# [MODE=whatsapp,messenger]
MODE ?= all
crash:
	.ci/with-postgres $(GO) run ./cmd/crash -n $(N) -db $(DB) -mode $(MODE)

# What the service takes on this machine, beside a bare gin handler: make load [DB=postgres]. Some minutes;
# best on an idle machine.
load:
	FSYNC=on .ci/with-postgres $(GO) run ./cmd/load -db $(DB)

# Answer quality on the public sets in DATA, which are not part of this repository.
DATA ?= ../shared/data
quality: build
	bin/faqbot eval quality $(DATA)

# Speed and memory against onnxruntime, hugot and chromem, which it installs under bin/bench. Some
# minutes; best on an idle machine. The packages' own benchmarks: go test -bench . ./retrieval/...
bench:
	$(GO) run ./cmd/bench -dir bin/bench

# A minute for each fuzz target. One whose time runs out in the midst of an input fails with "context deadline
# exceeded" and without one; an input that fails is kept in testdata, and fails again.
FUZZTIME ?= 60s
fuzz:
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r f; do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' "$$f"); do \
			echo "$$name in $$(dirname "$$f")"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "./$$(dirname "$$f")" || \
				$(GO) test -run "^$$name\$$" "./$$(dirname "$$f")"; \
		done; done
