package dialogue

import (
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
)

const (
	// longest is the most characters of a question that is searched for; people who write more are
	// asked to be brief.
	longest = 4000
	// flood is more messages in one turn, so within seconds, than anyone types.
	flood = 20
)

// Signals are what the waiting messages say by themselves.
type Signals struct {
	Command           string              // start, help, human, bot
	WantsPerson       bool                // in words, by command or by button
	Chosen            knowledge.EntryID   // a tapped or named choice
	Both              []knowledge.EntryID // the choices after Chosen, if all of them were named
	None              bool                // none of the choices
	Again             bool                // the offer of a person was declined
	Repeated          bool                // the same button was tapped, and answered, just before
	Greeting          bool
	Goodbye           bool
	Thanks            bool
	Acknowledgement   bool     // a bare "ok", "yes" or "no" that answers nothing
	Polite            bool     // what Question holds beside small talk asks nothing: "hi Riley", "thanks, it works now"
	Complaint         bool     // or anger
	Danger            bool     // to life, account, money or rights, by an event: a person first
	Emergency         bool     // to life and limb
	Feedback          bool     // the answer given did not help
	Praise            bool     // it did
	Identity          bool     // they ask who or what the bot is
	Help              bool     // a bare cry for help, or a question announced and not asked
	Abuse             bool     // insults
	Gibberish         bool     // keys struck at random
	Question          string   // the words that ask, without greeting and thanks; "" if there are none
	Whole             string   // Question with its greeting and thanks: what is searched for, since an entry may have them too
	Parts             []string // the questions in Question, if there are two or three
	ContextDependence float64  // how much Question needs what was said before: see retrieval.Query
	Raw               string   // all words, for a search that shows what was considered
	Unreadable        bool     // something came, but no words: a picture, a voice note, an emoji
	Voice             bool     // a recording came of which nobody told us the words
	TooLong           bool
	Flood             bool
	Stop              bool   // they want to hear no more of the bot
	Off               bool   // the assistant shall be silent in the chat on a page
	StopMaybe         bool   // they do, or they ask how to: "unsubscribe"
	StopLikely        bool   // they most likely do: StopMaybe, since it is asked back about
	Language          string // of the words, "" if it does not show: see lexicon.language
	Resume            bool   // they opted out and take it back
	Linked            bool   // they came by a link from another channel, and go on here
	LinkGone          bool   // the same, but the link was of no use
	FilledIn          bool   // they filled in a form or ordered
	PointsAt          bool   // the words may be about something that they point at
	About             string // what is known of that
}

// Names are the signals that fired, for the trace and for whoever takes over.
func (s Signals) Names() (list []string) {
	for _, one := range []struct {
		name  string
		fired bool
	}{
		{"wants_person", s.WantsPerson}, {"danger", s.Danger}, {"urgent", s.Danger}, {"complaint", s.Complaint}, {"abuse", s.Abuse}, {"gibberish", s.Gibberish},
		{"greeting", s.Greeting}, {"thanks", s.Thanks}, {"goodbye", s.Goodbye}, {"noted", s.Acknowledgement}, {"unreadable", s.Unreadable},
		{"too_long", s.TooLong}, {"flood", s.Flood}, {"feedback", s.Feedback}, {"identity", s.Identity || s.Help}, {"stop", s.Stop || s.StopLikely},
	} {
		if one.fired {
			list = append(list, one.name)
		}
	}
	return list
}

// Read reads the waiting messages of t. It is pure.
func Read(p *Phrases, t bot.Turn) Signals {
	var s Signals
	var questions, whole, raw []string
	for _, m := range t.Waiting {
		if m.Choice != "" {
			s.tap(t, m)
			continue
		}
		text := textOf(m)
		s.pointedAt(m)
		s.FilledIn = s.FilledIn || slices.ContainsFunc(m.Attachments, bot.Attachment.FilledIn)
		s.Voice = s.Voice || slices.ContainsFunc(m.Attachments, func(a bot.Attachment) bool { return a.Spoken() && a.Heard == "" })
		if text == "" {
			s.attached(m)
			continue
		}
		raw = append(raw, text)
		if question := s.words(p, t, text); question != "" {
			questions = append(questions, question)
			if _, _, command := commandOf(text); command {
				text = question
			}
			whole = append(whole, text)
		}
	}
	s.Whole = strings.Join(whole, "\n")
	s.Question, s.Raw = strings.Join(questions, "\n"), strings.Join(raw, "\n")
	if s.Question != "" || s.Greeting || s.Thanks || s.Feedback || s.Complaint || s.Stop {
		s.Unreadable = false // the words say enough
	}
	if s.TooLong = len(s.Question) > longest; !s.TooLong {
		s.detectMood(p, raw)
		s.Polite = polite(p, s)
		s.Language = p.language(s.Raw)
		s.Parts, s.ContextDependence = split(p, s.Question), leans(p, s.Question)
	}
	s.Flood = len(t.Waiting) > flood
	return s
}

// textOf is what a message says.
func textOf(m bot.Message) string { return strings.TrimSpace(clean(m.Text + stickers(m))) }

// stickers are the emoji of the stickers that came with a message.
func stickers(m bot.Message) (emoji string) {
	for _, a := range m.Attachments {
		if a.Kind == "sticker" {
			emoji += a.Name
		}
	}
	return emoji
}

