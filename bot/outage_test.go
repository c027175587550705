package bot

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// What the network says failed goes again when two minutes brought neither status nor echo, and arrives once; nobody
// needs a person for it.
func TestErroredIsSentAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tells()
		w.channel.fails(2, SendError{Kind: SendErrored, Code: "131016"}, false)
		began := w.now()
		w.answered()
		w.soon("sent", w.settled)
		require.Equal(t, "sent", w.state())
		require.Equal(t, []string{"re: hello"}, w.channel.texts("c"))
		require.GreaterOrEqual(t, w.now().Sub(began), 4*time.Minute, "two minutes each time")
		require.Empty(t, w.desk.heard())
	})
}

// What the network took all the same, although it said that it failed, is never sent again.
func TestErroredThatWasTaken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tells()
		w.channel.fails(1, SendError{Kind: SendErrored, Code: "2"}, true)
		w.accept(message("c", "u1", "hello"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("failed", func() bool { return w.count(`SELECT COUNT(*) FROM deliveries WHERE code = 'errored'`) == 1 })
		id, _, due := w.ours()
		require.Greater(t, time.Until(due), time.Minute)
		w.accept(status(StatusUpdate{Delivery: id, NetworkID: "n1", Status: StatusReached}))
		require.Equal(t, "sent", w.state())
		require.Equal(t, StatusReached, w.messageStatus())
		require.Len(t, w.channel.texts("c"), 1)
	})
}

// The two minutes count only while the network could tell: not what lies unread in the inbox, nor what it could not
// post to us.
func TestErroredWaitsUntilTheNetworkCouldTell(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tells()
		d := w.replied("c")
		hearing := time.Now()
		c := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: w.now, HearingSince: func() time.Time { return hearing }})
		require.NoError(t, w.store.finishDelivery(t.Context(), d, c.judge(d, &SendError{Kind: SendErrored}, w.channel.limits), w.now()))
		carry := func() time.Duration {
			w.skipped.Add(int64(3 * time.Minute))
			d, ok, err := w.claimDelivery(w.now(), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			c.carry(t.Context(), d)
			_, _, due := w.ours()
			return due.Sub(w.now())
		}
		hearing = w.now().Add(3*time.Minute - time.Second) // it could not post until a second before
		require.Greater(t, carry(), time.Minute)
		w.receive("c 2 unread")
		require.Greater(t, carry(), time.Duration(0))
		require.Empty(t, w.channel.texts("c"))
		_, err := w.db.ExecContext(t.Context(), `DELETE FROM inbox`)
		require.NoError(t, err)
		carry()
		require.Equal(t, []string{"re: hello"}, w.channel.texts("c"))
	})
}

// A network that says nothing for how long is asked again after 1, 2, 4 s, and no later than a minute.
func TestThrottleBacksOff(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(8, SendError{Kind: SendThrottled, Code: "4"}, false)
		began := w.now()
		w.answered()
		w.soon("sent", w.settled)
		require.Equal(t, "sent", w.state())
		require.Less(t, w.now().Sub(began), 8*time.Minute)
		require.Equal(t, []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second, time.Minute},
			[]time.Duration{throttleWait(0), throttleWait(1), throttleWait(2), throttleWait(3), throttleWait(50)})
	})
}

