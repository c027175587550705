package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"faqbot/bot/accounts"
	"faqbot/bot/conversations"
	"faqbot/bot/network"
	"faqbot/bot/store"
	"faqbot/knowledge/sqldb"
)

// channelCommand sets up accounts on networks and looks after them, beside a running server.
type channelCommand struct {
	Add     channelAdd     `cmd:"" help:"Add an account: asks for what is needed, checks it with the network, and sets the webhook."`
	List    channelList    `cmd:"" help:"List the accounts."`
	Check   channelCheck   `cmd:"" help:"Say what is wrong with the accounts and how to fix it. Exit code 1 if one does not work."`
	Webhook channelWebhook `cmd:"" help:"Point an account's webhook here again."`
	Replay  channelReplay  `cmd:"" help:"Send a reply again that did not get through, or read a post again that could not be read, by the ID that check shows."`
	SignOut channelSignOut `cmd:"" help:"Sign the visitors of a chat out: all of them, or one. What was said stays; they begin new conversations."`
	Remove  channelRemove  `cmd:"" help:"Forget an added account and its secrets. What was said on it stays."`
}

// channelAdd takes secrets by prompt or by reference, never as they are: the command line is for all to
// see.
type channelAdd struct {
	Network    string   `arg:"" enum:"${networks}" help:"One of ${networks}."`
	ID         string   `help:"Your name for the account; part of the webhook's address." placeholder:"NAME"`
	Affiliate  []string `help:"Whose entries answer; \"*\" for everyone's. May be given several times." placeholder:"NAME"`
	Token      string   `help:"The token, as env:NAME or file:PATH; asked for if not given." placeholder:"REF"`
	Secret     string   `help:"The app's secret, likewise. Some networks have none." placeholder:"REF"`
	Verify     string   `name:"verify-token" help:"The verify token, likewise; made if not given." placeholder:"REF"`
	NumberID   string   `help:"WhatsApp: the phone number's ID." placeholder:"ID"`
	BusinessID string   `help:"WhatsApp: the business account's ID." placeholder:"ID"`
	PageID     string   `help:"Messenger: the page's ID; Instagram: the account's." placeholder:"ID"`
	AppID      string   `help:"Meta: the app's ID." placeholder:"ID"`
	Locale     string   `help:"Language when a customer's is unknown." placeholder:"TAG"`
	APIBase    string   `name:"api-base" help:"The network's API, if it is another than the network's own." placeholder:"URL"`
	Poll       bool     `help:"Ask for messages, where no webhook can reach us. Telegram alone."`
	Test       bool     `help:"Then wait until you write to the account, and see that the answer goes out."`
}

type channelList struct{}

type channelAccount struct {
	Account string `arg:"" help:"The account, from list: telegram/shop."`
}

type (
	channelRemove  struct{ channelAccount }
	channelWebhook struct{ channelAccount }
	channelCheck   struct {
		Account string `arg:"" optional:"" help:"Only this account: telegram/shop."`
		Rejects bool   `help:"Print what could not be read, as it came. It may hold customers' words."`
	}
	channelSignOut struct {
		Account string `arg:"" help:"The chat's account: webchat/shop."`
		Visitor string `arg:"" optional:"" help:"Only this visitor, by the name that desk show tells: v:… or u:…"`
	}
	channelReplay struct {
		ID string `arg:"" help:"The reply's or post's ID, from check."`
	}
)

// withAccounts opens the accounts for one command.
func withAccounts(ctx context.Context, cli *commands, term terminal, do func(config, *accounts.Service, *store.Store, *conversations.Service) error) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error {
		store := store.New(db)
		log := newLogger(io.Discard)      // what is wrong is said in the command's own words
		_ = newKeyring(c, db).Reload(ctx) // makes the key if there is none yet; whoever needs it says what is wrong with it
		n, err := newNetworks(c, accounts.Options{Store: store, Log: log})
		if err == nil {
			err = n.served.Reload(ctx)
		}
		if err != nil {
			return err
		}
		return channelWords(do(c, n.served, store, newConversations(db, n, nil, nil)), term)
	})
}

// channelWords says what to do about the errors that are met here.
func channelWords(err error, term terminal) error {
	if refused, ok := errors.AsType[*accounts.RefusedError](err); ok {
		fmt.Fprintf(term.err, "faqbot: nothing was added. %s\n  %s\n", refused.Problem.What, refused.Problem.Fix)
		return errReported
	}
	if errors.Is(err, accounts.ErrNoAccount) {
		return fmt.Errorf("%w; see faqbot channel list", err)
	}
	return err
}

// A prompter asks a person.
type prompter func(question string, hidden bool) (string, error)

// terminalPrompter asks at the terminal, nil if nobody sits there.
func terminalPrompter(out io.Writer) prompter {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	in := bufio.NewReader(os.Stdin)
	return func(question string, hidden bool) (string, error) {
		fmt.Fprint(out, question)
		if hidden {
			answer, err := term.ReadPassword(fd)
			fmt.Fprintln(out)
			return string(answer), err
		}
		return in.ReadString('\n')
	}
}

func (cmd channelAdd) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(c config, served *accounts.Service, store *store.Store, _ *conversations.Service) error {
		s, err := cmd.settings(terminalPrompter(term.out), term.out)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "Asking %s about the account…\n", cmd.Network)
		began := time.Now()
		a, err := served.Add(ctx, s, ".") // paths of secrets are those of the command line
		if err != nil {
			return err
		}
		printAdded(term.out, a, c.address())
		if cmd.Test {
			return awaitTest(ctx, store, a, began, term.out)
		}
		return nil
	})
}

