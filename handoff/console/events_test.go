package console

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/people"
	"faqbot/knowledge/waittest"
)

// next waits for an event that is no heartbeat.
func (o *office) next(events <-chan string) string {
	o.t.Helper()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return "end"
			}
			if e != "beat" {
				return e
			}
		case <-time.After(waittest.Hang):
			o.t.Fatal("no event came")
		}
	}
}

// until waits for an event and passes over others: a list that is looked at once too often harms nobody.
func (o *office) until(events <-chan string, event string) {
	o.t.Helper()
	for e := ""; e != event; e = o.next(events) {
		require.NotEqual(o.t, "end", e)
	}
}

// looked waits until the watcher has looked, from now on, and woken its streams. What they have to tell
// comes before the second heartbeat.
func (o *office) looked() {
	o.t.Helper()
	now := o.looks.Load()
	o.soon("two more looks", func() bool { return o.looks.Load() >= now+2 })
}

// still waits for a look and two heartbeats and requires that nothing else came before them.
func (o *office) still(events <-chan string, why string) {
	o.t.Helper()
	o.looked()
	for range 2 {
		select {
		case e := <-events:
			require.Equal(o.t, "beat", e, why)
		case <-time.After(waittest.Hang):
			o.t.Fatal("not even a heartbeat came")
		}
	}
}

// settled waits for a look and reads events until three heartbeats pass without one.
func (o *office) settled(events <-chan string) {
	o.t.Helper()
	o.looked()
	for beats := 0; beats < 3; {
		select {
		case e := <-events:
			beats++
			if e != "beat" {
				beats = 0
			}
		case <-time.After(waittest.Hang):
			o.t.Fatal("not even a heartbeat came")
		}
	}
}

func TestEvents(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	other := o.ticket("bolt", "bert")
	ann, out := o.listen("ann", "?ticket="+string(tk.ID)), o.listen("out", "")
	require.Equal(t, "changed", o.next(ann), "the page is older than its stream")
	require.Equal(t, "here", o.next(ann))
	require.Equal(t, "changed", o.next(out))
	o.settled(ann)
	o.settled(out)

	o.say("acme", "ana", "u2", "are you there?")
	o.until(ann, "changed")
	o.until(ann, "here")
	o.quiet(tk.Conversation)
	o.settled(ann)
	o.still(out, "another affiliate's conversation is not heard of")

	require.NoError(t, o.desk.Note(t.Context(), other.ID, "out", "", "mine"))
	require.Equal(t, "changed", o.next(out))
	o.settled(out)
	o.still(ann, "another affiliate's note is not heard of")

	require.NoError(t, o.desk.Note(t.Context(), tk.ID, "ann", "", "mine"))
	o.until(ann, "changed")
	o.until(ann, "here")

	o.stop()
	require.Equal(t, "end", o.lastOf(ann), "streams end with the service")
	again := o.listen("ann", "")
	require.Equal(t, "end", o.lastOf(again))
}

func (o *office) lastOf(events <-chan string) string {
	for e := o.next(events); ; e = o.next(events) {
		if e == "end" {
			return e
		}
	}
}

func TestPresence(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	path := "/desk/tickets/" + string(tk.ID)
	require.False(t, o.console.StaffedFor("acme"))
	ann := o.listen("ann", "?ticket="+string(tk.ID))
	require.Equal(t, "changed", o.next(ann))
	o.settled(ann)
	require.True(t, o.console.StaffedFor("acme"))
	require.False(t, o.console.StaffedFor("bolt"))
	require.Empty(t, o.get("ann", path).page.find(".present"), "not oneself")
	require.Equal(t, []string{"ann has this open too"}, o.get("bob", path).page.words(".present"))

	bob := o.listen("bob", "?ticket="+string(tk.ID))
	require.Equal(t, "changed", o.next(bob))
	o.until(ann, "here") // she is told that he came
	require.Equal(t, []string{"bob has this open too"}, o.get("ann", path).page.words(".present"))
	require.Equal(t, []string{"ann, bob have this open too"}, o.get("lea", path).page.words(".present"))
}

// A stream ends when its person may no longer have it.
func TestStreamEndsWithTheSession(t *testing.T) {
	o := open(t)
	signedIn := o.console.o.Who
	gone := make(chan struct{})
	o.console.o.Who = func(r *http.Request) (p people.Person, ok bool) {
		select {
		case <-gone:
			return p, false
		default:
			return signedIn(r)
		}
	}
	ann := o.listen("ann", "")
	require.Equal(t, "changed", o.next(ann))
	close(gone)
	require.Equal(t, "end", o.lastOf(ann))
	o.soon("nobody is there", func() bool { return !o.console.StaffedFor("acme") })
}

// Nobody watches: the database is left in peace. What is owed for long is still noticed when it goes.
func TestLook(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	w := watcher{console: o.console}
	first, err := w.look(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, first)
	same, err := w.look(t.Context())
	require.NoError(t, err)
	require.Empty(t, same)

	o.exec(`UPDATE conversations SET active_at = 1`)
	o.exec(`UPDATE tickets SET changed_at = 1`)
	o.exec(`UPDATE deliveries SET state = 'queued', due_at = $1 WHERE lane = 'customer'`, time.Now().Add(time.Hour).UnixMilli())
	owing, err := w.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, []change{{"acme", tk.Conversation}}, owing)
	o.exec(`UPDATE deliveries SET state = 'sent' WHERE lane = 'customer'`)
	sent, err := w.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, []change{{"acme", tk.Conversation}}, sent)
	nothing, err := w.look(t.Context())
	require.NoError(t, err)
	require.Empty(t, nothing)
}