// An outage of ten minutes and more is one incident: one reply at a time finds out whether it is over, none is
// withdrawn, no ticket is opened, and then all arrive, each once.
func TestOutageIsOneIncident(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tells()
		const customers = 30
		down := true
		tries := 0
		w.channel.failing(func(Address, Reply) error {
			if !down {
				return nil
			}
			tries++
			return &SendError{Kind: []SendFailure{SendErrored, SendTransient, SendThrottled}[tries%3], Code: "2"}
		})
		for c := range customers {
			w.accept(message(fmt.Sprint("c", c), "u1", "hello"))
		}
		began := w.now()
		w.hurried(echo{})
		w.soon("away", func() bool { return w.count(`SELECT COUNT(*) FROM incidents WHERE failures > 4`) == 1 })
		w.skipped.Add(int64(20 * time.Minute))
		failures := w.count(`SELECT failures FROM incidents`)
		w.soon("still away", func() bool { return w.count(`SELECT failures FROM incidents`) > failures })
		late, err := w.store.overdue(t.Context(), w.now())
		require.NoError(t, err)
		require.Empty(t, late, "nothing is withdrawn")
		list, err := w.store.Incidents(t.Context(), began, AccountKey("test", "one"))
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Ended.IsZero())
		require.Equal(t, customers, list[0].Affected)
		require.Contains(t, list[0].Words(), "(30 now)")
		require.Empty(t, w.desk.heard())
		w.channel.mu.Lock()
		down = false
		require.Less(t, tries, 2*customers, "the others wait")
		w.channel.mu.Unlock()
		w.soon("all sent", func() bool {
			return w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`) == customers
		})
		for c := range customers {
			require.Equal(t, []string{"re: hello"}, w.channel.texts(fmt.Sprint("c", c)))
		}
		require.Empty(t, w.desk.heard())
		list, err = w.store.Incidents(t.Context(), began)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.False(t, list[0].Ended.IsZero())
		require.Equal(t, customers, list[0].Affected)
		require.Zero(t, list[0].Failed)
		shown, err := w.conversations().Incidents(t.Context(), func(a knowledge.AffiliateID) bool { return a == "acme" })
		require.NoError(t, err)
		require.Len(t, shown, 1)
		list, err = w.store.Incidents(t.Context(), began, AccountKey("test", "other"))
		require.NoError(t, err)
		require.Empty(t, list, "another account's")
	})
}

// A failure or two are no incident, nor is what concerns one customer alone.
func TestHiccupIsNoIncident(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(5, SendError{Kind: SendTransient, Code: "131056", ThisCustomer: true}, false)
		w.answered()
		w.soon("sent", w.settled)
		require.Equal(t, "sent", w.state())
		require.Zero(t, w.count(`SELECT COUNT(*) FROM incidents`))
		w.channel.fails(2, SendError{Kind: SendTransient}, false)
		w.accept(message("d", "u2", "hello"))
		w.soon("sent", func() bool { return len(w.channel.texts("d")) == 1 })
		w.soon("forgotten", func() bool { return w.count(`SELECT COUNT(*) FROM incidents`) == 0 })
	})
}

// Whether an answer that the network held up is still wanted: not when a person has spoken since, nor when the customer
// has asked something new; "hello?" is nothing new.
func TestLateAnswerThatNobodyWants(t *testing.T) {
	for name, test := range map[string]struct {
		then func(w *world)
		want string
	}{
		"nothing since": {func(*world) {}, "sent"},
		"a person spoke": {func(w *world) {
			require.NoError(w.t, w.conversations().Say(w.t.Context(), w.conversation("c").ID, "k", Reply{Text: "mine", Agent: "ann"}))
		}, "dropped"},
		"something new":   {func(w *world) { w.accept(message("c", "u2", "and Germany?")) }, "dropped"},
		"only small talk": {func(w *world) { w.accept(message("c", "u2", "small talk")) }, "sent"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				w.tells()
				w.channel.fails(5, SendError{Kind: SendTransient}, false)
				w.accept(message("c", "u1", "hello"))
				c, ok := w.claim()
				require.True(t, ok)
				o, err := echo{}.Turn(t.Context(), c.turn)
				require.NoError(t, err)
				require.NoError(t, w.store.commitTurn(t.Context(), c, o, time.Now()))
				courier := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: w.now})
				for range 3 {
					d, ok, err := w.claimDelivery(w.now(), time.Minute)
					require.NoError(t, err)
					require.True(t, ok)
					courier.carry(t.Context(), d)
					w.skipped.Add(int64(time.Minute))
				}
				w.channel.fails(0, SendError{}, false)
				test.then(w)
				r := NewRunner(w.store, chatty{}, w.accounts, w.log, RunnerOptions{Now: w.now})
				w.pokes = []func(){r.Poke, courier.Poke}
				w.run(r.Run)
				w.soon("worked out", func() bool { return w.count(`SELECT COUNT(*) FROM conversations WHERE turn_due_at > 0`) == 0 })
				w.run(courier.Run)
				w.soon("settled", func() bool { return w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 0 })
				require.Equal(t, test.want, w.state())
				require.Empty(t, w.desk.heard(), "a late answer is no matter for a person")
			})
		})
	}
}

// chatty is an echo that takes "small talk" for that.
type chatty struct{ echo }

func (c chatty) Turn(ctx context.Context, t Turn) (Outcome, error) {
	o, err := c.echo.Turn(ctx, t)
	if t.Waiting[len(t.Waiting)-1].Text == "small talk" {
		o.Decision.Reason = ReasonSmallTalk
	}
	return o, err
}

// Nobody waits longer for a late answer than the window is open, or a desk promises: then a person takes over.
func TestOutageThatOutlastsTheWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.tells()
		w.channel.limits.Window = 30 * time.Minute
		w.channel.failing(func(Address, Reply) error { return &SendError{Kind: SendTransient} })
		w.accept(message("c", "u1", "hello"))
		w.hurried(echo{})
		w.soon("away", func() bool { return w.count(`SELECT COUNT(*) FROM incidents WHERE failures > 3`) == 1 })
		w.skipped.Add(int64(15 * time.Minute))
		late, err := w.store.overdue(t.Context(), w.now())
		require.NoError(t, err)
		require.Empty(t, late)
		w.skipped.Add(int64(30 * time.Minute))
		w.soon("withdrawn", w.settled)
		require.Equal(t, "withdrawn", w.state())
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
	})
}

// What has been sent is settled however long the database is away, and is not sent again meanwhile.
func TestSettlingOutlastsTheDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		c := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: w.now})
		c.hand[d.id] = true
		w.skipped.Store(int64(time.Hour)) // the lease has ended long ago
		_, _, ok, err := c.claim(t.Context())
		require.NoError(t, err)
		require.False(t, ok, "it is in hand")
		c.letGo(d.id)
		again, _, ok, err := c.claim(t.Context())
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 1, again.doubts, "another process would doubt")
	})
}
