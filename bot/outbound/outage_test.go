package outbound_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/knowledge"
)

// What the network says failed goes again when two minutes brought neither status nor echo, and arrives once; nobody
// needs a person for it.
func TestErroredIsSentAgain(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.ConfirmReceipts()
		w.Channel.Fails(2, bot.SendError{Kind: bot.SendErrored, Code: "131016"}, false)
		began := w.Now()
		w.Answered()
		w.Soon("sent", w.Settled)
		require.Equal(t, "sent", w.State())
		require.Equal(t, []string{"re: hello"}, w.Channel.Texts("c"))
		require.GreaterOrEqual(t, w.Now().Sub(began), 4*time.Minute, "two minutes each time")
		require.Empty(t, w.Desk.Heard())
	})
}

// What the network took all the same, although it said that it failed, is never sent again.
func TestErroredThatWasTaken(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.ConfirmReceipts()
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendErrored, Code: "2"}, true)
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("failed", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries WHERE code = 'errored'`) == 1 })
		id, _, due := w.Ours()
		require.Greater(t, time.Until(due), time.Minute)
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: id, NetworkID: "n1", Status: bot.StatusReached}))
		require.Equal(t, "sent", w.State())
		require.Equal(t, bot.StatusReached, w.MessageStatus())
		require.Len(t, w.Channel.Texts("c"), 1)
	})
}

// The two minutes count only while the network could tell: not what lies unread in the inbox, nor what it could not
// post to us.
func TestErroredWaitsUntilTheNetworkCouldTell(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.ConfirmReceipts()
		d := w.Replied("c")
		begun := time.Now()
		c := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: w.Now, ReceivingSince: func() time.Time { return begun }})
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, c.Judge(d, &bot.SendError{Kind: bot.SendErrored}, w.Channel.Capacity), w.Now()))
		carry := func() time.Duration {
			w.Skipped.Add(int64(3 * time.Minute))
			d, ok, err := w.ClaimDelivery(w.Now(), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			c.Carry(t.Context(), d)
			_, _, due := w.Ours()
			return due.Sub(w.Now())
		}
		begun = w.Now().Add(3*time.Minute - time.Second) // it could not post until a second before
		require.Greater(t, carry(), time.Minute)
		w.Receive("c 2 unread")
		require.Greater(t, carry(), time.Duration(0))
		require.Empty(t, w.Channel.Texts("c"))
		_, err := w.Db.ExecContext(t.Context(), `DELETE FROM inbox`)
		require.NoError(t, err)
		carry()
		require.Equal(t, []string{"re: hello"}, w.Channel.Texts("c"))
	})
}

// A network that says nothing for how long is asked again after 1, 2, 4 s, and no later than a minute.
func TestThrottleBacksOff(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(8, bot.SendError{Kind: bot.SendThrottled, Code: "4"}, false)
		began := w.Now()
		w.Answered()
		w.Soon("sent", w.Settled)
		require.Equal(t, "sent", w.State())
		require.Less(t, w.Now().Sub(began), 8*time.Minute)
		require.Equal(t, []time.Duration{time.Second, time.Second, 2 * time.Second, 4 * time.Second, time.Minute},
			[]time.Duration{store.ThrottleWait(0), store.ThrottleWait(1), store.ThrottleWait(2), store.ThrottleWait(3), store.ThrottleWait(50)})
	})
}

// A network that throttles for long leaves an agent's reply all its attempts.
func TestThrottlingUsesUpNoAttempt(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		tries := 0
		w.Channel.Failing(func(bot.Address, bot.Reply) error {
			switch tries++; {
			case tries <= 20:
				return &bot.SendError{Kind: bot.SendThrottled}
			case tries <= 22:
				return &bot.SendError{Kind: bot.SendTransient, ThisCustomer: true}
			}
			return nil
		})
		require.NoError(t, w.Conversations().Say(t.Context(), w.Conversation("c").ID, "k", bot.Reply{Text: "hi", Agent: "ann"}))
		w.Hurried(bottest.Echo{})
		w.Soon("settled", w.Settled)
		require.Equal(t, []string{"hi"}, w.Channel.Texts("c"))
		require.Equal(t, 3, w.Count(`SELECT attempt FROM deliveries WHERE lane = 'customer'`))
	})
}

// An outage of ten minutes and more is one incident: one reply at a time finds out whether it is over, none is
// withdrawn, no ticket is opened, and then all arrive, each once.
func TestOutageIsOneIncident(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.ConfirmReceipts()
		const customers = 30
		down := true
		tries := 0
		w.Channel.Failing(func(bot.Address, bot.Reply) error {
			if !down {
				return nil
			}
			tries++
			return &bot.SendError{Kind: []bot.SendFailure{bot.SendErrored, bot.SendTransient, bot.SendThrottled}[tries%3], Code: "2"}
		})
		for c := range customers {
			w.Accept(bottest.Message(fmt.Sprint("c", c), "u1", "hello"))
		}
		began := w.Now()
		w.Hurried(bottest.Echo{})
		w.Soon("all are answered", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer'`) == customers })
		w.Soon("away", func() bool { return w.Count(`SELECT COUNT(*) FROM incidents WHERE failures > 4`) == 1 })
		w.Skipped.Add(int64(20 * time.Minute))
		failures := w.Count(`SELECT failures FROM incidents`)
		w.Soon("still away", func() bool { return w.Count(`SELECT failures FROM incidents`) > failures })
		late, err := w.Store.OverdueDeliveries(t.Context(), w.Now())
		require.NoError(t, err)
		require.Empty(t, late, "nothing is withdrawn")
		list, err := w.Store.Incidents(t.Context(), began, bot.AccountKey("test", "one"))
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Ended.IsZero())
		require.Equal(t, customers, list[0].Affected)
		require.Contains(t, list[0].Words(), "(30 now)")
		require.Empty(t, w.Desk.Heard())
		w.Channel.Mu.Lock()
		down = false
		require.Less(t, tries, 2*customers, "the others wait")
		w.Channel.Mu.Unlock()
		w.Soon("all sent", func() bool {
			return w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`) == customers
		})
		for c := range customers {
			require.Equal(t, []string{"re: hello"}, w.Channel.Texts(fmt.Sprint("c", c)))
		}
		require.Empty(t, w.Desk.Heard())
		list, err = w.Store.Incidents(t.Context(), began)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.False(t, list[0].Ended.IsZero())
		require.Equal(t, customers, list[0].Affected)
		require.Zero(t, list[0].Failed)
		shown, err := w.Conversations().Incidents(t.Context(), func(a knowledge.AffiliateID) bool { return a == "acme" })
		require.NoError(t, err)
		require.Len(t, shown, 1)
		list, err = w.Store.Incidents(t.Context(), began, bot.AccountKey("test", "other"))
		require.NoError(t, err)
		require.Empty(t, list, "another account's")
	})
}

// An outage that three sends met is told of, also when it is over.
func TestThreeFailuresAreAnIncident(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(3, bot.SendError{Kind: bot.SendTransient}, false)
		w.Answered()
		w.Soon("sent", w.Settled)
		list, err := w.Store.Incidents(t.Context(), time.Time{})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.False(t, list[0].Ended.IsZero())
	})
}

// A failure or two are no incident, nor is what concerns one customer alone.
func TestHiccupIsNoIncident(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(5, bot.SendError{Kind: bot.SendTransient, Code: "131056", ThisCustomer: true}, false)
		w.Answered()
		w.Soon("sent", w.Settled)
		require.Equal(t, "sent", w.State())
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM incidents`))
		w.Channel.Fails(2, bot.SendError{Kind: bot.SendTransient}, false)
		w.Accept(bottest.Message("d", "u2", "hello"))
		w.Soon("sent", func() bool { return len(w.Channel.Texts("d")) == 1 })
		w.Soon("forgotten", func() bool { return w.Count(`SELECT COUNT(*) FROM incidents`) == 0 })
	})
}

