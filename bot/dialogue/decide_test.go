package dialogue

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

func hit(id string, score, lexical float64) retrieval.Hit {
	return retrieval.Hit{Entry: knowledge.Entry{ID: knowledge.EntryID(id), Affiliate: "acme", Question: "question " + id, Answer: "answer " + id, Topic: "topic " + id},
		Score: score, Exact: lexical == 1}
}

// hits are as likely, one against another, as their scores say.
func hits(list ...retrieval.Hit) retrieval.Result {
	for i := range list {
		list[i].Odds = list[i].Score / list[0].Score
	}
	return retrieval.Result{Hits: list}
}

// A row per rule and per border, in the order of the rules.
func TestDecide(t *testing.T) {
	p := Policy{AnswerAt: .6, OfferAt: .3, CloseOdds: .6, WorthOdds: .2, MaxClarify: 2, MaxChoices: 3, MaxMisses: 3}
	asks := Signals{Question: "q", Raw: "q"}
	good := hits(hit("A", .9, .2), hit("B", .2, .1))
	entry := good.Hits[0].Entry
	person := bot.Conversation{Mode: bot.ModePerson}
	same := hit("B", .85, .1)
	same.Entry.Answer = "answer A"
	for _, row := range []struct {
		name    string
		conv    bot.Conversation
		signals Signals
		found   retrieval.Result
		chosen  *knowledge.Entry
		action  bot.Action
		reason  bot.Reason
		entries string
		phrase  Phrase
	}{
		{"a person has it", person, Signals{WantsPerson: true}, good, nil, bot.ActionForward, bot.ReasonPersonHasIt, "", ""},
		{"back from a person", person, Signals{Command: "bot"}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseBack},
		{"flood before all", bot.Conversation{}, Signals{Flood: true, Question: "q"}, good, nil, bot.ActionHandoff, bot.ReasonFlood, "", PhraseHandoffFlood},
		{"a wish wins over an answer", bot.Conversation{}, Signals{WantsPerson: true, Question: "q"}, good, nil, bot.ActionHandoff, bot.ReasonAskedPerson, "", PhraseHandoffWish},
		{"double tap", bot.Conversation{}, Signals{Chosen: "A", Repeated: true}, good, &entry, bot.ActionIgnore, bot.ReasonNothing, "", ""},
		{"chosen", bot.Conversation{}, Signals{Chosen: "A"}, good, &entry, bot.ActionAnswer, bot.ReasonChosen, "A", ""},
		{"chosen, but not published", bot.Conversation{}, Signals{Chosen: "X"}, good, nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseGone},
		{"declined a person", bot.Conversation{}, Signals{Again: true}, retrieval.Result{}, nil, bot.ActionClarify, bot.ReasonSmallTalk, "", PhraseAgain},
		{"none of the choices", bot.Conversation{}, Signals{None: true}, retrieval.Result{}, nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseAskAgain},
		{"start", bot.Conversation{}, Signals{Command: "start"}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseStart},
		{"help with a question", bot.Conversation{}, Signals{Command: "help", Question: "q", Raw: "q"}, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"greeting", bot.Conversation{}, Signals{Greeting: true, Raw: "hi"}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseGreeting},
		{"greeting that is an entry", bot.Conversation{}, Signals{Greeting: true, Raw: "hi"}, hits(hit("A", .9, 1)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"thanks", bot.Conversation{}, Signals{Thanks: true}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseThanks},
		{"nothing", bot.Conversation{}, Signals{}, retrieval.Result{}, nil, bot.ActionIgnore, bot.ReasonNothing, "", ""},
		{"picture", bot.Conversation{}, Signals{Unreadable: true}, retrieval.Result{}, nil, bot.ActionClarify, bot.ReasonUnreadable, "", PhraseUnreadable},
		{"recording", bot.Conversation{}, Signals{Unreadable: true, Voice: true}, retrieval.Result{}, nil, bot.ActionClarify, bot.ReasonUnreadable, "", PhraseVoice},
		{"another recording", bot.Conversation{Misses: 1}, Signals{Unreadable: true, Voice: true}, retrieval.Result{}, nil, bot.ActionClarify, bot.ReasonUnreadable, "", PhraseVoice},
		{"too long", bot.Conversation{}, Signals{Question: "q", TooLong: true}, good, nil, bot.ActionClarify, bot.ReasonUnreadable, "", PhraseTooLong},
		{"nothing published", bot.Conversation{}, asks, hits(), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseAskAgain},
		{"exact words", bot.Conversation{}, asks, hits(hit("A", .5, 1), hit("B", .49, .4)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"confident", bot.Conversation{}, asks, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"confident, at the border", bot.Conversation{}, asks, hits(hit("A", .6, 0)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"close call", bot.Conversation{}, asks, hits(hit("A", .9, 0), hit("B", .81, 0), hit("C", .1, 0)), nil, bot.ActionClarify, bot.ReasonCloseCall, "A B", PhraseWhich},
		{"not close", bot.Conversation{}, asks, hits(hit("A", .9, 0), hit("B", .5, 0)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"close, same answer", bot.Conversation{}, asks, hits(hit("A", .9, 0), same), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"close, asked twice before", bot.Conversation{Clarify: 2}, asks, hits(hit("A", .9, 0), hit("B", .9, 0)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"at most three choices", bot.Conversation{}, asks, hits(hit("A", .9, 0), hit("B", .9, 0), hit("C", .9, 0), hit("D", .9, 0)), nil, bot.ActionClarify, bot.ReasonCloseCall, "A B C", PhraseWhich},
		{"unsure", bot.Conversation{}, asks, hits(hit("A", .59, 0), hit("B", .31, 0), hit("C", .1, 0)), nil, bot.ActionClarify, bot.ReasonUnsure, "A B", PhraseWhich},
		{"unsure, asked twice before", bot.Conversation{Clarify: 2}, asks, hits(hit("A", .59, 0)), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseAskAgain},
		{"first miss", bot.Conversation{}, asks, hits(hit("A", .29, 0)), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseAskAgain},
		{"second miss", bot.Conversation{Misses: 1}, asks, hits(hit("A", .29, 0)), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseOffer},
		{"third miss", bot.Conversation{Misses: 2}, asks, hits(hit("A", .29, 0)), nil, bot.ActionHandoff, bot.ReasonNoAnswer, "", PhraseHandoff},
		{"gibberish", bot.Conversation{}, Signals{Question: "asdfgh", Gibberish: true}, good, nil, bot.ActionClarify, bot.ReasonUnreadable, "", PhraseGibberish},
		{"gibberish that is an entry's name", bot.Conversation{}, Signals{Question: "asdfgh", Gibberish: true}, hits(hit("A", .9, 1)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"danger, with an answer to exactly that", bot.Conversation{}, Signals{Question: "q", Danger: true}, good, nil, bot.ActionHandoff, bot.ReasonUrgent, "A", PhraseHandoffUrgent},
		{"danger, with an answer", bot.Conversation{}, Signals{Question: "q", Danger: true}, hits(hit("A", .79, 0), hit("B", .1, 0)), nil, bot.ActionHandoff, bot.ReasonUrgent, "", PhraseHandoffUrgent},
		{"danger, nothing published", bot.Conversation{}, Signals{Question: "q", Danger: true}, hits(), nil, bot.ActionHandoff, bot.ReasonUrgent, "", PhraseHandoffUrgent},
		{"danger before a wish", bot.Conversation{}, Signals{Question: "q", Danger: true, WantsPerson: true}, hits(), nil, bot.ActionHandoff, bot.ReasonUrgent, "", PhraseHandoffUrgent},
		{"who are you", bot.Conversation{Misses: 2}, Signals{Identity: true, Raw: "q"}, hits(hit("A", .79, 0)), nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseIdentity},
		{"who are you, and an entry is likely", bot.Conversation{}, Signals{Identity: true, Raw: "q"}, hits(hit("A", .9, 1)), nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"a cry for help", bot.Conversation{}, Signals{Help: true, Raw: "q"}, hits(hit("A", .5, 0)), nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseHelp},
		{"it did not help", bot.Conversation{}, Signals{Feedback: true, Raw: "q"}, good, nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseFeedback},
		{"it did not help, for the third time", bot.Conversation{Misses: 2}, Signals{Feedback: true, Raw: "q"}, good, nil, bot.ActionHandoff, bot.ReasonNoAnswer, "", PhraseHandoff},
		{"praise", bot.Conversation{}, Signals{Praise: true, Thanks: true, Raw: "q"}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhrasePraise},
		{"unsubscribe, with an answer", bot.Conversation{}, Signals{StopMaybe: true, Question: "q", Raw: "q"}, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"unsubscribe, without", bot.Conversation{}, Signals{StopMaybe: true, Question: "q", Raw: "q"}, hits(hit("A", .2, 0)), nil, bot.ActionClarify, bot.ReasonSmallTalk, "", PhraseStopAsk},
		{"abuse", bot.Conversation{}, Signals{Question: "q", Abuse: true}, hits(hit("A", .5, 0)), nil, bot.ActionClarify, bot.ReasonAbuse, "", PhraseCalm},
		{"abuse again", bot.Conversation{Misses: 2}, Signals{Question: "q", Abuse: true}, hits(hit("A", .5, 0)), nil, bot.ActionHandoff, bot.ReasonAbuse, "", PhraseHandoff},
		{"abuse, with a question", bot.Conversation{}, Signals{Question: "q", Abuse: true}, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"complaint, without an answer", bot.Conversation{}, Signals{Question: "q", Complaint: true}, hits(hit("A", .1, 0)), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseSorry},
		{"complaint, unsure", bot.Conversation{}, Signals{Question: "q", Complaint: true}, hits(hit("A", .5, 0)), nil, bot.ActionClarify, bot.ReasonUnsure, "A", PhraseWhich},
		{"a greeting with a name", bot.Conversation{}, Signals{Question: "riley", Greeting: true, Polite: true}, hits(hit("A", .1, 0)), nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseGreeting},
		{"a greeting with a topic", bot.Conversation{}, Signals{Question: "refund", Greeting: true, Polite: true}, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
		{"thanks with a remark", bot.Conversation{}, Signals{Question: "it works", Thanks: true, Polite: true}, hits(hit("A", .1, 0)), nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseThanks},
		{"goodbye", bot.Conversation{}, Signals{Goodbye: true}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseGoodbye},
		{"a bare no", bot.Conversation{}, Signals{Acknowledgement: true}, good, nil, bot.ActionAnswer, bot.ReasonSmallTalk, "", PhraseNoted},
		{"none of the offers likely", bot.Conversation{}, asks, hits(hit("A", .15, 0), hit("B", .1, 0)), nil, bot.ActionClarify, bot.ReasonNoAnswer, "", PhraseAskAgain},
		{"one of the offers likely", bot.Conversation{}, asks, hits(hit("A", .15, 0), hit("B", .14, 0), hit("C", .13, 0)), nil, bot.ActionClarify, bot.ReasonUnsure, "A B C", PhraseWhich},
		{"an answer at the third try", bot.Conversation{Misses: 2}, asks, good, nil, bot.ActionAnswer, bot.ReasonConfident, "A", ""},
	} {
		v := Decide(p, Evidence{Turn: bot.Turn{Conversation: row.conv}, Signals: row.signals, Found: row.found, Chosen: row.chosen})
		var entries string
		for i, id := range v.Entries {
			if i > 0 {
				entries += " "
			}
			entries += string(id)
		}
		require.Equal(t, []any{row.action, row.reason, row.entries, row.phrase}, []any{v.Action, v.Reason, entries, v.Phrase}, row.name)
		require.NotEmpty(t, v.Rule, row.name)
		if len(row.found.Hits) > 0 {
			require.Equal(t, row.found.Hits[0].Score, v.Score, row.name)
		}
	}
}

// A fixed is a retriever that always finds the same.
type fixed struct {
	found retrieval.Result
	err   error
}

func (f fixed) Search(context.Context, retrieval.Query) (retrieval.Result, error) {
	return f.found, f.err
}

func (fixed) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (f fixed) Entry(_ []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	for _, h := range f.found.Hits {
		if h.Entry.ID == id {
			return h.Entry, true
		}
	}
	return knowledge.Entry{}, false
}

// The ladder as a customer climbs it: other words, an offer, a person; a wish cuts it short.
func TestLadder(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .1, 0))}, phrases(t), DefaultPolicy())
	tn := turn("what is the weather on mars")
	tn.Conversation.Affiliate = "acme"
	for _, want := range []bot.Action{bot.ActionClarify, bot.ActionClarify, bot.ActionHandoff} {
		o, err := e.Turn(t.Context(), tn)
		require.NoError(t, err)
		require.Equal(t, want, o.Decision.Action)
		require.Len(t, o.Replies, 1)
		require.Equal(t, want == bot.ActionHandoff, o.Escalate != nil)
		tn.Conversation = o.Next
		if o.Escalate != nil {
			require.Equal(t, bot.Escalation{ID: "t", Affiliate: "acme", Reason: bot.ReasonNoAnswer, Topic: "topic A",
				Question: "what is the weather on mars", Locale: "en", Tried: []knowledge.EntryID{"A"}}, *o.Escalate)
		}
	}
	require.Equal(t, bot.ModePerson, tn.Conversation.Mode)
	o, err := NewEngine(fixed{err: errors.New("search is down")}, phrases(t), DefaultPolicy()).Turn(t.Context(), tn)
	require.NoError(t, err, "whom a person has needs no search")
	require.Equal(t, bot.ActionForward, o.Decision.Action)
	require.Empty(t, o.Replies)
}

func TestGreetingWithQuestionGetsBoth(t *testing.T) {
	spanish := hit("A", .9, 0)
	spanish.Entry.Locale = "es"
	e := NewEngine(fixed{found: hits(spanish)}, phrases(t), DefaultPolicy())
	tn := turn("hola", "¿cuándo pagan?")
	tn.Conversation.Locale = "es"
	o, err := e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Equal(t, []bot.Reply{{Text: "¡Hola!\n\nanswer A", Entry: "A"}}, o.Replies)
}

// A recording whose words are known is words; of one without, a person is offered, beside whatever else is
// said, and never silence.
func TestRecordings(t *testing.T) {
	picture := knowledge.Media{Kind: "photo", File: "f"}
	h := hit("A", .9, 0)
	h.Entry.Media = []knowledge.Media{picture, {Kind: "document", Link: "https://x.example/a.pdf"}}
	e := NewEngine(fixed{found: hits(h)}, phrases(t), DefaultPolicy())
	tn := turn("")
	tn.Waiting[0].Attachments = []bot.Attachment{{Kind: "voice", File: "f"}}
	o, err := e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Contains(t, o.Replies[0].Text, "can't listen")
	require.Equal(t, []string{"person", "again"}, []string{o.Replies[0].Choices[0].Payload, o.Replies[0].Choices[1].Payload})
	require.Equal(t, bot.AskedPerson, o.Next.Asked)

	tn = turn("when do you pay?")
	tn.Waiting[0].Attachments = []bot.Attachment{{Kind: "voice", File: "f"}}
	o, err = e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Len(t, o.Replies, 3, "what was not heard, the answer with its picture, the document")
	require.Contains(t, o.Replies[0].Text, "can't listen")
	require.Equal(t, bot.Reply{Text: "answer A", Entry: "A", Media: &picture}, o.Replies[1])

	tn.Waiting[0].Attachments[0].Heard = "when do you pay?"
	o, err = e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Len(t, o.Replies, 2)
	require.Equal(t, "answer A", o.Replies[0].Text)
}

// One entry that may be meant is offered as one.
func TestOneChoice(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .49, 0), hit("B", .09, 0))}, phrases(t), Policy{AnswerAt: .5, OfferAt: .4, CloseOdds: .6, WorthOdds: .2, MaxClarify: 1, MaxChoices: 3})
	o, err := e.Turn(t.Context(), turn("when do you pay?"))
	require.NoError(t, err)
	require.Equal(t, "Did you mean this?", o.Replies[0].Text)
	require.Equal(t, []bot.Choice{{Label: "question A", Payload: "e:A"}, {Label: "None of these", Payload: "none"}, {Label: "Talk to a person", Payload: "person"}}, o.Replies[0].Choices)
}

