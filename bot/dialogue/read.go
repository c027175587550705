package dialogue

import (
	"slices"
	"strconv"
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

// Payloads of the buttons the bot offers.
const (
	payloadEntry  = "e:" // followed by the entry's ID
	payloadNone   = "none"
	payloadPerson = "person"
	payloadAgain  = "again"
)

// Signals are what the waiting messages say by themselves.
type Signals struct {
	Command     string            // start, help, human, bot
	WantsPerson bool              // in words, by command or by button
	Chosen      knowledge.EntryID // a tapped or named choice
	None        bool              // none of the choices
	Again       bool              // the offer of a person was declined
	Repeated    bool              // the same button was tapped, and answered, just before
	Greeting    bool
	Goodbye     bool
	Thanks      bool
	Noted       bool     // a bare "ok", "yes" or "no" that answers nothing
	Polite      bool     // what Question holds beside small talk asks nothing: "hi Riley", "thanks, it works now"
	Complaint   bool     // or anger
	Urgent      bool     // fraud, a break-in, a double charge, the law: see the word list
	Abuse       bool     // insults
	Gibberish   bool     // keys struck at random
	Question    string   // the words that ask, without greeting and thanks; "" if there are none
	Whole       string   // Question with its greeting and thanks: what is searched for, since an entry may have them too
	Parts       []string // the questions in Question, if there are two or three
	Leans       float64  // how much Question needs what was said before: see retrieval.Query
	Raw         string   // all words, for a search that shows what was considered
	Unreadable  bool     // something came, but no words: a picture, a voice note, an emoji
	Voice       bool     // a recording came of which nobody told us the words
	TooLong     bool
	Flood       bool
	Stop        bool // they want to hear no more of the bot
	Resume      bool // they opted out and take it back
	Linked      bool // they came by a link from another channel, and go on here
	LinkGone    bool // the same, but the link was of no use
}

// Names are the signals that fired, for the trace and for whoever takes over.
func (s Signals) Names() (list []string) {
	for _, one := range []struct {
		name  string
		fired bool
	}{
		{"wants_person", s.WantsPerson}, {"urgent", s.Urgent}, {"complaint", s.Complaint}, {"abuse", s.Abuse}, {"gibberish", s.Gibberish},
		{"greeting", s.Greeting}, {"thanks", s.Thanks}, {"goodbye", s.Goodbye}, {"noted", s.Noted}, {"unreadable", s.Unreadable},
		{"too_long", s.TooLong}, {"flood", s.Flood},
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
		text := strings.TrimSpace(m.Text)
		s.Voice = s.Voice || slices.ContainsFunc(m.Attachments, func(a bot.Attachment) bool { return a.Spoken() && a.Heard == "" })
		if text == "" {
			s.Unreadable = s.Unreadable || len(m.Attachments) > 0
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
	if s.Question != "" || s.Greeting || s.Thanks {
		s.Unreadable = false // the words say enough
	}
	if s.TooLong = len(s.Question) > longest; !s.TooLong {
		s.feel(p, raw)
		s.Polite = polite(p, s)
		s.Parts, s.Leans = split(p, s.Question), leans(p, s.Question)
	}
	s.Flood = len(t.Waiting) > flood
	return s
}

// tap reads a tapped button. Payloads come from customers and may be forged: an entry's ID is
// checked against what may answer before it is used.
func (s *Signals) tap(t bot.Turn, m bot.Message) {
	switch {
	case m.Choice == payloadPerson:
		s.WantsPerson = true
	case m.Choice == payloadNone:
		s.None = true
	case m.Choice == payloadAgain:
		s.Again = true
	case m.Choice == bot.ChoiceLinked:
		s.Linked = true
	case m.Choice == bot.ChoiceLinkGone:
		s.LinkGone = true
	case strings.HasPrefix(m.Choice, payloadEntry):
		s.Chosen = knowledge.EntryID(strings.TrimPrefix(m.Choice, payloadEntry))
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
	if len(tokens) == 0 {
		if applause(text) {
			s.Thanks = true
		} else {
			s.Unreadable = true
		}
		return ""
	}
	if s.reply(p, t, tokens) {
		return ""
	}
	s.WantsPerson = s.WantsPerson || wishes(p, tokens)
	return s.strip(p, text, tokens)
}

// consent reads that the customer opts out, or back in: a message that says nothing else. The last one counts.
func (s *Signals) consent(p *Phrases, t bot.Turn, text string) bool {
	command, rest, _ := commandOf(text)
	tokens := tokenize(text)
	back := command == "start" || command == "bot" || p.words[wordResume].is(tokens)
	switch {
	case command == "stop" && rest == "" || p.words[wordStop].is(tokens):
		s.Stop, s.Resume = true, false
	case back && (s.Stop || t.Conversation.OptOut == bot.OptOutAll):
		s.Resume, s.Stop = true, false
	default:
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

// reply reads words that answer the bot's own last question: "yes", "2", a choice's label.
func (s *Signals) reply(p *Phrases, t bot.Turn, tokens []token) bool {
	switch t.Conversation.Asked {
	case bot.AskedPerson:
		switch {
		case p.words[wordYes].is(tokens):
			s.WantsPerson = true
		case p.words[wordNo].is(tokens):
			s.Again = true
		default:
			return false
		}
		return true
	case bot.AskedWhich:
		offered := lastChoices(t)
		var entries []bot.Choice
		for _, c := range offered {
			if strings.HasPrefix(c.Payload, payloadEntry) {
				entries = append(entries, c)
			}
		}
		return s.pick(p, offered, entries, tokens)
	}
	return false
}

// pick reads words as one of the offered choices.
func (s *Signals) pick(p *Phrases, offered, entries []bot.Choice, tokens []token) bool {
	if n, err := strconv.Atoi(tokens[0].word); err == nil && len(tokens) == 1 && n >= 1 && n <= len(offered) {
		s.tap(bot.Turn{}, bot.Message{Choice: offered[n-1].Payload})
		return true
	}
	for _, c := range offered {
		if sameWords(tokens, tokenize(c.Label)) {
			s.tap(bot.Turn{}, bot.Message{Choice: c.Payload})
			return true
		}
	}
	switch {
	case p.words[wordNo].is(tokens):
		s.None = true
	case len(entries) == 1 && p.words[wordYes].is(tokens):
		s.tap(bot.Turn{}, bot.Message{Choice: entries[0].Payload})
	default:
		return false
	}
	return true
}

// lastChoices are the choices under the bot's last message.
func lastChoices(t bot.Turn) []bot.Choice {
	for i := len(t.History) - 1; i >= 0; i-- {
		if m := t.History[i]; m.Author == bot.AuthorBot && m.Conversation == t.Conversation.ID {
			return m.Choices
		}
	}
	return nil
}

// EntryOf is the entry that a button's payload chooses, "" if it chooses none.
func EntryOf(payload string) knowledge.EntryID {
	id, ok := strings.CutPrefix(payload, payloadEntry)
	if !ok {
		return ""
	}
	return knowledge.EntryID(id)
}