// Whether an answer that the network held up is still wanted: not when a person has spoken since, nor when the customer
// has asked something new; "hello?" is nothing new.
func TestLateAnswerThatNobodyWants(t *testing.T) {
	for name, test := range map[string]struct {
		then func(w *bottest.World)
		want string
	}{
		"nothing since": {func(*bottest.World) {}, "sent"},
		"a person spoke": {func(w *bottest.World) {
			require.NoError(w.T, w.Conversations().Say(w.T.Context(), w.Conversation("c").ID, "k", bot.Reply{Text: "mine", Agent: "ann"}))
		}, "dropped"},
		"something new":   {func(w *bottest.World) { w.Accept(bottest.Message("c", "u2", "and Germany?")) }, "dropped"},
		"only small talk": {func(w *bottest.World) { w.Accept(bottest.Message("c", "u2", "small talk")) }, "sent"},
	} {
		t.Run(name, func(t *testing.T) {
			bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
				w.ConfirmReceipts()
				w.Channel.Fails(5, bot.SendError{Kind: bot.SendTransient}, false)
				w.Accept(bottest.Message("c", "u1", "hello"))
				c, ok := w.Claim()
				require.True(t, ok)
				o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
				require.NoError(t, err)
				require.NoError(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()))
				courier := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: w.Now})
				for range 3 {
					d, ok, err := w.ClaimDelivery(w.Now(), time.Minute)
					require.NoError(t, err)
					require.True(t, ok)
					courier.Carry(t.Context(), d)
					w.Skipped.Add(int64(time.Minute))
				}
				w.Channel.Fails(0, bot.SendError{}, false)
				test.then(w)
				r := turns.NewRunner(w.Store, chatty{}, w.Accounts, w.Log, turns.RunnerOptions{Now: w.Now})
				w.Pokes = []func(){r.Poke, courier.Poke}
				w.Run(r.Run)
				w.Soon("worked out", func() bool { return w.Count(`SELECT COUNT(*) FROM turn_queue WHERE due_at > 0`) == 0 })
				w.Run(courier.Run)
				w.Soon("settled", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 0 })
				require.Equal(t, test.want, w.State())
				require.Empty(t, w.Desk.Heard(), "a late answer is no matter for a person")
			})
		})
	}
}

