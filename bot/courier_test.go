package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"faqbot/knowledge/media"

	"github.com/stretchr/testify/require"
)

func TestSendTransientIsRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(3, SendError{Kind: SendTransient}, false)
		w.answered()
		w.soon("sent", w.settled)
		require.Equal(t, "sent", w.state())
		require.Equal(t, []string{"re: hello"}, w.channel.texts("c"))
	})
}

func TestSendThrottledPausesTheAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(1, SendError{Kind: SendThrottled, After: time.Hour}, false)
		w.accept(message("c", "u1", "hello"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("throttled", func() bool { return w.count(`SELECT COUNT(*) FROM pauses`) == 1 })
		w.accept(message("d", "u2", "hello"))
		w.soon("answered", func() bool { return w.count(`SELECT COUNT(*) FROM deliveries`) == 2 })
		d, ok, err := w.claimDelivery(time.Now(), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "a paused account got %v", d)
		_, ok, err = w.claimDelivery(time.Now().Add(61*time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

// A send that may have arrived is repeated once; then a person is told.
func TestSendUnknownIsRepeatedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(5, SendError{Kind: SendUnknown}, true)
		w.answered()
		w.soon("settled", w.settled)
		require.Equal(t, "doubtful", w.state())
		require.Len(t, w.channel.texts("c"), 2)
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
		require.Equal(t, ReasonBroken, w.desk.heard()[0].Escalation.Reason)
		require.Equal(t, "hello", w.desk.heard()[0].Escalation.Question)
	})
}

// The one repeat waits until the network answers again.
func TestRepeatWaitsForTheNetwork(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		probes := 3
		w.channel.typing = func() error {
			if probes--; probes >= 0 {
				return &SendError{Kind: SendUnknown}
			}
			return nil
		}
		w.channel.fails(1, SendError{Kind: SendUnknown}, false)
		w.answered()
		w.soon("sent", w.settled)
		require.Equal(t, "sent", w.state())
		require.Len(t, w.channel.texts("c"), 1)
	})
}

func TestNoResendWhereTheNetworkTells(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Resend = false
		w.channel.fails(5, SendError{Kind: SendUnknown}, true)
		w.answered()
		w.soon("settled", w.settled)
		require.Len(t, w.channel.texts("c"), 1)
	})
}

// A worker that died between the network's receipt and its settling leaves a doubt.
func TestDeathDuringSend(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		c, ok := w.claim()
		require.True(t, ok)
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.NoError(t, w.store.commitTurn(t.Context(), c, o, time.Now()))
		now := time.Now()
		for want := range 3 {
			d, ok, err := w.claimDelivery(now, time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, d.doubts)
			now = now.Add(time.Second)
			require.NoError(t, w.store.ReleaseLeases(t.Context(), now)) // the next start
			_, ok, err = w.claimDelivery(now.Add(sendBackoff(want+1)-time.Millisecond), time.Minute)
			require.NoError(t, err)
			require.False(t, ok, "a restart does not hand it out at once")
			now = now.Add(sendBackoff(want + 1))
		}
		w.skipped.Store(int64(time.Hour))
		c2 := NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Now: w.now})
		w.run(c2.Run)
		w.soon("given up", w.settled)
		require.Equal(t, "doubtful", w.state())
		require.Empty(t, w.channel.texts("c"))
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
	})
}

func TestBlockedCustomer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(1, SendError{Kind: SendBlocked}, false)
		w.answered()
		w.soon("settled", w.settled)
		c := w.conversation("c")
		require.True(t, c.Unreachable)
		err := w.conversations().Say(t.Context(), c.ID, "k", Reply{Text: "hi", Agent: "ann"})
		var se *SendError
		require.ErrorAs(t, err, &se)
		require.Equal(t, SendBlocked, se.Kind)
		w.accept(message("c", "u2", "again")) // whoever writes has unblocked us
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Empty(t, w.desk.heard())
	})
}

// A reply that nobody could carry for ten minutes is withdrawn, and a person takes over.
func TestLateReplyIsWithdrawn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.fails(1000, SendError{Kind: SendMisconfigured, Code: "401"}, false)
		w.answered()
		w.soon("paused", func() bool {
			keys, err := w.store.Misconfigured(t.Context())
			return err == nil && len(keys) == 1
		})
		w.soon("withdrawn", w.settled)
		require.Equal(t, "withdrawn", w.state())
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
		require.Equal(t, ModePerson, w.conversation("c").Mode)
	})
}

