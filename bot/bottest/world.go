// Package bottest is a bot with a recorded network, a recorded desk and an engine that repeats what it heard, for tests.
package bottest

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/bot/worker"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// OnBoth runs a test on SQLite and on Postgres.
func OnBoth(t *testing.T, test func(t *testing.T, w *World)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), events.Schema(), store.Schema()}, func(t *testing.T, db *sqldb.DB) {
		test(t, NewWorld(t, db))
	})
}

// A World is a bot with one account on a network that is a recorder.
type World struct {
	T        *testing.T
	Db       *sqldb.DB
	Store    *store.Store
	Account  bot.Account
	Channel  *Recorder
	Accounts *bot.Registry
	Desk     *deskRecorder
	Intake   *inbound.Intake
	Log      logrus.FieldLogger
	Skipped  atomic.Int64 // nanoseconds
	Pokes    []func()     // of what is hurried
}

func NewWorld(t *testing.T, db *sqldb.DB) *World {
	log := logrus.New()
	log.SetOutput(testOutput{t})
	account := bot.Account{Channel: "test", ID: "one", Locale: "en", Affiliates: []knowledge.AffiliateID{"acme"}}
	channel := &Recorder{Capacity: bot.Limits{Text: 4096, Choices: 10, Label: 60, Resend: true}}
	accounts := bot.NewRegistry()
	accounts.Put(account, channel)
	w := &World{T: t, Db: db, Store: store.New(db), Account: account, Accounts: accounts,
		Channel: channel, Desk: &deskRecorder{}, Log: log}
	w.Intake = inbound.NewIntake(w.Store, w.Accounts, log, inbound.IntakeOptions{})
	return w
}

// Kept puts a file among those that are kept, under a name that a test can read.
func (w *World) Kept(id string) {
	_, err := w.Db.ExecContext(w.T.Context(), `INSERT INTO blobs (id, type, size, data, kept_at) VALUES ($1, 'image/png', 1, $2, 0)`, id, []byte("x"))
	require.NoError(w.T, err)
}

func (w *World) Runner(e bot.Engine) *turns.Runner {
	return turns.NewRunner(w.Store, e, w.Accounts, w.Log, turns.RunnerOptions{})
}

func (w *World) Courier() *outbound.Courier {
	return outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{})
}

func (w *World) Conversations() *conversations.Service {
	return conversations.New(w.Store, w.Accounts, conversations.Options{})
}

// ClaimTurn claims one turn, if one is due.
func (w *World) ClaimTurn(now time.Time, lease time.Duration) (c store.TurnClaim, ok bool, err error) {
	w.T.Helper()
	list, _, err := w.Store.ClaimTurns(w.T.Context(), now, lease, 1)
	if len(list) == 0 {
		return c, false, err
	}
	err = w.Store.LoadTurn(w.T.Context(), &list[0])
	return list[0], true, err
}

// ClaimDelivery claims one delivery, if one is due.
func (w *World) ClaimDelivery(now time.Time, lease time.Duration) (d store.Delivery, ok bool, err error) {
	w.T.Helper()
	d, _, ok, err = w.Store.ClaimDelivery(w.T.Context(), now, lease, nil)
	return d, ok, err
}

func Message(customer, id, text string) bot.Event {
	return bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: customer}, ExternalID: id, At: time.Now(), Message: &bot.Inbound{Text: text, NetworkID: id}}
}

// Accept takes events in or fails the test.
func (w *World) Accept(events ...bot.Event) {
	w.T.Helper()
	require.NoError(w.T, w.Intake.Accept(w.T.Context(), w.Account, events))
}

// Conversation returns the only conversation of customer.
func (w *World) Conversation(customer string) bot.Conversation {
	w.T.Helper()
	var id bot.ConversationID
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), `SELECT id FROM conversations WHERE customer = $1`, customer).Scan(&id))
	c, err := w.Store.Conversation(w.T.Context(), id)
	require.NoError(w.T, err)
	return c
}

