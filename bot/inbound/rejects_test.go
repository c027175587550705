package inbound_test

import (
	"strings"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
)

// inflating is a postman whose messages need eight times the room of their posts.
type inflating struct{ bottest.Postman }

func (p inflating) Decode(body []byte) ([]bot.Event, error) {
	events, err := p.Postman.Decode(body)
	for _, e := range events {
		e.Message.Text = strings.Repeat(e.Message.Text, 8)
	}
	return events, err
}

// While the database is locked or full nothing is set aside, however often it is tried: everything waits, and is
// taken in when the database is back, in order and once.
func TestDatabaseTroubleSetsNothingAside(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		w.Accounts.Put(w.Account, inflating{bottest.Postman{Recorder: w.Channel}})
		text := func(letter string) string { return strings.Repeat(letter, 4<<10) }
		w.Receive("c 1 "+text("a"), "c 2 "+text("b"), "d 3 "+text("e"))
		back := w.Away()
		log, hook := logtest.NewNullLogger()
		w.Run(inbound.NewIntake(w.Store, w.Accounts, log, inbound.IntakeOptions{}).Run)
		began := time.Now()
		w.Soon("it is tried more often than what is a post's own fault", func() bool {
			return len(hook.AllEntries()) > 0 && time.Since(began) > 2*time.Second
		})
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM rejects`))
		require.Equal(t, 3, w.Count(`SELECT COUNT(*) FROM inbox`))
		back()
		w.Taken()
		whole := func(letter string) string { return strings.Repeat(text(letter), 8) }
		require.Equal(t, []string{whole("a"), whole("b")}, w.Words("c"))
		require.Equal(t, []string{whole("e")}, w.Words("d"))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM rejects`))
	})
}

