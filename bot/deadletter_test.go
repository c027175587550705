package bot

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/vault"
)

// What surely did not arrive is sent again when people ask for it, once however many ask at once, and as
// a delivery of its own: what the network yet says of the old one changes nothing.
func TestReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.dead(SendError{Kind: SendRefused, Code: "400"}, 1)
		require.Equal(t, DeliveryFailed, l.State)
		require.Equal(t, string(SendRefused), l.Code)
		require.Empty(t, l.Refusal)
		traffic, err := w.store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, traffic.Dead)
		require.True(t, traffic.SentAt.IsZero())

		var g errgroup.Group
		refused := make(chan error, 8)
		for range 8 {
			g.Go(func() error { refused <- w.conversations().Replay(t.Context(), l.Delivery); return nil })
		}
		require.NoError(t, g.Wait())
		done := 0
		for range 8 {
			if err := <-refused; err == nil {
				done++
			} else {
				require.True(t, errors.Is(err, ErrReplay) || errors.Is(err, ErrNotFound), "%v", err)
			}
		}
		require.Equal(t, 1, done)
		w.soon("sent again", func() bool { return len(w.channel.texts("c")) == 1 })
		w.soon("settled", func() bool {
			return w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`) == 1
		})
		for _, status := range []SendStatus{StatusFailed, StatusReached} { // of the old delivery, late
			w.accept(Event{Address: Address{"test", "one", "c"}, ExternalID: "s" + string(status), At: time.Now(),
				Status: &StatusUpdate{Delivery: l.Delivery, NetworkID: "old", Status: status, Failure: SendRefused}})
		}
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM messages WHERE author = 'bot' AND status = 'sent'`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND state = 'sent'`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'replayed'`))
		require.Len(t, w.channel.texts("c"), 1)
		traffic, err = w.store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Zero(t, traffic.Dead)
		require.False(t, traffic.SentAt.IsZero())
		require.False(t, traffic.HeardAt.IsZero())
	})
}

// What may have arrived is never sent again, nor what somebody answered since, nor what the network would
// refuse anyway.
func TestReplayRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.dead(SendError{Kind: SendUnknown}, 2)
		require.Equal(t, DeliveryDoubtful, l.State)
		require.Equal(t, replayDoubtful, l.Refusal)
		require.ErrorIs(t, w.conversations().Replay(t.Context(), l.Delivery), ErrReplay)
		require.ErrorIs(t, w.conversations().Replay(t.Context(), "nothing"), ErrNotFound)
	})
	onBoth(t, func(t *testing.T, w *world) {
		l := w.dead(SendError{Kind: SendRefused}, 1)
		for column, want := range map[string]string{"unreachable = TRUE": replayBlocked, "window_until = 1": replayWindow} {
			_, err := w.db.Exec(`UPDATE conversations SET ` + column)
			require.NoError(t, err)
			require.ErrorContains(t, w.conversations().Replay(t.Context(), l.Delivery), want)
			_, err = w.db.Exec(`UPDATE conversations SET unreachable = FALSE, window_until = 0`)
			require.NoError(t, err)
		}
		require.NoError(t, w.conversations().Say(t.Context(), l.Conversation, "k", Reply{Text: "I am here", Agent: "ann"}))
		require.ErrorContains(t, w.conversations().Replay(t.Context(), l.Delivery), replayAnswered)
		w.soon("said", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"I am here"}, w.channel.texts("c"))
	})
}

// An account that is added anew may try again; what was said waits for it.
func TestAddedAccounts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		box, err := vault.New(vault.NewKey())
		require.NoError(t, err)
		a := AddedAccount{Channel: "test", ID: "one", Settings: []byte(`{"id":"one"}`), Sealed: box.Seal("test/one", []byte("CanarySecret"))}
		require.NoError(t, w.store.PutAccount(t.Context(), a, time.Now()))
		before, err := w.store.AccountVersions(t.Context())
		require.NoError(t, err)
		w.channel.fails(1, SendError{Kind: SendMisconfigured, Code: "190"}, false)
		w.accept(message("c", "u1", "hello"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("paused", func() bool {
			traffic, err := w.store.Traffic(t.Context(), "test", "one", time.Now())
			return err == nil && traffic.Paused == PausedMisconfigured && traffic.PausedCode == "190" && traffic.Waiting == 1
		})
		require.NoError(t, w.store.PutAccount(t.Context(), a, time.Now()))
		w.soon("sent", func() bool { return len(w.channel.texts("c")) == 1 })
		after, err := w.store.AccountVersions(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, before["test/one"], after["test/one"])

		list, err := w.store.AddedAccounts(t.Context())
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

		dropped, err := w.store.DropAccount(t.Context(), "test", "one")
		require.NoError(t, err)
		require.True(t, dropped)
		dropped, err = w.store.DropAccount(t.Context(), "test", "one")
		require.NoError(t, err)
		require.False(t, dropped)
	})
}

// Accounts come and go under those who look them up.
func TestRegistry(t *testing.T) {
	var none *Registry
	require.Nil(t, none.Channel("test/one"))
	r := NewRegistry()
	c := &recorder{}
	var g errgroup.Group
	for i := range 4 {
		g.Go(func() error {
			for range 500 {
				if i == 0 {
					r.Put(Account{Channel: "test", ID: "one", Locale: "en"}, c)
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
	r.Put(Account{Channel: "test", ID: "one"}, c)
	require.Equal(t, Channel(c), r.Channel("test/one"))
	r.Remove("test/one")
	require.Nil(t, r.Channel("test/one"))
}