// The words of a handoff on a wish are the question before the wish.
func TestQuestionOfAWish(t *testing.T) {
	e := NewEngine(fixed{}, phrases(t), DefaultPolicy())
	tn := turn("talk to a person please")
	tn.History = []bot.Message{{Author: bot.AuthorCustomer, Text: "my payout is missing"}, {Author: bot.AuthorBot, Text: "?"}, {Author: bot.AuthorCustomer, Choice: "none", Text: "None of these"}}
	o, err := e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Equal(t, "my payout is missing", o.Escalate.Question)
	tn.History = nil
	o, err = e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Equal(t, "talk to a person please", o.Escalate.Question)
}

func TestBroken(t *testing.T) {
	e := NewEngine(fixed{}, phrases(t), DefaultPolicy())
	o := e.Broken(turn("how do I get paid"))
	require.Equal(t, bot.ActionHandoff, o.Decision.Action)
	require.Equal(t, bot.ReasonBroken, o.Escalate.Reason)
	require.NotEmpty(t, o.Replies)
}

// Somebody upset gets the answer, and a person if it does not help; "yes" is then enough.
func TestUpset(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .9, 0))}, phrases(t), DefaultPolicy())
	o, err := e.Turn(t.Context(), turn("This is unacceptable. When do you pay?"))
	require.NoError(t, err)
	require.Equal(t, bot.ActionAnswer, o.Decision.Action)
	require.Equal(t, "answer A", o.Replies[0].Text)
	require.Equal(t, []bot.Choice{{Label: "Talk to a person", Payload: "person"}}, o.Replies[1].Choices)
	require.Equal(t, []string{"complaint"}, o.Trace.Signals)
	yes := turn("yes")
	yes.Conversation = o.Next
	o, err = e.Turn(t.Context(), yes)
	require.NoError(t, err)
	require.Equal(t, bot.ActionHandoff, o.Decision.Action)

	angry := turn("someone hacked my account, this is ridiculous")
	o, err = NewEngine(fixed{found: hits(hit("A", .2, 0))}, phrases(t), DefaultPolicy()).Turn(t.Context(), angry)
	require.NoError(t, err)
	require.Equal(t, bot.ReasonUrgent, o.Escalate.Reason)
	require.Equal(t, []string{"danger", "urgent", "complaint"}, o.Escalate.Signals)
	require.Equal(t, "topic A", o.Escalate.Topic)

	insulted, err := NewEngine(fixed{found: hits(hit("A", .1, 0))}, phrases(t), DefaultPolicy()).Turn(t.Context(), turn("you stupid idiots"))
	require.NoError(t, err)
	require.Contains(t, insulted.Replies[0].Text, "sorry this has been frustrating")
	require.Equal(t, "person", insulted.Replies[0].Choices[0].Payload)
}

// The thresholds are what the costs make them.
func TestPolicyFollowsFromCosts(t *testing.T) {
	require.InDelta(t, 2./7, DefaultPolicy().OfferAt, 1e-9)
	require.Equal(t, Policy{AnswerAt: .5, OfferAt: DefaultPolicy().OfferAt, CloseOdds: .25, WorthOdds: .2, MaxClarify: 2, MaxChoices: 3, MaxMisses: 3}, DefaultPolicy())
	dear := DefaultCosts()
	dear.Wrong *= 2
	require.Equal(t, .75, dear.Policy().AnswerAt, "where a wrong answer costs more, it takes more to answer")
	shy := DefaultCosts()
	shy.Stray = shy.Reword
	require.Equal(t, .5, shy.Policy().OfferAt, "where stray offers cost more, they are likelier right")
	busy := DefaultCosts()
	busy.Person *= 2
	require.Equal(t, 6, busy.Policy().MaxMisses)
}
