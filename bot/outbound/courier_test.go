package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/media"

	"github.com/stretchr/testify/require"
)

func TestSendTransientIsRepeated(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(3, bot.SendError{Kind: bot.SendTransient}, false)
		w.Answered()
		w.Soon("sent", w.Settled)
		require.Equal(t, "sent", w.State())
		require.Equal(t, []string{"re: hello"}, w.Channel.Texts("c"))
	})
}

func TestSendThrottledPausesTheAccount(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendThrottled, After: time.Hour}, false)
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("throttled", func() bool { return w.Count(`SELECT COUNT(*) FROM pauses`) == 1 })
		w.Accept(bottest.Message("d", "u2", "hello"))
		w.Soon("answered", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries`) == 2 })
		d, ok, err := w.ClaimDelivery(time.Now(), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "a paused account got %v", d)
		_, ok, err = w.ClaimDelivery(time.Now().Add(61*time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

// A send that may have arrived is repeated once; then a person is told.
func TestSendUnknownIsRepeatedOnce(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(5, bot.SendError{Kind: bot.SendUnknown}, true)
		w.Answered()
		w.Soon("settled", w.Settled)
		require.Equal(t, "doubtful", w.State())
		require.Len(t, w.Channel.Texts("c"), 2)
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Equal(t, bot.ReasonBroken, w.Desk.Heard()[0].Escalation.Reason)
		require.Equal(t, "hello", w.Desk.Heard()[0].Escalation.Question)
	})
}

// The one repeat waits until the network answers again.
func TestRepeatWaitsForTheNetwork(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		probes := 3
		w.Channel.OnTyping = func() error {
			if probes--; probes >= 0 {
				return &bot.SendError{Kind: bot.SendUnknown}
			}
			return nil
		}
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendUnknown}, false)
		w.Answered()
		w.Soon("sent", w.Settled)
		require.Equal(t, "sent", w.State())
		require.Len(t, w.Channel.Texts("c"), 1)
	})
}

func TestNoResendWhereTheNetworkTells(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Resend = false
		w.Channel.Fails(5, bot.SendError{Kind: bot.SendUnknown}, true)
		w.Answered()
		w.Soon("settled", w.Settled)
		require.Len(t, w.Channel.Texts("c"), 1)
	})
}

// A worker that died between the network's receipt and its settling leaves a doubt.
func TestDeathDuringSend(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		c, ok := w.Claim()
		require.True(t, ok)
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.NoError(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()))
		now := time.Now()
		for want := range 3 {
			d, ok, err := w.ClaimDelivery(now, time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, d.Doubts)
			now = now.Add(time.Second)
			require.NoError(t, w.Store.ReleaseLeases(t.Context(), now)) // the next start
			_, ok, err = w.ClaimDelivery(now.Add(store.SendBackoff(want+1)-time.Millisecond), time.Minute)
			require.NoError(t, err)
			require.False(t, ok, "a restart does not hand it out at once")
			now = now.Add(store.SendBackoff(want + 1))
		}
		w.Skipped.Store(int64(time.Hour))
		c2 := outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Now: w.Now})
		w.Run(c2.Run)
		w.Soon("given up", w.Settled)
		require.Equal(t, "doubtful", w.State())
		require.Empty(t, w.Channel.Texts("c"))
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
	})
}

func TestBlockedCustomer(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendBlocked}, false)
		w.Answered()
		w.Soon("settled", w.Settled)
		c := w.Conversation("c")
		require.True(t, c.Unreachable)
		err := w.Conversations().Say(t.Context(), c.ID, "k", bot.Reply{Text: "hi", Agent: "ann"})
		var se *bot.SendError
		require.ErrorAs(t, err, &se)
		require.Equal(t, bot.SendBlocked, se.Kind)
		w.Accept(bottest.Message("c", "u2", "again")) // whoever writes has unblocked us
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Empty(t, w.Desk.Heard())
	})
}

// A reply that nobody could carry for ten minutes is withdrawn, and a person takes over.
func TestLateReplyIsWithdrawn(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Fails(1000, bot.SendError{Kind: bot.SendMisconfigured, Code: "401"}, false)
		w.Answered()
		w.Soon("paused", func() bool {
			keys, err := w.Store.Misconfigured(t.Context())
			return err == nil && len(keys) == 1
		})
		w.Soon("withdrawn", w.Settled)
		require.Equal(t, "withdrawn", w.State())
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Equal(t, bot.ModePerson, w.Conversation("c").Mode)
	})
}

// A person's reply that fails is told to the desk; the ticket is there already.
func TestFateOfAPersonsReply(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendRefused, Code: "400"}, false)
		require.NoError(t, w.Conversations().Say(t.Context(), w.Conversation("c").ID, "k", bot.Reply{Text: "hi", Agent: "ann"}))
		w.Run(w.Courier().Run)
		w.Soon("told", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Equal(t, bot.DeliveryFailed, w.Desk.Heard()[0].Failure.State)
	})
}

// What is in hand when the service stops is finished, and settled.
func TestStopFinishesWhatIsInHand(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		sending, goOn := make(chan struct{}), make(chan struct{})
		w.Channel.Failing(func(bot.Address, bot.Reply) error { close(sending); <-goOn; return nil })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- w.Runner(bottest.Echo{}).Run(ctx) }()
		go func() { ended <- w.Courier().Run(ctx) }()
		<-sending
		stop()
		close(goOn)
		require.NoError(t, errors.Join(<-ended, <-ended))
		require.Equal(t, "sent", w.State())
	})
}

// Two messages to one customer keep the network's pace, also if the second is written later.
func TestPace(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Pace = time.Hour
		w.Accept(bottest.Message("c", "u1", "hello"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		w.Soon("settled", w.Settled)
		w.Accept(bottest.Message("c", "u2", "and"))
		w.Soon("queued", func() bool { return w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 1 })
		d, ok, err := w.ClaimDelivery(time.Now().Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "too soon: %v", d)
		_, ok, err = w.ClaimDelivery(time.Now().Add(61*time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

// What takes longer than a lease is nobody else's as long as its worker lives.
func TestLeaseIsRenewed(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		c, ok := w.Claim()
		require.True(t, ok)
		later := time.Now().Add(time.Minute)
		require.NoError(t, w.Store.RenewTurn(t.Context(), c, later.Add(time.Second)))
		_, ok, err := w.ClaimTurn(later, worker.LeaseTime)
		require.NoError(t, err)
		require.False(t, ok, "the turn is being worked out")
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.NoError(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()))

		d, ok, err := w.ClaimDelivery(time.Now(), worker.LeaseTime)
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, w.Store.RenewDelivery(t.Context(), d, later.Add(time.Second)))
		_, ok, err = w.ClaimDelivery(later, worker.LeaseTime)
		require.NoError(t, err)
		require.False(t, ok, "the reply is being sent")
		again, ok, err := w.ClaimDelivery(later.Add(time.Hour), worker.LeaseTime)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 1, again.Doubts)
		require.NoError(t, w.Store.RenewDelivery(t.Context(), d, later.Add(2*time.Hour))) // the first worker wakes up
		third, ok, err := w.ClaimDelivery(later.Add(time.Hour+worker.LeaseTime+store.SendBackoff(2)), worker.LeaseTime)
		require.NoError(t, err)
		require.True(t, ok, "a stale worker renews nothing")
		require.Equal(t, 2, third.Doubts)
	})
}

// Of each conversation's lane one is on its way; one that cannot be read goes to a person and holds up
// nobody.
func TestClaimsOneOfALane(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		for _, customer := range []string{"7", "8", "9"} {
			w.Accept(bottest.Message(customer, "hi", "hi"))
			for n := range 2 {
				require.NoError(t, w.Conversations().Say(t.Context(), w.Conversation(customer).ID, fmt.Sprint("k", n), bot.Reply{Text: fmt.Sprint("reply ", n), Agent: "anna"}))
			}
		}
		_, err := w.Db.ExecContext(t.Context(), `UPDATE deliveries SET payload = '{' WHERE conversation_id = $1 AND seq = 2`, w.Conversation("8").ID)
		require.NoError(t, err)
		held := map[bot.ConversationID]store.Delivery{}
		for range 3 {
			d, ok, err := w.ClaimDelivery(time.Now(), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, d.Doubts)
			held[d.Conversation] = d
		}
		require.Len(t, held, 3)
		_, ok, err := w.ClaimDelivery(time.Now(), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "the others wait for them")
		for _, d := range held {
			w.Courier().Carry(t.Context(), d)
		}
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent'`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND code = 'unreadable'`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk' AND state = 'queued'`), "a person hears of it")
	})
}

