package dialogue

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A talk is a conversation with an engine, whose messages become its history.
type talk struct {
	t    *testing.T
	e    *Engine
	turn bot.Turn
}

func newTalk(t *testing.T, r Retriever, channel string) *talk {
	t.Helper()
	tn := turn("")
	tn.Conversation.Address.Channel, tn.Conversation.ID = channel, "c"
	return &talk{t: t, e: NewEngine(r, phrases(t), DefaultPolicy()), turn: tn}
}

func (k *talk) say(text string) bot.Outcome { return k.send(bot.Message{Text: text}) }

func (k *talk) send(m bot.Message) bot.Outcome {
	k.t.Helper()
	m.Author, m.At, m.Conversation = bot.AuthorCustomer, k.turn.Now, "c"
	k.turn.Waiting = []bot.Message{m}
	o, err := k.e.Turn(k.t.Context(), k.turn)
	require.NoError(k.t, err)
	k.turn.Conversation = o.Next
	k.turn.History = append(k.turn.History, m)
	for _, r := range o.Replies {
		said := bot.Message{Author: bot.AuthorBot, Conversation: "c", Text: r.Text, Choices: r.Choices, At: k.turn.Now}
		if r.Entry != "" {
			said.Entries = []knowledge.EntryID{r.Entry}
		}
		k.turn.History = append(k.turn.History, said)
	}
	return o
}

func words(o bot.Outcome) string {
	var list []string
	for _, r := range o.Replies {
		list = append(list, r.Text)
		for _, c := range r.Choices {
			list = append(list, "["+c.Label+"]")
		}
	}
	return strings.Join(list, " ")
}

// shop finds by a word of the question; "pay" is sure, with a runner-up.
type shop struct{}

func (shop) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (shop) Entry(_ []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	for _, h := range shop.all(shop{}) {
		if h.Entry.ID == id {
			return h.Entry, true
		}
	}
	return knowledge.Entry{}, false
}

func (shop) all() []retrieval.Hit {
	list := []retrieval.Hit{hit("paid", .9, 0), hit("late", .06, 0), hit("france", .3, 0), hit("germany", .3, 0), hit("v2", .3, 0), hit("v3", .3, 0), hit("news", .8, 0)}
	for i, q := range []string{"How do I get paid?", "Why is my payout late?", "How long does delivery to France take?", "How long does delivery to Germany take?",
		"What does plan 2 cost?", "What does plan 3 cost?", "How do I unsubscribe from the newsletter?"} {
		list[i].Entry.Question = q
	}
	return list
}

func (s shop) Search(_ context.Context, q retrieval.Query) (retrieval.Result, error) {
	all := s.all()
	text := strings.ToLower(q.Text)
	switch {
	case strings.Contains(text, "pa"):
		return hits(all[0], all[1]), nil
	case strings.Contains(text, "deliver"):
		return hits(all[2], all[3]), nil
	case strings.Contains(text, "plan"):
		return hits(all[4], all[5]), nil
	case strings.Contains(text, "subscribe"):
		return hits(all[6]), nil
	}
	return retrieval.Result{}, nil
}

// An answer that did not help is not given again in this matter, in whatever words that is said.
func TestFeedbackNeverBringsTheSameEntryAgain(t *testing.T) {
	for _, text := range []string{"that did not help", "not what I asked", "still not working", "wrong answer", "I don't understand", "👎", "eso no me ayuda", "no era eso",
		"isso não ajudou", "não foi isso que perguntei"} {
		k := newTalk(t, shop{}, "webchat")
		require.Contains(t, words(k.say("how do I get paid?")), "answer paid")
		o := k.say(text)
		require.Equal(t, bot.ActionClarify, o.Decision.Action, text)
		require.NotContains(t, words(o), "answer paid", text)
		require.NotContains(t, words(o), "[How do I get paid?]", text)
		require.Contains(t, words(o), "[Why is my payout late?]", text)
		require.Contains(t, o.Trace.Signals, "feedback", text)
		require.Equal(t, &bot.Feedback{Entry: "paid"}, o.Feedback, text)
		again := words(k.say("how do I get paid?"))
		require.NotContains(t, again, "answer paid", text)
		require.Contains(t, words(k.send(bot.Message{Choice: "e:paid", Text: "How do I get paid?"})), "answer paid", "a tap is a wish")
	}
	k := newTalk(t, shop{}, "webchat")
	k.say("how do I get paid?")
	works := k.say("it works now")
	require.Equal(t, bot.ReasonSmallTalk, works.Decision.Reason)
	require.Equal(t, &bot.Feedback{Helped: true, Entry: "paid"}, works.Feedback)
	k = newTalk(t, shop{}, "webchat")
	k.say("how do I get paid?")
	require.Contains(t, words(k.say("that's not what I asked, how long does delivery take")), "[How long does delivery to France take?]", "the question beside it is answered")
}

