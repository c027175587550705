package bot

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a network took and did not deliver is sent again, a few times; news of an earlier try changes nothing.
func TestNotDeliveredIsSentAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		fails := func(id string, f SendFailure) {
			w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: id, Status: StatusFailed, Failure: f}))
		}
		fails("n1", SendUnknown) // before the answer to our call
		require.Equal(t, "queued", w.state())
		require.Equal(t, StatusQueued, w.messageStatus())
		require.NoError(t, w.store.settle(t.Context(), d, verdict{state: "sent", external: "n1"}, time.Now()))
		require.Equal(t, "queued", w.state(), "the answer comes too late to settle it")
		fails("n1", SendUnknown)
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusSent}))
		require.Equal(t, "queued", w.state(), "old news")

		next := func(id string) {
			again, _, ok, err := w.store.claimDelivery(t.Context(), time.Now().Add(time.Minute), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, again.doubts)
			require.NoError(t, w.store.settle(t.Context(), again, verdict{state: "sent", external: id}, time.Now()))
		}
		next("n2")
		fails("n1", SendUnknown)
		require.Equal(t, "sent", w.state(), "old news")
		fails("n2", SendTransient)
		require.Equal(t, "queued", w.state())
		next("n3")
		fails("n3", SendTransient)
		require.Equal(t, "failed", w.state(), "enough")
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`), "a person takes over")
	})
}

// A person has taken over: the bot's words do not come after theirs.
func TestNotSentAgainAfterAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		require.NoError(t, w.store.settle(t.Context(), d, verdict{state: "sent", external: "n1"}, time.Now()))
		require.NoError(t, w.conversations().Hold(t.Context(), d.conv))
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusFailed, Failure: SendTransient}))
		require.Equal(t, "failed", w.state())
	})
}

// Delivered after all: it is not sent again.
func TestDeliveredAfterAll(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusFailed, Failure: SendUnknown}))
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusReached}))
		require.Equal(t, "sent", w.state())
		require.Equal(t, StatusReached, w.messageStatus())
	})
}

// A network that says that a window is closed which a message has just opened is asked again; one that has
// closed is not.
func TestAWindowThatIsOpen(t *testing.T) {
	c := NewCourier(nil, nil, nil, nil, CourierOptions{})
	refusal := &SendError{Kind: SendWindowClosed}
	open, closed := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	require.Equal(t, "queued", c.judge(delivery{window: open, attempt: 1}, refusal, Limits{}).state)
	require.Equal(t, "failed", c.judge(delivery{window: open, attempt: againAttempts}, refusal, Limits{}).state)
	require.Equal(t, "failed", c.judge(delivery{window: closed, attempt: 1}, refusal, Limits{}).state)
	require.Equal(t, "failed", c.judge(delivery{attempt: 1}, refusal, Limits{}).state)

	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusFailed, Failure: SendWindowClosed}))
		require.Equal(t, "failed", w.state(), "a network without windows")
	})
}

// A network that knows of an opt-out before we do teaches us.
func TestAnUnwantedTemplateTeaches(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		require.NoError(t, w.store.settle(t.Context(), d, verdict{state: "failed", code: string(SendUnwanted)}, time.Now()))
		require.Equal(t, OptOutMarketing, w.conversation("c").OptOut)
	})
}
