package dialogue

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

func phrases(t *testing.T) *Phrases {
	t.Helper()
	p, err := LoadPhrases()
	require.NoError(t, err)
	return p
}

func turn(texts ...string) bot.Turn {
	t := bot.Turn{ID: "t", Conversation: bot.Conversation{Mode: bot.ModeBot}, Now: time.Now()}
	for _, text := range texts {
		t.Waiting = append(t.Waiting, bot.Message{Author: bot.AuthorCustomer, Text: text, At: t.Now})
	}
	return t
}

func TestRead(t *testing.T) {
	p := phrases(t)
	for text, want := range map[string]Signals{
		"How do I get paid?":             {Question: "How do I get paid?"},
		"Hi":                             {Greeting: true},
		"hello there!!!":                 {Greeting: true},
		"Hi, how do I get paid? Thanks!": {Greeting: true, Thanks: true, Question: "how do I get paid?"},
		"good morning":                   {Greeting: true},
		"Thanks":                         {Thanks: true},
		"ok great, thank you so much":    {Thanks: true},
		"ok":                             {Acknowledgement: true},
		"thanks but how do I get paid":   {Thanks: true, Question: "but how do I get paid"},
		"¡Hola! ¿Cuándo me pagan?":       {Greeting: true, Question: "Cuándo me pagan?"},
		"oi, tudo bem":                   {Greeting: true},
		"obrigada":                       {Thanks: true},
		"I want to talk to a human":      {WantsPerson: true, Question: "I want to talk to a human"},
		"agent":                          {WantsPerson: true, Question: "agent"},
		"quero falar com um atendente":   {WantsPerson: true, Question: "quero falar com um atendente"},
		"quiero hablar con una persona por favor":    {WantsPerson: true, Question: "quiero hablar con una persona por favor"},
		"Which agent terms apply to an agent?":       {Question: "Which agent terms apply to an agent?"},
		"how do I transfer money to another person?": {Question: "how do I transfer money to another person?"},
		"/start":                          {Command: "start"},
		"/help@ShopBot how do I get paid": {Command: "help", Question: "how do I get paid"},
		"/human":                          {Command: "human", WantsPerson: true},
		"/bot":                            {Command: "bot"},
		"/unknown":                        {Question: "unknown"},
		"👍":                               {Thanks: true},
		"🤔":                               {Unreadable: true},
		"???":                             {Unreadable: true},
		"   ":                             {},
		"":                                {},
		"मुझे भुगतान कब मिलेगा": {Question: "मुझे भुगतान कब मिलेगा"},
	} {
		got := Read(p, turn(text))
		want.Raw, got.ContextDependence, got.Language = strings.TrimSpace(text), 0, "" // TestLeans, TestLanguage
		if want.Question != "" {
			want.Whole = want.Raw
		}
		if want.Command != "" {
			want.Whole = want.Question
		}
		require.Equal(t, want, got, "%q", text)
	}
}

func TestReadBurst(t *testing.T) {
	p := phrases(t)
	require.Equal(t, Signals{Greeting: true, Question: "how do I\nget paid", Whole: "how do I\nget paid", ContextDependence: 1, Raw: "hi\nhow do I\nget paid", Language: "en"}, Read(p, turn("hi", "how do I", "get paid")))
	require.True(t, Read(p, turn(make([]string, flood+1)...)).Flood)
	require.True(t, Read(p, turn(strings.Repeat("word ", 2000))).TooLong)
	photo := turn("")
	photo.Waiting[0].Attachments = []bot.Attachment{{Kind: "photo"}}
	require.True(t, Read(p, photo).Unreadable)
	photo.Waiting[0].Text = "how do I get paid"
	require.False(t, Read(p, photo).Unreadable, "a picture with words has words")
}

// What answers the bot's own question is read as that.
func TestReadReplies(t *testing.T) {
	p := phrases(t)
	asked := turn("yes please")
	asked.Conversation.Asked = bot.AskedPerson
	require.True(t, Read(p, asked).WantsPerson)
	asked.Waiting[0].Text = "no"
	require.True(t, Read(p, asked).Again)
	asked.Waiting[0].Text = "how do I get paid"
	require.Equal(t, "how do I get paid", Read(p, asked).Question)

	second := turn("2")
	second.Conversation.Asked = bot.AskedWhich
	second.History = []bot.Message{{Author: bot.AuthorBot, Choices: []bot.Choice{{Label: "One thing", Payload: "e:A"}, {Label: "Other thing", Payload: "e:B"}, {Label: "None of these", Payload: "none"}}}}
	for text, want := range map[string]Signals{
		"2": {Chosen: "B"}, "one thing": {Chosen: "A"}, "3": {None: true}, "none": {None: true}, "neither": {None: true},
	} {
		second.Waiting[0].Text = text
		want.Raw = text
		got := Read(p, second)
		got.Language = ""
		require.Equal(t, want, got, "%q", text)
	}
	second.Waiting[0].Text = "4"
	require.Equal(t, "4", Read(p, second).Question)
}

func TestReadTaps(t *testing.T) {
	p := phrases(t)
	tap := turn("")
	for payload, want := range map[string]Signals{
		"e:ID1": {Chosen: "ID1"}, "none": {None: true}, "person": {WantsPerson: true}, "again": {Again: true}, "forged\x00": {None: true}, "e:": {},
	} {
		tap.Waiting[0].Choice = payload
		require.Equal(t, want, Read(p, tap), "%q", payload)
	}
	tap.Waiting[0].Choice = "e:ID1"
	tap.History = []bot.Message{{Author: bot.AuthorCustomer, Choice: "e:ID1", At: tap.Now.Add(-time.Second)}}
	require.True(t, Read(p, tap).Repeated, "a double tap")
	tap.History[0].At = tap.Now.Add(-time.Minute)
	require.False(t, Read(p, tap).Repeated, "a second wish")
}

func TestPhrases(t *testing.T) {
	p := phrases(t)
	for want, preferred := range map[string][]string{
		"en": {"", ""}, "es": {"es-MX", "en"}, "pt-BR": {"pt", "en"}, "en ": {"fr", "zz"}, "es ": {"fr", "es"}, "pt-BR ": {"pt-PT"},
	} {
		require.Equal(t, strings.TrimSpace(want), p.Locale(preferred...), "%v", preferred)
	}
	q := &Phrases{say: map[string]map[Phrase]string{}}
	require.ErrorContains(t, q.add("xx", []byte(`{"say":{"start":"x"}}`)), "missing")
	require.ErrorContains(t, newLexicon().add("xx", []byte(`{}`)), "missing")
	for locale := range p.say {
		require.Len(t, p.say[locale], len(phraseNames()), "%s has a phrase that nobody says", locale)
	}
}

func FuzzRead(f *testing.F) {
	p, err := LoadPhrases()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("hi, how do I get paid? thanks", "e:1")
	f.Add("/start x", "")
	f.Add("\xff'’'", "none")
	f.Fuzz(func(t *testing.T, text, choice string) {
		s := Read(p, turn(text, "hello"))
		require.True(t, s.Question == "" || strings.Contains(clean(text), s.Question))
		tap := turn(text)
		tap.Waiting[0].Choice = choice
		Read(p, tap)
	})
}
