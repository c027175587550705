package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

const dialogueFAQ = `id,question,answer,topic
minimum,What is the minimum payout?,The smallest payout is 50 euros.,payouts
payday,When do you pay commissions?,On the 15th of every month.,payouts
account,How long does approval of an account take?,Accounts are approved within two working days.,
payout,How long does approval of a payout take?,Payouts are approved within five working days.,
disclosure,Do I have to disclose affiliate links?,Yes: write it beside the link.,rules
chargeback,How do chargebacks work?,The bank takes the money back and your commission with it.,rules
fraud,How do you protect us from fraud?,We check every click.,rules
newsletter,How do I unsubscribe from the newsletter?,By the link at the end of each mail.,
hacked,What should I do if my account was hacked?,Change your password at once.,
own,What do I do in an emergency?,Our own line is 555 0100.,emergency
`

// A flow is a conversation with one visitor: each time what they say, or tap, and what they then hear.
type flow struct {
	name  string
	steps []saying
}

// A saying is what a visitor says, what must be in what they hear then, and what must not.
type saying struct {
	words string // "#2" taps the third button of the last message
	want  string
	never string
}

// flows are the parts of a dialogue, as customers meet them.
func flows() []flow {
	const person, disclosed, sorry = "passing you to", "not a person", "sorry that didn't help"
	pay := saying{"minimum payout?", "50 euros", ""}
	both := "how long does approval of an account or a payout take"
	menu := saying{both, "Did you mean one of these?", ""}
	return []flow{
		{"danger: injury", []saying{{"the charger exploded and my son burned his hand", "emergency number", ""}, {"", "555 0100", ""}, {"", person, ""}}},
		{"danger: self-harm", []saying{{"i don't want to live anymore", "emergency number", ""}, {"", person, ""}}},
		{"danger: an answer stands below", []saying{{"my account was hacked", person, "emergency number"}, {"", "Change your password", ""}}},
		{"danger: charged twice", []saying{{"you charged me twice for the same order", person, ""}}},
		{"danger: the law", []saying{{"i will take you to court", person, ""}}},
		{"danger: Spanish", []saying{{"me hackearon la cuenta", "te paso con una", ""}}},
		{"danger: Portuguese", []saying{{"o carregador pegou fogo", "número de emergência", ""}}},
		{"danger: a topic alone", []saying{{"how do chargebacks work", "takes the money back", person}}},
		{"danger: a rule alone", []saying{{"do i have to disclose affiliate links?", "beside the link", person}}},
		{"danger: also with a person", []saying{{wish, person, ""}, {"my house is on fire", "emergency number", ""}}},

		{"who: a bot", []saying{{"are you a bot?", disclosed, ""}}},
		{"who: in other words", []saying{{"let me know if you are a human or are a computer", disclosed, ""}}},
		{"who: after an answer", []saying{pay, {"what can you do", disclosed, "50 euros"}}},
		{"who: a cry for help", []saying{{"help", "I'll look for the answer", ""}}},
		{"who: a question announced", []saying{{"i have a question", "I'll look for the answer", ""}}},
		{"who: Spanish", []saying{{"¿cómo te llamas?", "no una persona", ""}}},
		{"who: Portuguese", []saying{{"você é um robô?", "não uma pessoa", ""}}},

		{"feedback: not the same again", []saying{pay, {"that did not help", sorry, "50 euros"}}},
		{"feedback: not what I asked", []saying{pay, {"not what I asked", sorry, "50 euros"}}},
		{"feedback: a thumb down", []saying{pay, {"👎", sorry, "50 euros"}}},
		{"feedback: Spanish", []saying{pay, {"eso no me ayudó", "Siento que eso no te haya ayudado", "50 euros"}}},
		{"feedback: it works now", []saying{pay, {"it works now", "glad that helped", ""}}},
		{"feedback: a question beside it", []saying{pay, {"that didn't help. when do you pay commissions?", "15th", "50 euros"}}},

		{"menu: a person is among the choices", []saying{menu, {"#3", person, ""}}},
		{"menu: an ordinal", []saying{menu, {"the second one", "two working days", ""}}},
		{"menu: a number", []saying{menu, {"2", "two working days", ""}}},
		{"menu: a keycap", []saying{menu, {"1️⃣", "five working days", ""}}},
		{"menu: part of a label", []saying{menu, {"account", "two working days", ""}}},
		{"menu: the last one", []saying{menu, {"last one", "two working days", ""}}},
		{"menu: both", []saying{menu, {"both", "five working days", ""}, {"", "two working days", ""}}},
		{"menu: neither, I mean", []saying{menu, {"neither, I mean when do you pay commissions", "15th", ""}}},

		{"text: a heart after an answer", []saying{pay, {"❤️", "welcome", "50 euros"}}},
		{"text: danke", []saying{pay, {"danke", "welcome", "50 euros"}}},
		{"text: full-width", []saying{{"ｍｉｎｉｍｕｍ ｐａｙｏｕｔ?", "50 euros", ""}}},
		{"text: anger", []saying{{"😡", "sorry", ""}}},

		{"language: an answer in another one", []saying{{"¿cuándo se pagan las comisiones?", "en otro idioma", ""}, {"when do you pay commissions?", "15th", "another language"}}},

		{"stop: not a thing in the chat", []saying{{"STOP", "won't write unless you do", ""}, pay}},
		{"stop: the assistant turned off, and on", []saying{{"STOP", "won't write unless you do", ""}, {"#0", "assistant is off", ""}, {"minimum payout?", "a person will read this", "50 euros"}, {"#0", "automated assistant again", ""}, pay}},
		{"stop: unsubscribe has an answer", []saying{{"how do I unsubscribe from the newsletter?", "end of each mail", ""}}},
		{"handoff: cancelled in words", []saying{{wish, person, ""}, {"never mind, cancel that", "automated assistant is back", ""}, pay}},
		{"handoff: back to the assistant", []saying{{wish, person, ""}, {"back to the assistant", "automated assistant is back", ""}}},
		{"handoff: declined", []saying{{"no agent please, what is the minimum payout?", "50 euros", person}}},
		{"handoff: misspelt", []saying{{"can i tlk to a humna", person, ""}}},
	}
}

// hears waits until the messages from the one at place from on hold want, and returns how many there are.
func (l *chatLine) hears(from int, s saying) int {
	l.t.Helper()
	var list []string
	text := func() string { return markup.ReplaceAllString(strings.Join(list[min(from, len(list)):], "\n"), "") }
	require.Eventually(l.t, func() bool {
		list = l.bubbles()
		return strings.Contains(strings.ReplaceAll(text(), "&#39;", "'"), s.want)
	}, waittest.Hang, 50*time.Millisecond, "%q after %q in %s", s.want, s.words, l.base)
	if s.never != "" {
		require.NotContains(l.t, text(), s.never, s.words)
	}
	return len(list)
}

// Each part of a dialogue goes its way in the chat of a running service.
func TestDialogueInTheChat(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), []byte(dialogueFAQ), 0o600))
	g, _ := openGallery(t, sqldbtest.SQLite(t), "", dir, "[[account]]\nid = \"chat\"\nchannel = \"webchat\"\naffiliates = [\"shop\"]\nlocale = \"en\"\n")
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			l, heard, before := newChatLine(t, g.base), 0, 0
			for _, s := range f.steps {
				switch {
				case strings.HasPrefix(s.words, "#"):
					before = heard
					l.tap(int(s.words[1] - '0'))
				case s.words != "":
					before = heard
					l.say(s.words)
				}
				heard = l.hears(before, s)
			}
		})
	}
}
