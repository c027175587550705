package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
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
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
		require.Equal(t, "queued", w.state(), "the answer comes too late to settle it")
		fails("n1", SendUnknown)
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusSent}))
		require.Equal(t, "queued", w.state(), "old news")

		next := func(id string) {
			again, ok, err := w.claimDelivery(time.Now().Add(time.Minute), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, again.doubts)
			require.NoError(t, w.store.finishDelivery(t.Context(), again, verdict{state: DeliverySent, external: id}, time.Now()))
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
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
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
	require.Equal(t, DeliveryQueued, c.judge(delivery{window: open, attempt: 1}, refusal, Limits{}).state)
	require.Equal(t, DeliveryFailed, c.judge(delivery{window: open, attempt: againAttempts}, refusal, Limits{}).state)
	require.Equal(t, DeliveryFailed, c.judge(delivery{window: closed, attempt: 1}, refusal, Limits{}).state)
	require.Equal(t, DeliveryFailed, c.judge(delivery{attempt: 1}, refusal, Limits{}).state)

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
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliveryFailed, code: string(SendUnwanted)}, time.Now()))
		require.Equal(t, OptOutMarketing, w.conversation("c").OptOut)
	})
}

// A file that the network took, and then says it cannot use, goes as its link, once, whoever carries it out; what
// is said of either try again, or at the same time, sends nothing more.
func TestAFileThatFailsLate(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Media, w.channel.limits.Caption = true, 1024
		file := Media{Kind: "photo", Name: "plans.png", File: "0123abc"}
		d := w.replied("c", file)
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
		fails := func(id string) {
			var g errgroup.Group
			for range 4 {
				g.Go(func() error {
					return w.intake.Accept(t.Context(), w.account, []Event{status(StatusUpdate{Delivery: d.id, NetworkID: id, Status: StatusFailed, Failure: SendFile})})
				})
			}
			require.NoError(t, g.Wait())
		}
		fails("n1")
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusSent}))
		require.Equal(t, "queued", w.state())
		courier := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Link: func(m Media) string { return "https://bot.example/media/" + m.File }})
		w.run(courier.Run)
		w.soon("sent as its link", w.settled)
		require.Equal(t, []string{"plans.png\nhttps://bot.example/media/0123abc"}, w.channel.texts("c"))
		n2 := "x" + string(d.id)
		fails("n1")
		require.Equal(t, "sent", w.state(), "old news")
		fails(n2)
		require.Equal(t, "failed", w.state())
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
		fails(n2)
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
		require.Len(t, w.channel.texts("c"), 1)
	})
}

// Of all tries that a network did not carry out, none is taken for the last one.
func TestOldNewsOfEachTry(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c", Media{Kind: "photo", Name: "plans.png", Link: "https://shop.example/plans.png"})
		for i, f := range []SendFailure{SendTransient, SendFile} {
			name := fmt.Sprint("n", i)
			require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: name}, time.Now()))
			w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: name, Status: StatusFailed, Failure: f}))
			var ok bool
			var err error
			d, ok, err = w.claimDelivery(time.Now().Add(time.Minute), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, f == SendFile, d.payload.Linked)
		}
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n2"}, time.Now()))
		for i, f := range []SendFailure{SendTransient, SendFile} {
			w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: fmt.Sprint("n", i), Status: StatusFailed, Failure: f}))
		}
		require.Equal(t, "sent", w.state())
		require.Zero(t, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
	})
}

// Where there is no link to the file, and nothing was said beside it, a person is told.
func TestAFileThatFailsLateWithoutALink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Media, w.channel.limits.Caption = true, 1024
		d := w.replied("c", Media{Kind: "photo", Name: "plans.png", File: "0123abc"})
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusFailed, Failure: SendFile}))
		w.run(w.courier().Run)
		w.soon("given up", func() bool { return w.state() == "failed" })
		require.Empty(t, w.channel.texts("c"))
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND code = 'file'`))
	})
}
