package console

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/knowledge"
)

// A line is one thing in a conversation, as it is shown.
type line struct {
	ID       string
	Seq      int64  // of a message, 0 for the rest
	Kind     string // customer, bot, agent, note or event
	By       string
	Via      string // the channel, for a customer who has several
	At       time.Time
	Text     []segment
	Empty    string // said where there are no words
	About    []file // what the words are about
	Files    []file
	Heard    bool     // its words were transcribed from a recording
	Choice   []string // buttons that were offered
	Delivery string   // of a message of ours: on its way, failed and why
	Failed   bool
	Again    string // the words to send again, "" if they should not be
	New      bool   // came while somebody was writing
}

// A talk is what is known of one conversation.
type talk struct {
	conversation bot.Conversation
	said         []bot.Message
	notes        []handoff.Note
	identities   []bot.Identity // of the customer, the conversation among them
	elsewhere    []bot.Message  // said in the others
	turns        []bot.TurnRecord
	tickets      []handoff.Ticket // those that the reader may see, the newest first
}

// linesOf puts everything that was said and done in one order. Messages keep theirs; notes and
// events come before the first message that is later.
func (c *Console) linesOf(p reader, t talk) []line {
	var asides []line
	fates := map[bot.MessageID]string{}
	for i, n := range t.notes {
		switch {
		case n.Message != "":
			fates[n.Message] = n.Text
		case n.Agent == "":
			asides = append(asides, line{ID: fmt.Sprintf("n%d", i), Kind: "event", At: n.At, Text: segments(n.Text)})
		default:
			asides = append(asides, line{ID: fmt.Sprintf("n%d", i), Kind: "note", By: string(n.Agent), At: n.At, Text: segments(n.Text)})
		}
	}
	asides = append(asides, ticketLines(p, t.tickets)...)
	slices.SortStableFunc(asides, func(a, b line) int { return a.At.Compare(b.At) })
	var lines []line
	labels := map[string]string{}
	for _, m := range bot.Interleave(append(slices.Clone(t.said), t.elsewhere...)) {
		for len(asides) > 0 && asides[0].At.Before(m.At) {
			lines, asides = append(lines, asides[0]), asides[1:]
		}
		for _, choice := range m.Choices {
			labels[choice.Payload] = choice.Label
		}
		lines = append(lines, c.lineOf(p, t, m, labels, fates[m.ID]))
	}
	return append(lines, asides...)
}

// channel is the name of a message's channel.
func (t talk) channel(p reader, m bot.Message) string {
	for _, i := range t.identities {
		if i.ID == m.Conversation {
			return p.channel(i.Address)
		}
	}
	return p.channel(t.conversation.Address)
}

// channel is the name of an address's channel.
func (p reader) channel(a bot.Address) string {
	if _, _, ok := a.Member(); ok {
		return p.Say("channel_group", "channel", accounts.Label(a.Channel))
	}
	return accounts.Label(a.Channel)
}

// ticketLines are the thin lines about tickets.
func ticketLines(p reader, tickets []handoff.Ticket) (list []line) {
	event := func(t handoff.Ticket, what string, at time.Time, words string) {
		list = append(list, line{ID: what + string(t.ID), Kind: "event", At: at, Text: []segment{{Text: words}}})
	}
	for _, t := range slices.Backward(tickets) {
		event(t, "o", t.OpenedAt, p.opened(t))
		if t.State == handoff.StateClosed {
			event(t, "c", t.ClosedAt, p.One("outcome_", string(t.Outcome)))
		}
	}
	return list
}