// What stands for a choice, in words.
func TestMenusInWords(t *testing.T) {
	for text, want := range map[string]string{
		"the first one": "answer france", "second": "answer germany", "2": "answer germany", "option 2": "answer germany", "number two please": "answer germany", "2️⃣": "answer germany", "２": "answer germany",
		"last one": "answer germany", "Germany": "answer germany", "the one to france": "answer france", "the first one please": "answer france", "la segunda": "answer germany", "a primeira": "answer france",
	} {
		k := newTalk(t, shop{}, "webchat")
		o := k.say("how long do deliveries take")
		require.Contains(t, words(o), "[Talk to a person]")
		require.Equal(t, want, words(k.say(text)), "%q", text)
	}
	k := newTalk(t, shop{}, "webchat")
	k.say("how long do deliveries take")
	require.Equal(t, "answer france answer germany", words(k.say("both")))
	for text, want := range map[string]bot.Reason{"neither": bot.ReasonNoAnswer, "none of these": bot.ReasonNoAnswer, "talk to a person": bot.ReasonAskedPerson} {
		k := newTalk(t, shop{}, "webchat")
		k.say("how long do deliveries take")
		require.Equal(t, want, k.say(text).Decision.Reason, text)
	}
	k = newTalk(t, shop{}, "webchat")
	k.say("how long do deliveries take")
	require.Equal(t, "answer paid", words(k.say("neither, I mean how do I get paid")))

	k = newTalk(t, shop{}, "webchat")
	require.Equal(t, 0, k.say("how long do deliveries take").Next.Misses)
	require.Equal(t, 1, k.say("how long are deliveries").Next.Misses, "two menus that were not used are a miss")

	k = newTalk(t, shop{}, "webchat")
	plans := words(k.say("the cost of plan 2"))
	require.Contains(t, plans, "[What does plan 2 cost?]")
	require.NotContains(t, plans, "[What does plan 3 cost?]", "another number than the customer's")
}

// Life and limb: what to do now comes first, also where a person has the conversation, with the number of
// the customer's country.
func TestEmergency(t *testing.T) {
	for text, number := range map[string]string{"my kid got an electric shock from the charger": "", "I want to kill myself": "", "mi hijo se tragó una pastilla": "", "quero me matar": ""} {
		k := newTalk(t, shop{}, "whatsapp")
		o := k.say(text)
		require.Equal(t, bot.ReasonUrgent, o.Escalate.Reason, text)
		require.Contains(t, o.Escalate.Signals, "danger", text)
		require.Len(t, o.Replies, 2, text)
		require.Regexp(t, "in danger|en peligro|em perigo", o.Replies[0].Text, text+number)
		require.NotEmpty(t, k.say(text).Replies, "nobody may be at the desk")
	}
	k := newTalk(t, shop{}, "whatsapp")
	k.turn.Conversation.Phone = "34600000000"
	require.Contains(t, words(k.say("el cargador se incendió")), "112")
	k = newTalk(t, shop{}, "webchat")
	k.turn.Conversation.Locale = "en-US"
	require.Contains(t, words(k.say("there is smoke coming out of it")), "911")

	k = newTalk(t, shop{}, "webchat")
	o := k.say("there was a payment on my account that I did not make")
	require.Equal(t, bot.ReasonUrgent, o.Escalate.Reason)
	require.Contains(t, words(o), "answer paid", "the answer to exactly that stands below")
	require.NotContains(t, words(o), "in danger")
}

