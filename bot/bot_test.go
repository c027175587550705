package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), Schema()}, func(t *testing.T, db *sqldb.DB) {
		test(t, newWorld(t, db))
	})
}

// A world is a bot with one account on a network that is a recorder.
type world struct {
	t        *testing.T
	db       *sqldb.DB
	store    *Store
	account  Account
	channel  *recorder
	accounts *Registry
	desk     *deskRecorder
	intake   *Intake
	log      logrus.FieldLogger
	skipped  atomic.Int64 // nanoseconds
	pokes    []func()     // of what is hurried
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	log := logrus.New()
	log.SetOutput(testOutput{t})
	account := Account{Channel: "test", ID: "one", Locale: "en", Affiliates: []knowledge.AffiliateID{"acme"}}
	channel := &recorder{limits: Limits{Text: 4096, Choices: 10, Label: 60, Resend: true}}
	accounts := NewRegistry()
	accounts.Put(account, channel)
	w := &world{t: t, db: db, store: NewStore(db), account: account, accounts: accounts,
		channel: channel, desk: &deskRecorder{}, log: log}
	w.intake = NewIntake(w.store, w.accounts, log, IntakeOptions{})
	return w
}

// kept puts a file among those that are kept, under a name that a test can read.
func (w *world) kept(id string) {
	_, err := w.db.ExecContext(w.t.Context(), `INSERT INTO blobs (id, type, size, data, kept_at) VALUES ($1, 'image/png', 1, $2, 0)`, id, []byte("x"))
	require.NoError(w.t, err)
}

func (w *world) runner(e Engine) *Runner {
	return NewRunner(w.store, e, w.accounts, w.log, RunnerOptions{})
}

func (w *world) courier() *Courier {
	return NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{})
}

func (w *world) conversations() *Conversations {
	return NewConversations(w.store, w.accounts, ConversationsOptions{})
}

// claimTurn claims one turn, if one is due.
func (w *world) claimTurn(now time.Time, lease time.Duration) (c turnClaim, ok bool, err error) {
	w.t.Helper()
	list, _, err := w.store.claimTurns(w.t.Context(), now, lease, 1)
	if len(list) == 0 {
		return c, false, err
	}
	err = w.store.loadTurn(w.t.Context(), &list[0])
	return list[0], true, err
}

// claimDelivery claims one delivery, if one is due.
func (w *world) claimDelivery(now time.Time, lease time.Duration) (d delivery, ok bool, err error) {
	w.t.Helper()
	d, _, ok, err = w.store.claimDelivery(w.t.Context(), now, lease, nil)
	return d, ok, err
}

func message(customer, id, text string) Event {
	return Event{Address: Address{"test", "one", customer}, ExternalID: id, At: time.Now(), Message: &Inbound{Text: text, NetworkID: id}}
}

// accept takes events in or fails the test.
func (w *world) accept(events ...Event) {
	w.t.Helper()
	require.NoError(w.t, w.intake.Accept(w.t.Context(), w.account, events))
}

// conversation returns the only conversation of customer.
func (w *world) conversation(customer string) Conversation {
	w.t.Helper()
	row := w.db.QueryRowContext(w.t.Context(), `SELECT `+conversationColumns+` FROM conversations WHERE customer = $1`, customer)
	c, err := scanConversation(row)
	require.NoError(w.t, err)
	return c
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), query, args...).Scan(&n))
	return n
}

// soon fails the test unless cond comes true within a minute: the machine may be busy.
func (w *world) soon(what string, cond func() bool) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		if cond() {
			return true
		}
		if w.pokes != nil {
			w.hasten()
		}
		return false
	}, time.Minute, 5*time.Millisecond, what)
}

// run runs loops until the test ends.
func (w *world) run(loops ...func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range loops {
		g.Go(func() error { return loop(ctx) })
	}
	w.t.Cleanup(func() {
		stop()
		require.NoError(w.t, g.Wait())
	})
}

// A recorder is a channel that keeps what it is asked to send, or fails as told.
type recorder struct {
	limits Limits
	mu     sync.Mutex
	sent   map[string][]Reply // by customer
	tries  int
	fail   func(to Address, r Reply) error // asked before each send, nil means never
	typing func() error
}

func (c *recorder) Limits() Limits { return c.limits }

func (c *recorder) Send(_ context.Context, to Address, id DeliveryID, r Reply) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if c.fail != nil {
		if err := c.fail(to, r); err != nil {
			return "", err
		}
	}
	if c.sent == nil {
		c.sent = map[string][]Reply{}
	}
	c.sent[to.Customer] = append(c.sent[to.Customer], r)
	return "x" + string(id), nil
}

