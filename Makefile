# What CI runs is `make test`; everything else is for people.

GO ?= go
N ?= 20
DB ?= sqlite
DATA ?= ../shared/data

.PHONY: all build test race norace suite quick prepare check slow kits faults crash load quality bench fuzz pictures

all: build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/faqbot ./cmd/faqbot

# All tests, on SQLite and on a Postgres of their own. As root on Debian it installs what is missing; anyone else is
# told what to install. The time-out is for hangs alone.
test: prepare
	.ci/with-postgres $(MAKE) --no-print-directory -j3 check race norace suite

# The race detector makes arithmetic and parsing five to nine times as slow, so the packages that do little else, and
# share nothing, run without it; and the whole service does, which "make slow" tests with it. The checks of pointers that
# come with it would double the time of modernc.org/sqlite, which is C by translation.
RACE = -race '-gcflags=modernc.org/...=-d=checkptr=0'
NORACE = ./bot/dialogue ./eval ./knowledge/faqfile ./cmd/faqbot
race:
	$(GO) test $(RACE) -shuffle=on -parallel 6 -timeout 60m $$($(GO) list ./... | grep -v -x $(NORACE:./%=-e faqbot/%))
norace:
	$(GO) test -shuffle=on -parallel 6 -timeout 60m $(NORACE)

# The suite of the demo's FAQ: its gates, and that no figure is worse than in the baseline. A change that is meant renews
# the baseline: add --out cmd/faqbot/demo/baseline.json, and read the diff.
suite: build
	bin/faqbot eval run cmd/faqbot/demo/suite.yaml --against cmd/faqbot/demo/baseline.json

# An answer in a minute and a half while working: SQLite alone, no race detector, no browser, nothing that takes long.
quick:
	FAQBOT_TEST_POSTGRES= CI= $(GO) test -short -parallel 6 ./...

prepare:
	@.ci/prepare

check:
	@test -z "$$(gofmt -l cmd eval bot retrieval handoff knowledge)" || { echo "not gofmt'ed:"; gofmt -l cmd eval bot retrieval handoff knowledge; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@.ci/advisories

# What takes too long for every test run, or needs the machine for itself: full disks, paused databases, backups
# under load, an upgrade from an earlier commit, simulations. As root, so that a small disk can be mounted.
slow: prepare
	FAQBOT_SLOW=1 $(GO) test -timeout 30m -v -run 'TestHostileInputs|TestPoolSurvivesItsReaders' ./knowledge/faqfile
	FAQBOT_SLOW=1 $(GO) test -run Slow -timeout 30m -v ./eval ./eval/measure
	FAQBOT_SLOW=1 .ci/with-postgres $(GO) test -run 'Slow|TestGroupFailsTogether' -timeout 30m -p 1 -v ./knowledge/sqldb ./cmd/faqbot
	FAQBOT_SLOW=1 FAQBOT_DATA=$(abspath $(DATA)) .ci/with-postgres $(GO) test -run Slow -timeout 30m -p 1 -v ./handoff/gaps ./handoff/figures ./handoff/console
	.ci/with-postgres $(GO) test $(RACE) -parallel 6 -timeout 60m ./cmd/faqbot
	$(MAKE) kits

# The pictures in README.md, from the browser test.
pictures:
	mkdir -p bin/shots
	FAQBOT_SCREENSHOTS=$(CURDIR)/bin/shots $(GO) test -count=1 -run TestDemoInABrowser ./cmd/faqbot
	cp bin/shots/desk.png bin/shots/widget.png cmd/faqbot/docs

# The starter kits, each asked the questions of its own suite.
kits: build
	@for suite in knowledge/kits/suites/*.yaml; do bin/faqbot eval run $$suite >bin/kit.txt || { cat bin/kit.txt; exit 1; }; \
		echo "$$(basename $$suite .yaml): $$(grep -m1 '^passed ' bin/kit.txt), $$(grep -m1 '^wrong ' bin/kit.txt)" | tr -s ' '; done

# Kills the real binary N times under load and counts what was lost: make crash N=300 [DB=postgres]
# [MODE=whatsapp,messenger]
MODE ?= all
crash:
	.ci/with-postgres $(GO) run ./cmd/crash -n $(N) -db $(DB) -mode $(MODE)

# The database locked from outside, Postgres stopped and restarted, Meta away: what was acknowledged arrives, once.
# FOR is how long each lasts, N how many runs: make faults FOR=180s N=20; make faults FOR=10m N=1
FOR ?= 30s
faults:
	$(GO) run ./cmd/crash -fault lock -for $(FOR) -n $(N) -mode whatsapp,poll -messages 200 -parallel 10
	.ci/with-postgres $(GO) run ./cmd/crash -fault lock -db postgres -for $(FOR) -n 2 -mode whatsapp,poll -messages 100
	.ci/with-postgres $(GO) run ./cmd/crash -fault pause -db postgres -for $(FOR) -n 1 -mode whatsapp -messages 100
	.ci/with-postgres $(GO) run ./cmd/crash -fault restart -db postgres -for $(FOR) -n 1 -mode whatsapp -messages 100
	$(GO) run ./cmd/crash -fault outage -for $(FOR) -n 1 -mode whatsapp,messenger -messages 100

# What the service takes on this machine, beside a bare gin handler: make load [DB=postgres]. Some minutes;
# best on an idle machine.
load:
	FSYNC=on .ci/with-postgres $(GO) run ./cmd/load -db $(DB)

# Answer quality on the public sets in DATA and the cases in CASES, which are not part of this repository, and on sets
# that are.
CASES ?= ../shared/cases
quality: build
	bin/faqbot eval quality $(DATA) $(CASES) eval/testdata/sets

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
