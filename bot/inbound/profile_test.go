package inbound_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// A faced network tells who customers are.
type faced struct {
	*bottest.Recorder
	asked   atomic.Int64
	picture atomic.Pointer[string] // nil: none
	err     error
	slow    chan struct{} // Profile waits for it
}

func (c *faced) Profile(ctx context.Context, customer string) (p bot.Profile, err error) {
	c.asked.Add(1)
	if c.slow != nil {
		select {
		case <-c.slow:
		case <-ctx.Done():
		}
	}
	p.Name = "Ana of " + customer
	if c.picture.Load() != nil {
		p.Picture.File = "face"
	}
	return p, c.err
}

func (c *faced) Fetch(context.Context, bot.Attachment) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(*c.picture.Load())), nil
}

const png = "\x89PNG\r\n\x1a\n"

func newFaced(w *bottest.World, picture string) *faced {
	c := &faced{Recorder: w.Channel}
	if picture != "" {
		c.picture.Store(&picture)
	}
	w.Accounts.Put(w.Account, c)
	w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Now: w.Now, Shelf: media.NewStore(w.Db, media.Options{})})
	return c
}

// A customer's name and picture are asked for once a week, however much they write; another picture takes the place of
// the one before, and all of them go with the customer, when they are erased or quiet for long enough.
func TestProfileOnceAWeek(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		c := newFaced(w, png+"one")
		w.Run(w.Intake.Run)
		has := func(picture string) func() bool {
			return func() bool {
				return w.Count(`SELECT COUNT(*) FROM contacts k JOIN blobs b ON b.id = k.picture WHERE k.name = 'Ana of a' AND b.data = $1`, []byte(picture)) == 1
			}
		}
		w.Accept(bottest.Message("a", "u1", "hello"), bottest.Message("a", "u2", "hello"))
		w.Soon("her picture", has(png+"one"))
		another := png + "two"
		c.picture.Store(&another)
		w.Accept(bottest.Message("a", "u3", "hello"), bottest.Message("b", "u4", "hello"))
		w.Soon("the next customer's, who was asked for after her", func() bool { return c.asked.Load() == 2 })
		require.True(t, has(png+"one")())
		w.Soon("hers", func() bool { return w.Count(`SELECT COUNT(*) FROM contacts WHERE picture <> ''`) == 2 })
		w.Skipped.Add(int64(store.ProfileEvery))
		w.Accept(bottest.Message("a", "u5", "hello"))
		w.Soon("her other picture", has(png+"two"))
		require.Equal(t, int64(3), c.asked.Load())
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM blobs`), "b has the same, and the one before is gone")

		nothing := func(context.Context, *sql.Tx) error { return nil }
		_, err := w.Db.Change(t.Context(), `UPDATE messages SET turn_id = 'turn'`)
		require.NoError(t, err)
		require.NoError(t, w.Store.Empty(t.Context(), store.Expiry{Conversation: w.Conversation("b").ID, Before: w.Now().Add(time.Hour)}, nothing))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM contacts WHERE picture <> '' OR name <> ''`))
		require.True(t, has(png+"two")(), "it is another's, too")
		_, files, err := w.Store.Export(t.Context(), w.Conversation("a").Customer, func(string) []sqldb.Selection { return nil })
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.NoError(t, w.Store.Erase(t.Context(), w.Conversation("a").Customer, func(string) []sqldb.Selection { return nil }, w.Now()))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM blobs`))
	})
}

// A network that takes long to say who somebody is keeps nobody from an answer, and what it sends as a picture is kept
// only if it is one, of the size of one. A picture that is gone there is gone here.
func TestProfileHoldsUpNothing(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		c := newFaced(w, "")
		c.slow = make(chan struct{})
		w.Run(w.Intake.Run)
		for _, customer := range []string{"a", "b", "c", "d"} {
			w.Accept(bottest.Message(customer, "u"+customer, "hello"))
		}
		w.Hurried(bottest.Echo{})
		w.Soon("four answers", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent'`) == 4 })
		close(c.slow)
		w.Soon("four names", func() bool { return w.Count(`SELECT COUNT(*) FROM contacts WHERE name <> ''`) == 4 })
		for i, picture := range []string{"<script>", png + strings.Repeat("x", 2<<20)} {
			c.picture.Store(&picture)
			w.Accept(bottest.Message(fmt.Sprint("e", i), fmt.Sprint("v", i), "hello"))
			w.Soon("a name", func() bool { return w.Count(`SELECT COUNT(*) FROM contacts WHERE name <> ''`) == 5+i })
		}
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM contacts WHERE picture <> ''`))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM blobs`))
	})
}