// attached reads a message without words. A sticker says no more than an "ok"; a story of theirs that names us, or a
// gift, is kind.
func (s *Signals) attached(m bot.Message) {
	kind := func(a bot.Attachment) bool { return a.Kind == bot.KindStory || a.Kind == bot.KindGift }
	if slices.ContainsFunc(m.Attachments, kind) {
		s.Thanks = true
		return
	}
	sticker := func(a bot.Attachment) bool { return a.Kind == "sticker" }
	if len(m.Attachments) > 0 && !slices.ContainsFunc(m.Attachments, func(a bot.Attachment) bool { return !sticker(a) }) {
		s.Acknowledgement = true
		return
	}
	s.Unreadable = s.Unreadable || len(m.Attachments) > 0
}

// tap reads a tapped button. Payloads come from customers and may be forged: an entry's ID is
// checked against what may answer before it is used.
func (s *Signals) tap(t bot.Turn, m bot.Message) {
	switch {
	case m.Choice == bot.ChoicePerson:
		s.WantsPerson = true
	case m.Choice == bot.ChoiceNone:
		s.None = true
	case m.Choice == bot.ChoiceAgain:
		s.Again = true
	case m.Choice == bot.ChoiceStop:
		s.Stop = true
	case m.Choice == bot.ChoiceOff:
		s.Off = true
	case m.Choice == bot.ChoiceOn:
		s.Resume = true
	case m.Choice == bot.ChoiceLinked:
		s.Linked = true
	case m.Choice == bot.ChoiceLinkGone:
		s.LinkGone = true
	case strings.HasPrefix(m.Choice, bot.ChoiceEntry):
		s.Chosen = knowledge.EntryID(strings.TrimPrefix(m.Choice, bot.ChoiceEntry))
		s.Repeated = tappedBefore(t, m)
	default:
		s.None = true
	}
}

// repeatedWithin is how soon a second tap on the same button is a double tap, not a second wish.
const repeatedWithin = 10_000 // milliseconds

func tappedBefore(t bot.Turn, m bot.Message) bool {
	for _, h := range t.History {
		if h.Author == bot.AuthorCustomer && h.Conversation == m.Conversation && h.Choice == m.Choice && m.At.Sub(h.At).Milliseconds() < repeatedWithin {
			return true
		}
	}
	return false
}

// words reads one message of words and returns what is left of it to search for.
func (s *Signals) words(p *Phrases, t bot.Turn, text string) string {
	if s.consent(p, t, text) {
		return ""
	}
	if command, rest, ok := commandOf(text); ok {
		s.Command = command
		s.WantsPerson = s.WantsPerson || command == "human"
		return rest
	}
	tokens := tokenize(text)
	if rest, ok := s.reply(p, t, text, tokens); ok {
		if rest == "" {
			return ""
		}
		text, tokens = rest, tokenize(rest)
	}
	if len(tokens) == 0 {
		s.emoji(text)
		return ""
	}
	read := p.read(tokens)
	if t.Conversation.Mode == bot.ModePerson && returns(p, t, read) {
		s.Command = "bot"
		return ""
	}
	s.WantsPerson = s.WantsPerson || wishes(p, read)
	if new(Signals).smallTalk(p, tokens) {
		return s.strip(p, text, tokens)
	}
	if s.aside(p, read) {
		return ""
	}
	if rest, ok := s.feedback(p, text, read); ok {
		if rest == "" {
			return ""
		}
		text, tokens = rest, tokenize(rest)
	}
	return s.strip(p, text, tokens)
}

// returns reports whether a customer who waits for a person wants the bot back: in so many words, or by
// taking the wish back before anybody has answered.
func returns(p *Phrases, t bot.Turn, tokens []token) bool {
	if len(tokens) > maxAsideWords {
		return false
	}
	answered := slices.ContainsFunc(t.History, func(m bot.Message) bool { return m.Author == bot.AuthorAgent })
	return p.fires(shapeToBot, tokens) || !answered && p.fires(shapeCancelHandoff, tokens)
}

// consent reads that the customer opts out, or back in: a message that says nothing else. The last one counts.
func (s *Signals) consent(p *Phrases, t bot.Turn, text string) bool {
	command, rest, _ := commandOf(text)
	tokens := tokenize(text)
	back := command == "start" || command == "bot" || p.words[wordResume].is(tokens)
	agrees := p.words[wordYes].is(tokens) && slices.ContainsFunc(lastChoices(t), func(c bot.Choice) bool { return c.Payload == bot.ChoiceStop })
	switch {
	case command == "stop" && rest == "" || p.words[wordStop].is(tokens) || agrees ||
		len(tokens) <= maxAsideWords && p.fires(shapeStop, p.read(tokens)):
		s.Stop, s.Resume = true, false
	case back && (s.Stop || t.Conversation.OptOut == bot.OptOutAll):
		s.Resume, s.Stop = true, false
	default:
		s.StopMaybe = s.StopMaybe || p.words[wordStopMaybe].is(tokens)
		return false
	}
	return true
}

// commandOf splits "/help@Bot rest" into its command and rest, if it is one of ours.
func commandOf(text string) (command, rest string, ok bool) {
	if !strings.HasPrefix(text, "/") {
		return "", "", false
	}
	head, rest, _ := strings.Cut(text, " ")
	name, _, _ := strings.Cut(strings.ToLower(head[1:]), "@")
	switch name {
	case "start", "help", "human", "bot", "stop":
		return name, strings.TrimSpace(rest), true
	}
	return "", "", false
}
