package outbound_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
)

// What a network took and did not deliver is sent again, a few times; news of an earlier try changes nothing.
func TestNotDeliveredIsSentAgain(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		fails := func(id string, f bot.SendFailure) {
			w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: id, Status: bot.StatusFailed, Failure: f}))
		}
		fails("n1", bot.SendUnknown) // before the answer to our call
		require.Equal(t, "queued", w.State())
		require.Equal(t, bot.StatusQueued, w.MessageStatus())
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		require.Equal(t, "queued", w.State(), "the answer comes too late to settle it")
		fails("n1", bot.SendUnknown)
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusSent}))
		require.Equal(t, "queued", w.State(), "old news")

		next := func(id string) {
			again, ok, err := w.ClaimDelivery(time.Now().Add(time.Minute), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, again.Doubts)
			require.NoError(t, w.Store.FinishDelivery(t.Context(), again, store.DeliveryResult{State: bot.DeliverySent, ExternalID: id}, time.Now()))
		}
		next("n2")
		fails("n1", bot.SendUnknown)
		require.Equal(t, "sent", w.State(), "old news")
		fails("n2", bot.SendTransient)
		require.Equal(t, "queued", w.State())
		next("n3")
		fails("n3", bot.SendTransient)
		require.Equal(t, "failed", w.State(), "enough")
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`), "a person takes over")
	})
}

// A person has taken over: the bot's words do not come after theirs.
func TestNotSentAgainAfterAPerson(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		require.NoError(t, w.Conversations().Hold(t.Context(), d.Conversation))
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendTransient}))
		require.Equal(t, "failed", w.State())
	})
}

// Delivered after all: it is not sent again.
func TestDeliveredAfterAll(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendUnknown}))
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusReached}))
		require.Equal(t, "sent", w.State())
		require.Equal(t, bot.StatusReached, w.MessageStatus())
	})
}

// A network that says that a window is closed which a message has just opened is asked again; one that has
// closed is not.
func TestAWindowThatIsOpen(t *testing.T) {
	c := outbound.NewCourier(nil, nil, nil, nil, outbound.CourierOptions{})
	refusal := &bot.SendError{Kind: bot.SendWindowClosed}
	open, closed := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	require.Equal(t, bot.DeliveryQueued, c.Judge(store.Delivery{Window: open, Attempt: 1}, refusal, bot.Limits{}).State)
	require.Equal(t, bot.DeliveryFailed, c.Judge(store.Delivery{Window: open, Attempt: 3}, refusal, bot.Limits{}).State)
	require.Equal(t, bot.DeliveryFailed, c.Judge(store.Delivery{Window: closed, Attempt: 1}, refusal, bot.Limits{}).State)
	require.Equal(t, bot.DeliveryFailed, c.Judge(store.Delivery{Attempt: 1}, refusal, bot.Limits{}).State)

	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendWindowClosed}))
		require.Equal(t, "failed", w.State(), "a network without windows")
	})
}

// A network that knows of an opt-out before we do teaches us.
func TestAnUnwantedTemplateTeaches(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliveryFailed, Code: string(bot.SendUnwanted)}, time.Now()))
		require.Equal(t, bot.OptOutMarketing, w.Conversation("c").OptOut)
	})
}

// A file that the network took, and then says it cannot use, goes as its link, once, whoever carries it out; what
// is said of either try again, or at the same time, sends nothing more.
func TestAFileThatFailsLate(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Media, w.Channel.Capacity.Caption = true, 1024
		file := bot.Media{Kind: "photo", Name: "plans.png", File: "0123abc"}
		d := w.Replied("c", file)
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		fails := func(id string) {
			var g errgroup.Group
			for range 4 {
				g.Go(func() error {
					return w.Intake.Accept(t.Context(), w.Account, []bot.Event{bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: id, Status: bot.StatusFailed, Failure: bot.SendFile})})
				})
			}
			require.NoError(t, g.Wait())
		}
		fails("n1")
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusSent}))
		require.Equal(t, "queued", w.State())
		courier := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Link: func(m bot.Media) string { return "https://bot.example/media/" + m.File }})
		w.Run(courier.Run)
		w.Soon("sent as its link", w.Settled)
		require.Equal(t, []string{"plans.png\nhttps://bot.example/media/0123abc"}, w.Channel.Texts("c"))
		n2 := "x" + string(d.ID)
		fails("n1")
		require.Equal(t, "sent", w.State(), "old news")
		fails(n2)
		require.Equal(t, "failed", w.State())
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
		fails(n2)
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
		require.Len(t, w.Channel.Texts("c"), 1)
	})
}

// Of all tries that a network did not carry out, none is taken for the last one.
func TestOldNewsOfEachTry(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c", bot.Media{Kind: "photo", Name: "plans.png", Link: "https://shop.example/plans.png"})
		for i, f := range []bot.SendFailure{bot.SendTransient, bot.SendFile} {
			name := fmt.Sprint("n", i)
			require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: name}, time.Now()))
			w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: name, Status: bot.StatusFailed, Failure: f}))
			var ok bool
			var err error
			d, ok, err = w.ClaimDelivery(time.Now().Add(time.Minute), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, f == bot.SendFile, d.Payload.Linked)
		}
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n2"}, time.Now()))
		for i, f := range []bot.SendFailure{bot.SendTransient, bot.SendFile} {
			w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: fmt.Sprint("n", i), Status: bot.StatusFailed, Failure: f}))
		}
		require.Equal(t, "sent", w.State())
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
	})
}

// Where there is no link to the file, and nothing was said beside it, a person is told.
func TestAFileThatFailsLateWithoutALink(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Media, w.Channel.Capacity.Caption = true, 1024
		d := w.Replied("c", bot.Media{Kind: "photo", Name: "plans.png", File: "0123abc"})
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendFile}))
		w.Run(w.Courier().Run)
		w.Soon("given up", func() bool { return w.State() == "failed" })
		require.Empty(t, w.Channel.Texts("c"))
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'customer' AND code = 'file'`))
	})
}
