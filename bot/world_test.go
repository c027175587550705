package bot

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
	var id ConversationID
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `SELECT id FROM conversations WHERE customer = $1`, customer).Scan(&id))
	c, err := w.store.Conversation(w.t.Context(), id)
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

// answered takes one question in and answers it.
func (w *world) answered() {
	w.accept(message("c", "u1", "hello"))
	w.hurried(echo{})
}

func (w *world) state() (state string) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `SELECT state FROM deliveries WHERE lane = 'customer' AND seq = 2`).Scan(&state))
	return state
}

func (w *world) settled() bool {
	return w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state <> 'queued'`) == 1
}

// claim claims the turn that is due, as a runner would once the customer has been quiet.
func (w *world) claim() (turnClaim, bool) {
	w.t.Helper()
	c, ok, err := w.claimTurn(time.Now().Add(QuietPeriod), leaseTime)
	require.NoError(w.t, err)
	return c, ok
}

func (w *world) collector(shelf Shelf, o CollectorOptions) *Collector {
	return NewCollector(w.store, w.accounts, shelf, w.log, o)
}

// attached are the attachments of a customer's first message.
func (w *world) attached(customer string) []Attachment {
	w.t.Helper()
	list, err := w.conversations().Transcript(w.t.Context(), w.conversation(customer).ID, 0)
	require.NoError(w.t, err)
	return list[0].Attachments
}

func (w *world) fetches(state string) int {
	return w.count(`SELECT COUNT(*) FROM fetches WHERE state = $1`, state)
}

// tells makes the account's network one that gives our ID back within two minutes, as Meta's do.
func (w *world) tells() { w.channel.limits.Resend, w.channel.limits.Confirm = false, 2*time.Minute }

// ours is the delivery of the only reply.
func (w *world) ours() (id DeliveryID, code string, due time.Time) {
	w.t.Helper()
	var at int64
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `SELECT id, code, due_at FROM deliveries WHERE lane = 'customer'`).Scan(&id, &code, &at))
	return id, code, time.UnixMilli(at)
}

// replied takes a question in, commits its answer, and returns the answer's delivery, claimed.
func (w *world) replied(customer string, files ...Media) delivery {
	w.t.Helper()
	w.accept(message(customer, "u1", "hello"))
	c, ok := w.claim()
	require.True(w.t, ok)
	o, err := echo{}.Turn(w.t.Context(), c.turn)
	require.NoError(w.t, err)
	if len(files) > 0 {
		o.Replies = Carrying(Reply{}, files)
	}
	require.NoError(w.t, w.store.commitTurn(w.t.Context(), c, o, time.Now()))
	d, ok, err := w.claimDelivery(time.Now(), time.Minute)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	return d
}

func (w *world) messageStatus() (s SendStatus) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `SELECT status FROM messages WHERE author = 'bot'`).Scan(&s))
	return s
}

// away makes the database unable to store messages until the returned function is called: full on SQLite, locked on
// Postgres, where whoever waits for the lock fails after 50 ms.
func (w *world) away() (back func()) {
	w.t.Helper()
	if !w.db.Postgres() {
		limit := func(pages int) {
			require.NoError(w.t, w.db.InTx(w.t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRowContext(w.t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(new(int))
			}))
		}
		limit(1) // as many as there are
		return func() { limit(1 << 30) }
	}
	var name string
	require.NoError(w.t, w.db.QueryRowContext(w.t.Context(), `SELECT current_database()`).Scan(&name))
	_, err := w.db.ExecContext(w.t.Context(), `ALTER DATABASE `+name+` SET lock_timeout = '50ms'`)
	require.NoError(w.t, err)
	_, err = w.db.ExecContext(w.t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(w.t, err)
	w.db.SetMaxIdleConns(0) // every connection is new, and has the time-out
	locked, done := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return w.db.InTx(context.WithoutCancel(w.t.Context()), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(context.WithoutCancel(w.t.Context()), `LOCK TABLE messages`)
			close(locked)
			<-done
			return err
		})
	})
	<-locked
	return func() { close(done); require.NoError(w.t, g.Wait()) }
}

func (w *world) receive(posts ...string) {
	w.t.Helper()
	for _, p := range posts {
		require.NoError(w.t, w.intake.Receive(w.t.Context(), w.account, []byte(p)))
	}
}

// taken waits until the inbox is empty.
func (w *world) taken() {
	w.t.Helper()
	w.soon("all is taken in", func() bool { return w.count(`SELECT COUNT(*) FROM inbox`) == 0 })
}

func (w *world) words(customer string) (list []string) {
	w.t.Helper()
	all, err := w.store.Transcript(w.t.Context(), w.conversation(customer).ID, 0)
	require.NoError(w.t, err)
	for _, m := range all {
		list = append(list, m.Text)
	}
	return list
}

// dead makes one dead letter of a failure and returns it.
func (w *world) dead(failure SendError, fails int) DeadLetter {
	w.t.Helper()
	w.channel.fails(fails, failure, false)
	w.accept(message("c", "u1", "hello"))
	w.run(w.runner(echo{}).Run, w.courier().Run)
	var list []DeadLetter
	w.soon("dead", func() bool {
		var err error
		list, err = w.conversations().DeadLetters(w.t.Context(), "test", "one", 10)
		return err == nil && len(list) == 1
	})
	return list[0]
}
