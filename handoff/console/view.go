package console

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// A fact is one line about a ticket.
type fact struct {
	Name, Words string
	At          time.Time // instead of Words
}

// An earlier is another ticket of the conversation.
type earlier struct {
	Href, Words string
	At          time.Time
}

// A caseView is a page with a conversation open: with its ticket, or without one.
type caseView struct {
	Inbox inbox
	Topic string // what the page shows, as the event stream names it
	Toast page.Toast

	Who           string
	Picture       string // the address of the customer's profile picture, "" if there is none
	Icon, Channel string
	Base          string // the address that actions are below: of the ticket, or of the conversation
	Query         string // the place, for addresses
	Back          string
	Part          string // the address of the part that shows the conversation anew
	AboutHref     string // the pane about it, on a narrow screen
	Talk          string // the address of the whole conversation, for a ticket
	NoteKey       string
	Pane          string // what a narrow screen shows: talk or about
	Partial       bool   // only that part is rendered

	Ticket       string // its ID, "" for a conversation without one
	OpenTicket   string // the address of the conversation's open ticket, for a conversation
	Closed       bool
	Owed         slaView
	Assignee     string // who has it
	Mine         bool
	Bot          bool          // the bot answers it
	Snoozed      time.Time     // until then, zero if it is not
	Spans        []page.Option // for how long it may be snoozed
	Present      string        // says which others have it open, "" if none has
	MayWrite     bool
	MaySend      bool   // files too
	Cannot       string // why nobody can write to the customer
	WindowClosed bool   // and that is because the window has closed: templates are left
	OptedOut     string // what the customer wants to hear no more of, in words
	Templates    templates
	Ways         []way // where else the customer may go on
	Identities   []identity
	SignOut      string // the address that asks whether to sign the chat's visitor out, "" if the reader may not
	Draft        string // the answer that the bot suggests, "" once somebody replied
	Answer       string // the address of the page on which the question becomes an entry, "" if the reader may not
	Forget       string // the address of the page from which the customer's data are exported or erased, "" if the reader may not
	Via          string // the channel that replies go to, for a customer who has several
	In           string // the conversation that replies go to

	Messages []line
	Tries    []try
	Judged   *judged // nil unless the reader is asked about an answer
	Facts    []fact
	Earlier  []earlier

	Seen             int64  // the last message the reader knows of
	News             string // told to a screen reader: what came since
	RepliedMeanwhile string // who replied while the reader was writing
	Writes           draftReply

	said []bot.Message
	conv bot.Conversation
}

// draftReply is what stands in the reply box and what went wrong with it.
type draftReply struct {
	Key, Text string
	Template  string   // name and language of what was picked
	Values    []string // of its variables
	Files     []staged // that wait to be sent with it
	Note      string
	What, Do  string // a problem: what happened, and what to do
	Moved     bool   // the conversation moved on while it was written
	Anyway    bool   // offer to send although the conversation moved on
	Over      bool   // offer to take the ticket over and send
	NoteWrong string // what is wrong with the note
}

