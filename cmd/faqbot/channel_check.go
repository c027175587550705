package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/conversations"
	"faqbot/bot/network"
	"faqbot/bot/store"
)

// deadShown is how many dead letters and rejects of an account are shown.
const deadShown = 20

func (cmd channelCheck) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(_ config, served *accounts.Service, store *store.Store, conversations *conversations.Service) error {
		var keys []string
		if cmd.Account != "" {
			keys = []string{cmd.Account}
			if _, err := served.Report(ctx, cmd.Account); err != nil {
				return err
			}
		}
		list := served.Check(ctx, keys...)
		if len(list) == 0 {
			fmt.Fprintln(term.out, "No accounts on networks yet. Add one: faqbot channel add telegram")
			return nil
		}
		bad := false
		for _, r := range list {
			r, err := served.Report(ctx, r.Settings.Key()) // with its traffic
			if err != nil {
				return err
			}
			bad = bad || r.Health.Critical()
			if err := printReport(ctx, term.out, r, store, conversations, cmd.Rejects); err != nil {
				return err
			}
		}
		if bad {
			return errMissed
		}
		return nil
	})
}

func printReport(ctx context.Context, out io.Writer, r accounts.Report, store *store.Store, conversations *conversations.Service, bodies bool) error {
	state := "works"
	if r.Health.Critical() {
		state = "DOES NOT WORK"
	}
	fmt.Fprintf(out, "%s  %s  %s\n", r.Settings.Key(), state, r.Health.Name)
	printStanding(out, r)
	t := r.Traffic
	fmt.Fprintf(out, "  last message in  %s\n  last reply out   %s\n  waiting          %d\n", whenOrNever(t.HeardAt), whenOrNever(t.SentAt), t.Waiting)
	if !t.PausedUntil.IsZero() {
		fmt.Fprintf(out, "  ! %s\n", accounts.PauseWords(t))
	}
	for _, i := range t.Incidents {
		fmt.Fprintf(out, "  ! %s\n", i.Words())
	}
	if t.UndecodedPosts > 0 {
		fmt.Fprintf(out, "  ! %d posts of the network came in and wait to be read: more come than the service can take, or it does not run\n", t.UndecodedPosts)
	}
	if t.Rejects > 0 {
		list, err := store.Rejects(ctx, r.Settings.Channel, r.Settings.ID, deadShown)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  ! %d could not be read and are kept; they may hold customers' words:\n", t.Rejects)
		for _, x := range list {
			fmt.Fprintf(out, "      %s  %s  faqbot channel replay %s\n", x.At.Format(time.DateTime), x.Reason, x.ID)
			if bodies {
				fmt.Fprintf(out, "%s\n", x.Body)
			}
		}
	}
	if t.Dead > 0 {
		list, err := conversations.DeadLetters(ctx, r.Settings.Channel, r.Settings.ID, deadShown)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  ! %d replies did not get through:\n", t.Dead)
		for _, d := range list {
			again := "faqbot channel replay " + string(d.Delivery)
			if d.Refusal != "" {
				again = "not to be sent again: " + d.Refusal
			}
			fmt.Fprintf(out, "      %s  %s  %s\n", d.At.Format(time.DateTime), accounts.DeadWords(d), again)
		}
	}
	return nil
}

// guideOf is the file that says how to set an account on a network up.
func guideOf(channel string) string {
	n, _ := accounts.NetworkOf(channel)
	return n.GuidePath
}

func printStanding(out io.Writer, r accounts.Report) {
	for _, p := range r.Health.Problems {
		fmt.Fprintf(out, "  ! %s\n    %s (%s#%s)\n", p.What, p.Fix, guideOf(r.Settings.Channel), p.Section)
	}
}

func whenOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.DateTime + " UTC")
}

func (cmd channelSignOut) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(c config, _ *accounts.Service, store *store.Store, _ *conversations.Service) error {
		id, ok := strings.CutPrefix(cmd.Account, "webchat/")
		if !ok || !slices.ContainsFunc(c.Accounts, func(a network.Settings) bool { return a.Channel == "webchat" && a.ID == id }) {
			return fmt.Errorf("%s is no chat on a page that the configuration has; write it as webchat/NAME", cmd.Account)
		}
		if err := store.SignOutVisitors(ctx, id, cmd.Visitor, time.Now()); err != nil {
			return err
		}
		fmt.Fprintln(term.out, "Signed out. Open pages lose their conversation within a minute.")
		return nil
	})
}

func (cmd channelReplay) Run(ctx context.Context, cli *commands, term terminal) error {
	return withAccounts(ctx, cli, term, func(_ config, _ *accounts.Service, store *store.Store, conversations *conversations.Service) error {
		channel, account, err := store.RejectAccount(ctx, cmd.ID)
		if err == nil {
			if _, err := store.ReadAgain(ctx, channel, account, cmd.ID, time.Now()); err != nil {
				return err
			}
			fmt.Fprintln(term.out, "It is read again; a running service does it now. If it still cannot be read, check shows it again.")
			return nil
		}
		if !errors.Is(err, bot.ErrNotFound) {
			return err
		}
		err = conversations.Replay(ctx, bot.DeliveryID(cmd.ID))
		if errors.Is(err, bot.ErrNotFound) {
			return fmt.Errorf("%s is neither a reply that did not get through nor a post that could not be read; see faqbot channel check", cmd.ID)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(term.out, "It is sent again, once; a running service does it now.")
		return nil
	})
}