// A person's reply that fails is told to the desk; the ticket is there already.
func TestFateOfAPersonsReply(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		w.channel.fails(1, SendError{Kind: SendRefused, Code: "400"}, false)
		require.NoError(t, w.conversations().Say(t.Context(), w.conversation("c").ID, "k", Reply{Text: "hi", Agent: "ann"}))
		w.run(w.courier().Run)
		w.soon("told", func() bool { return len(w.desk.heard()) == 1 })
		require.Equal(t, DeliveryFailed, w.desk.heard()[0].Fate.State)
	})
}

// What is in hand when the service stops is finished, and settled.
func TestStopFinishesWhatIsInHand(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		sending, goOn := make(chan struct{}), make(chan struct{})
		w.channel.failing(func(Address, Reply) error { close(sending); <-goOn; return nil })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- w.runner(echo{}).Run(ctx) }()
		go func() { ended <- w.courier().Run(ctx) }()
		<-sending
		stop()
		close(goOn)
		require.NoError(t, errors.Join(<-ended, <-ended))
		require.Equal(t, "sent", w.state())
	})
}

// Two messages to one customer keep the network's pace, also if the second is written later.
func TestPace(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Pace = time.Hour
		w.accept(message("c", "u1", "hello"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		w.soon("settled", w.settled)
		w.accept(message("c", "u2", "and"))
		w.soon("queued", func() bool { return w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 1 })
		d, ok, err := w.claimDelivery(time.Now().Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "too soon: %v", d)
		_, ok, err = w.claimDelivery(time.Now().Add(61*time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

// What takes longer than a lease is nobody else's as long as its worker lives.
func TestLeaseIsRenewed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		c, ok := w.claim()
		require.True(t, ok)
		later := time.Now().Add(time.Minute)
		require.NoError(t, w.store.renewTurn(t.Context(), c, later.Add(time.Second)))
		_, ok, err := w.claimTurn(later, leaseTime)
		require.NoError(t, err)
		require.False(t, ok, "the turn is being worked out")
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.NoError(t, w.store.commitTurn(t.Context(), c, o, time.Now()))

		d, ok, err := w.claimDelivery(time.Now(), leaseTime)
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, w.store.renewDelivery(t.Context(), d, later.Add(time.Second)))
		_, ok, err = w.claimDelivery(later, leaseTime)
		require.NoError(t, err)
		require.False(t, ok, "the reply is being sent")
		again, ok, err := w.claimDelivery(later.Add(time.Hour), leaseTime)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 1, again.doubts)
		require.NoError(t, w.store.renewDelivery(t.Context(), d, later.Add(2*time.Hour))) // the first worker wakes up
		third, ok, err := w.claimDelivery(later.Add(time.Hour+leaseTime+sendBackoff(2)), leaseTime)
		require.NoError(t, err)
		require.True(t, ok, "a stale worker renews nothing")
		require.Equal(t, 2, third.doubts)
	})
}