func (c *Console) lineOf(p reader, t talk, m bot.Message, labels map[string]string, fate string) line {
	l := line{ID: fmt.Sprintf("m%d", m.Seq), Seq: m.Seq, Kind: string(m.Author), At: m.At, Text: segments(m.Text)}
	if len(t.identities) > 1 {
		l.Via = t.channel(p, m)
	}
	if m.Conversation != t.conversation.ID {
		l.ID, l.Seq = "o"+string(m.ID), 0
	}
	switch m.Author {
	case bot.AuthorCustomer:
		l.By = p.Say("customer")
	case bot.AuthorBot:
		l.By = p.Say("bot")
	case bot.AuthorInbox:
		l.By = p.Say("reply_in", "channel", t.channel(p, m))
	case bot.AuthorAgent:
		if l.By = m.Agent; m.Agent == "" {
			l.By = p.Say("person_in", "channel", t.channel(p, m))
		}
	}
	if m.Choice == bot.ChoiceLinked || m.Choice == bot.ChoiceLinkGone {
		l.Text, l.Empty = nil, p.linked(m.Choice)
		return l
	}
	for _, choice := range m.Choices {
		l.Choice = append(l.Choice, choice.Label)
	}
	for _, a := range m.Attachments {
		list := &l.Files
		if a.PointsAt() {
			list = &l.About
		}
		*list = append(*list, c.fileOf(p, a, m.Author != bot.AuthorCustomer))
		l.Heard = l.Heard || a.Heard != ""
	}
	switch {
	case m.Text != "" || len(m.Attachments) > 0:
	case labels[m.Choice] != "":
		l.Empty = p.Say("chose", "label", labels[m.Choice])
	case m.Choice != "":
		l.Empty = p.Say("tapped")
	default:
		l.Empty = p.Say("nothing_readable")
	}
	switch m.Status {
	case bot.StatusQueued:
		l.Delivery = p.Say("on_its_way")
	case bot.StatusFailed:
		l.Failed, l.Delivery = true, fate
		if fate == "" {
			l.Delivery = p.Say("not_arrived")
		}
		if m.Author == bot.AuthorAgent && m.Conversation == t.conversation.ID {
			l.Again = m.Text
		}
	}
	return l
}

func (p reader) linked(choice string) string {
	if choice == bot.ChoiceLinked {
		return p.Say("linked")
	}
	return p.Say("link_gone")
}

// A try is one turn of the bot: what it did, why, and what it considered.
type try struct {
	At              time.Time
	Did, Why, Rule  string
	Query           string
	Hits            []considered
	Space, Fallback string
	Took            string
	Should          string // the address where the question becomes a test case, "" if the reader may not
}

// considered is one entry that the bot weighed.
type considered struct {
	Question          string
	Wording           string // the one that matched, if another
	Hidden            bool   // an affiliate's whom the reader may not see
	Score             float64
	Semantic, Lexical string
}

// triesOf is what the bot tried, the latest first. Forwarded messages are no tries.
func triesOf(p reader, conv bot.Conversation, turns []bot.TurnRecord, question func(knowledge.EntryID) (string, bool)) (list []try) {
	for _, t := range slices.Backward(turns) {
		if t.Decision.Action == bot.ActionForward {
			continue
		}
		one := try{At: t.At, Did: p.One("action_", string(t.Decision.Action)), Why: p.One("reason_", string(t.Decision.Reason)), Rule: t.Trace.Rule,
			Query: t.Trace.Query, Space: t.Trace.Space, Fallback: t.Trace.Fallback, Took: t.Trace.Took.Round(time.Millisecond).String()}
		for _, h := range t.Trace.Hits {
			one.Hits = append(one.Hits, consideredOf(p, h, question))
		}
		if isLead(p) && conv.Affiliate != "" && t.Trace.Query != "" {
			one.Should = "/eval/" + url.PathEscape(string(conv.Affiliate)) + "/cases/new?" + url.Values{"conversation": {string(conv.ID)}, "turn": {string(t.ID)}}.Encode()
		}
		list = append(list, one)
	}
	return list
}

func consideredOf(p reader, h bot.TraceHit, question func(knowledge.EntryID) (string, bool)) considered {
	k := considered{Score: min(max(h.Score, 0), 1), Semantic: fmt.Sprintf("%.2f", h.Parts.Cosine), Lexical: fmt.Sprintf("%.2f", h.Parts.Ngrams)}
	words, ok := question(h.Entry)
	switch {
	case !ok:
		k.Hidden, k.Question = true, p.Say("hidden_entry")
	case words == "":
		k.Question = h.Wording
	default:
		k.Question = words
		if h.Wording != words {
			k.Wording = h.Wording
		}
	}
	return k
}