// chatty is an echo that takes "small talk" for that.
type chatty struct{ bottest.Echo }

func (c chatty) Turn(ctx context.Context, t bot.Turn) (bot.Outcome, error) {
	o, err := c.Echo.Turn(ctx, t)
	if t.Waiting[len(t.Waiting)-1].Text == "small talk" {
		o.Decision.Reason = bot.ReasonSmallTalk
	}
	return o, err
}

// Nobody waits longer for a late answer than the window is open, or a desk promises: then a person takes over.
func TestOutageThatOutlastsTheWindow(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.ConfirmReceipts()
		w.Channel.Capacity.Window = 30 * time.Minute
		w.Channel.Failing(func(bot.Address, bot.Reply) error { return &bot.SendError{Kind: bot.SendTransient} })
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Hurried(bottest.Echo{})
		w.Soon("away", func() bool { return w.Count(`SELECT COUNT(*) FROM incidents WHERE failures > 3`) == 1 })
		w.Skipped.Add(int64(15 * time.Minute))
		late, err := w.Store.OverdueDeliveries(t.Context(), w.Now())
		require.NoError(t, err)
		require.Empty(t, late)
		w.Skipped.Add(int64(30 * time.Minute))
		w.Soon("withdrawn", w.Settled)
		require.Equal(t, "withdrawn", w.State())
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
	})
}

// What has been sent is settled however long the database is away, and is not sent again meanwhile.
func TestSettlingOutlastsTheDatabase(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		c := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: w.Now})
		c.Hold(d.ID)
		w.Skipped.Store(int64(time.Hour)) // the lease has ended long ago
		_, _, ok, err := c.Claim(t.Context())
		require.NoError(t, err)
		require.False(t, ok, "it is in hand")
		c.LetGo(d.ID)
		again, _, ok, err := c.Claim(t.Context())
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 1, again.Doubts, "another process would doubt")
	})
}
