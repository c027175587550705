package handoff

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	botstore "faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/handoff/bymail"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/events"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
	"faqbot/knowledge/waittest"
	"faqbot/retrieval/learn"
)

// An office is a desk, a bot that hands everybody over, and a network that takes every reply.
type office struct {
	t       *testing.T
	db      *sqldb.DB
	desk    *Desk
	intake  *inbound.Intake
	network *network
	account bot.Account
	phones  *phones
	other   bot.Account // the same affiliate's, on phones
}

// phones is a network to which links lead.
type phones struct{ network }

func (*phones) Link(_ context.Context, _, ref string) (string, error) {
	return "https://phones.example/" + ref, nil
}

type network struct {
	mu   sync.Mutex
	sent []string
}

func (n *network) Limits() bot.Limits { return bot.Limits{Text: 1000, Choices: 3, Label: 40} }

func (n *network) Send(_ context.Context, _ bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, r.Text)
	return string(id), nil
}

func (n *network) texts() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.sent...)
}

// onBoth opens an office on SQLite and on Postgres.
func onBoth(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), botstore.Schema(), Schema(), gaps.Schema(), learn.Schema(), cases.Schema(), mail.Schema(), bymail.Schema()}, func(t *testing.T, db *sqldb.DB) {
		log := logrus.New()
		log.SetOutput(t.Output())
		phrases, err := dialogue.LoadPhrases()
		require.NoError(t, err)
		o := &office{t: t, db: db, network: &network{}, account: bot.Account{Channel: "test", ID: "one", Affiliates: []knowledge.AffiliateID{"acme"}},
			phones: &phones{}, other: bot.Account{Channel: "phones", ID: "two", Affiliates: []knowledge.AffiliateID{"acme"}}}
		accounts := bot.NewRegistry()
		accounts.Put(o.account, o.network)
		accounts.Put(o.other, o.phones)
		linkKey := vault.FixedSigner([]byte("a key for links"))
		rows := botstore.New(db)
		o.desk = NewDesk(db, conversations.New(rows, accounts, conversations.Options{LinkKey: linkKey}), phrases, log, nil)
		o.intake = inbound.NewIntake(rows, accounts, log, inbound.IntakeOptions{LinkKey: linkKey})
		engine := dialogue.NewEngine(nothing{}, phrases, dialogue.DefaultPolicy())
		runner := turns.NewRunner(rows, engine, accounts, log, turns.RunnerOptions{})
		courier := outbound.NewCourier(rows, accounts, o.desk, log, outbound.CourierOptions{})
		ctx, stop := context.WithCancel(context.Background())
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return runner.Run(ctx) })
		g.Go(func() error { return courier.Run(ctx) })
		t.Cleanup(func() { stop(); require.NoError(t, g.Wait()) })
		test(t, o)
	})
}

func (o *office) say(id, text string) {
	o.t.Helper()
	require.NoError(o.t, o.intake.Accept(o.t.Context(), o.account, []bot.Event{{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"},
		ExternalID: id, At: time.Now(), Message: &bot.Inbound{Text: text}}}))
}

func (o *office) soon(what string, cond func() bool) {
	o.t.Helper()
	require.Eventually(o.t, cond, waittest.Hang, 5*time.Millisecond, what)
}

// ticket waits for the only ticket to be as asked.
func (o *office) ticket(what string, ok func(Ticket) bool) (t Ticket) {
	o.t.Helper()
	o.soon(what, func() bool {
		list, err := o.desk.List(o.t.Context(), Filter{Affiliates: everyone(), States: States()})
		require.NoError(o.t, err)
		require.LessOrEqual(o.t, len(list), 1)
		if len(list) == 1 {
			t = list[0]
		}
		return len(list) == 1 && ok(t)
	})
	return t
}

// happened are the events of what people did.
func (o *office) happened() (list []string) {
	o.t.Helper()
	all, err := events.List(o.t.Context(), o.db)
	require.NoError(o.t, err)
	for _, e := range all {
		if !slices.Contains([]events.Kind{events.Received, events.Answered, events.AskedBack}, e.Kind) {
			list = append(list, strings.Join(strings.Fields(string(e.Kind)+" "+e.Reason+" "+e.Agent), " "))
			require.NotEmpty(o.t, e.Episode)
		}
	}
	return list
}