func (w *World) Count(query string, args ...any) (n int) {
	w.T.Helper()
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), query, args...).Scan(&n))
	return n
}

// Soon fails the test unless cond comes true within a minute: the machine may be busy.
func (w *World) Soon(what string, cond func() bool) {
	w.T.Helper()
	require.Eventually(w.T, func() bool {
		if cond() {
			return true
		}
		if w.Pokes != nil {
			w.hasten()
		}
		return false
	}, waittest.Hang, 5*time.Millisecond, what)
}

// Run runs loops until the test ends.
func (w *World) Run(loops ...func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range loops {
		g.Go(func() error { return loop(ctx) })
	}
	w.T.Cleanup(func() {
		stop()
		require.NoError(w.T, g.Wait())
	})
}

// Now is a time that hasten moves on, so that hours of back-off pass in a test.
func (w *World) Now() time.Time { return time.Now().Add(time.Duration(w.Skipped.Load())) }

// hasten skips time towards what is due next, but not while something is in hand, whose lease would run out.
func (w *World) hasten() {
	var due, lease, paused sql.NullInt64
	now := w.Now()
	err := w.Db.QueryRowContext(w.T.Context(), `SELECT MIN(due), MAX(lease),
			(SELECT MAX(at) FROM (SELECT MAX(until) AS at FROM pauses UNION ALL SELECT MAX(probe_at) FROM incidents WHERE ended_at = 0) AS held) FROM (
		SELECT due_at AS due, lease_until AS lease FROM deliveries WHERE state = 'queued'
		UNION ALL SELECT due_at, lease_until FROM turn_queue WHERE due_at > 0) AS work`).Scan(&due, &lease, &paused)
	if err != nil || !due.Valid || lease.Int64 > 0 {
		return
	}
	next := time.UnixMilli(max(due.Int64, paused.Int64))
	w.Skipped.Add(int64(max(0, next.Sub(now)))) // what is due already waits for a core, not for time
	for _, poke := range w.Pokes {
		poke()
	}
}

// Hurried runs an engine and a courier, with time skipped while soon waits.
func (w *World) Hurried(e bot.Engine) {
	r := turns.NewRunner(w.Store, e, w.Accounts, w.Log, turns.RunnerOptions{Now: w.Now})
	c := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: w.Now})
	w.Pokes = []func(){r.Poke, c.Poke}
	w.Run(r.Run, c.Run)
}

// Answered takes one question in and answers it.
func (w *World) Answered() {
	w.Accept(Message("c", "u1", "hello"))
	w.Hurried(Echo{})
}

func (w *World) State() (state string) {
	w.T.Helper()
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), `SELECT state FROM deliveries WHERE lane = 'customer' AND seq = 2`).Scan(&state))
	return state
}