// A file that the network surely refuses goes as its link, once; without a link, a person is told.
func TestSendOrLink(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Media, w.Channel.Capacity.Caption = true, 100
		w.Channel.Failing(func(_ bot.Address, r bot.Reply) error {
			if r.Media != nil && r.Media.Name == "bad" {
				return &bot.SendError{Kind: bot.SendRefused}
			}
			return nil
		})
		w.Accept(bottest.Message("c", "u1", "hello"))
		id := w.Conversation("c").ID
		for _, f := range []string{"f1", "f2", "f9"} {
			w.Kept(f)
		}
		err := w.Conversations().Say(t.Context(), id, "swept", bot.Reply{Agent: "ann", Media: &bot.Media{Kind: "photo", File: "f0", Name: "late"}})
		require.ErrorIs(t, err, media.ErrNotFound, "a file that waited too long for its reply")
		ours, bad, away := bot.Media{Kind: "photo", File: "f1", Name: "good"}, bot.Media{Kind: "photo", File: "f2", Name: "bad"}, bot.Media{Kind: "video", Link: "https://x.example/v.mp4"}
		for range 2 {
			require.NoError(t, w.Conversations().Say(t.Context(), id, "k", bot.Carrying(bot.Reply{Text: "look", Agent: "ann"}, []bot.Media{ours, bad, away})...))
		}
		link := func(m bot.Media) string {
			if m.File == "f9" {
				return ""
			}
			return "https://bot.example/" + m.File
		}
		w.Run(outbound.NewCourier(w.Store, w.Accounts, w.Desk, w.Log, outbound.CourierOptions{Link: link}).Run)
		w.Soon("sent", func() bool { return len(w.Channel.Texts("c")) == 3 })
		w.Channel.Mu.Lock()
		sent := w.Channel.Sent["c"]
		w.Channel.Mu.Unlock()
		require.Equal(t, []any{"look", "https://bot.example/f1"}, []any{sent[0].Text, sent[0].Media.Link})
		require.Equal(t, bot.Reply{Text: "bad\nhttps://bot.example/f2", Agent: "ann"}, sent[1])
		require.Equal(t, []any{"", away}, []any{sent[2].Text, *sent[2].Media})
		list, err := w.Conversations().Transcript(t.Context(), id, 1)
		require.NoError(t, err)
		require.Equal(t, []bot.Attachment{{Kind: "photo", Name: "good", Kept: "f1"}}, list[0].Attachments)
		require.Equal(t, []bot.Attachment{{Kind: "video", Link: "https://x.example/v.mp4"}}, list[2].Attachments)

		require.NoError(t, w.Conversations().Say(t.Context(), id, "l", bot.Reply{Agent: "ann", Media: &bot.Media{Kind: "photo", File: "f9", Name: "bad"}}))
		w.Soon("the desk is told", func() bool {
			heard := w.Desk.Heard()
			return len(heard) > 0 && heard[len(heard)-1].Failure != nil
		})
	})
}

