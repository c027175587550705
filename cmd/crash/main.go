// Command crash proves that no customer's message is lost, and none answered twice, when the
// service dies. It runs the real binary against a fake Telegram or Graph API and many customers, kills it with
// SIGKILL at random and at chosen moments, starts it again at once, and at the end compares what
// the network took and received with what the database says. It prints the counts, and exits with
// 1 and the seed if anything does not add up.
//
// It watches from outside: every call of the service to the network, and every call of the network
// to the service, goes through this program (see network), which therefore knows which life of the
// service made it and can kill that life in the very middle of it.
//
// What it does not do: kill the database server or cut the power. It is not a load test either.
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
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	modeWebhook   = "webhook" // of Telegram
	modePoll      = "poll"    // of Telegram
	modeWhatsApp  = "whatsapp"
	modeMessenger = "messenger"
	dbSQLite      = "sqlite"
	dbPostgres    = "postgres"

	// postgresEnv names the variable with the DSN of a Postgres server in which databases may be made.
	postgresEnv = "FAQBOT_TEST_POSTGRES"
)

// errViolated ends a run that found violations and has printed them.
var errViolated = errors.New("violated")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errViolated):
		os.Exit(1)
	case err != nil && !errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(os.Stderr, "crash: %v\n", err)
		os.Exit(2)
	}
}

// command runs one command line.
func command(ctx context.Context, args []string, out, progress io.Writer) error {
	o := options{postgres: os.Getenv(postgresEnv), progress: progress}
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.IntVar(&o.kills, "n", 20, "kills in each mode; with another fault than kill, runs in each mode")
	flags.StringVar(&o.fault, "fault", faultKill, "kill the service; lock the database from outside; outage of the network (whatsapp, messenger); pause or restart Postgres")
	flags.DurationVar(&o.lasts, "for", 3*time.Minute, "how long another fault than kill lasts")
	flags.IntVar(&o.messages, "messages", 200, "how much customers do in a run with another fault than kill")
	flags.IntVar(&o.parallel, "parallel", 4, "runs at the same time")
	flags.StringVar(&o.db, "db", dbSQLite, "sqlite or postgres (a new database in "+postgresEnv+")")
	mode := flags.String("mode", "all", "how the service hears: webhook, poll (of Telegram), whatsapp, messenger, some of these divided by commas, or all")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "of all random choices")
	flags.IntVar(&o.customers, "customers", 40, "how many customers write")
	flags.StringVar(&o.binary, "faqbot", "", "the binary to kill; built from this module if not given")
	if err := flags.Parse(args); err != nil {
		return err
	}
	modes, known := modesOf(*mode)
	switch {
	case !known || flags.NArg() > 0:
		return errors.New("usage: crash -mode webhook,poll,whatsapp,messenger or all, and no arguments")
	case o.db != dbSQLite && o.db != dbPostgres:
		return fmt.Errorf("-db %s: use sqlite or postgres", o.db)
	case o.db == dbPostgres && o.postgres == "":
		return fmt.Errorf("-db postgres needs %s: run it under .ci/with-postgres", postgresEnv)
	case o.kills < 1 || o.customers < 1 || o.messages < 1 || o.parallel < 1 || o.lasts <= 0:
		return errors.New("-n, -customers, -messages, -parallel and -for must be at least 1")
	}
	if err := o.checkFault(modes); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "faqbot-crash-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if o.binary == "" {
		if o.binary, err = build(ctx, dir); err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err := runModes(ctx, o, modes, dir, out); err != nil {
		fmt.Fprintf(progress, "crash: the service's log and database are kept in %s\n", dir)
		return err
	}
	return os.RemoveAll(dir)
}

// modesOf are the modes that a flag names.
func modesOf(flag string) (modes []string, known bool) {
	all := []string{modeWebhook, modePoll, modeWhatsApp, modeMessenger}
	if flag == "all" {
		return all, true
	}
	modes = strings.Split(flag, ",")
	return modes, !slices.ContainsFunc(modes, func(m string) bool { return !slices.Contains(all, m) })
}

// runs are the runs that o asks for: one in each mode, or as many as n says, each with a seed of its own.
func (o options) runs(modes []string) (list []options) {
	times := 1
	if o.fault != faultKill {
		times = o.kills
	}
	for _, mode := range modes {
		for i := range times {
			one := o
			one.mode, one.seed = mode, o.seed+uint64(i)
			list = append(list, one)
		}
	}
	return list
}

// runModes carries out the runs of o, some at the same time, and prints what came of them.
func runModes(ctx context.Context, o options, modes []string, dir string, out io.Writer) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.parallel)
	list := o.runs(modes)
	reports := make([]report, len(list))
	for i, o := range list {
		o.dir = filepath.Join(dir, fmt.Sprintf("%s-%d", o.mode, o.seed))
		if err := os.Mkdir(o.dir, 0o700); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		g.Go(func() (err error) {
			if reports[i], err = run(ctx, o); err != nil {
				return fmt.Errorf("mode %s, seed %d: %w", o.mode, o.seed, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	violated := false
	for _, r := range reports {
		r.print(out)
		violated = violated || len(r.Violations) > 0
	}
	if violated {
		return errViolated
	}
	return nil
}

// build builds the service into dir.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "faqbot")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "faqbot/cmd/faqbot").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the service: %w\n%s", err, said)
	}
	return binary, nil
}
