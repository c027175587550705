package bot

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

	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// A mailroom is a network that hands files out, as told.
type mailroom struct {
	*recorder
	files map[string]func() (io.ReadCloser, error)

	fetchMu sync.Mutex
	fetched int
}

func (m *mailroom) Fetch(_ context.Context, a Attachment) (io.ReadCloser, error) {
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
	aVoice   = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00OpusHead"
)

// onMailroom runs a test on both databases, with a network that hands files out and a shelf to keep them.
func onMailroom(t *testing.T, files map[string]func() (io.ReadCloser, error), test func(t *testing.T, w *world, m *mailroom, shelf *media.Store)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{Schema(), media.Schema()}, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := &mailroom{recorder: w.channel, files: files}
		w.accounts.Put(w.account, m)
		test(t, w, m, media.NewStore(db, media.Options{}))
	})
}

func withFile(customer, id string, list ...Attachment) Event {
	e := message(customer, id, "")
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
		"gone":  func() (io.ReadCloser, error) { return nil, ErrNoFile },
		"down":  func() (io.ReadCloser, error) { return nil, broken },
		"short": func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil },
	}
	onMailroom(t, files, func(t *testing.T, w *world, m *mailroom, shelf *media.Store) {
		e := withFile("c", "u1", Attachment{Kind: "photo", File: "ok", Type: "text/html", Size: 3}, Attachment{Kind: "location", Name: "1 2"},
			Attachment{Kind: "document", File: "html"}, Attachment{Kind: "video", File: "large"}, Attachment{Kind: "video", File: "told", Size: media.MaxBytes + 1},
			Attachment{Kind: "photo", File: "gone"}, Attachment{Kind: "photo", File: "down"}, Attachment{Kind: "photo", File: "short"})
		w.accept(e, e) // the network repeats itself
		require.Equal(t, 7, w.fetches("queued"))
		w.run(w.collector(shelf, CollectorOptions{Workers: 1, Now: faster(2000)}).Run)
		w.soon("all settled", func() bool { return w.fetches("queued") == 0 })
		got := w.attached("c")
		require.Equal(t, []string{"", "", LostType, LostTooLarge, LostTooLarge, LostGone, LostUnreachable, LostUnreachable},
			[]string{got[0].Lost, got[1].Lost, got[2].Lost, got[3].Lost, got[4].Lost, got[5].Lost, got[6].Lost, got[7].Lost})
		require.Equal(t, []any{"image/png", int64(len(aPicture)), "ok"}, []any{got[0].Type, got[0].Size, got[0].File}, "what the content says counts")
		_, data, err := shelf.Get(t.Context(), got[0].Kept)
		require.NoError(t, err)
		require.Equal(t, aPicture, string(data))
		m.fetchMu.Lock()
		defer m.fetchMu.Unlock()
		require.Equal(t, 4+2*6, m.fetched, "two are tried again, and again")
		list, err := w.conversations().WithFile(t.Context(), got[0].Kept)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

// Whoever holds a file when the process dies, another takes it up; and two never settle one.
func TestFetchSurvives(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"ok": holds(aPicture)}, func(t *testing.T, w *world, _ *mailroom, shelf *media.Store) {
		w.accept(withFile("c", "u1", Attachment{Kind: "photo", File: "ok"}))
		dead, _, ok, err := w.store.claimFetch(t.Context(), time.Now(), time.Hour)
		require.NoError(t, err)
		require.True(t, ok)
		_, _, ok, err = w.store.claimFetch(t.Context(), time.Now(), time.Hour)
		require.NoError(t, err)
		require.False(t, ok, "it is held")
		require.NoError(t, w.store.ReleaseLeases(t.Context(), time.Now().Add(-time.Hour)))
		w.run(w.collector(shelf, CollectorOptions{}).Run)
		w.soon("kept", func() bool { return w.fetches("kept") == 1 })
		late := dead.attachment
		late.Lost = LostGone
		require.NoError(t, w.store.settleFetch(t.Context(), dead, late, time.Now()))
		require.Equal(t, 1, w.fetches("kept"))
		require.Empty(t, w.attached("c")[0].Lost)
	})
}

// A file that is slow to come holds up neither the answer nor what is said after it.
func TestFetchHoldsUpNobody(t *testing.T) {
	onMailroom(t, nil, func(t *testing.T, w *world, m *mailroom, shelf *media.Store) {
		came := make(chan struct{})
		m.files = map[string]func() (io.ReadCloser, error){"slow": func() (io.ReadCloser, error) { <-came; return holds(aPicture)() }}
		e := withFile("c", "u1", Attachment{Kind: "photo", File: "slow"})
		e.Message.Text = "look"
		w.accept(e)
		w.run(w.runner(echo{}).Run, w.courier().Run, w.collector(shelf, CollectorOptions{}).Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, 1, w.fetches("queued"))
		close(came)
		w.soon("kept", func() bool { return w.fetches("kept") == 1 })
	})
}