// What the bot says goes out even if its file cannot; people of ours are told instead.
func TestWordsWithoutTheirFile(t *testing.T) {
	away, ours := &bot.Media{Name: "a.pdf", Link: "https://x.example/a"}, &bot.Media{Name: "a.pdf", File: "f"}
	for _, test := range []struct{ r, want bot.Reply }{
		{bot.Reply{Text: "hi", Media: away}, bot.Reply{Text: "hi\na.pdf\nhttps://x.example/a"}},
		{bot.Reply{Media: away, Agent: "ann"}, bot.Reply{Text: "a.pdf\nhttps://x.example/a", Agent: "ann"}},
		{bot.Reply{Text: "hi", Media: ours, Entry: "e", Choices: []bot.Choice{{Label: "A"}}}, bot.Reply{Text: "hi", Entry: "e", Choices: []bot.Choice{{Label: "A"}}}},
	} {
		got, ok := outbound.AsLink(test.r, bot.Limits{Text: 40})
		require.True(t, ok)
		require.Equal(t, test.want, got)
	}
	for _, r := range []bot.Reply{{Text: "hi"}, {Media: ours}, {Text: "hi", Media: ours, Agent: "ann"}, {Text: strings.Repeat("x", 20), Media: away}} {
		_, ok := outbound.AsLink(r, bot.Limits{Text: 40})
		require.False(t, ok)
	}
}
