package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
)

// A repeat is a message that a customer received twice.
type repeat struct {
	Delivery bot.DeliveryID
	Chat     int64
	Times    []time.Time
	Kill     kill // the one that fell in between, the first if there were more
}

// matchArrivals finds for each message that a customer received the delivery that carried it. What
// the database has the network's ID of is certain; any other must be an attempt of a delivery that
// was in doubt, in its place among the others.
func (c *checker) matchArrivals(conv store.AuditConversation) {
	list, chat := c.deliveries[conv.ID], c.chats[conv.ID]
	owner := c.owners(list, chat)
	at := 0
	for n, a := range c.arrivals[chat] {
		i, certain := owner[a.ID]
		switch {
		case c.e.ConfirmsReceipts:
			i = c.named(list, a)
		case !certain:
			i = c.stray(list, a, at, next(c.arrivals[chat][n:], owner, len(list)-1))
		}
		switch {
		case i < 0:
			continue
		case i < at:
			c.violate(order, "chat %d received delivery %s after one that comes later", chat, list[i].ID)
		default:
			at = i
		}
		if !says(a, *list[i].Reply) {
			c.violate(other, "chat %d received delivery %s with other words", chat, list[i].ID)
		}
		c.arrived[list[i].ID] = append(c.arrived[list[i].ID], a)
	}
}

// owners are the deliveries of list, by the network's ID of the message that carried each.
func (c *checker) owners(list []*store.AuditDelivery, chat int64) map[string]int {
	owner := map[string]int{}
	for i, d := range list {
		if d.State != "sent" {
			continue
		}
		if _, taken := owner[d.External]; taken || d.External == "" {
			c.violate(other, "delivery %s (chat %d) was sent as %q, which is no ID or another's", d.ID, chat, d.External)
			continue
		}
		owner[d.External] = i
	}
	return owner
}

// named finds the delivery that a says it carries. If there is none it says so and returns -1.
func (c *checker) named(list []*store.AuditDelivery, a arrival) int {
	i := slices.IndexFunc(list, func(d *store.AuditDelivery) bool { return d.ID == a.Delivery })
	if i < 0 {
		c.violate(repeated, "chat %d received message %s (at %s), which names no delivery of the chat", a.Chat, a.ID, clock(a.At))
	}
	return i
}

// says reports whether a is r as networks pass it on: trimmed, and with choices that no button has
// room for listed below the words.
func says(a arrival, r bot.Reply) bool {
	return words(a.Text) == words(r.Text) || len(r.Choices) > 0 && strings.HasPrefix(a.Text, words(r.Text)+"\n")
}

// next is the delivery of the first arrival that is certain, last if there is none.
func next(list []arrival, owner map[string]int, last int) int {
	for _, a := range list {
		if i, ok := owner[a.ID]; ok {
			return i
		}
	}
	return last
}

// words is text as networks pass it on.
func words(text string) string { return strings.TrimSpace(text) }

// stray finds the delivery from..to of which a may be an attempt whose answer was lost. If there is
// none it says why that is a violation and returns -1.
func (c *checker) stray(list []*store.AuditDelivery, a arrival, from, to int) int {
	same, settled := -1, false
	for i := from; i <= to && i < len(list); i++ {
		d := list[i]
		if words(d.Reply.Text) != words(a.Text) {
			continue
		}
		// Each doubt stands for one attempt of which nobody knows whether it arrived.
		if len(c.arrived[d.ID]) < d.Doubts {
			return i
		}
		same, settled = i, d.Doubts == 0
	}
	switch {
	case same >= 0 && settled:
		c.violate(repeated, "chat %d received delivery %s twice (at %s), and it was never in doubt", a.Chat, list[same].ID, clock(a.At))
	case same >= 0:
		c.violate(repeated, "chat %d received delivery %s more often (at %s) than it was in doubt", a.Chat, list[same].ID, clock(a.At))
	default:
		c.violate(repeated, "chat %d received message %s (at %s), which no delivery explains there", a.Chat, a.ID, clock(a.At))
	}
	return -1
}

// checkDeliveries checks what became of every delivery, and explains repeats.
func (c *checker) checkDeliveries() {
	for _, list := range c.deliveries {
		for _, d := range list {
			c.checkDelivery(d)
		}
	}
	for _, list := range c.desk {
		for _, d := range list {
			if d.State != "sent" {
				c.violate(lost, "news %s for the desk (chat %d) is %s", d.ID, c.chats[d.Conversation], d.State)
			}
		}
	}
	slices.SortFunc(c.r.Repeats, func(a, b repeat) int { return a.Times[0].Compare(b.Times[0]) })
}

