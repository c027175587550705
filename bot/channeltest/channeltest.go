// Package channeltest is what every channel must do, as tests: take each message once whatever the
// network repeats, believe nobody who cannot prove to be the network, say the right thing of every
// failed send, carry its limits to the last character, and tell no secret. A channel's own tests show
// what is particular to it.
package channeltest

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/bot/webhook"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A Failure is how a network can fail a send.
type Failure string

const (
	Throttled Failure = "throttled" // refused, to come later
	Broken    Failure = "broken"    // an internal error: it may have gone out, and did not
	Lost      Failure = "lost"      // it went out, and the answer was lost
	Hanging   Failure = "hanging"   // it went out, and the answer takes forever
	Refused   Failure = "refused"   // never: only files meet this
)

// A Harness is one channel on a fake of its network. What is nil, the channel's network cannot do.
type Harness struct {
	Account  bot.Account
	Channel  bot.Channel
	Customer string   // of Account's: has written, and may be written to
	Secrets  []string // stand in no error and no log

	// Say is the request by which the network, or our own page, tells that Customer wrote text. The same
	// number is the same message again.
	Say func(hook string, number int, text string) *http.Request
	// Forged are such requests that nobody sent who may: a proof off by a byte, a body that was changed.
	Forged func(hook string) []*http.Request
	// Cut is a request with a proof that holds and a body that ends in the middle.
	Cut func(hook string) *http.Request

	Receiver bot.Receiver      // reads what is posted to the hook; nil if Mount serves it
	Mount    func(gin.IRouter) // serves what Say posts to
	Start    func(hook string) // the network is told the hook
	Received func() []string   // the texts that Customer has, oldest first
	Offered  func() []string   // the payloads of the choices under the last of them
	Fail     func(f Failure)   // the next send meets f
	Block    func()            // Customer blocks the account
	Close    func()            // Customer's window is closed

	Media Media // what the network does with files
}

// A Stage is what a channel is opened on.
type Stage struct {
	T             *testing.T
	Log           logrus.FieldLogger
	Intake        *inbound.Intake
	Conversations *conversations.Service
	Shelf         *media.Store
}

// A play is one harness with the whole of bot around it.
type play struct {
	*Harness
	t             *testing.T
	db            *sqldb.DB
	store         *store.Store
	accounts      *bot.Registry
	conversations *conversations.Service
	intake        *inbound.Intake
	shelf         *media.Store
	courier       *outbound.Courier
	hurry         int          // how many times as fast the courier's time runs
	skipped       atomic.Int64 // nanoseconds of it
	link          atomic.Bool  // files of ours can be fetched from us
	log           *logrus.Logger
	logged        *buffer
	desk          *desk
	hook          string
}

// A buffer is written by many and read at the end.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Run runs the suite on what open opens, anew for each test.
func Run(t *testing.T, open func(s Stage) *Harness) {
	t.Helper()
	tests := map[string]func(*testing.T, *play){"Forged": testForged, "Truncated": testTruncated, "Repeated": testRepeated,
		"OutOfOrder": testOutOfOrder, "Throttled": testThrottled, "Broken": testBroken, "Lost": testLost, "WindowClosed": testClosed,
		"Blocked": testBlocked, "Limits": testLimits, "Cancelled": testCancelled, "Hanging": testHanging,
		"FilesIn": testFilesIn, "FileKinds": testFileKinds, "FileTooLarge": testFileTooLarge, "FilesOut": testFilesOut, "FileUncarried": testFileUncarried,
		"FileFails": testFileFails, "FileRefused": testFileRefused}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time something is waited for
			test(t, begin(t, open))
		})
	}
}

// begin opens a harness on a database and a web server of its own.
func begin(t *testing.T, open func(Stage) *Harness) *play {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	p := &play{t: t, db: sqldbtest.Migrated(t, events.Schema(), store.Schema(), media.Schema()), accounts: bot.NewRegistry(), logged: &buffer{}, desk: &desk{}}
	p.log = logrus.New()
	p.log.SetOutput(p.logged)
	p.log.SetLevel(logrus.DebugLevel)
	p.store, p.shelf = store.New(p.db), media.NewStore(p.db, media.Options{})
	p.intake = inbound.NewIntake(p.store, p.accounts, p.log, inbound.IntakeOptions{})
	p.conversations = conversations.New(p.store, p.accounts, conversations.Options{})
	p.Harness = open(Stage{T: t, Log: p.log, Intake: p.intake, Conversations: p.conversations, Shelf: p.shelf})
	key := p.Account.Key()
	p.accounts.Put(p.Account, p.Channel)

	router := gin.New()
	router.RedirectTrailingSlash = false
	if p.Mount != nil {
		p.Mount(router)
	} else {
		webhook.NewHooks(func(k string) (webhook.Endpoint, bool) {
			return webhook.Endpoint{Account: p.Account, Receiver: p.Receiver}, k == key
		}, p.intake, p.log).Register(router)
	}
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	p.runLoops(p.intake.Run)
	p.hook = server.URL
	if p.Receiver != nil {
		p.hook += "/hooks/" + key
	}
	if p.Start != nil {
		p.Start(p.hook)
	}
	t.Cleanup(func() {
		for _, s := range p.Secrets {
			require.NotContains(t, p.logged.String(), s, "a secret in the log")
		}
		require.NotContains(t, p.logged.String(), "CANARY-words", "a customer's words in the log")
	})
	return p
}

// post sends a request and returns the status it was answered with.
func (p *play) post(r *http.Request) (int, error) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// say has the customer write, and requires that it is taken.
func (p *play) say(number int, text string) {
	p.t.Helper()
	status, err := p.post(p.Say(p.hook, number, text))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, status)
	p.taken()
}