func TestTicketFromWishToClose(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "my payout is missing")
		o.soon("asked back", func() bool { return len(o.network.texts()) == 1 })
		o.say("u2", "talk to a person please")
		tk := o.ticket("opened", func(tk Ticket) bool { return tk.State == StateOpen })
		require.Equal(t, []any{"my payout is missing", QueueName("acme"), knowledge.AffiliateID("acme"), bot.ReasonAskedPerson},
			[]any{tk.Question, tk.Queue, tk.Affiliate, tk.Reason})
		require.Equal(t, answerWithin, tk.DueAt.Sub(tk.OpenedAt))

		require.NoError(t, o.desk.Take(t.Context(), tk.ID, "ann", false))
		require.ErrorIs(t, o.desk.Take(t.Context(), tk.ID, "bob", false), ErrTaken)
		require.ErrorIs(t, o.desk.Reply(t.Context(), tk.ID, "bob", "k0", "hello"), ErrTaken)
		require.ErrorIs(t, o.desk.Close(t.Context(), tk.ID, "bob"), ErrTaken)
		for range 2 { // a double click sends once
			require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k1", "It went out today."))
		}
		require.Error(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k2", "  "))
		require.Error(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k3", strings.Repeat("x", LongestReply+1)))
		o.ticket("answered", func(tk Ticket) bool { return tk.WaitingSince.IsZero() && !tk.RepliedAt.IsZero() })
		o.say("u3", "it did not arrive")
		o.ticket("waiting again", func(tk Ticket) bool { return !tk.WaitingSince.IsZero() })

		for range 2 { // a double click notes once
			require.NoError(t, o.desk.Note(t.Context(), tk.ID, "ann", "n1", "checked with the bank"))
		}
		require.ErrorIs(t, o.desk.Note(t.Context(), tk.ID, "ann", "n2", " "), ErrEmpty)
		c, err := o.desk.Show(t.Context(), tk.ID)
		require.NoError(t, err)
		require.Len(t, c.Notes, 1)
		require.Equal(t, "it did not arrive", c.Said[len(c.Said)-1].Text)

		require.NoError(t, o.desk.Take(t.Context(), tk.ID, "bob", true))
		for range 2 {
			require.NoError(t, o.desk.Close(t.Context(), tk.ID, "bob"))
		}
		require.ErrorIs(t, o.desk.Reply(t.Context(), tk.ID, "bob", "k4", "more"), ErrClosed)
		o.soon("told", func() bool {
			return strings.Contains(strings.Join(o.network.texts(), " "), "automated assistant")
		})
		said := o.network.texts()
		require.Equal(t, 1, strings.Count(strings.Join(said, "|"), "It went out today."))
		o.say("u4", "hello")
		o.soon("the bot answers again", func() bool { return len(o.network.texts()) > len(said) })
		require.Equal(t, []string{"handed_off asked_person", "taken ann", "replied ann", "taken bob", "closed resolved bob"}, o.happened(), "what is done twice happened once")
	})
}

// Two agents reach for one ticket: one has it.
func TestTakeAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		tk := o.ticket("opened", func(tk Ticket) bool { return tk.State == StateOpen })
		var g errgroup.Group
		errs := make([]error, 8)
		for i := range errs {
			g.Go(func() error {
				errs[i] = o.desk.Take(t.Context(), tk.ID, AgentID(string(rune('a'+i))), false)
				return nil
			})
		}
		require.NoError(t, g.Wait())
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, ErrTaken)
			}
		}
		require.Equal(t, 1, won)
	})
}

func TestTellTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		tk := o.ticket("opened", func(Ticket) bool { return true })
		n := bot.DeskEvent{Conversation: tk.Conversation, Seq: 99, At: tk.OpenedAt, Escalation: &bot.Escalation{ID: "e2", Reason: bot.ReasonBroken}}
		for range 2 { // a cause that somebody's ticket was opened for already opens none
			require.NoError(t, o.desk.Tell(t.Context(), n))
		}
		n = bot.DeskEvent{Conversation: tk.Conversation, Seq: 100, At: time.Now(), Failure: &bot.DeliveryFailure{State: "failed", Code: "blocked"}}
		for range 2 {
			require.NoError(t, o.desk.Tell(t.Context(), n))
		}
		c, err := o.desk.Show(t.Context(), tk.ID)
		require.NoError(t, err)
		require.Len(t, c.Notes, 1)
		require.Contains(t, c.Notes[0].Text, "blocked")
		o.ticket("still one", func(Ticket) bool { return true })
	})
}

// The time by which somebody must write counts from the first message that nobody has answered. A customer who writes
// again does not wait longer for it.
func TestWritingAgainPostponesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		tk := o.ticket("opened", func(tk Ticket) bool { return !tk.WaitingSince.IsZero() })
		wrote := func(seq int64, after time.Duration) time.Time {
			require.NoError(t, o.desk.Tell(t.Context(), bot.DeskEvent{Conversation: tk.Conversation, Seq: seq, At: tk.OpenedAt.Add(after), Wrote: []bot.MessageID{"m"}}))
			now, err := o.desk.Ticket(t.Context(), tk.ID)
			require.NoError(t, err)
			return now.DueAt
		}
		require.Equal(t, tk.DueAt, wrote(101, time.Hour))
		require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k1", "One moment."))
		due := wrote(102, 2*time.Hour)
		require.Equal(t, tk.OpenedAt.Add(2*time.Hour+answerWithin), due, "after a reply the next message counts")
		require.Equal(t, due, wrote(103, 3*time.Hour))
	})
}