// What is said in a voice note is the customer's words, with those beside it.
func TestHeard(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *world, _ *mailroom, shelf *media.Store) {
		w.intake = NewIntake(w.store, w.accounts, w.log, IntakeOptions{Hears: true})
		e := withFile("c", "u1", Attachment{Kind: "voice", File: "v"})
		e.Message.Text = "hi"
		w.accept(e)
		w.accept(message("c", "u2", "and in words"))
		w.run(w.runner(echo{}).Run, w.courier().Run,
			w.collector(shelf, CollectorOptions{Speech: listener(func(context.Context) (string, error) { return "how do I\x00 get paid", nil })}).Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) > 0 })
		require.Equal(t, []string{"re: hi\nhow do I get paid+and in words"}, w.channel.texts("c"))
		require.Equal(t, "how do I get paid", w.attached("c")[0].Heard)
	})
}

// The answer waits for a voice note for a while, and no longer: without words it goes ahead, and words that
// come late stand at the desk and answer nothing.
func TestHeardTooLate(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *world, _ *mailroom, shelf *media.Store) {
		w.intake = NewIntake(w.store, w.accounts, w.log, IntakeOptions{Hears: true})
		said := make(chan struct{})
		speech := listener(func(ctx context.Context) (string, error) {
			select {
			case <-said:
			case <-ctx.Done():
			}
			return "late words", nil
		})
		w.accept(withFile("c", "u1", Attachment{Kind: "voice", File: "v"}))
		due := w.count(`SELECT turn_due_at FROM conversations`)
		require.InDelta(t, time.Now().Add(maxHold).UnixMilli(), due, 5000)
		w.run(w.collector(shelf, CollectorOptions{Speech: speech}).Run)
		later := func() time.Time { return time.Now().Add(maxHold + time.Second) }
		w.run(NewRunner(w.store, echo{}, w.accounts, w.log, RunnerOptions{Now: later}).Run,
			NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: later}).Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		close(said)
		w.soon("heard", func() bool { return w.attached("c")[0].Heard == "late words" })
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM turns`))
		require.Zero(t, w.count(`SELECT COUNT(*) FROM messages WHERE body LIKE '%late words%'`))
	})
}

// Words that come while the bot thinks without them are not lost: the turn is done again.
func TestHeardMeanwhile(t *testing.T) {
	onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *world, _ *mailroom, shelf *media.Store) {
		w.intake = NewIntake(w.store, w.accounts, w.log, IntakeOptions{Hears: true})
		w.accept(withFile("c", "u1", Attachment{Kind: "voice", File: "v"}))
		_, err := w.db.ExecContext(t.Context(), `UPDATE conversations SET turn_due_at = 1, held_until = 1`)
		require.NoError(t, err)
		c, ok := w.claim()
		require.True(t, ok)
		f, _, ok, err := w.store.claimFetch(t.Context(), time.Now(), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		a := f.attachment
		a.Kept, a.Heard = "k", "the words"
		require.NoError(t, w.store.settleFetch(t.Context(), f, a, time.Now()))
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.store.commitTurn(t.Context(), c, o, time.Now()), errFenced)
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"re: the words"}, w.channel.texts("c"))
	})
}

func TestUnheard(t *testing.T) {
	for want, err := range map[string]error{UnheardTooLong: ErrTooLong, UnheardNothing: ErrNothingSaid, UnheardFailed: errors.New("HTTP status 500")} {
		onMailroom(t, map[string]func() (io.ReadCloser, error){"v": holds(aVoice)}, func(t *testing.T, w *world, _ *mailroom, shelf *media.Store) {
			w.intake = NewIntake(w.store, w.accounts, w.log, IntakeOptions{Hears: true})
			w.accept(withFile("c", "u1", Attachment{Kind: "voice", File: "v"}))
			began := time.Now()
			w.run(w.runner(echo{}).Run, w.courier().Run,
				w.collector(shelf, CollectorOptions{Speech: listener(func(context.Context) (string, error) { return "", err })}).Run)
			w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
			require.Less(t, time.Since(began), maxHold/2, "as soon as it is known that there are no words")
			require.Equal(t, want, w.attached("c")[0].Unheard)
		})
	}
}
