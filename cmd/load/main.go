// Command load measures how much the real service takes, on this machine and together with what
// loads it: webhook calls of WhatsApp until they are answered, which is when the messages are on disk,
// beside a bare gin handler with the same check of the signature; and whole turns, from the customer's
// question to the answer they receive, through the fake Graph API. Afterwards it counts what was lost.
// Exit status 1 means that a target was missed; marks are only told.
//
//	go run ./cmd/load [-db postgres] [-rounds 7]
//
// Service, handler, fake and customers share the machine's cores, so what it prints is a share of
// them. The service and the handler take turns within a run, so that whatever else the machine does
// falls on both. It kills nothing: that is cmd/crash.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

const (
	dbSQLite   = "sqlite"
	dbPostgres = "postgres"

	// postgresEnv names the variable with the DSN of a Postgres server in which databases may be made.
	postgresEnv = "FAQBOT_TEST_POSTGRES"

	minShare      = 0.4    // of the bare handler's throughput
	maxTail       = 10.0   // p99 over p50, at a third of the throughput
	markPosts     = 15_000 // a second
	markTurns     = 500    // a second
	bareHandler   = "bare-handler"
	sectionAccept = "accept"
	sectionTurns  = "turns"
)

// errMissed has been told by the table.
var errMissed = errors.New("a target was missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errMissed):
		os.Exit(1)
	case err != nil && !errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(2)
	}
}

// options say what to measure.
type options struct {
	db       string // dbSQLite or dbPostgres
	postgres string // the DSN of a server in which databases may be made
	rounds   int
	only     string // a section, "" for all
	binary   string // of the service
	dir      string // an empty folder for its files
	progress io.Writer
}

// command runs one command line.
func command(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	if len(args) == 1 && args[0] == bareHandler {
		return serveBare(ctx, progress)
	}
	o := options{postgres: os.Getenv(postgresEnv), progress: progress}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&o.db, "db", dbSQLite, "sqlite or postgres (a new database in "+postgresEnv+")")
	flags.IntVar(&o.rounds, "rounds", 9, "how often the service and the bare handler take turns")
	flags.StringVar(&o.only, "only", "", "a section: accept or turns")
	flags.StringVar(&o.binary, "faqbot", "", "the binary to load; built from this module if not given")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0 || o.only != "" && o.only != sectionAccept && o.only != sectionTurns:
		return errors.New("usage: load [-only accept|turns], and no arguments")
	case o.db != dbSQLite && o.db != dbPostgres:
		return fmt.Errorf("-db %s: use sqlite or postgres", o.db)
	case o.db == dbPostgres && o.postgres == "":
		return fmt.Errorf("-db postgres needs %s: run it under .ci/with-postgres", postgresEnv)
	case o.rounds < 1:
		return errors.New("-rounds must be at least 1")
	}
	if o.dir, err = os.MkdirTemp("", "faqbot-load-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	if o.binary == "" {
		o.binary = filepath.Join(o.dir, "faqbot")
		if said, err := exec.CommandContext(ctx, "go", "build", "-o", o.binary, "faqbot/cmd/faqbot").CombinedOutput(); err != nil {
			return fmt.Errorf("build the service: %w\n%s", err, said)
		}
	}
	before := machineLoad()
	rows, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return show(out, o, rows, before)
}

// measure runs the sections and, after each, the check that nothing was lost.
func measure(ctx context.Context, o options) (rows []row, err error) {
	s, err := newStage(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, section := range []struct {
		name string
		run  func(context.Context) ([]row, error)
	}{{sectionAccept, s.accept}, {sectionTurns, s.turns}} {
		if o.only != "" && o.only != section.name {
			continue
		}
		fmt.Fprintf(o.progress, "load: %s, %s (load %s)\n", o.db, section.name, machineLoad())
		found, err := section.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", section.name, err)
		}
		rows = append(rows, found...)
	}
	lost, err := s.lost(ctx)
	return append(rows, lost), err
}

// A row is one line of the table.
type row struct {
	what, value string
	wanted      string // "" if nothing is
	mark        bool   // missing it is no failure
	met         bool
}

// show prints the table.
func show(out io.Writer, o options, rows []row, before string) error {
	fmt.Fprintf(out, "\n%s, %d cores, load before %s, after %s, %s\n\n", o.db, runtime.NumCPU(), before, machineLoad(), time.Now().UTC().Format(time.DateTime))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	met := true
	for _, r := range rows {
		verdict := ""
		switch {
		case r.wanted == "":
		case r.met:
			verdict = "met"
		case r.mark:
			verdict = "below the mark"
		default:
			verdict, met = "MISSED", false
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.what, r.value, r.wanted, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !met {
		return errMissed
	}
	return nil
}

// machineLoad is how many programs have wanted a core during the last minute.
func machineLoad() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil { // not Linux
		return "unknown"
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}
