package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff"
)

// A checker compares what was seen from outside with what the database says.
type checker struct {
	e evidence
	r report

	accepted      map[string]time.Time // by event
	rank          map[string]int       // of a saying's event, in the order in which they were said
	chats         map[bot.ConversationID]int64
	messages      map[bot.ConversationID][]store.AuditMessage // in order
	message       map[bot.MessageID]store.AuditMessage
	deliveries    map[bot.ConversationID][]*store.AuditDelivery // to the customer, in order
	desk          map[bot.ConversationID][]*store.AuditDelivery // to the desk, in order
	deliveryOf    map[bot.MessageID]*store.AuditDelivery
	tickets       map[bot.ConversationID][]handoff.AuditTicket
	byEscalation  map[string]int
	arrivals      map[int64][]arrival // by chat, in order
	arrived       map[bot.DeliveryID][]arrival
	conversations map[bot.ConversationID]store.AuditConversation
}

// check checks e. It is pure.
func check(e evidence) report {
	c := &checker{e: e, accepted: map[string]time.Time{}, rank: map[string]int{}, chats: map[bot.ConversationID]int64{},
		messages: map[bot.ConversationID][]store.AuditMessage{}, message: map[bot.MessageID]store.AuditMessage{},
		deliveries: map[bot.ConversationID][]*store.AuditDelivery{}, desk: map[bot.ConversationID][]*store.AuditDelivery{},
		deliveryOf: map[bot.MessageID]*store.AuditDelivery{}, tickets: map[bot.ConversationID][]handoff.AuditTicket{},
		byEscalation: map[string]int{}, arrivals: map[int64][]arrival{}, arrived: map[bot.DeliveryID][]arrival{},
		conversations: map[bot.ConversationID]store.AuditConversation{}}
	c.index()
	c.count()
	c.checkSayings()
	c.checkInvented()
	for _, conv := range e.Conversations {
		c.matchArrivals(conv)
		c.checkTurnOrder(conv)
		c.checkPerson(conv)
	}
	c.checkTurns()
	c.checkDeliveries()
	c.checkAgents()
	c.checkEvents()
	c.checkRest()
	c.measure()
	return c.r
}

func (c *checker) index() {
	for _, a := range c.e.Accepted {
		if _, twice := c.accepted[a.Event]; twice {
			c.violate(other, "the network counts event %s as taken twice", a.Event)
		}
		c.accepted[a.Event] = a.At
	}
	for i, s := range c.e.Sayings {
		c.rank[s.Event] = i
	}
	for _, conv := range c.e.Conversations {
		c.conversations[conv.ID] = conv
		chat, err := strconv.ParseInt(conv.Customer, 10, 64)
		if err != nil {
			c.violate(other, "conversation %s is with %q", conv.ID, conv.Customer)
		}
		c.chats[conv.ID] = chat
	}
	for _, m := range c.e.Messages {
		c.messages[m.Conversation] = append(c.messages[m.Conversation], m)
		c.message[m.ID] = m
	}
	for i := range c.e.Deliveries {
		d := &c.e.Deliveries[i]
		if d.Lane == store.LaneDesk {
			c.desk[d.Conversation] = append(c.desk[d.Conversation], d)
			continue
		}
		c.deliveries[d.Conversation] = append(c.deliveries[d.Conversation], d)
		c.deliveryOf[d.Message] = d
	}
	for _, t := range c.e.Tickets {
		c.tickets[t.Conversation] = append(c.tickets[t.Conversation], t)
		c.byEscalation[t.Escalation]++
	}
	for _, a := range c.e.Arrivals {
		c.arrivals[a.Chat] = append(c.arrivals[a.Chat], a)
	}
}

// checkSayings checks that all that was said was taken, and that what was taken is there once.
func (c *checker) checkSayings() {
	stored := map[string][]store.AuditMessage{}
	for _, m := range c.e.Messages {
		if m.Author == bot.AuthorCustomer {
			stored[m.External] = append(stored[m.External], m)
		}
	}
	mendedBy := map[string]saying{}
	for _, s := range c.e.Sayings {
		if s.Kind == mended {
			mendedBy[s.Of] = s
		}
	}
	for _, s := range c.e.Sayings {
		if _, taken := c.accepted[s.Event]; !taken {
			c.violate(lost, "event %s (%s, chat %d) was never taken", s.Event, s.Kind, s.Chat)
			continue
		}
		rows := stored[s.Event]
		for _, m := range rows {
			if c.chats[m.Conversation] != s.Chat {
				c.violate(other, "event %s of chat %d is in the conversation with chat %d", s.Event, s.Chat, c.chats[m.Conversation])
			}
		}
		if s.Kind == mended {
			c.checkEdit(s, rows, stored[s.Of])
			continue
		}
		if len(rows) != 1 {
			c.violate(lost, "event %s (%s, chat %d) was taken and is stored %d times", s.Event, s.Kind, s.Chat, len(rows))
			continue
		}
		words := rows[0].Body
		edit, isMended := mendedBy[s.Event]
		if s.Kind == wrote && words != s.Text && (!isMended || words != edit.Text) {
			c.violate(lost, "event %s (chat %d) is stored with other words", s.Event, s.Chat)
		}
	}
}