// look reads all that a conversation's page shows. ticket is "" for a conversation by itself.
func (c *Console) look(ctx context.Context, p reader, at place, conv bot.Conversation, ticket handoff.TicketID) (v caseView, err error) {
	t := talk{conversation: conv}
	if ticket != "" {
		k, err := c.desk.Show(ctx, ticket)
		if err != nil {
			return v, err
		}
		t.conversation, t.said, t.notes = k.Conversation, k.Said, k.Notes
	} else if t.said, err = c.conversations.Transcript(ctx, conv.ID, 0); err != nil {
		return v, err
	}
	if err := c.readElsewhere(ctx, &t); err != nil {
		return v, err
	}
	if t.turns, err = c.conversations.Turns(ctx, conv.ID); err != nil {
		return v, err
	}
	filter := handoff.Filter{Affiliates: affiliatesOf(p), States: handoff.States()}
	for _, i := range t.identities {
		filter.Conversations = append(filter.Conversations, i.ID)
	}
	all, err := c.desk.List(ctx, filter)
	if err != nil {
		return v, err
	}
	slices.SortStableFunc(all, func(a, b handoff.Ticket) int { return b.OpenedAt.Compare(a.OpenedAt) })
	t.tickets = all
	conv = t.conversation
	v = caseView{Who: p.whoOf(conv), Picture: c.o.Media(bot.Attachment{Kept: conv.Picture}), Icon: channelIcon(conv.Address.Channel), Channel: p.channel(conv.Address),
		Query: at.query(), Back: at.list(), Bot: conv.Mode == bot.ModeBot, Messages: c.linesOf(p, t), Cannot: c.cannot(p, conv), OptedOut: p.optOut(conv),
		Tries: triesOf(p, conv, t.turns, c.questions(ctx, p))}
	v.said, v.conv, v.In = t.said, conv, string(conv.ID)
	if n := len(t.said); n > 0 {
		v.Seen = t.said[n-1].Seq
	}
	current := string(conv.ID)
	if ticket != "" {
		c.lookTicket(&v, t, p, ticket)
		current = v.Ticket
	} else {
		v.Base = "/desk/conversations/" + url.PathEscape(string(conv.ID))
		v.Topic = "conversation=" + url.QueryEscape(string(conv.ID))
		if i := slices.IndexFunc(t.tickets, func(t handoff.Ticket) bool { return t.State != handoff.StateClosed }); i >= 0 {
			v.OpenTicket, v.Assignee = "/desk/tickets/"+url.PathEscape(string(t.tickets[i].ID)), string(t.tickets[i].Assignee)
		}
	}
	v.Facts = append(v.Facts, c.factsOf(p, conv)...)
	if err := c.lookCustomer(ctx, &v, t, p); err != nil {
		return v, err
	}
	v.Earlier = earlierOf(p, t.tickets, ticket, at)
	v.Inbox.Current = current
	v.AboutHref = v.Base + at.query("pane", "about")
	v.Part = v.Base + "/said" + at.query("have", v.digest())
	return v, nil
}

// digest names what the part shows that can change.
func (v caseView) digest() string {
	v.Owed.Words, v.Writes, v.NoteKey, v.Inbox, v.Part, v.Judged = "", draftReply{}, "", inbox{}, "", nil
	return digest(v)
}

// lookTicket fills in what is the ticket's.
func (c *Console) lookTicket(v *caseView, t talk, p reader, id handoff.TicketID) {
	v.Ticket, v.Base = string(id), "/desk/tickets/"+url.PathEscape(string(id))
	v.Topic = "ticket=" + url.QueryEscape(string(id))
	v.Present = p.present(c.presence.with(id, p.ID))
	v.Writes.Key, v.NoteKey = rand.Text(), rand.Text()
	if p.May(t.conversation.Affiliate) {
		v.Talk = "/desk/conversations/" + url.PathEscape(string(t.conversation.ID))
	}
	for _, tk := range t.tickets {
		if tk.ID != id {
			continue
		}
		v.Closed, v.Owed, v.Assignee, v.Mine = tk.State == handoff.StateClosed, p.sla(tk, c.o.Now()), string(tk.Assignee), tk.Assignee == agent(p)
		v.Snoozed, v.Spans = tk.SnoozedUntil, p.snoozeSpans()
		v.MaySend = c.o.Shelf != nil
		v.MayWrite = !v.Closed && (v.Mine || tk.Assignee == "")
		v.Facts = p.ticketFacts(tk)
		if tk.RepliedAt.IsZero() && !v.Closed {
			v.Draft = tk.Draft
		}
	}
}

// questions finds the question of an entry, false for one that p may not see. One that is gone has none.
func (c *Console) questions(ctx context.Context, p reader) func(knowledge.EntryID) (string, bool) {
	type found struct {
		question string
		ok       bool
	}
	known := map[knowledge.EntryID]found{}
	return func(id knowledge.EntryID) (string, bool) {
		if c.o.Entry == nil {
			return "", true
		}
		f, seen := known[id]
		if !seen {
			e, err := c.o.Entry(ctx, id)
			f = found{e.Question, err != nil || p.May(e.Affiliate)}
			known[id] = f
		}
		return f.question, f.ok
	}
}