// Who asks what the bot is learns it, and what to ask, in any language there is; it is never a miss.
func TestWhoAreYou(t *testing.T) {
	for text, want := range map[string]string{
		"are you a bot?": "automated", "who am I talking to": "automated", "what's your name": "automated", "are you a human or a robot": "automated", "what can you do": "automated",
		"help": "talk to a person at any time", "I have a question": "talk to a person at any time", "can somebody help me": "talk to a person at any time",
		"¿eres un robot?": "automático", "¿cómo te llamas?": "automático", "ayuda": "hablar con una persona", "você é um robô?": "automático", "tenho uma dúvida": "falar com um atendente",
	} {
		k := newTalk(t, fixed{found: hits(hit("A", .1, 0), hit("B", .1, 0))}, "webchat")
		k.turn.Conversation.Affiliate = "acme"
		o := k.say(text)
		require.Contains(t, words(o), want, text)
		require.Contains(t, words(o), "[question A]", text)
		require.Equal(t, bot.ChoicePerson, o.Replies[0].Choices[len(o.Replies[0].Choices)-1].Payload, text)
		require.Zero(t, o.Next.Misses, text)
		require.Contains(t, o.Trace.Signals, "identity", text)
	}
	k := newTalk(t, fixed{}, "webchat")
	k.turn.Conversation.Affiliate = "acme"
	require.Contains(t, words(k.say("are you a bot?")), "of acme")
}

// Emoji are words: what pleases is thanks, anger a complaint, a sticker counts as its emoji.
func TestEmoji(t *testing.T) {
	for text, want := range map[string]string{"❤️": "thanks", "👍🏽": "thanks", "☺️": "thanks", "👍‍": "thanks", "😡": "complaint", "🤬🤬": "complaint", "👎🏿": "feedback", "👋": "greeting"} {
		s := Read(phrases(t), turn(text))
		require.Equal(t, []string{want}, s.Names(), "%q", text)
	}
	k := newTalk(t, shop{}, "telegram")
	k.say("how do I get paid?")
	o := k.send(bot.Message{Attachments: []bot.Attachment{{Kind: "sticker", Name: "❤"}}})
	require.Contains(t, words(o), "welcome")
	o = k.send(bot.Message{Attachments: []bot.Attachment{{Kind: "sticker"}}})
	require.Equal(t, bot.ReasonSmallTalk, o.Decision.Reason, "a sticker is no miss")
	require.Contains(t, words(k.say("😡")), "[Talk to a person]")
	require.Equal(t, "ABC 12", clean("ＡＢＣ １２"))
}

// STOP and START, where there is something to stop.
func TestStopAndStart(t *testing.T) {
	k := newTalk(t, shop{}, "whatsapp")
	k.say("STOP")
	k.say("how do I get paid?")
	require.Equal(t, bot.ModePerson, k.turn.Conversation.Mode)
	require.Contains(t, words(k.say("START")), "assistant again")
	require.Equal(t, bot.ModeBot, k.turn.Conversation.Mode, "nobody has written")
	require.Contains(t, words(k.say("how do I get paid?")), "answer paid")

	k.say("STOP")
	k.say("how do I get paid?")
	k.turn.History = append(k.turn.History, bot.Message{Author: bot.AuthorAgent, Text: "I'll look."})
	require.Contains(t, words(k.say("START")), "You're with our team")
	require.Equal(t, bot.ModePerson, k.turn.Conversation.Mode)

	k = newTalk(t, shop{}, "webchat")
	require.Contains(t, words(k.say("STOP")), "close this chat")
	require.Equal(t, bot.OptOutNothing, k.turn.Conversation.OptOut)

	k = newTalk(t, shop{}, "whatsapp")
	require.Contains(t, words(k.say("unsubscribe")), "answer news Would you like me to stop messaging you here? [Yes, stop the messages]")
	require.Contains(t, words(k.say("yes")), "stop messaging you")
	require.Equal(t, bot.OptOutAll, k.turn.Conversation.OptOut)
	k = newTalk(t, shop{}, "whatsapp")
	k.say("baja")
	k.send(bot.Message{Choice: bot.ChoiceStop, Text: "Sí"})
	require.Equal(t, bot.OptOutAll, k.turn.Conversation.OptOut)
}