// checkEdit checks that an edit either replaced the words of its message, which waited, or was heard
// anew, and not both.
func (c *checker) checkEdit(s saying, anew, of []store.AuditMessage) {
	replaced := len(of) == 1 && of[0].Body == s.Text
	heard := len(anew) == 1 && anew[0].Body == s.Text
	if replaced == heard || len(anew) > 1 {
		c.violate(lost, "edit %s (chat %d) of event %s: replaced %t, heard anew %d times", s.Event, s.Chat, s.Of, replaced, len(anew))
	}
}

// checkInvented checks that nothing is stored that nobody said, and that each chat has one
// conversation, in which its messages stand in the order in which they were written.
func (c *checker) checkInvented() {
	said := map[string]saying{}
	for _, s := range c.e.Sayings {
		said[s.Event] = s
	}
	seen := map[int64]bool{}
	for _, conv := range c.e.Conversations {
		chat := c.chats[conv.ID]
		if seen[chat] {
			c.violate(other, "chat %d has two conversations", chat)
		}
		seen[chat] = true
		last := map[bool]string{}
		for _, m := range c.messages[conv.ID] {
			if m.Author != bot.AuthorCustomer {
				continue
			}
			s, ok := said[m.External]
			if !ok {
				c.violate(other, "message %s (chat %d) was never said", m.ID, chat)
				continue
			}
			apart := c.e.TapsApart && s.Kind == tapped
			if before := last[apart]; before != "" && c.rank[s.Event] < c.rank[before] {
				c.violate(order, "event %s (chat %d) is stored after event %s", s.Event, chat, before)
			} else {
				last[apart] = s.Event
			}
		}
	}
}

// checkTurnOrder checks that turns answer messages in order: each an unbroken run of them, and none
// speaks before one that answers earlier messages.
func (c *checker) checkTurnOrder(conv store.AuditConversation) {
	ended, current := map[bot.TurnID]bool{}, bot.TurnID("")
	asked, spoke := map[bot.TurnID]int64{}, map[bot.TurnID]int64{}
	var turns []bot.TurnID
	for _, m := range c.messages[conv.ID] {
		switch {
		case m.Author == bot.AuthorBot && m.Turn != "" && spoke[m.Turn] == 0:
			spoke[m.Turn] = m.Seq
		case m.Author != bot.AuthorCustomer || m.Turn == "":
		default:
			if m.Turn != current {
				if ended[m.Turn] {
					c.violate(order, "turn %s (chat %s) answers messages with another turn's between them", m.Turn, conv.Customer)
				}
				ended[current], current = true, m.Turn
				turns = append(turns, m.Turn)
			}
			asked[m.Turn] = m.Seq
		}
	}
	last := int64(0)
	for _, t := range turns {
		if spoke[t] == 0 {
			continue
		}
		if spoke[t] < last || spoke[t] < asked[t] {
			c.violate(order, "turn %s (chat %s) spoke before its time", t, conv.Customer)
		}
		last = spoke[t]
	}
}

// checkPerson checks that whoever waits for a person has a ticket, one, and nobody else has.
func (c *checker) checkPerson(conv store.AuditConversation) {
	open := 0
	for _, t := range c.tickets[conv.ID] {
		if t.State != handoff.StateClosed {
			open++
		}
	}
	switch {
	case open > 1:
		c.violate(ticket, "the conversation with chat %s has %d open tickets", conv.Customer, open)
	case conv.Mode == bot.ModePerson && open == 0:
		c.violate(lost, "chat %s waits for a person and has no open ticket", conv.Customer)
	case conv.Mode == bot.ModeBot && open > 0:
		c.violate(ticket, "the bot answers chat %s, which has an open ticket", conv.Customer)
	}
}

