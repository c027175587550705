package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
)

// decided is an engine that decides as it is told.
type decided struct {
	bottest.Echo
	o bot.Outcome
}

func (d *decided) Turn(_ context.Context, t bot.Turn) (bot.Outcome, error) {
	o := d.o
	if o.Next = t.Conversation; o.Escalate != nil {
		o.Next.Mode = bot.ModePerson
	}
	return o, nil
}

// happened are the events of the world, but for what was received.
func happened(w *bottest.World) (list []string) {
	w.T.Helper()
	all, err := events.List(w.T.Context(), w.Db)
	require.NoError(w.T, err)
	for _, e := range all {
		if e.Kind != events.Received {
			list = append(list, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Reason, " ", e.Entry, " ", e.Probability, " ", e.Affiliate, " ", e.Agent)), " "))
		}
	}
	return list
}

// A turn is one event; further entries that answer, and what the customer says of the answer before, stand beside it.
func TestEventsOfTurns(t *testing.T) {
	entries := func(ids ...knowledge.EntryID) []knowledge.EntryID { return ids }
	hits := bot.Trace{Hits: []bot.TraceHit{{Entry: "a", Score: .5}, {Entry: "b", Score: .25}}}
	for name, c := range map[string]struct {
		o    bot.Outcome
		want []string
	}{
		"two answers": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonConfident, Entries: entries("a", "b")}, Trace: hits,
			Replies: []bot.Reply{{Text: "1", Entry: "a"}, {Text: "2", Entry: "a"}, {Text: "3", Entry: "b"}}},
			[]string{"answered confident a 0.5 acme", "also_answered confident b 0.25 acme"}},
		"small talk after an answer that helped": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonSmallTalk}, Trace: hits,
			Replies: []bot.Reply{{Text: "Gladly."}}, Feedback: &bot.Feedback{Helped: true, Entry: "b"}},
			[]string{"feedback helped b 0 acme", "answered small_talk 0 acme"}},
		"no answer": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer}, Trace: hits,
			Replies: []bot.Reply{{Text: "?"}}, Feedback: &bot.Feedback{}},
			[]string{"feedback no_help 0 acme", "asked_back no_answer a 0.5 acme"}},
		"a wish": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionHandoff, Reason: bot.ReasonAskedPerson}, Trace: hits,
			Escalate: &bot.Escalation{ID: "e", Affiliate: "other", Reason: bot.ReasonAskedPerson}}, []string{"handed_off asked_person 0 other"}},
		"nothing": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionIgnore, Reason: bot.ReasonNothing}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
				w.Accept(bottest.Message("c", "u1", "hello"), bottest.Message("c", "u1", "hello"))
				w.Hurried(&decided{o: c.o})
				w.Soon("decided", func() bool { return w.Count(`SELECT COUNT(*) FROM turns`) == 1 })
				require.Equal(t, c.want, happened(w))
				require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM events WHERE kind = 'received'`), "it came twice")
			})
		})
	}
}

// A tap names its button. A payload that is none of ours may be a customer's words.
func TestEventsOfTaps(t *testing.T) {
	for payload, want := range map[string][]string{
		"e:" + strings.Repeat("A", 26): {"tapped entry " + strings.Repeat("A", 26) + " 0 acme"}, "none": {"tapped none 0 acme"},
		"e:my card is 4111": {"tapped other 0 acme"}, "my card is 4111": {"tapped other 0 acme"}, bot.ChoiceLinked: nil, "": nil,
	} {
		t.Run(payload, func(t *testing.T) {
			bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
				e := bottest.Message("c", "u1", "hello")
				e.Message.Choice = payload
				w.Accept(e)
				require.Equal(t, want, happened(w))
			})
		})
	}
}

// A reply of ours past the service is a reply, once; one that another program gives is none.
func TestEventsOfEchoes(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		for _, standby := range []bool{true, false, false} {
			e := bottest.Message("c", fmt.Sprint("echo", standby), "")
			e.Message, e.Echo, e.Standby = nil, &bot.Echo{NetworkID: e.ExternalID, Text: "from the app"}, standby
			w.Accept(e)
		}
		require.Equal(t, []string{"replied 0 acme"}, happened(w))
	})
}

// What cannot be delivered is handed off once, with why.
func TestEventOfADeadReply(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Dead(bot.SendError{Kind: bot.SendRefused}, 1)
		require.Equal(t, []string{"answered confident 0 acme", "handed_off broken 0 acme"}, happened(w))
	})
}

// What another program answers is received, and says so.
func TestEventOfStandby(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		e := bottest.Message("c", "u1", "hello")
		e.Standby = true
		w.Accept(e, bottest.Message("c", "u2", "hello"))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM events WHERE kind = 'received' AND reason = 'standby'`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM events WHERE kind = 'received' AND reason = ''`))
	})
}
