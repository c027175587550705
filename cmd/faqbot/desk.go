package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/dialogue"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/knowledge"
)

// deskCommand works on tickets beside a running server.
type deskCommand struct {
	As string `help:"Who you are; your user name if not given." placeholder:"AGENT"`

	List     deskList     `cmd:"" help:"List tickets: who waits first."`
	Show     deskShow     `cmd:"" help:"Show a ticket, or a conversation without one, and everything that was said."`
	Take     deskTake     `cmd:"" help:"Take a ticket, so that others see that you work on it."`
	Reply    deskReply    `cmd:"" help:"Answer the customer, in the chat they wrote in."`
	Note     deskNote     `cmd:"" help:"Keep a note that the customer never sees."`
	Close    deskClose    `cmd:"" help:"Close a ticket: the customer is told, and the bot answers again."`
	Handback deskHandBack `cmd:"" name:"hand-back" help:"Give the conversation back to the bot, unresolved."`
}

type deskList struct {
	Affiliate string `help:"Only this affiliate's." placeholder:"NAME"`
	All       bool   `help:"Closed ones too."`
}

type deskTicket struct {
	Ticket string `arg:"" help:"The ticket's ID, from list."`
}

type (
	deskShow struct {
		ID string `arg:"" help:"A ticket's ID, from list, or a conversation's, from /desk/conversations or the log."`
	}
	deskTake struct {
		deskTicket
		Over bool `help:"Take it over from whoever has it."`
	}
	deskReply struct {
		deskTicket
		Text []string `arg:"" help:"What to say."`
	}
	deskNote struct {
		deskTicket
		Text []string `arg:"" help:"What to note."`
	}
	deskClose    struct{ deskTicket }
	deskHandBack struct{ deskTicket }
)

// atDesk opens the desk for one command.
func atDesk(ctx context.Context, cli *commands, term terminal, do func(*handoff.Desk, handoff.AgentID) error) error {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	log := newLogger(term.err)
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return err
	}
	db, err := openDB(ctx, c)
	if err != nil {
		return err
	}
	n, err := newNetworks(c, accounts.Options{Store: store.New(db), Log: log})
	if err == nil {
		err = n.served.Reload(ctx)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	agent := cli.Desk.As
	if agent == "" {
		agent = whoami()
	}
	err = do(handoff.NewDesk(db, newConversations(db, n, nil, nil), phrases, log, nil), handoff.AgentID(agent))
	return errors.Join(deskWords(err), db.Close())
}

// deskWords adds what to do to the errors a person at the desk meets.
func deskWords(err error) error {
	se, refused := errors.AsType[*bot.SendError](err)
	switch {
	case errors.Is(err, handoff.ErrNotFound):
		return fmt.Errorf("%w; faqbot desk list shows those there are", err)
	case errors.Is(err, handoff.ErrTaken):
		return fmt.Errorf("%w; faqbot desk take --over takes it over", err)
	case errors.Is(err, handoff.ErrClosed):
		return fmt.Errorf("%w; it opens again when the customer asks for a person", err)
	case refused && se.Kind == bot.SendBlocked:
		return errors.New("the customer has blocked this account, so nothing can be sent; nothing was stored")
	case refused && se.Kind == bot.SendWindowClosed:
		return errors.New("the network lets nobody write until the customer writes again; nothing was stored")
	}
	return err
}

func (cmd deskList) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, _ handoff.AgentID) error {
		f := handoff.Filter{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}}
		if cmd.Affiliate != "" {
			f.Affiliates = []knowledge.AffiliateID{knowledge.AffiliateID(cmd.Affiliate)}
		}
		if cmd.All {
			f.States = handoff.States()
		}
		list, err := d.List(ctx, f)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			fmt.Fprintln(term.out, "No tickets: nobody is waiting.")
			return nil
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "TICKET\tQUEUE\tSTATE\tAGENT\tDUE\tREASON\tQUESTION")
		for _, t := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Queue, t.State, t.Assignee, due(t, time.Now()), t.Reason, oneLine(t.Question, 60))
		}
		return w.Flush()
	})
}

// due says when somebody must have written, from now.
func due(t handoff.Ticket, now time.Time) string {
	switch left := t.DueAt.Sub(now).Round(time.Minute); {
	case t.State == handoff.StateClosed, t.WaitingSince.IsZero():
		return "-"
	case left < 0:
		return fmt.Sprintf("late by %s", (-left).String())
	default:
		return "in " + left.String()
	}
}

