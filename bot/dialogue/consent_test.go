package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// An opt-out is a message of its own, in any of our languages; the word inside a question is none.
func TestOptOutWords(t *testing.T) {
	p := phrases(t)
	for _, text := range []string{"STOP", "Stop.", "stop all", "please stop", "please stop messaging me!!", "don't text me again", "leave me alone", "/stop", "alto", "déjenme en paz", "no me escriban más", "PARAR", "sair", "não quero mais mensagens"} {
		s := Read(p, turn(text))
		require.True(t, s.Stop, text)
		require.Empty(t, s.Question, text)
	}
	for _, text := range []string{"how do I stop the newsletter", "can I unsubscribe a customer?", "stop selling shoes?", "¿cómo me doy de baja del programa?", "como posso parar?", "start", "/start", "cancel", "end", "baja", "unsubscribe", "stop the newsletter", "basta de envíos tardíos, ¿dónde está mi pedido?"} {
		require.False(t, Read(p, turn(text)).Stop, text)
		require.False(t, Read(p, turn(text)).Resume, text)
	}
	for _, text := range []string{"unsubscribe", "BAJA", "Darme de baja", "cancelar inscrição"} {
		require.True(t, Read(p, turn(text)).StopMaybe, text)
	}
	out := turn("start")
	out.Conversation.OptOut = bot.OptOutAll
	for _, text := range []string{"START", "/start", "/start summer", "/bot", "unstop", "empezar", "recomeçar"} {
		out.Waiting[0].Text = text
		require.True(t, Read(p, out).Resume, text)
	}
	regretted := Read(p, turn("stop", "start"))
	require.True(t, regretted.Resume && !regretted.Stop)
	regretted = Read(p, turn("start", "stop"))
	require.True(t, !regretted.Resume && regretted.Stop)
}

// After STOP the bot confirms once and is silent; a question goes to a person, START undoes it.
func TestOptOut(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .9, 0))}, phrases(t), DefaultPolicy())
	for _, mode := range []bot.Mode{bot.ModeBot, bot.ModePerson} {
		conv := bot.Conversation{Mode: mode, Affiliate: "acme"}
		say := func(text string) bot.Outcome {
			tn := turn(text)
			tn.Conversation = conv
			o, err := e.Turn(t.Context(), tn)
			require.NoError(t, err)
			conv = o.Next
			return o
		}
		o := say("STOP")
		require.Len(t, o.Replies, 1)
		require.Contains(t, o.Replies[0].Text, "stop messaging you")
		require.Equal(t, bot.OptOutAll, conv.OptOut)
		require.Equal(t, mode, conv.Mode, "who has the conversation keeps it")
		require.Equal(t, mode == bot.ModePerson, o.Decision.Action == bot.ActionForward, "a person hears of it")
		for _, text := range []string{"stop", "hi", "thanks", "asdfasdf", "you idiots"} {
			require.Empty(t, say(text).Replies, text)
		}
		conv.Mode = mode
		o = say("when do you pay?")
		require.Empty(t, o.Replies, "not even an answer")
		if mode == bot.ModeBot {
			require.Equal(t, bot.ReasonOptedOut, o.Escalate.Reason)
			require.Equal(t, "when do you pay?", o.Escalate.Question)
			broken := turn("when do you pay?")
			broken.Conversation.OptOut = bot.OptOutAll
			require.Empty(t, e.Broken(broken).Replies)
			photo := turn("")
			photo.Conversation.OptOut, photo.Waiting[0].Attachments = bot.OptOutAll, []bot.Attachment{{Kind: "voice"}}
			o, err := e.Turn(t.Context(), photo)
			require.NoError(t, err)
			require.NotNil(t, o.Escalate, "a voice note may be a question")
		}
		conv.Mode = mode
		o = say("START")
		require.Len(t, o.Replies, 1)
		require.Contains(t, o.Replies[0].Text, "automated")
		require.Equal(t, bot.OptOutNothing, conv.OptOut)
		if mode == bot.ModeBot {
			require.Equal(t, "answer A", say("when do you pay?").Replies[0].Text)
		}
	}
}

// That the bot is automated is said before its first words of a matter, in the customer's language.
func TestDisclosure(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .9, 0))}, phrases(t), DefaultPolicy())
	for _, c := range []struct{ text, locale, want string }{
		{"when do you pay?", "en", "I'm an automated assistant. If you'd rather talk to a person, just say so.\n\nanswer A"},
		{"hi, when do you pay?", "en", "Hello! I'm an automated assistant. If you'd rather talk to a person, just say so.\n\nanswer A"},
		{"¿cuándo pagan?", "es", "Soy un asistente automático. Si prefieres hablar con una persona, dímelo.\n\nanswer A"},
		{"quando pagam?", "pt", "Sou um assistente automático. Se preferir falar com um atendente, é só dizer.\n\nanswer A"},
	} {
		tn := turn(c.text)
		tn.Conversation.Locale, tn.Disclose = c.locale, true
		o, err := e.Turn(t.Context(), tn)
		require.NoError(t, err)
		require.Equal(t, c.want, o.Replies[0].Text)
	}
	for _, text := range []string{"/start", "STOP", "hi", "/help", "send me a person", "what?"} {
		tn := turn(text)
		tn.Disclose = true
		o, err := e.Turn(t.Context(), tn)
		require.NoError(t, err)
		require.Regexp(t, "automated assistant|stop messaging", o.Replies[0].Text, text)
	}
}

// Wherever the bot begins, explains itself or finds nothing, a person is one tap away.
func TestAPersonIsOneTapAway(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .05, 0))}, phrases(t), DefaultPolicy())
	photo := turn("")
	photo.Waiting[0].Attachments = []bot.Attachment{{Kind: "photo"}}
	gone := turn("")
	gone.Waiting[0].Choice = "e:gone"
	for name, tn := range map[string]bot.Turn{"start": turn("/start"), "help": turn("/help"), "greeting": turn("hello"), "miss": turn("what is the weather on mars"),
		"gibberish": turn("asdfghjkl"), "photo": photo, "gone": gone} {
		for range 2 {
			o, err := e.Turn(t.Context(), tn)
			require.NoError(t, err)
			require.Contains(t, o.Replies[0].Choices, bot.Choice{Label: "Talk to a person", Payload: bot.ChoicePerson}, name)
			tn.Conversation = o.Next
		}
	}
}

// Who comes by a link from another channel is told what is known of them there.
func TestLinked(t *testing.T) {
	e := NewEngine(fixed{found: hits(hit("A", .9, 0))}, phrases(t), DefaultPolicy())
	arrive := func(choice string, mode bot.Mode, texts ...string) bot.Outcome {
		tn := turn(append([]string{"/start"}, texts...)...)
		tn.Waiting[0].Choice, tn.Conversation.Mode, tn.Disclose = choice, mode, true
		o, err := e.Turn(t.Context(), tn)
		require.NoError(t, err)
		return o
	}
	require.Contains(t, arrive(bot.ChoiceLinked, bot.ModeBot).Replies[0].Text, "You can carry on here; I can see what you asked before")
	require.Contains(t, arrive(bot.ChoiceLinkGone, bot.ModeBot).Replies[0].Text, "already been used or has expired")
	person := arrive(bot.ChoiceLinked, bot.ModePerson)
	require.Contains(t, person.Replies[0].Text, "The person helping you")
	require.Equal(t, bot.ActionForward, person.Decision.Action)
	require.Contains(t, arrive(bot.ChoiceLinked, bot.ModeBot, "when do you pay?").Replies[0].Text, "answer A")
}