// Of each conversation's lane one is on its way; one that cannot be read goes to a person and holds up
// nobody.
func TestClaimsOneOfALane(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, customer := range []string{"7", "8", "9"} {
			w.accept(message(customer, "hi", "hi"))
			for n := range 2 {
				require.NoError(t, w.conversations().Say(t.Context(), w.conversation(customer).ID, fmt.Sprint("k", n), Reply{Text: fmt.Sprint("reply ", n), Agent: "anna"}))
			}
		}
		_, err := w.db.ExecContext(t.Context(), `UPDATE deliveries SET payload = '{' WHERE conversation_id = $1 AND seq = 2`, w.conversation("8").ID)
		require.NoError(t, err)
		held := map[ConversationID]delivery{}
		for range 3 {
			d, ok, err := w.claimDelivery(time.Now(), time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.Zero(t, d.doubts)
			held[d.conv] = d
		}
		require.Len(t, held, 3)
		_, ok, err := w.claimDelivery(time.Now(), time.Minute)
		require.NoError(t, err)
		require.False(t, ok, "the others wait for them")
		for _, d := range held {
			w.courier().carry(t.Context(), d)
		}
		require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent'`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND code = 'unreadable'`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk' AND state = 'queued'`), "a person hears of it")
	})
}

// A file that the network surely refuses goes as its link, once; without a link, a person is told.
func TestSendOrLink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Media, w.channel.limits.Caption = true, 100
		w.channel.failing(func(_ Address, r Reply) error {
			if r.Media != nil && r.Media.Name == "bad" {
				return &SendError{Kind: SendRefused}
			}
			return nil
		})
		w.accept(message("c", "u1", "hello"))
		id := w.conversation("c").ID
		for _, f := range []string{"f1", "f2", "f9"} {
			w.kept(f)
		}
		err := w.conversations().Say(t.Context(), id, "swept", Reply{Agent: "ann", Media: &Media{Kind: "photo", File: "f0", Name: "late"}})
		require.ErrorIs(t, err, media.ErrNotFound, "a file that waited too long for its reply")
		ours, bad, away := Media{Kind: "photo", File: "f1", Name: "good"}, Media{Kind: "photo", File: "f2", Name: "bad"}, Media{Kind: "video", Link: "https://x.example/v.mp4"}
		for range 2 {
			require.NoError(t, w.conversations().Say(t.Context(), id, "k", Carrying(Reply{Text: "look", Agent: "ann"}, []Media{ours, bad, away})...))
		}
		link := func(m Media) string {
			if m.File == "f9" {
				return ""
			}
			return "https://bot.example/" + m.File
		}
		w.run(NewCourier(w.store, w.accounts, w.desk, w.log, CourierOptions{Link: link}).Run)
		w.soon("sent", func() bool { return len(w.channel.texts("c")) == 3 })
		w.channel.mu.Lock()
		sent := w.channel.sent["c"]
		w.channel.mu.Unlock()
		require.Equal(t, []any{"look", "https://bot.example/f1"}, []any{sent[0].Text, sent[0].Media.Link})
		require.Equal(t, Reply{Text: "bad\nhttps://bot.example/f2", Agent: "ann"}, sent[1])
		require.Equal(t, []any{"", away}, []any{sent[2].Text, *sent[2].Media})
		list, err := w.conversations().Transcript(t.Context(), id, 1)
		require.NoError(t, err)
		require.Equal(t, []Attachment{{Kind: "photo", Name: "good", Kept: "f1"}}, list[0].Attachments)
		require.Equal(t, []Attachment{{Kind: "video", Link: "https://x.example/v.mp4"}}, list[2].Attachments)

		require.NoError(t, w.conversations().Say(t.Context(), id, "l", Reply{Agent: "ann", Media: &Media{Kind: "photo", File: "f9", Name: "bad"}}))
		w.soon("the desk is told", func() bool {
			heard := w.desk.heard()
			return len(heard) > 0 && heard[len(heard)-1].Fate != nil
		})
	})
}

// What the bot says goes out even if its file cannot; people of ours are told instead.
func TestWordsWithoutTheirFile(t *testing.T) {
	away, ours := &Media{Name: "a.pdf", Link: "https://x.example/a"}, &Media{Name: "a.pdf", File: "f"}
	for _, test := range []struct{ r, want Reply }{
		{Reply{Text: "hi", Media: away}, Reply{Text: "hi\na.pdf\nhttps://x.example/a"}},
		{Reply{Media: away, Agent: "ann"}, Reply{Text: "a.pdf\nhttps://x.example/a", Agent: "ann"}},
		{Reply{Text: "hi", Media: ours, Entry: "e", Choices: []Choice{{Label: "A"}}}, Reply{Text: "hi", Entry: "e", Choices: []Choice{{Label: "A"}}}},
	} {
		got, ok := asLink(test.r, Limits{Text: 40})
		require.True(t, ok)
		require.Equal(t, test.want, got)
	}
	for _, r := range []Reply{{Text: "hi"}, {Media: ours}, {Text: "hi", Media: ours, Agent: "ann"}, {Text: strings.Repeat("x", 20), Media: away}} {
		_, ok := asLink(r, Limits{Text: 40})
		require.False(t, ok)
	}
}
