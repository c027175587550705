package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page/live"
)

// pollEvery is how often a customer's conversation is read although nobody woke us: another process may
// have written.
const pollEvery = 2 * time.Second

// A customer's topics: something was said, and an answer is on its way.
func saidTopic(customer string) string   { return "said\x00" + customer }
func typingTopic(customer string) string { return "typing\x00" + customer }

// events is the stream of one page: messages, what state the conversation is in, and typing. An
// event's ID is the message's sequence number, so a page that comes back names the last one it has.
func (s *Site) events(v *visit) {
	if site := v.GetHeader("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		v.refuse(refusal{status: http.StatusForbidden, word: "err_foreign"})
		return
	}
	who, r := s.identify(v)
	if r != nil {
		v.refuse(*r)
		return
	}
	if v.Query("once") != "" {
		s.poll(v, who)
		return
	}
	account := "account\x00" + v.channel.account.ID
	release, ok := s.streams.Take(limits.Bound{Key: "all", Max: limits.MaxStreams}, limits.Bound{Key: account, Max: limits.MaxAccountStreams},
		limits.Bound{Key: "address\x00" + limits.Network(v.ClientIP()), Max: limits.MaxAddressStreams},
		limits.Bound{Key: account + "\x00" + who.customer, Max: limits.MaxVisitorStreams})
	if !ok {
		v.refuse(refusal{status: http.StatusTooManyRequests, word: "err_busy", wait: 30 * time.Second})
		return
	}
	defer release()
	l := s.newLine(v, who)
	typing := typingTopic(who.customer)
	err := v.channel.hub.Serve(v.Writer, v.Request, live.Stream{Topics: []string{saidTopic(who.customer), typing}, Poll: pollEvery, Allowed: l.allowed,
		News: func(woken []string) ([]live.Event, error) { return l.news(slices.Contains(woken, typing)) }})
	if err != nil && v.Request.Context().Err() == nil {
		s.o.Log.WithField("account", v.channel.account.ID).WithError(err).Debug("a chat's stream ended")
	}
}

// poll tells what is new once, for a page that has no stream.
func (s *Site) poll(v *visit, who visitor) {
	if wait := s.polls.Take(v.channel.account.ID + "\x00" + who.customer); wait > 0 {
		v.refuse(slow(wait))
		return
	}
	events, err := s.newLine(v, who).news(false)
	if err != nil {
		v.refuse(s.broken(v, "cannot tell a page what is new", err))
		return
	}
	_ = live.NewWriter(v.Writer).Write(events...) // a page that is gone asks again when it is back
}

// newLine begins to write to the page of who, whose token it renews if that becomes old.
func (s *Site) newLine(v *visit, who visitor) *chatLine {
	l := &chatLine{site: s, visit: v, who: s.renewed(v.channel, who), last: resumeAfter(v)}
	l.first = l.last == 0
	if l.who.token != who.token {
		l.fresh = l.who.token
	}
	s.remember(v, l.who)
	return l
}

// resumeAfter is the sequence number that the page has already.
func resumeAfter(v *visit) int64 {
	for _, text := range []string{v.GetHeader("Last-Event-ID"), v.Query("after")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// A chatLine is what one page was told of its visitor's conversation.
type chatLine struct {
	site      *Site
	visit     *visit
	who       visitor
	conv      bot.Conversation // without an ID while there is none
	seen      time.Time        // when it was last said that the page is open
	last      int64            // sequence number of the last message written
	first     bool             // the page has nothing yet
	fresh     string           // a token in place of the page's, "" if that is good for long
	state     state
	stateSent bool // state was written
}

// A state is what the page must know besides messages.
type state struct {
	Person bool `json:"person"` // a person has the conversation
	Email  bool `json:"email"`  // and nobody is there: ask for an address
	// Visitor is the token to use from now on: the one the page has becomes old.
	Visitor string `json:"visitor,omitempty"`
}

// allowed reports whether the visitor may read on. One who was signed out learns it when the page comes back.
func (l *chatLine) allowed() bool {
	_, r := l.site.visitorOf(l.visit, l.who.token)
	return r == nil || r.status != http.StatusUnauthorized
}

// news is what the page was not told yet. A database that does not answer is asked again later.
func (l *chatLine) news(typing bool) (events []live.Event, err error) {
	s, c := l.site, l.visit.channel
	list, err := l.read(l.visit.Request.Context())
	if err != nil {
		s.broken(l.visit, "cannot read what a stream should tell", err)
		return nil, nil
	}
	if extra := len(list) - shownMost; l.first && extra > 0 {
		list = list[extra:]
	}
	for i, b := range s.bubbles(l.visit, l.who, list) {
		event, err := s.message(b, list[i])
		if err != nil {
			return nil, err
		}
		events = append(events, event)
		l.last = b.Seq
	}
	l.first = l.first && len(list) == 0
	if typing && l.stateSent && (len(list) == 0 || list[len(list)-1].Author == bot.AuthorCustomer) { // not to a page that is new, nor if the answer has come
		events = append(events, live.Event{Name: "typing", Data: "{}"})
	}
	if now := (state{Person: l.conv.Mode == bot.ModePerson, Email: s.asksEmail(c, l.conv), Visitor: l.fresh}); !l.stateSent || now != l.state {
		data, err := json.Marshal(now)
		if err != nil {
			return nil, err
		}
		l.state, l.stateSent = now, true
		events = append(events, live.Event{Name: "state", Data: string(data)})
	}
	return events, nil
}

// read returns what was said after last, oldest first.
func (l *chatLine) read(ctx context.Context) (list []bot.Message, err error) {
	found := l.conv.ID != ""
	if found {
		l.tellSeen()
		list, err = l.site.o.Conversations.Transcript(ctx, l.conv.ID, l.last)
		if err != nil || len(list) == 0 {
			return nil, err
		}
	}
	// Who has the conversation may have changed with what was said.
	conv, err := l.site.o.Conversations.Find(ctx, l.visit.channel.address(l.who.customer))
	switch {
	case errors.Is(err, bot.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find the conversation of a stream: %w", err)
	}
	l.conv = conv
	l.tellSeen()
	if !found {
		list, err = l.site.o.Conversations.Transcript(ctx, conv.ID, l.last)
	}
	return list, err
}

// tellSeen says now and then that the page is open.
func (l *chatLine) tellSeen() {
	if now := l.site.o.Now(); now.Sub(l.seen) >= seenEvery {
		l.seen = now
		l.site.seen(l.visit, l.conv.ID)
	}
}

// message is a bubble as an event. What the visitor said comes with its plain words, by which the
// page knows the bubble that it drew at once.
func (s *Site) message(b bubble, m bot.Message) (live.Event, error) {
	html, err := s.html(b)
	if err != nil {
		return live.Event{}, err
	}
	event := struct {
		Seq    int64  `json:"seq"`
		Own    bool   `json:"own,omitempty"`
		Text   string `json:"text,omitempty"`
		Choice string `json:"choice,omitempty"`
		Files  int    `json:"files,omitempty"`
		HTML   string `json:"html"`
	}{Seq: m.Seq, HTML: html}
	if b.Own {
		event.Own, event.Text, event.Choice, event.Files = true, m.Text, m.Choice, len(m.Attachments)
	}
	data, err := json.Marshal(event)
	return live.Event{ID: m.Seq, Name: "message", Data: string(data)}, err
}