func (c *recorder) Typing(context.Context, Address) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.typing == nil {
		return nil
	}
	return c.typing()
}

func (c *recorder) texts(customer string) (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.sent[customer] {
		list = append(list, r.Text)
	}
	return list
}

func (c *recorder) failing(f func(Address, Reply) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}

// A deskRecorder keeps the news, or fails as told.
type deskRecorder struct {
	mu   sync.Mutex
	news []News
	err  error
}

func (d *deskRecorder) Tell(_ context.Context, n News) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.news = append(d.news, n)
	return nil
}

func (d *deskRecorder) failing(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *deskRecorder) heard() []News {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]News(nil), d.news...)
}

// An echo answers with the words it heard, forwards in mode person, and hands off on "person".
type echo struct {
	before func(t Turn) error // called first, nil means nothing
}

func (e echo) Turn(_ context.Context, t Turn) (Outcome, error) {
	if e.before != nil {
		if err := e.before(t); err != nil {
			return Outcome{}, err
		}
	}
	var words []string
	for _, m := range t.Waiting {
		words = append(words, m.Text)
	}
	o := Outcome{Decision: Decision{Action: ActionAnswer, Reason: ReasonConfident}, Next: t.Conversation, Trace: Trace{Rule: "echo"}}
	said := strings.Join(words, "+")
	switch {
	case t.Conversation.Mode == ModePerson:
		o.Decision = Decision{Action: ActionForward, Reason: ReasonPersonHasIt}
		return o, nil
	case said == "person":
		return e.handoff(t, ReasonAskedPerson), nil
	}
	o.Replies = []Reply{{Text: "re: " + said}}
	return o, nil
}

func (e echo) Broken(t Turn) Outcome { return e.handoff(t, ReasonBroken) }

func (e echo) handoff(t Turn, r Reason) Outcome {
	next := t.Conversation
	next.Mode = ModePerson
	return Outcome{Decision: Decision{Action: ActionHandoff, Reason: r}, Next: next, Replies: []Reply{{Text: "to a person"}},
		Escalate: &Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: r, Question: t.Waiting[0].Text}}
}

// now is a time that hasten moves on, so that hours of back-off pass in a test.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.skipped.Load())) }

// hasten skips time towards what is due next, but not while something is in hand, whose lease would run out.
func (w *world) hasten() {
	var due, lease, paused sql.NullInt64
	now := w.now()
	err := w.db.QueryRowContext(w.t.Context(), `SELECT MIN(due), MAX(lease),
			(SELECT MAX(at) FROM (SELECT MAX(until) AS at FROM pauses UNION ALL SELECT MAX(probe_at) FROM incidents WHERE ended_at = 0) AS held) FROM (
		SELECT due_at AS due, lease_until AS lease FROM deliveries WHERE state = 'queued'
		UNION ALL SELECT turn_due_at, lease_until FROM conversations WHERE turn_due_at > 0) AS work`).Scan(&due, &lease, &paused)
	if err != nil || !due.Valid || lease.Int64 > 0 {
		return
	}
	next := time.UnixMilli(max(due.Int64, paused.Int64))
	w.skipped.Add(int64(max(0, next.Sub(now)))) // what is due already waits for a core, not for time
	for _, poke := range w.pokes {
		poke()
	}
}

// hurried runs an engine and a courier, with time skipped while soon waits.
func (w *world) hurried(e Engine) {
	r := NewRunner(w.store, e, w.accounts, w.log, RunnerOptions{Now: w.now})
	c := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: w.now})
	w.pokes = []func(){r.Poke, c.Poke}
	w.run(r.Run, c.Run)
}

var errEngine = errors.New("engine failed")

func TestAcceptTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const deliverers, messages = 8, 100
		var g errgroup.Group
		for range deliverers {
			g.Go(func() error {
				for i := range messages {
					e := message(fmt.Sprint("c", i%10), fmt.Sprint("u", i), fmt.Sprint("text ", i))
					if err := w.intake.Accept(t.Context(), w.account, []Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, messages, w.count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM episodes`))
	})
}

// Every message of many customers is answered once, in order, whoever works at the same time.
func TestManyCustomersManyWorkers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const customers, messages = 20, 8
		w.run(w.runner(echo{}).Run, w.runner(echo{}).Run, w.courier().Run, w.courier().Run)
		var g errgroup.Group
		for c := range customers {
			g.Go(func() error {
				for i := range messages {
					e := message(fmt.Sprint("c", c), fmt.Sprint("u", i), fmt.Sprint(i))
					if i%3 == 2 { // a tapped button is answered at once
						e.Message.Choice = "x"
					}
					if err := w.intake.Accept(t.Context(), w.account, []Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		w.soon("all answered", func() bool {
			return w.count(`SELECT COUNT(*) FROM messages WHERE author = 'customer' AND turn_id = ''`) == 0 &&
				w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 0
		})
		want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}
		for c := range customers {
			said := strings.ReplaceAll(strings.Join(w.channel.texts(fmt.Sprint("c", c)), "+"), "re: ", "")
			require.Equal(t, strings.Join(want, "+"), said, "customer %d", c)
		}
		require.Equal(t, w.count(`SELECT COUNT(*) FROM deliveries`), w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent' AND attempt = 1`))
	})
}

func TestBurstIsOneTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "how"), message("c", "u2", "do I"), message("c", "u3", "get paid"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) > 0 })
		require.Equal(t, []string{"re: how+do I+get paid"}, w.channel.texts("c"))
	})
}

// A wake-up must not be lost when a message comes in while a turn commits.
func TestMessageDuringTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := make(chan struct{})
		once := sync.OnceFunc(func() { close(first) })
		came := make(chan struct{})
		e := echo{before: func(Turn) error { once(); <-came; return nil }}
		w.accept(message("c", "u1", "one"))
		w.run(w.runner(e).Run, w.courier().Run)
		<-first
		w.accept(message("c", "u2", "two"))
		close(came)
		w.soon("both answered", func() bool { return len(w.channel.texts("c")) == 2 })
		require.Equal(t, []string{"re: one", "re: two"}, w.channel.texts("c"))
	})
}

// A person who writes while the bot thinks is not followed by the bot's answer.
func TestPersonOvertakesBot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		thinking, go_on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(thinking) })
		e := echo{before: func(Turn) error { once(); <-go_on; return nil }}
		w.accept(message("c", "u1", "question"))
		w.run(w.runner(e).Run, w.courier().Run)
		<-thinking
		id := w.conversation("c").ID
		for range 2 { // twice with one key says it once
			require.NoError(t, w.conversations().Say(t.Context(), id, "k", Reply{Text: "from a person", Agent: "ann"}))
		}
		close(go_on)
		w.soon("the desk hears the question", func() bool { return len(w.desk.heard()) == 1 })
		require.Len(t, w.desk.heard()[0].Wrote, 1)
		w.soon("sent", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"from a person"}, w.channel.texts("c"))
	})
}

func TestEngineFailingBecomesHandoff(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "question"))
		w.hurried(echo{before: func(Turn) error { return errEngine }})
		w.soon("handed off", func() bool { return len(w.desk.heard()) == 1 && len(w.channel.texts("c")) == 1 })
		require.Equal(t, ReasonBroken, w.desk.heard()[0].Escalation.Reason)
		require.Equal(t, ModePerson, w.conversation("c").Mode)
	})
}

func TestDeskDownDoesNotHoldUpTheCustomer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.desk.failing(errors.New("desk is down"))
		w.accept(message("c", "u1", "person"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("customer told", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Empty(t, w.desk.heard())
		w.desk.failing(nil)
		w.soon("desk told", func() bool { return len(w.desk.heard()) == 1 })
	})
}

// testOutput shows the log of a failed test.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// A turn sees which entries the bot's earlier answers rest on, each once.
func TestHistoryNamesWhatWasAnswered(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		histories := make(chan []Message, 8)
		w.accept(message("c", "u1", "first"))
		w.run(w.runner(answering{echo{before: func(t Turn) error { histories <- t.History; return nil }}}).Run)
		require.Empty(t, <-histories)
		w.soon("answered", func() bool { return w.count(`SELECT COUNT(*) FROM turns`) == 1 })
		w.accept(message("c", "u2", "second"))
		seen := <-histories
		require.Len(t, seen, 3)
		require.Equal(t, [][]knowledge.EntryID{nil, {"A", "B"}, nil}, [][]knowledge.EntryID{seen[0].Entries, seen[1].Entries, seen[2].Entries})
	})
}

// answering is an echo whose answers rest on two entries, in two messages.
type answering struct{ echo }

func (a answering) Turn(ctx context.Context, t Turn) (Outcome, error) {
	o, err := a.echo.Turn(ctx, t)
	o.Decision.Entries = []knowledge.EntryID{"A", "B"}
	o.Replies = append(o.Replies, Reply{Text: "and more"})
	return o, err
}
