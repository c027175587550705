package inbound_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// A mailroom is a network that hands files out, as told.
type mailroom struct {
	*bottest.Recorder
	files map[string]func() (io.ReadCloser, error)

	fetchMu sync.Mutex
	fetched int
}

func (m *mailroom) Fetch(_ context.Context, a bot.Attachment) (io.ReadCloser, error) {
	m.fetchMu.Lock()
	defer m.fetchMu.Unlock()
	m.fetched++
	return m.files[a.File]()
}

func holds(content string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
}

// A listener is a transcriber that says what it is told.
type listener func(ctx context.Context) (string, error)

func (l listener) Transcribe(ctx context.Context, _ media.Blob, _ []byte) (string, error) {
	return l(ctx)
}

const (
	aPicture = "\x89PNG\r\n\x1a\nrest"
	aVoice   = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00OpusHead\x01"
)

// onMailroom runs a test on both databases, with a network that hands files out and a shelf to keep them.
func onMailroom(t *testing.T, files map[string]func() (io.ReadCloser, error), test func(t *testing.T, w *bottest.World, m *mailroom, shelf *media.Store)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{events.Schema(), store.Schema(), media.Schema()}, func(t *testing.T, db *sqldb.DB) {
		w := bottest.NewWorld(t, db)
		m := &mailroom{Recorder: w.Channel, files: files}
		w.Accounts.Put(w.Account, m)
		test(t, w, m, media.NewStore(db, media.Options{}))
	})
}

func withFile(customer, id string, list ...bot.Attachment) bot.Event {
	e := bottest.Message(customer, id, "")
	e.Message.Attachments = list
	return e
}

// faster is a clock that runs n times as fast, so that hours of back-off pass in a test.
func faster(n int) func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(time.Since(began) * time.Duration(n)) }
}

func TestFetch(t *testing.T) {
	large := holds(strings.Repeat("a", media.MaxBytes+1))
	broken := errors.New("no connection")
	files := map[string]func() (io.ReadCloser, error){
		"ok": holds(aPicture), "html": holds("<!doctype html><script>"), "large": large,
		"gone":  func() (io.ReadCloser, error) { return nil, bot.ErrNoFile },
		"down":  func() (io.ReadCloser, error) { return nil, broken },
		"short": func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil },
	}
	onMailroom(t, files, func(t *testing.T, w *bottest.World, m *mailroom, shelf *media.Store) {
		e := withFile("c", "u1", bot.Attachment{Kind: "photo", File: "ok", Type: "text/html", Size: 3}, bot.Attachment{Kind: "location", Name: "1 2"},
			bot.Attachment{Kind: "document", File: "html"}, bot.Attachment{Kind: "video", File: "large"}, bot.Attachment{Kind: "video", File: "told", Size: media.MaxBytes + 1},
			bot.Attachment{Kind: "photo", File: "gone"}, bot.Attachment{Kind: "photo", File: "down"}, bot.Attachment{Kind: "photo", File: "short"})
		w.Accept(e, e) // the network repeats itself
		require.Equal(t, 7, w.Fetches("queued"))
		w.Run(w.Collector(shelf, inbound.CollectorOptions{Workers: 1, Now: faster(2000)}).Run)
		w.Soon("all settled", func() bool { return w.Fetches("queued") == 0 })
		got := w.Attached("c")
		require.Equal(t, []string{"", "", bot.LostType, bot.LostTooLarge, bot.LostTooLarge, bot.LostGone, bot.LostUnreachable, bot.LostUnreachable},
			[]string{got[0].Lost, got[1].Lost, got[2].Lost, got[3].Lost, got[4].Lost, got[5].Lost, got[6].Lost, got[7].Lost})
		require.Equal(t, []any{"image/png", int64(len(aPicture)), "ok"}, []any{got[0].Type, got[0].Size, got[0].File}, "what the content says counts")
		_, data, err := shelf.Get(t.Context(), got[0].Kept)
		require.NoError(t, err)
		require.Equal(t, aPicture, string(data))
		m.fetchMu.Lock()
		defer m.fetchMu.Unlock()
		require.Equal(t, 4+2*6, m.fetched, "two are tried again, and again")
		list, err := w.Conversations().WithFile(t.Context(), got[0].Kept)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

// Whoever holds a file when the process dies, another takes it up; and two never settle one.
func TestFetchSurvives(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"ok": holds(aPicture)}, func(t *testing.T, w *bottest.World, _ *mailroom, shelf *media.Store) {
		w.Accept(withFile("c", "u1", bot.Attachment{Kind: "photo", File: "ok"}))
		dead, _, ok, err := w.Store.ClaimFetch(t.Context(), time.Now(), time.Hour)
		require.NoError(t, err)
		require.True(t, ok)
		_, _, ok, err = w.Store.ClaimFetch(t.Context(), time.Now(), time.Hour)
		require.NoError(t, err)
		require.False(t, ok, "it is held")
		require.NoError(t, w.Store.ReleaseLeases(t.Context(), time.Now().Add(-time.Hour)))
		w.Run(w.Collector(shelf, inbound.CollectorOptions{}).Run)
		w.Soon("kept", func() bool { return w.Fetches("kept") == 1 })
		late := dead.Attachment
		late.Lost = bot.LostGone
		require.NoError(t, w.Store.SettleFetch(t.Context(), dead, late, time.Now()))
		require.Equal(t, 1, w.Fetches("kept"))
		require.Empty(t, w.Attached("c")[0].Lost)
	})
}