// The customer writes while the agent closes: the ticket opens again, nobody is forgotten.
func TestWroteWhileClosing(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		tk := o.ticket("opened", func(Ticket) bool { return true })
		require.NoError(t, o.desk.Close(t.Context(), tk.ID, "ann"))
		require.NoError(t, o.desk.Tell(t.Context(), bot.DeskEvent{Conversation: tk.Conversation, Seq: 50, At: time.Now(), Wrote: []bot.MessageID{"m"}}))
		o.ticket("open again", func(tk Ticket) bool {
			return tk.State == StateOpen && !tk.WaitingSince.IsZero() && tk.ClosedAt.IsZero()
		})
		c, err := o.desk.Show(t.Context(), tk.ID)
		require.NoError(t, err)
		require.Equal(t, bot.ModePerson, c.Conversation.Mode)
		require.Equal(t, []string{"handed_off asked_person", "closed resolved ann", "reopened"}, o.happened())
	})
}

// The customer asks for a person while the agent closes, when the bot has the conversation again and the ticket is
// still open: that is another ticket, which closing the first one leaves alone.
func TestAskedAgainWhileClosing(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		first := o.ticket("opened", func(Ticket) bool { return true })
		require.NoError(t, o.desk.conversations.HandBack(t.Context(), first.Conversation, bot.Reply{Text: "The bot answers again."}))
		o.say("u2", "/human")
		var open []Ticket
		o.soon("another ticket", func() bool {
			var err error
			open, err = o.desk.List(t.Context(), Filter{Affiliates: everyone()})
			require.NoError(t, err)
			return len(open) == 1 && open[0].ID != first.ID
		})
		require.NoError(t, o.desk.Close(t.Context(), first.ID, "ann"))
		c, err := o.desk.Show(t.Context(), open[0].ID)
		require.NoError(t, err)
		require.Equal(t, StateOpen, c.Ticket.State)
		require.Equal(t, bot.ModePerson, c.Conversation.Mode)
	})
}

func TestCustomerGoesBackToTheBot(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		o.ticket("opened", func(Ticket) bool { return true })
		o.say("u2", "/bot")
		o.ticket("closed", func(tk Ticket) bool { return tk.State == StateClosed && tk.Outcome == ResolutionLeft })
		o.say("u3", "/human")
		o.soon("another ticket", func() bool {
			list, err := o.desk.List(t.Context(), Filter{Affiliates: []knowledge.AffiliateID{"acme"}, States: States()})
			require.NoError(t, err)
			return len(list) == 2 && list[0].State == StateOpen
		})
		none, err := o.desk.List(t.Context(), Filter{Affiliates: []knowledge.AffiliateID{"other"}, States: States()})
		require.NoError(t, err)
		require.Empty(t, none, "one affiliate's tickets are not another's")
	})
}

// Whoever waits for a person without a ticket gets one.
func TestSweep(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "/human")
		tk := o.ticket("opened", func(Ticket) bool { return true })
		o.soon("nothing under way", func() bool {
			list, err := o.desk.conversations.WithPerson(t.Context(), time.Now().Add(time.Hour))
			require.NoError(t, err)
			return len(list) == 1
		})
		require.NoError(t, o.db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `DELETE FROM tickets`)
			return err
		}))
		require.NoError(t, o.desk.Sweep(t.Context()))
		list, err := o.desk.List(t.Context(), Filter{Affiliates: everyone()})
		require.NoError(t, err)
		require.Empty(t, list, "within the first minute it may still be on its way")
		o.desk.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
		for range 2 {
			require.NoError(t, o.desk.Sweep(t.Context()))
		}
		o.ticket("opened by the sweep", func(swept Ticket) bool { return swept.Conversation == tk.Conversation })
	})
}

func TestContact(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		require.ErrorIs(t, o.desk.Contact(t.Context(), "nobody", "ana@shop.example"), ErrNotFound)
		o.say("u1", "/human")
		tk := o.ticket("opened", func(Ticket) bool { return true })
		for range 2 {
			require.NoError(t, o.desk.Contact(t.Context(), tk.Conversation, "ana@shop.example"))
		}
		c, err := o.desk.Show(t.Context(), tk.ID)
		require.NoError(t, err)
		require.Len(t, c.Notes, 1)
		require.Contains(t, c.Notes[0].Text, "ana@shop.example")
	})
}