// taken waits until all that was posted is taken in.
func (p *play) taken() {
	p.t.Helper()
	p.soon("all is taken in", func() bool {
		var n int
		return p.db.QueryRowContext(p.t.Context(), `SELECT COUNT(*) FROM inbox`).Scan(&n) == nil && n == 0
	})
}

// heard are the customer's words as they were stored, in their order.
func (p *play) heard() (texts []string) {
	p.t.Helper()
	p.taken()
	rows, err := p.db.QueryContext(p.t.Context(), `SELECT m.body FROM messages m JOIN conversations c ON c.id = m.conversation_id
		WHERE m.author = 'customer' AND c.customer = $1 ORDER BY m.seq`, p.Customer)
	require.NoError(p.t, err)
	defer func() { require.NoError(p.t, rows.Close()) }()
	for rows.Next() {
		var text string
		require.NoError(p.t, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(p.t, rows.Err())
	return texts
}

func (p *play) to() bot.Address {
	return bot.Address{Channel: p.Account.Channel, Account: p.Account.ID, Customer: p.Customer}
}

// send sends r by the channel alone. The error must tell no secret and no words.
func (p *play) send(ctx context.Context, r bot.Reply) (string, *bot.SendError) {
	p.t.Helper()
	id, err := p.Channel.Send(ctx, p.to(), bot.DeliveryID(rand.Text()), r)
	if err == nil {
		require.NotEmpty(p.t, id)
		return id, nil
	}
	require.Empty(p.t, id)
	for _, secret := range append([]string{"CANARY-words"}, p.Secrets...) {
		require.NotContains(p.t, err.Error(), secret)
	}
	se, ok := errors.AsType[*bot.SendError](err)
	require.True(p.t, ok, "%T", err)
	return "", se
}

// desk takes all news.
type desk struct {
	mu   sync.Mutex
	news []bot.DeskEvent
}

func (d *desk) Tell(_ context.Context, n bot.DeskEvent) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news = append(d.news, n)
	return nil
}

func (d *desk) heard() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.news)
}

// echo answers every turn with the customer's words.
type echo struct{}

func (echo) Turn(_ context.Context, t bot.Turn) (bot.Outcome, error) {
	var words []string
	for _, m := range t.Waiting {
		words = append(words, m.Text)
	}
	return bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonConfident}, Next: t.Conversation,
		Replies: []bot.Reply{{Text: "re: " + strings.Join(words, "+")}}}, nil
}

func (e echo) Broken(t bot.Turn) bot.Outcome { return bot.Outcome{Next: t.Conversation} }

// answer runs the bot until the test ends. For the courier time runs n times as fast while the test waits.
func (p *play) answer(n int) {
	p.carry(n)
	runner := turns.NewRunner(p.store, echo{}, p.accounts, p.log, turns.RunnerOptions{Poke: p.courier.Poke})
	p.runLoops(runner.Run)
}

// carry runs the courier alone.
func (p *play) carry(n int) {
	p.hurry = n
	p.courier = outbound.NewCourier(p.store, p.accounts, p.desk, p.log, outbound.CourierOptions{Now: p.now, Link: p.linkTo})
	p.runLoops(p.courier.Run)
}

// now is the courier's time.
func (p *play) now() time.Time { return time.Now().Add(time.Duration(p.skipped.Load())) }

// hasten skips time towards what is due next, and never past it: a lease would run out while something is
// being sent.
func (p *play) hasten() {
	now := p.now()
	next := p.nextDue(now)
	if skip := min(next.Sub(now), time.Duration(p.hurry-1)*often); skip > 0 {
		p.skipped.Add(int64(skip))
		p.courier.Poke()
	}
}

// nextDue is when the next delivery is due, at or before now if one is due or being carried out.
func (p *play) nextDue(now time.Time) time.Time {
	var due, lease sql.NullInt64
	err := p.db.QueryRowContext(p.t.Context(), `SELECT MIN(CASE WHEN due_at > paused THEN due_at ELSE paused END), MAX(lease_until) FROM
		(SELECT d.due_at, d.lease_until, COALESCE((SELECT MAX(p.until) FROM pauses p WHERE d.lane = 'customer' AND p.channel = d.channel AND p.account = d.account), 0) AS paused
		FROM deliveries d WHERE d.state = 'queued' AND NOT EXISTS
			(SELECT 1 FROM deliveries e WHERE e.conversation_id = d.conversation_id AND e.lane = d.lane AND e.state = 'queued' AND e.seq < d.seq)) AS first`).Scan(&due, &lease)
	if err != nil || !due.Valid || lease.Int64 > 0 {
		return now
	}
	return time.UnixMilli(due.Int64)
}

// runLoops runs loops until the test ends.
func (p *play) runLoops(loops ...func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	for _, run := range loops {
		g.Go(func() error { return run(ctx) })
	}
	p.t.Cleanup(func() { stop(); require.NoError(p.t, g.Wait()) })
}

// state is the state of the only reply, "" if there is none yet.
func (p *play) state() (state string) {
	p.t.Helper()
	err := p.db.QueryRowContext(p.t.Context(), `SELECT state FROM deliveries WHERE lane = 'customer'`).Scan(&state)
	if !errors.Is(err, sql.ErrNoRows) {
		require.NoError(p.t, err)
	}
	return state
}

// often is how long it takes to look again whether what is waited for has come.
const often = 10 * time.Millisecond

func (p *play) soon(what string, cond func() bool) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		if cond() {
			return true
		}
		if p.courier != nil {
			p.hasten()
		}
		return false
	}, waittest.Hang, often, what)
}

func count(texts []string, text string) (n int) {
	for _, t := range texts {
		if t == text {
			n++
		}
	}
	return n
}

func name(i int) string { return fmt.Sprint("words ", i) }