// A file that is slow to come holds up neither the answer nor what is said after it.
func TestFetchHoldsUpNobody(t *testing.T) {
	onMailroom(t, nil, func(t *testing.T, w *bottest.World, m *mailroom, shelf *media.Store) {
		came := make(chan struct{})
		m.files = map[string]func() (io.ReadCloser, error){"slow": func() (io.ReadCloser, error) { <-came; return holds(aPicture)() }}
		e := withFile("c", "u1", bot.Attachment{Kind: "photo", File: "slow"})
		e.Message.Text = "look"
		w.Accept(e)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run, w.Collector(shelf, inbound.CollectorOptions{}).Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, 1, w.Fetches("queued"))
		close(came)
		w.Soon("kept", func() bool { return w.Fetches("kept") == 1 })
	})
}

// What is said in a voice note is the customer's words, with those beside it.
func TestHeard(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *bottest.World, _ *mailroom, shelf *media.Store) {
		w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Transcribes: true})
		e := withFile("c", "u1", bot.Attachment{Kind: "voice", File: "v"})
		e.Message.Text = "hi"
		w.Accept(e)
		w.Accept(bottest.Message("c", "u2", "and in words"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run,
			w.Collector(shelf, inbound.CollectorOptions{Speech: listener(func(context.Context) (string, error) { return "how do I\x00 get paid", nil })}).Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) > 0 })
		require.Equal(t, []string{"re: hi\nhow do I get paid+and in words"}, w.Channel.Texts("c"))
		require.Equal(t, "how do I get paid", w.Attached("c")[0].Heard)
	})
}

// The answer waits for a voice note for a while, and no longer: without words it goes ahead, and words that
// come late stand at the desk and answer nothing.
func TestHeardTooLate(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *bottest.World, _ *mailroom, shelf *media.Store) {
		w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Transcribes: true})
		said := make(chan struct{})
		speech := listener(func(ctx context.Context) (string, error) {
			select {
			case <-said:
			case <-ctx.Done():
			}
			return "late words", nil
		})
		w.Accept(withFile("c", "u1", bot.Attachment{Kind: "voice", File: "v"}))
		due := w.Count(`SELECT due_at FROM turn_queue`)
		require.InDelta(t, time.Now().Add(inbound.MaxHold).UnixMilli(), due, 5000)
		w.Run(w.Collector(shelf, inbound.CollectorOptions{Speech: speech}).Run)
		later := func() time.Time { return time.Now().Add(inbound.MaxHold + time.Second) }
		w.Run(turns.NewRunner(w.Store, bottest.Echo{}, w.Accounts, w.Log, turns.RunnerOptions{Now: later}).Run,
			outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: later}).Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		close(said)
		w.Soon("heard", func() bool { return w.Attached("c")[0].Heard == "late words" })
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM turns`))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM messages WHERE body LIKE '%late words%'`))
	})
}

// Words that come while the bot thinks without them are not lost: the turn is done again.
func TestHeardMeanwhile(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *bottest.World, _ *mailroom, shelf *media.Store) {
		w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Transcribes: true})
		w.Accept(withFile("c", "u1", bot.Attachment{Kind: "voice", File: "v"}))
		_, err := w.Db.ExecContext(t.Context(), `UPDATE turn_queue SET due_at = 1, held_until = 1`)
		require.NoError(t, err)
		c, ok := w.Claim()
		require.True(t, ok)
		f, _, ok, err := w.Store.ClaimFetch(t.Context(), time.Now(), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		a := f.Attachment
		a.Kept, a.Heard = "k", "the words"
		require.NoError(t, w.Store.SettleFetch(t.Context(), f, a, time.Now()))
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()), store.ErrFenced)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"re: the words"}, w.Channel.Texts("c"))
	})
}

func TestUnheard(t *testing.T) {
	for want, err := range map[string]error{bot.UnheardTooLong: bot.ErrTooLong, bot.UnheardNothing: bot.ErrNothingSaid, bot.UnheardFailed: errors.New("HTTP status 500")} {
		onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *bottest.World, _ *mailroom, shelf *media.Store) {
			w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Transcribes: true})
			w.Accept(withFile("c", "u1", bot.Attachment{Kind: "voice", File: "v"}))
			w.Run(w.Collector(shelf, inbound.CollectorOptions{Speech: listener(func(context.Context) (string, error) { return "", err })}).Run)
			w.Soon("it is known that there are no words", func() bool { return w.Attached("c")[0].Unheard == want })
			_, ok := w.Claim()
			require.True(t, ok, "the turn waits no longer")
		})
	}
}