// settings are those given by flags, and by ask what is missing.
func (cmd channelAdd) settings(ask prompter, out io.Writer) (network.Settings, error) {
	n, _ := accounts.NetworkOf(cmd.Network)
	s := network.Settings{Channel: cmd.Network, APIBase: cmd.APIBase}
	if cmd.Poll {
		s.Mode = network.ModePoll
	}
	given := map[string]string{"id": cmd.ID, "affiliates": strings.Join(cmd.Affiliate, ","), "token": cmd.Token, "secret": cmd.Secret,
		"verify_token": cmd.Verify, "number_id": cmd.NumberID, "business_id": cmd.BusinessID, "page_id": cmd.PageID, "app_id": cmd.AppID, "locale": cmd.Locale}
	if ask != nil {
		fmt.Fprintf(out, "Adding an account on %s. %s says where to find everything.\n", n.Label, n.GuidePath)
	}
	for _, f := range n.Fields {
		value := given[f.Name]
		if f.Secret && value != "" && !network.IsReference(value) {
			return s, fmt.Errorf("--%s: a secret on the command line shows in the list of processes and in the shell's history; give env:NAME or file:PATH, or leave it out and be asked", strings.ReplaceAll(f.Name, "_", "-"))
		}
		for value == "" && ask != nil && (f.Must || f.Name == "locale") {
			answer, err := ask(fmt.Sprintf("\n%s\n%s: ", f.Hint, f.Label), f.Secret)
			if err != nil {
				return s, fmt.Errorf("read your answer: %w", err)
			}
			if value = strings.TrimSpace(answer); !f.Must {
				break
			}
		}
		if f.Must && value == "" {
			return s, fmt.Errorf("--%s is missing: %s", flagOf(f), f.Hint)
		}
		if f.Name != "api_base" {
			s.Set(f.Name, value)
		}
	}
	return s, nil
}

// flagOf is the flag of a field.
func flagOf(f network.Field) string {
	if f.Name == "affiliates" {
		return "affiliate"
	}
	return strings.ReplaceAll(f.Name, "_", "-")
}

func printAdded(out io.Writer, a accounts.Added, home string) {
	fmt.Fprintf(out, "Added %s: %s\n", a.Settings.Key(), orNone(a.Health.Name))
	if a.Hook != "" {
		fmt.Fprintf(out, "  webhook       %s\n", a.Hook)
	}
	if a.VerifyToken != "" {
		fmt.Fprintf(out, "  verify token  %s\n", a.VerifyToken)
	}
	n, _ := accounts.NetworkOf(a.Settings.Channel)
	switch {
	case n.OnPages != nil:
		fmt.Fprintf(out, "Put this line on your page:\n  %s\n", n.OnPages.Tag(a.Settings, home))
	case a.Settings.Mode == network.ModePoll:
		fmt.Fprintln(out, "faqbot asks the network for messages; a running `faqbot serve` has begun to.")
	case a.Hooked:
		fmt.Fprintln(out, "The network posts to it from now on.")
	case a.HookErr != nil:
		fmt.Fprintf(out, "  ! The webhook was not set: %v.\n", a.HookErr)
	case a.Hook != "":
		fmt.Fprintf(out, "  ! No service answers there for this account yet. Start `faqbot serve`, then: faqbot channel webhook %s\n", a.Settings.Key())
	}
	printStanding(out, a.Report)
	if a.Health.Link != "" {
		fmt.Fprintf(out, "Customers write to it at %s\n", a.Health.Link)
	}
}

// testWithin is how long awaitTest waits for a message and for its answer.
const testWithin = 2 * time.Minute

// awaitTest waits until somebody writes to the account and is answered.
func awaitTest(ctx context.Context, store *store.Store, a accounts.Added, since time.Time, out io.Writer) error {
	fmt.Fprintf(out, "Write something to the account now: %s\n", orNone(a.Health.Link))
	ctx, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	heard := false
	for {
		t, err := store.Traffic(ctx, a.Settings.Channel, a.Settings.ID, time.Now())
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !heard && t.HeardAt.After(since) {
			heard = true
			fmt.Fprintln(out, "A message came in.")
		}
		if heard && t.SentAt.After(since) {
			fmt.Fprintln(out, "The answer went out. The account works.")
			return nil
		}
		select {
		case <-ctx.Done():
			if heard {
				return fmt.Errorf("the answer did not go out within %s: see faqbot channel check %s", testWithin, a.Settings.Key())
			}
			return fmt.Errorf("no message came within %s: see faqbot channel check %s", testWithin, a.Settings.Key())
		case <-tick.C:
		}
	}
}

func (channelList) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(_ config, served *accounts.Service, _ *store.Store, _ *conversations.Service) error {
		list, err := served.Reports(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			fmt.Fprintln(term.out, "No accounts on networks yet. Add one: faqbot channel add telegram")
			return nil
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ACCOUNT\tFROM\tAFFILIATES\tWEBHOOK")
		for _, r := range list {
			from, hook := "file", r.Hook
			if r.Added {
				from = "added"
			}
			if r.Settings.Mode == network.ModePoll {
				hook = "(none needed)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Settings.Key(), from, orNone(strings.Join(r.Settings.Affiliates, ", ")), orNone(hook))
		}
		return w.Flush()
	})
}

func (cmd channelRemove) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(_ config, served *accounts.Service, _ *store.Store, _ *conversations.Service) error {
		if err := served.Remove(ctx, cmd.Account); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "Removed %s with its secrets. A running service stops serving it within a second.\n", cmd.Account)
		return nil
	})
}

func (cmd channelWebhook) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(_ config, served *accounts.Service, _ *store.Store, _ *conversations.Service) error {
		if err := served.Hook(ctx, cmd.Account); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "The network posts what customers write to %s here from now on.\n", cmd.Account)
		return nil
	})
}
