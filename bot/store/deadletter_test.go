package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/store"
	"faqbot/knowledge/vault"
)

// What surely did not arrive is sent again when people ask for it, once however many ask at once, and as
// a delivery of its own: what the network yet says of the old one changes nothing.
func TestReplay(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		l := w.Dead(bot.SendError{Kind: bot.SendRefused, Code: "400"}, 1)
		require.Equal(t, bot.DeliveryFailed, l.State)
		require.Equal(t, string(bot.SendRefused), l.Code)
		require.Empty(t, l.Refusal)
		traffic, err := w.Store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, traffic.Dead)
		require.True(t, traffic.SentAt.IsZero())

		var g errgroup.Group
		refused := make(chan error, 8)
		for range 8 {
			g.Go(func() error { refused <- w.Conversations().Replay(t.Context(), l.Delivery); return nil })
		}
		require.NoError(t, g.Wait())
		done := 0
		for range 8 {
			if err := <-refused; err == nil {
				done++
			} else {
				require.True(t, errors.Is(err, bot.ErrReplay) || errors.Is(err, bot.ErrNotFound), "%v", err)
			}
		}
		require.Equal(t, 1, done)
		w.Soon("sent again", func() bool { return len(w.Channel.Texts("c")) == 1 })
		w.Soon("settled", func() bool {
			return w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`) == 1
		})
		for _, status := range []bot.SendStatus{bot.StatusFailed, bot.StatusReached} { // of the old delivery, late
			w.Accept(bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, ExternalID: "s" + string(status), At: time.Now(),
				Status: &bot.StatusUpdate{Delivery: l.Delivery, NetworkID: "old", Status: status, Failure: bot.SendRefused}})
		}
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM messages WHERE author = 'bot' AND status = 'sent'`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'replayed'`))
		require.Len(t, w.Channel.Texts("c"), 1)
		traffic, err = w.Store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Zero(t, traffic.Dead)
		require.False(t, traffic.SentAt.IsZero())
		require.False(t, traffic.HeardAt.IsZero())
	})
}

// What may have arrived is never sent again, nor what somebody answered since, nor what the network would
// refuse anyway.
func TestReplayRefused(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		l := w.Dead(bot.SendError{Kind: bot.SendUnknown}, 2)
		require.Equal(t, bot.DeliveryDoubtful, l.State)
		require.Equal(t, store.ReplayDoubtful, l.Refusal)
		require.ErrorIs(t, w.Conversations().Replay(t.Context(), l.Delivery), bot.ErrReplay)
		require.ErrorIs(t, w.Conversations().Replay(t.Context(), "nothing"), bot.ErrNotFound)
	})
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		l := w.Dead(bot.SendError{Kind: bot.SendRefused}, 1)
		for column, want := range map[string]string{"unreachable = TRUE": store.ReplayBlocked, "window_until = 1": store.ReplayWindow} {
			_, err := w.Db.Exec(`UPDATE conversations SET ` + column)
			require.NoError(t, err)
			require.ErrorContains(t, w.Conversations().Replay(t.Context(), l.Delivery), want)
			_, err = w.Db.Exec(`UPDATE conversations SET unreachable = FALSE, window_until = 0`)
			require.NoError(t, err)
		}
		require.NoError(t, w.Conversations().Say(t.Context(), l.Conversation, "k", bot.Reply{Text: "I am here", Agent: "ann"}))
		require.ErrorContains(t, w.Conversations().Replay(t.Context(), l.Delivery), store.ReplayAnswered)
		w.Soon("said", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"I am here"}, w.Channel.Texts("c"))
	})
}

// An account that is added anew may try again; what was said waits for it.
func TestAddedAccounts(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		box, err := vault.New(vault.NewKey())
		require.NoError(t, err)
		a := store.AddedAccount{Channel: "test", ID: "one", Settings: []byte(`{"id":"one"}`), Sealed: box.Seal("test/one", []byte("CanarySecret"))}
		require.NoError(t, w.Store.PutAccount(t.Context(), a, time.Now()))
		before, err := w.Store.AccountVersions(t.Context())
		require.NoError(t, err)
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendMisconfigured, Code: "190"}, false)
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("paused", func() bool {
			traffic, err := w.Store.Traffic(t.Context(), "test", "one", time.Now())
			return err == nil && traffic.Paused == store.PauseMisconfigured && traffic.PausedCode == "190" && traffic.Waiting == 1
		})
		require.NoError(t, w.Store.PutAccount(t.Context(), a, time.Now()))
		w.Soon("sent", func() bool { return len(w.Channel.Texts("c")) == 1 })
		after, err := w.Store.AccountVersions(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, before["test/one"], after["test/one"])

		list, err := w.Store.AddedAccounts(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.NotContains(t, string(list[0].Sealed), "Canary")
		secrets, err := box.Open(list[0].Key(), list[0].Sealed)
		require.NoError(t, err)
		require.Equal(t, "CanarySecret", string(secrets))
		_, err = box.Open("test/two", list[0].Sealed)
		require.ErrorIs(t, err, vault.ErrSealed, "what is one account's opens for no other")
		other, err := vault.New(vault.NewKey())
		require.NoError(t, err)
		_, err = other.Open(list[0].Key(), list[0].Sealed)
		require.ErrorIs(t, err, vault.ErrSealed)
		_, err = vault.New([]byte("short"))
		require.ErrorContains(t, err, "32 bytes")

		dropped, err := w.Store.DropAccount(t.Context(), "test", "one")
		require.NoError(t, err)
		require.True(t, dropped)
		dropped, err = w.Store.DropAccount(t.Context(), "test", "one")
		require.NoError(t, err)
		require.False(t, dropped)
	})
}

// Accounts come and go under those who look them up.
func TestRegistry(t *testing.T) {
	var none *bot.Registry
	require.Nil(t, none.Channel("test/one"))
	r := bot.NewRegistry()
	c := &bottest.Recorder{}
	var g errgroup.Group
	for i := range 4 {
		g.Go(func() error {
			for range 500 {
				if i == 0 {
					r.Put(bot.Account{Channel: "test", ID: "one", Locale: "en"}, c)
					r.Remove("test/one")
				}
				if a, ok := r.Account("test/one"); ok && a.Locale != "en" {
					return errors.New("half an account")
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	r.Put(bot.Account{Channel: "test", ID: "one"}, c)
	require.Equal(t, bot.Channel(c), r.Channel("test/one"))
	r.Remove("test/one")
	require.Nil(t, r.Channel("test/one"))
}