func (c *checker) checkDelivery(d *store.AuditDelivery) {
	chat, arrived := c.chats[d.Conversation], c.arrived[d.ID]
	c.r.States[string(d.State)]++
	switch d.State {
	case "sent":
		c.r.Delivered++
		if !slices.ContainsFunc(arrived, func(a arrival) bool { return a.ID == d.External }) {
			c.violate(lost, "delivery %s (chat %d) is marked sent and never arrived", d.ID, chat)
		}
	case "doubtful":
		c.r.Doubtful = append(c.r.Doubtful, fmt.Sprintf("delivery %s, chat %d, arrived %d times", d.ID, chat, len(arrived)))
		if !c.known(d) {
			c.violate(lost, "delivery %s (chat %d) is doubtful and no person knows", d.ID, chat)
		}
		if c.e.ConfirmsReceipts && len(arrived) > 0 {
			c.violate(lost, "delivery %s (chat %d) arrived, the network said so, and it is doubtful", d.ID, chat)
		}
		if d.Doubts < 2 {
			c.violate(lost, "delivery %s (chat %d) was given up after one try", d.ID, chat)
		}
	case "dropped":
		if !c.overtaken(d) {
			c.violate(lost, "delivery %s (chat %d) was dropped, and nothing overtook it", d.ID, chat)
		}
	default: // nobody blocks us here, the network refuses nothing, and no outage is that long
		c.violate(lost, "delivery %s (chat %d) is %s", d.ID, chat, d.State)
	}
	if len(arrived) > 1 {
		c.explain(d, arrived)
	}
}

// known reports whether a person learns that d did not get through: by a ticket of its own, or by a
// note on the one there was.
func (c *checker) known(d *store.AuditDelivery) bool {
	if c.byEscalation["delivery:"+string(d.ID)] == 1 {
		return true
	}
	for _, n := range c.desk[d.Conversation] {
		if n.State != "sent" || n.News == nil || n.News.Failure == nil || n.News.Failure.Message != d.Message {
			continue
		}
		key := fmt.Sprintf("%s:%d", d.Conversation, n.Seq)
		// Where there was no ticket yet the news itself opened one.
		return c.e.Notes["fate:"+key] || c.byEscalation[key] == 1
	}
	return false
}

// overtaken reports whether a person, or a turn that answers a later message, has spoken since d.
func (c *checker) overtaken(d *store.AuditDelivery) bool {
	return slices.ContainsFunc(c.messages[d.Conversation], func(m store.AuditMessage) bool {
		return m.Seq > d.Seq && (m.Author == bot.AuthorAgent || m.Author == bot.AuthorCustomer && m.Turn != "")
	})
}

// explain finds the kill between two arrivals of one delivery.
func (c *checker) explain(d *store.AuditDelivery, arrived []arrival) {
	r := repeat{Delivery: d.ID, Chat: c.chats[d.Conversation]}
	for _, a := range arrived {
		r.Times = append(r.Times, a.At)
	}
	if c.e.ConfirmsReceipts {
		c.violate(repeated, "chat %d received delivery %s %d times, on a network that tells what arrived", r.Chat, d.ID, len(arrived))
	}
	if len(arrived) > 2 {
		c.violate(repeated, "chat %d received delivery %s %d times", r.Chat, d.ID, len(arrived))
	}
	between := slices.IndexFunc(c.e.Kills, func(k kill) bool { return k.Life >= arrived[0].Life && k.Life < arrived[1].Life })
	if between < 0 {
		c.violate(repeated, "chat %d received delivery %s twice (at %s and %s) with no kill in between", r.Chat, d.ID,
			clock(arrived[0].At), clock(arrived[1].At))
	} else {
		r.Kill = c.e.Kills[between]
	}
	c.r.Repeats = append(c.r.Repeats, r)
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }

// measure measures how long customers waited for what answers a message of theirs.
func (c *checker) measure() {
	said := map[string]saying{}
	for _, s := range c.e.Sayings {
		said[s.Event] = s
	}
	first := map[bot.TurnID]time.Time{}
	for _, m := range c.e.Messages {
		d := c.deliveryOf[m.ID]
		if m.Author != bot.AuthorBot || m.Turn == "" || d == nil || len(c.arrived[d.ID]) == 0 {
			continue
		}
		if at := c.arrived[d.ID][0].At; first[m.Turn].IsZero() || at.Before(first[m.Turn]) {
			first[m.Turn] = at
		}
	}
	for _, m := range c.e.Messages {
		s, ok := said[m.External]
		at := first[m.Turn]
		if m.Author != bot.AuthorCustomer || !ok || at.IsZero() {
			continue
		}
		c.r.SinceSaid = append(c.r.SinceSaid, at.Sub(s.At))
		// A poll confirms after the fact: what was answered before that was accepted by then.
		c.r.SinceAccepted = append(c.r.SinceAccepted, max(at.Sub(c.accepted[s.Event]), 0))
	}
	slices.Sort(c.r.SinceSaid)
	slices.Sort(c.r.SinceAccepted)
}