// oneLine is s on one line of at most most characters, safe to print on a terminal.
func oneLine(s string, most int) string {
	runes := []rune(printable(strings.Join(strings.Fields(s), " ")))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// printable drops control characters: a customer's words must not steer an agent's terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7F && r < 0xA0 {
			return -1
		}
		return r
	}, s)
}

func (cmd deskShow) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, _ handoff.AgentID) error {
		c, err := d.Show(ctx, handoff.TicketID(cmd.ID))
		if errors.Is(err, handoff.ErrNotFound) {
			c, err = d.ShowConversation(ctx, bot.ConversationID(cmd.ID))
		}
		if errors.Is(err, bot.ErrNotFound) {
			return fmt.Errorf("there is no ticket and no conversation %s; faqbot desk list --all shows the tickets there are, /desk/conversations the conversations", cmd.ID)
		}
		if err != nil {
			return err
		}
		showCase(term.out, c)
		return nil
	})
}

func showCase(w io.Writer, c handoff.Case) {
	t := c.Ticket
	if t.ID == "" {
		fmt.Fprintf(w, "conversation %s  %s  language %s\n", c.Conversation.ID, whoHas(c.Conversation), orNone(c.Conversation.Locale))
	} else {
		fmt.Fprintf(w, "ticket %s  queue %s  %s  %s  reason %s  language %s\n", t.ID, t.Queue, t.State, orNone(string(t.Assignee)), t.Reason, orNone(t.Locale))
	}
	fmt.Fprintf(w, "customer on %s", c.Conversation.Address.Key())
	if ref := c.Conversation.FirstRef; ref != "" {
		fmt.Fprintf(w, ", came by %s, last by %s", ref, c.Conversation.LastRef)
	}
	if c.Conversation.Unreachable {
		fmt.Fprint(w, ", has blocked us")
	}
	fmt.Fprintln(w)
	if len(t.Tried) > 0 {
		fmt.Fprintf(w, "the bot considered %v\n", t.Tried)
	}
	fmt.Fprintln(w)
	for _, m := range c.Said {
		who := string(m.Author)
		if m.Agent != "" {
			who = m.Agent
		}
		text := m.Text
		if text == "" && m.Choice != "" {
			text = "(tapped a button)"
		}
		for _, a := range m.Attachments {
			text += fmt.Sprintf(" [%s]", a.Kind)
		}
		fmt.Fprintf(w, "%s  %s: %s", m.At.Local().Format("2 Jan 15:04"), who, printable(text))
		if m.Status == bot.StatusFailed || m.Status == bot.StatusQueued {
			fmt.Fprintf(w, "  (%s)", m.Status)
		}
		fmt.Fprintln(w)
	}
	for _, n := range c.Notes {
		who := string(n.Agent)
		if who == "" {
			who = "note"
		}
		fmt.Fprintf(w, "%s  %s (private): %s\n", n.At.Local().Format("2 Jan 15:04"), who, printable(n.Text))
	}
}

// whoHas says who has a conversation that has no open ticket.
func whoHas(c bot.Conversation) string {
	if c.Mode == bot.ModePerson {
		return "a person has it: faqbot desk list shows the ticket"
	}
	return fmt.Sprintf("no person has it: to take it over, step in at /desk/conversations/%s", c.ID)
}

func (cmd deskTake) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, a handoff.AgentID) error {
		return said(term, "Taken.", d.Take(ctx, handoff.TicketID(cmd.Ticket), a, cmd.Over))
	})
}

func (cmd deskReply) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, a handoff.AgentID) error {
		return said(term, "On its way to the customer.", d.Reply(ctx, handoff.TicketID(cmd.Ticket), a, rand.Text(), strings.Join(cmd.Text, " ")))
	})
}

func (cmd deskNote) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, a handoff.AgentID) error {
		return said(term, "Noted.", d.Note(ctx, handoff.TicketID(cmd.Ticket), a, rand.Text(), strings.Join(cmd.Text, " ")))
	})
}

func (cmd deskClose) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, a handoff.AgentID) error {
		return said(term, "Closed; the bot answers again.", d.Close(ctx, handoff.TicketID(cmd.Ticket), a))
	})
}

func (cmd deskHandBack) Run(ctx context.Context, cli *commands, term terminal) error {
	return atDesk(ctx, cli, term, func(d *handoff.Desk, a handoff.AgentID) error {
		return said(term, "The bot has it back.", d.HandBack(ctx, handoff.TicketID(cmd.Ticket), a))
	})
}

// said prints done unless err.
func said(term terminal, done string, err error) error {
	if err == nil {
		fmt.Fprintln(term.out, done)
	}
	return err
}
