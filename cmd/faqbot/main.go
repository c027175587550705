// Command faqbot runs the service and the tools around it. This package is flags, configuration,
// wiring and the HTTP server; what the service does lives in the folders to the left of cmd.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"faqbot/bot/accounts"
)

// commands are the sub-commands and their flags.
type commands struct {
	Config string `help:"Configuration file. Default: faqbot.toml here, if there is one; else ./faqbot.db and 127.0.0.1:8080." placeholder:"FILE" type:"path"`

	Demo    demoCommand    `cmd:"" help:"Run a service with a made-up FAQ, to try everything in a browser."`
	Serve   serveCommand   `cmd:"" help:"Run the service until it is told to stop."`
	Import  importCommand  `cmd:"" help:"Read an affiliate's FAQ file, show what would change, and publish it if asked to. Works beside a running server."`
	Export  exportCommand  `cmd:"" help:"Write what an affiliate has published as a file, or as a folder of Markdown. Works beside a running server."`
	Ask     askCommand     `cmd:"" help:"Ask the engine a question, or a file of them, in the terminal."`
	Eval    evalCommand    `cmd:"" help:"Measure how well the engine answers."`
	Desk    deskCommand    `cmd:"" help:"Work on tickets in the terminal."`
	Channel channelCommand `cmd:"" help:"Set up accounts on messaging networks, and look after them."`
	User    userCommand    `cmd:"" help:"Manage the people who sign in."`

	Affiliate affiliateCommand `cmd:"" help:"Add, list and archive affiliates."`
	Key       keyCommand       `cmd:"" help:"Look after the key that seals tokens, secrets and signing keys."`
	Mail      mailCommand      `cmd:"" help:"Send a mail to see whether the settings under [mail] are right."`
	Forget    forgetCommand    `cmd:"" help:"Erase a customer, or write all there is of them into a file."`
	Backup    backupCommand    `cmd:"" help:"Write the database into one file. Works beside a running server."`
	Restore   restoreCommand   `cmd:"" help:"Put a backup in the place of the database."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database to this version's schema. serve does it too."`
	Check     checkCommand     `cmd:"" help:"Check the configuration and show what is in effect, without secrets."`
	Version   versionCommand   `cmd:"" help:"Print the version and the encoder's kernel."`

	ReadFile readFileCommand `cmd:"" hidden:"" help:"Read one file for another faqbot, with limits."`
}

// A terminal is where a command reads and writes.
type terminal struct {
	out, err io.Writer
}

const (
	exitDone     = 0
	exitMissed   = 1 // done, and what was measured is below its floor
	exitCouldNot = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	done := make(chan int, 1)
	go func() { done <- run(ctx, os.Args[1:], terminal{out: os.Stdout, err: os.Stderr}) }()
	select {
	case code := <-done:
		os.Exit(code)
	case <-ctx.Done():
	}
	select {
	case code := <-done:
		os.Exit(code)
	case <-time.After(stopsWithin(os.Args[1:])):
		fmt.Fprintln(os.Stderr, "faqbot: stopped before it was done; nothing was published by halves")
		os.Exit(exitCouldNot)
	}
}

// maxGoodbye is how long a command may go on once it was told to stop. A step of it may not look at its
// context; what it has not committed then is as if it had not begun.
const maxGoodbye = time.Second

// stopsWithin is how long the command of args may take to stop: a service finishes what is in hand, and has a
// limit of its own for that.
func stopsWithin(args []string) time.Duration {
	if slices.Contains(args, "serve") || slices.Contains(args, "demo") {
		return stopWithin + maxGoodbye
	}
	return maxGoodbye
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args []string, term terminal) int {
	var cli commands
	exit := -1
	parser, err := kong.New(&cli, kong.Name("faqbot"),
		kong.Description("Answers customers' questions from an affiliate's own FAQ, on the messengers they use, and fetches a person when it cannot.\n\n"+
			"Start here:  faqbot import faq.csv --affiliate acme --publish;  faqbot ask --affiliate acme \"how do I get paid?\""),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(term.out, term.err), kong.Exit(func(code int) { exit = code }),
		kong.Vars{"networks": strings.Join(accounts.Names(accounts.Networks()), ",")},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(term))
	if err != nil {
		panic(err) // the struct above is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err == nil {
		err = parsed.Run(&cli)
	}
	if errors.Is(err, errMissed) {
		return exitMissed
	}
	if err != nil {
		if pe, ok := errors.AsType[*kong.ParseError](err); ok {
			fmt.Fprintf(term.err, "faqbot: %v\nTry: faqbot --help\n", pe)
		} else if !errors.Is(err, errReported) {
			fmt.Fprintf(term.err, "faqbot: %v\n", err)
		}
		return exitCouldNot
	}
	return exitDone
}

// errReported ends a command that could not do its work and has said why.
var errReported = errors.New("said already")

// errMissed ends a command that has shown that a floor is missed.
var errMissed = errors.New("a floor is missed")