// A post that the process does not survive is tried alone at the next starts, later each time, while the others are
// taken in; then it is set aside, with what is known of it, and its customer has a person.
func TestPostThatEndsTheProcess(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		w.Accounts.Put(w.Account, found{bottest.Postman{Recorder: w.Channel}})
		w.Receive("c 1 one", "bomb 2 two", "bomb 4 after it", "d 3 three")
		events := store.EventWriter{Store: w.Store, Senders: func(_ bot.Account, body []byte) []string { return found{}.Senders(body) }}
		now := time.Now()
		for life := 1; ; life++ {
			require.LessOrEqual(t, life, 10)
			left, err := w.Store.NewestPost(t.Context())
			require.NoError(t, err)
			died := false
			for !died {
				list, err := events.DuePosts(t.Context(), store.MaxBatch, now)
				require.NoError(t, err)
				if len(list) == 0 || list[0].Attempt >= store.MaxPostAttempts {
					break
				}
				b, err := w.Store.NewBatch(t.Context(), list, left, now)
				require.NoError(t, err)
				var bodies int
				require.NoError(t, w.Db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM inbox WHERE id IN ('`+strings.Join(b.IDs, "','")+`') AND body = $1`, []byte("bomb 2 two")).Scan(&bodies))
				if died = bodies > 0; died {
					break // after its attempt was counted, and before anything came of it
				}
				_, err = events.StoreBatch(t.Context(), b, func(posts []store.Post) (list []store.Arrival) {
					for _, p := range posts {
						decoded, err := (bottest.Postman{}).Decode(p.Body)
						require.NoError(t, err)
						list = append(list, store.Arrival{Event: decoded[0], Account: w.Account, At: p.At})
					}
					return list
				})
				require.NoError(t, err)
			}
			if life > 2 {
				require.Equal(t, []string{"one"}, w.Words("c"), "the others go on")
				require.Equal(t, []string{"three"}, w.Words("d"))
			}
			if !died {
				list, err := events.DuePosts(t.Context(), 1, now)
				require.NoError(t, err)
				if len(list) == 0 {
					require.Zero(t, w.Count(`SELECT COUNT(*) FROM conversations WHERE customer = 'bomb'`), "what was written after it waits")
					now = now.Add(store.PostBackoff(2))
					continue
				}
				w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Now: func() time.Time { return now }})
				w.Run(w.Intake.Run)
				w.Soon("set aside", func() bool { return w.Count(`SELECT COUNT(*) FROM rejects`) == 1 })
				break
			}
		}
		kept, err := w.Store.Rejects(t.Context(), "test", "one", 10)
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.Equal(t, "the service ended 4 times while it took this in", kept[0].Reason)
		require.Equal(t, bot.ModePerson, w.Conversation("bomb").Mode)
		w.Taken()
		require.Equal(t, []string{"after it"}, w.Words("bomb"))
	})
}

// found is a postman that knows who wrote what cannot be read.
type found struct{ bottest.Postman }

func (found) Senders(body []byte) []string {
	customer, _, _ := strings.Cut(strings.TrimPrefix(string(body), "bad "), " ")
	return []string{customer}
}

// What could not be read is read again when people ask for it, once; what still cannot be read comes back. Whose words
// are in it has a person, who hears of it once.
func TestReadAgain(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		w.Accounts.Put(w.Account, found{bottest.Postman{Recorder: w.Channel}})
		w.Receive("bad c 1 one", "bad d 2 two", "bad c 1 one") // the network repeats itself
		w.Run(w.Intake.Run)
		w.Taken()
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM rejects`))
		require.Equal(t, bot.ModePerson, w.Conversation("c").Mode)
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk' AND payload LIKE '%"reason":"rejected"%'`))
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`), "the desk is not told again")

		mended := mendedPostman{found{bottest.Postman{Recorder: w.Channel}}}
		w.Accounts.Put(w.Account, mended)
		list, err := w.Store.Rejects(t.Context(), "test", "one", 10)
		require.NoError(t, err)
		channel, account, err := w.Store.RejectAccount(t.Context(), list[0].ID)
		require.NoError(t, err)
		require.Equal(t, []string{"test", "one"}, []string{channel, account})
		for _, want := range []int{1, 0} {
			n, err := w.Store.ReadAgain(t.Context(), channel, account, list[0].ID, time.Now())
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		_, _, err = w.Store.RejectAccount(t.Context(), list[0].ID)
		require.ErrorIs(t, err, bot.ErrNotFound)
		w.Taken()
		n, err := w.Store.ReadAgain(t.Context(), "test", "elsewhere", "", time.Now())
		require.NoError(t, err)
		require.Zero(t, n, "another account's stay")
		n, err = w.Store.ReadAgain(t.Context(), "test", "one", "", time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.Taken()
		require.Equal(t, []string{"one"}, w.Words("c"))
		require.Equal(t, []string{"two"}, w.Words("d"))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM rejects`))

		w.Accounts.Put(w.Account, found{bottest.Postman{Recorder: w.Channel}})
		w.Receive("bad e 3 three")
		w.Taken()
		_, err = w.Store.ReadAgain(t.Context(), "test", "one", "", time.Now())
		require.NoError(t, err)
		w.Soon("it comes back", func() bool { return w.Count(`SELECT COUNT(*) FROM rejects`) == 1 })
	})
}

// mendedPostman can read what found cannot.
type mendedPostman struct{ found }

func (p mendedPostman) Decode(body []byte) ([]bot.Event, error) {
	return p.found.Decode([]byte(strings.TrimPrefix(string(body), "bad ")))
}

// Of a post that was read in part the part is read again, from the whole, and the rest is not taken in twice.
func TestReadPartAgain(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		w.Accounts.Put(w.Account, inParts{Postman: bottest.Postman{Recorder: w.Channel}})
		w.Receive("c 1 one|bad d 2 two")
		w.Run(w.Intake.Run)
		w.Taken()
		require.Equal(t, []string{"one"}, w.Words("c"))
		w.Accounts.Put(w.Account, inParts{Postman: bottest.Postman{Recorder: w.Channel}, mended: true})
		n, err := w.Store.ReadAgain(t.Context(), "test", "one", "", time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.Taken()
		require.Equal(t, []string{"one"}, w.Words("c"))
		require.Equal(t, []string{"two"}, w.Words("d"))
	})
}

// inParts reads posts of several parts.
type inParts struct {
	bottest.Postman
	mended bool
}

func (p inParts) Decode(body []byte) (events []bot.Event, err error) {
	for part := range strings.SplitSeq(string(body), "|") {
		if p.mended {
			part = strings.TrimPrefix(part, "bad ")
		}
		list, err := p.Postman.Decode([]byte(part))
		if err != nil {
			list = []bot.Event{{Undecodable: &bot.Undecodable{Body: []byte(part), Reason: err.Error()}}}
		}
		events = append(events, list...)
	}
	return events, nil
}