// Who waits for a person may take that back in words, until somebody has answered.
func TestHandoffIsCancelledInWords(t *testing.T) {
	for _, text := range []string{"never mind", "forget it", "back to the assistant", "I'd rather talk to the bot", "olvídalo", "volver al asistente", "deixa pra lá", "voltar ao assistente"} {
		k := newTalk(t, shop{}, "webchat")
		k.say("I want to talk to a person")
		require.Equal(t, bot.ModePerson, k.turn.Conversation.Mode)
		k.say(text)
		require.Equal(t, bot.ModeBot, k.turn.Conversation.Mode, text)
	}
	k := newTalk(t, shop{}, "webchat")
	k.say("I want to talk to a person")
	k.turn.History = append(k.turn.History, bot.Message{Author: bot.AuthorAgent, Text: "Shall I cancel your order?"})
	k.say("never mind")
	require.Equal(t, bot.ModePerson, k.turn.Conversation.Mode, "that was for the agent")
}

// The bot speaks the customer's language, not the page's, and says which it does not.
func TestLanguage(t *testing.T) {
	p := phrases(t)
	for text, want := range map[string]string{
		"how do I get paid": "en", "¿cómo cobro mi dinero?": "es", "como eu recebo o meu dinheiro": "pt-BR", "wie bekomme ich mein Geld": "de", "comment je reçois mon argent": "fr",
		"come posso ricevere i miei soldi": "it", "когда мне заплатят": otherLanguage, "いつ支払われますか": otherLanguage, "PayPal": "",
	} {
		require.Equal(t, want, p.language(text), text)
	}
	k := newTalk(t, shop{}, "webchat")
	k.turn.Conversation.Locale = "en"
	require.Contains(t, words(k.say("¿qué tiempo hace en marte?")), "Lo siento")
	require.Contains(t, words(k.say("sí")), "", "a word of several languages")
	k = newTalk(t, shop{}, "webchat")
	o := k.say("wann bekomme ich meine paketlieferung, bitte")
	require.Contains(t, words(o), "English, Spanish and Portuguese")
	require.Contains(t, words(o), "[Talk to a person]")
	o = k.say("wie werde ich pa")
	require.NotContains(t, words(o), "answer paid", "an entry in another language is a guess")
	require.LessOrEqual(t, o.Decision.Score, foreignAt)
}

// Commands are named only where the channel has commands.
func TestCommandsOnlyWhereThereAre(t *testing.T) {
	p := phrases(t)
	for _, locale := range []string{"en", "es", "pt-BR"} {
		for _, name := range phraseNames() {
			require.NotRegexp(t, "/(human|bot)", p.SayOn(bot.Address{Channel: "webchat"}, locale, name), "%s %s", locale, name)
		}
		require.Contains(t, p.SayOn(bot.Address{Channel: "telegram"}, locale, PhraseStart), "/human")
		group := bot.Address{Channel: "telegram", Customer: bot.InGroup("-100", "71")}
		require.Equal(t, p.SayOn(bot.Address{Channel: "telegram"}, locale, PhraseStart), p.SayOn(group, locale, PhraseStart))
		require.NotEqual(t, p.SayOn(bot.Address{Channel: "telegram"}, locale, PhraseHandoffWish), p.SayOn(group, locale, PhraseHandoffWish), "who replies may do so in private")
	}
}

// A misspelt word means the word of the lexicon that is near, and no word means another.
func TestMisspelt(t *testing.T) {
	p := phrases(t)
	for word, want := range map[string]string{"humna": "human", "representitive": "representative", "agnet": "agent", "hakced": "hacked", "pleeease": "please",
		"policy": "policy", "change": "change", "packed": "packed", "stock": "stock", "advise": "advise"} {
		require.Equal(t, want, p.meant(word, []string{"en", "es", "pt-BR"}))
	}
}