// checkTurns checks that every customer message has a turn and every turn ended in something.
func (c *checker) checkTurns() {
	answers, replies := map[bot.TurnID][]bot.MessageID{}, map[bot.TurnID][]store.AuditMessage{}
	for _, m := range c.e.Messages {
		switch {
		case m.Author == bot.AuthorCustomer && m.Turn == "":
			c.violate(lost, "message %s (%s, chat %d) has no turn", m.ID, m.External, c.chats[m.Conversation])
		case m.Author == bot.AuthorCustomer:
			answers[m.Turn] = append(answers[m.Turn], m.ID)
		case m.Author == bot.AuthorBot && m.Turn != "":
			replies[m.Turn] = append(replies[m.Turn], m)
		}
	}
	known := map[bot.TurnID]bool{}
	for _, t := range c.e.Turns {
		known[t.ID] = true
		if len(answers[t.ID]) == 0 {
			c.violate(other, "turn %s (chat %d) answers no message: its messages were answered twice", t.ID, c.chats[t.Conversation])
		}
		c.checkTurn(t, answers[t.ID], replies[t.ID])
	}
	for id := range answers {
		if !known[id] {
			c.violate(lost, "messages were answered by turn %s, which does not exist", id)
		}
	}
}

func (c *checker) checkTurn(t store.AuditTurn, answers []bot.MessageID, replies []store.AuditMessage) {
	chat := c.chats[t.Conversation]
	switch t.Action {
	case bot.ActionAnswer, bot.ActionClarify, bot.ActionHandoff:
		if len(replies) == 0 {
			c.violate(lost, "turn %s (chat %d, %s) says nothing", t.ID, chat, t.Action)
		}
		for _, m := range replies {
			if c.deliveryOf[m.ID] == nil {
				c.violate(lost, "reply %s (chat %d) has no delivery", m.ID, chat)
			}
		}
	case bot.ActionForward:
		if !c.forwarded(t.Conversation, answers) {
			c.violate(lost, "turn %s (chat %d) was forwarded and no ticket heard of it", t.ID, chat)
		}
	case bot.ActionIgnore:
		if t.Reason == "" {
			c.violate(lost, "turn %s (chat %d) ignores without a reason", t.ID, chat)
		}
	default:
		c.violate(lost, "turn %s (chat %d) did %q", t.ID, chat, t.Action)
	}
	filed := c.byEscalation[string(t.ID)]
	if t.Action == bot.ActionHandoff && filed != 1 {
		c.violate(ticket, "handoff %s (chat %d) has %d tickets", t.ID, chat, filed)
	}
	if t.Action != bot.ActionHandoff && filed > 0 {
		c.violate(ticket, "turn %s (chat %d) was no handoff and has a ticket", t.ID, chat)
	}
}

// forwarded reports whether the desk was told of exactly these messages and has a ticket for them.
func (c *checker) forwarded(conv bot.ConversationID, ids []bot.MessageID) bool {
	told := slices.ContainsFunc(c.desk[conv], func(d *store.AuditDelivery) bool {
		return d.State == "sent" && d.News != nil && slices.Equal(d.News.Wrote, ids)
	})
	return told && len(c.tickets[conv]) > 0
}

// checkAgents checks that what an agent was told is on its way arrived, once.
func (c *checker) checkAgents() {
	stored := map[string][]store.AuditMessage{}
	for _, m := range c.e.Messages {
		if m.Author == bot.AuthorAgent {
			stored[m.Body] = append(stored[m.Body], m)
		}
	}
	said := map[string]bool{}
	for _, r := range c.e.Replies {
		said[r.Text] = true
		n := len(stored[r.Text])
		if n > 1 || n == 0 && r.Failed == "" {
			c.violate(lost, "an agent's reply to ticket %s (failed: %q) is stored %d times", r.Ticket, r.Failed, n)
		}
	}
	for text, list := range stored {
		for _, m := range list {
			if !said[text] {
				c.violate(other, "message %s is from an agent, and no agent wrote it", m.ID)
			}
			if c.deliveryOf[m.ID] == nil {
				c.violate(lost, "an agent's reply %s has no delivery", m.ID)
			}
		}
	}
}

// checkRest checks the log, the stop, and what else was noted.
func (c *checker) checkRest() {
	for _, s := range c.e.Stuck {
		c.violate(lost, "not worked off in time: %s", s)
	}
	for _, s := range c.e.Leaks {
		c.violate(logged, "a log entry holds words of a customer or a secret: %s", s)
	}
	for _, s := range c.e.Panics {
		c.violate(logged, "the log has a line that is no entry: %s", strings.ReplaceAll(s, canary, "…"))
	}
	for _, s := range c.e.Odd {
		c.violate(other, "%s", s)
	}
	if c.r.Messages == 0 || c.r.Delivered == 0 || c.r.Kills+len(c.e.Faults) == 0 {
		c.violate(other, "nothing was put to the test: %d messages, %d replies, %d kills and other faults", c.r.Messages, c.r.Delivered, c.r.Kills+len(c.e.Faults))
	}
	if c.e.Rejects > 0 {
		c.violate(lost, "%d bodies were rejected as unreadable", c.e.Rejects)
	}
}