func (w *World) Settled() bool {
	return w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state <> 'queued'`) == 1
}

// Claim claims the turn that is due, as a runner would once the customer has been quiet.
func (w *World) Claim() (store.TurnClaim, bool) {
	w.T.Helper()
	c, ok, err := w.ClaimTurn(time.Now().Add(store.QuietPeriod), worker.LeaseTime)
	require.NoError(w.T, err)
	return c, ok
}

func (w *World) Collector(shelf inbound.Shelf, o inbound.CollectorOptions) *inbound.Collector {
	return inbound.NewCollector(w.Store, w.Accounts, shelf, w.Log, o)
}

// Attached are the attachments of a customer's first message.
func (w *World) Attached(customer string) []bot.Attachment {
	w.T.Helper()
	list, err := w.Conversations().Transcript(w.T.Context(), w.Conversation(customer).ID, 0)
	require.NoError(w.T, err)
	return list[0].Attachments
}

func (w *World) Fetches(state string) int {
	return w.Count(`SELECT COUNT(*) FROM fetches WHERE state = $1`, state)
}

// ConfirmReceipts makes the account's network one that gives our ID back within two minutes, as Meta's do.
func (w *World) ConfirmReceipts() {
	w.Channel.Capacity.Resend, w.Channel.Capacity.Confirm = false, 2*time.Minute
}

// Ours is the delivery of the only reply.
func (w *World) Ours() (id bot.DeliveryID, code string, due time.Time) {
	w.T.Helper()
	var at int64
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), `SELECT id, code, due_at FROM deliveries WHERE lane = 'customer'`).Scan(&id, &code, &at))
	return id, code, time.UnixMilli(at)
}

// Replied takes a question in, commits its answer, and returns the answer's delivery, claimed.
func (w *World) Replied(customer string, files ...bot.Media) store.Delivery {
	w.T.Helper()
	w.Accept(Message(customer, "u1", "hello"))
	c, ok := w.Claim()
	require.True(w.T, ok)
	o, err := Echo{}.Turn(w.T.Context(), c.Turn)
	require.NoError(w.T, err)
	if len(files) > 0 {
		o.Replies = bot.Carrying(bot.Reply{}, files)
	}
	require.NoError(w.T, w.Store.CommitTurn(w.T.Context(), c, o, time.Now()))
	d, ok, err := w.ClaimDelivery(time.Now(), time.Minute)
	require.NoError(w.T, err)
	require.True(w.T, ok)
	return d
}

func (w *World) MessageStatus() (s bot.SendStatus) {
	w.T.Helper()
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), `SELECT status FROM messages WHERE author = 'bot'`).Scan(&s))
	return s
}

// Away makes the database unable to store messages until the returned function is called: full on SQLite, locked on
// Postgres, where whoever waits for the lock fails after 50 ms.
func (w *World) Away() (back func()) {
	w.T.Helper()
	if !w.Db.Postgres() {
		limit := func(pages int) {
			require.NoError(w.T, w.Db.InTx(w.T.Context(), func(tx *sql.Tx) error {
				return tx.QueryRowContext(w.T.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(new(int))
			}))
		}
		limit(1) // as many as there are
		return func() { limit(1 << 30) }
	}
	var name string
	require.NoError(w.T, w.Db.QueryRowContext(w.T.Context(), `SELECT current_database()`).Scan(&name))
	_, err := w.Db.ExecContext(w.T.Context(), `ALTER DATABASE `+name+` SET lock_timeout = '50ms'`)
	require.NoError(w.T, err)
	_, err = w.Db.ExecContext(w.T.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(w.T, err)
	w.Db.SetMaxIdleConns(0) // every connection is new, and has the time-out
	locked, done := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return w.Db.InTx(context.WithoutCancel(w.T.Context()), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(context.WithoutCancel(w.T.Context()), `LOCK TABLE messages`)
			close(locked)
			<-done
			return err
		})
	})
	<-locked
	return func() { close(done); require.NoError(w.T, g.Wait()) }
}

func (w *World) Receive(posts ...string) {
	w.T.Helper()
	for _, p := range posts {
		require.NoError(w.T, w.Intake.Receive(w.T.Context(), w.Account, []byte(p)))
	}
}

// Taken waits until the inbox is empty.
func (w *World) Taken() {
	w.T.Helper()
	w.Soon("all is taken in", func() bool { return w.Count(`SELECT COUNT(*) FROM inbox`) == 0 })
}

func (w *World) Words(customer string) (list []string) {
	w.T.Helper()
	all, err := w.Store.Transcript(w.T.Context(), w.Conversation(customer).ID, 0)
	require.NoError(w.T, err)
	for _, m := range all {
		list = append(list, m.Text)
	}
	return list
}

// Dead makes one dead letter of a failure and returns it.
func (w *World) Dead(failure bot.SendError, fails int) bot.DeadLetter {
	w.T.Helper()
	w.Channel.Fails(fails, failure, false)
	w.Accept(Message("c", "u1", "hello"))
	w.Run(w.Runner(Echo{}).Run, w.Courier().Run)
	var list []bot.DeadLetter
	w.Soon("dead", func() bool {
		var err error
		list, err = w.Conversations().DeadLetters(w.T.Context(), "test", "one", 10)
		return err == nil && len(list) == 1
	})
	return list[0]
}
