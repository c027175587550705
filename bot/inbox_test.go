package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A postman is a Channel that can read posts: "CUSTOMER ID WORDS" is a message. "bad…" cannot be read,
// "odd…" is an event that cannot be stored, and over nothing it stumbles.
type postman struct{ *recorder }

func (postman) Verify(http.Header, []byte) error { return nil }

func (postman) Decode(body []byte) ([]Event, error) {
	switch text := string(body); {
	case strings.HasPrefix(text, "bad"):
		return nil, errors.New("cannot be read")
	case strings.HasPrefix(text, "odd"):
		return []Event{{Address: Address{"test", "one", "odd"}, ExternalID: "odd"}}, nil
	case text == "nothing":
		return nil, nil
	case text == "":
		panic("stumbled")
	default:
		part := strings.SplitN(text, " ", 3)
		return []Event{message(part[0], part[1], part[2])}, nil
	}
}

// withPosts runs a test on both databases with an account whose posts can be read.
func withPosts(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	onBoth(t, func(t *testing.T, w *world) {
		w.accounts.Put(w.account, postman{w.channel})
		test(t, w)
	})
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
	all, err := w.store.messages(w.t.Context(), `m.conversation_id = $1 ORDER BY m.seq`, w.conversation(customer).ID)
	require.NoError(w.t, err)
	for _, m := range all {
		list = append(list, m.Text)
	}
	return list
}

// What was received is taken in once, in its order, also if it comes again and if whoever received it is dead.
func TestReceive(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		var want []string
		for i := range 200 {
			w.receive(fmt.Sprintf("c %d word %d", i, i))
			want = append(want, fmt.Sprintf("word %d", i))
		}
		w.receive("c 7 word 7", "nothing", "c 199 word 199")
		traffic, err := w.store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Equal(t, 203, traffic.Unread, "it is durable before anybody reads it")
		w.intake = NewIntake(w.store, w.accounts, w.log, IntakeOptions{})
		w.run(w.intake.Run)
		w.receive("c 200 last")
		w.taken()
		require.Equal(t, append(want, "last"), w.words("c"))
	})
}

// What cannot be read, cannot be stored or is nobody's any more is kept for a person, and keeps nobody waiting.
func TestReceiveOdd(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		w.receive("c 1 one", "bad \x00\xff", "c 2 two", "odd", "c 3 three", "", "bad \x00\xff")
		require.NoError(t, w.intake.Receive(t.Context(), Account{Channel: "test", ID: "removed"}, []byte("c 4 four")))
		w.receive("odd too", "c 5 five")
		w.run(w.intake.Run)
		w.taken()
		require.Equal(t, []string{"one", "two", "three", "five"}, w.words("c"))
		kept, err := w.store.Rejects(t.Context(), "test", "one", 10)
		require.NoError(t, err)
		reasons := map[string]string{}
		for _, r := range kept {
			reasons[string(r.Body)] = r.Reason
		}
		require.Len(t, reasons, 3+1)
		require.Contains(t, reasons[""], "panic with a value of type string")
		require.Equal(t, "cannot be read", reasons["bad \x00\xff"])
		require.Contains(t, reasons["odd"], "event without content")
		require.Contains(t, reasons["odd too"], "event without content")
		removed, err := w.store.Rejects(t.Context(), "test", "removed", 10)
		require.NoError(t, err)
		require.Len(t, removed, 1)
		require.Equal(t, "the account has been removed since", removed[0].Reason)
		require.Equal(t, 0, w.count(`SELECT COUNT(*) FROM conversations WHERE customer = 'odd'`))
	})
}

// Two processes, or two threads of one, take everything in once.
func TestReceiveByMany(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		other := NewIntake(w.store, w.accounts, w.log, IntakeOptions{})
		w.run(w.intake.Run, other.Run)
		var g errgroup.Group
		for c := range 8 {
			g.Go(func() error {
				for i := range 50 {
					in := []*Intake{w.intake, other}[i%2]
					if err := in.Receive(t.Context(), w.account, fmt.Appendf(nil, "c%d %d word %d", c, i, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		w.taken()
		for c := range 8 {
			require.Len(t, w.words("c"+strconv.Itoa(c)), 50)
		}
	})
}

// However many write, nobody's words lie for long.
func TestTakenWhileOthersPost(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		w.receive("c 1 one")
		var g errgroup.Group
		for c := range 4 {
			g.Go(func() error {
				for i := 0; ctx.Err() == nil; i++ {
					if err := w.intake.Receive(t.Context(), w.account, fmt.Appendf(nil, "other%d %d word", c, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		w.run(w.intake.Run)
		w.soon("taken", func() bool { return w.count(`SELECT COUNT(*) FROM messages WHERE body = 'one'`) == 1 })
		stop()
		require.NoError(t, g.Wait())
		w.taken()
	})
}

// A transaction reads no more than it can hold.
func TestReceiveLarge(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		large := strings.Repeat("x", postsBytes/2)
		w.receive("c 1 "+large, "c 2 "+large, "c 3 "+large)
		list, err := w.intake.candidates(t.Context(), postsMost)
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}

func TestBitesGrowWithAge(t *testing.T) {
	require.Equal(t, postsLeast, bite(0))
	require.Equal(t, postsLeast, bite(2*patience-1))
	require.Equal(t, 2*postsLeast, bite(2*patience))
	require.Equal(t, 4*postsLeast, bite(5*patience))
	require.Equal(t, postsMost, bite(time.Hour))
}