// cannot says why nobody can write to the customer now, "" if one can.
func (c *Console) cannot(p reader, conv bot.Conversation) string {
	switch refused := c.conversations.Refusal(conv); {
	case refused == nil:
		return ""
	case refused.Kind == bot.SendWindowClosed:
		return p.Say("cannot_window", "channel", accounts.Label(conv.Address.Channel))
	}
	return p.Say("cannot_blocked")
}

func (p reader) ticketFacts(t handoff.Ticket) []fact {
	facts := []fact{{Name: p.Say("fact_ticket"), Words: string(t.ID)}, {Name: p.Say("fact_why"), Words: p.One("reason_", string(t.Reason))}}
	add := func(name, words string) {
		if words != "" {
			facts = append(facts, fact{Name: name, Words: words})
		}
	}
	add(p.Say("fact_topic"), t.Topic)
	add(p.Say("affiliate"), string(t.Affiliate))
	facts = append(facts, fact{Name: p.Say("fact_opened"), At: t.OpenedAt})
	if t.State != handoff.StateClosed && !t.WaitingSince.IsZero() {
		facts = append(facts, fact{Name: p.Say("fact_promised"), At: t.DueAt})
	}
	if !t.RepliedAt.IsZero() {
		facts = append(facts, fact{Name: p.Say("fact_first_reply"), At: t.RepliedAt})
	}
	if t.State == handoff.StateClosed {
		facts = append(facts, fact{Name: p.Say("fact_closed"), At: t.ClosedAt})
	}
	return facts
}

func (c *Console) factsOf(p reader, conv bot.Conversation) []fact {
	facts := []fact{{Name: p.Say("channel"), Words: p.Say("fact_account", "channel", accounts.Label(conv.Address.Channel), "account", conv.Address.Account)},
		{Name: p.Say("customer"), Words: conv.Address.Customer}}
	if group, member, ok := conv.Address.Member(); ok {
		facts[1].Words = member
		facts = append(facts, fact{Name: p.Say("fact_group"), Words: p.Say("fact_group_words", "group", group)})
	}
	if conv.Name != "" {
		facts = append([]fact{{Name: p.Say("fact_name"), Words: conv.Name}}, facts...)
	}
	if conv.Phone != "" && conv.Phone != conv.Address.Customer {
		facts = append(facts, fact{Name: p.Say("fact_phone"), Words: "+" + conv.Phone})
	}
	if conv.Locale != "" {
		facts = append(facts, fact{Name: p.Say("fact_language"), Words: conv.Locale})
	}
	if conv.FirstRef != "" {
		facts = append(facts, fact{Name: p.Say("fact_first_by"), Words: refWords(conv.FirstRef, conv.First)})
	}
	if conv.LastRef != "" && conv.LastRef != conv.FirstRef {
		facts = append(facts, fact{Name: p.Say("fact_last_by"), Words: refWords(conv.LastRef, conv.Last)})
	}
	if until := c.conversations.Until(conv); !until.IsZero() {
		name := p.Say("fact_until")
		if c.o.Now().After(until) {
			name = p.Say("fact_closed_since")
		}
		facts = append(facts, fact{Name: name, At: until})
	}
	return append(facts, fact{Name: p.Say("fact_first_wrote"), At: conv.OpenedAt}, fact{Name: p.Say("fact_last_wrote"), At: conv.HeardAt})
}

func earlierOf(p reader, tickets []handoff.Ticket, but handoff.TicketID, at place) (list []earlier) {
	for _, t := range tickets {
		if t.ID == but {
			continue
		}
		words := cut(strings.TrimSpace(t.Question), 80)
		if words == "" {
			words = p.Say("ticket_id", "id", t.ID)
		}
		list = append(list, earlier{Href: "/desk/tickets/" + url.PathEscape(string(t.ID)) + at.query(), Words: words, At: t.OpenedAt})
	}
	return list
}

// moved says who of ours replied after seq, and how many messages of the customer came. Who replied
// is "" if nobody but the reader did.
func (p reader) moved(said []bot.Message, seq int64) (by string, customers int) {
	for _, m := range said {
		switch {
		case m.Seq <= seq:
		case m.Author == bot.AuthorCustomer:
			customers++
		case m.Author == bot.AuthorAgent && m.Agent != string(agent(p)):
			if by = m.Agent; by == "" {
				by = p.Say("outside_person")
			}
		}
	}
	return by, customers
}

func seqOf(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
