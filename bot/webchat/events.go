package webchat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/limits"
)

const (
	heartbeatEvery = 20 * time.Second
	// writeWithin is how long a page may take to read what we write before its stream ends.
	writeWithin = 15 * time.Second
)

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
	w, stream := v.channel.hub.join(who.customer)
	defer v.channel.hub.leave(who.customer, w, stream)
	l := s.newLine(v, who, w, stream)
	// The server's ReadTimeout would end the request, and with it the stream.
	if err := l.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return
	}
	if err := l.run(); err != nil && v.Request.Context().Err() == nil {
		s.o.Log.WithField("account", v.channel.account.ID).WithError(err).Debug("a chat's stream ended")
	}
}

// poll tells what is new once, for a page that has no stream.
func (s *Site) poll(v *visit, who visitor) {
	if wait := s.polls.Take(v.channel.account.ID + "\x00" + who.customer); wait > 0 {
		v.refuse(slow(wait))
		return
	}
	w, stream := v.channel.hub.join(who.customer)
	defer v.channel.hub.leave(who.customer, w, stream)
	_, _ = s.newLine(v, who, w, stream).tellNews() // a page that is gone asks again when it is back
}

// newLine begins to write to the page of who, whose token it renews if that becomes old.
func (s *Site) newLine(v *visit, who visitor, w *watch, st *stream) *line {
	l := &line{site: s, visit: v, who: s.renewed(v.channel, who), watch: w, stream: st, control: http.NewResponseController(v.Writer), last: resumeAfter(v)}
	l.first = l.last == 0
	if l.who.token != who.token {
		l.fresh = l.who.token
	}
	s.remember(v, l.who)
	h := v.Writer.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	v.Status(http.StatusOK)
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

// A line is one open stream being written.
type line struct {
	site    *Site
	visit   *visit
	who     visitor
	watch   *watch
	stream  *stream
	control *http.ResponseController
	last    int64  // sequence number of the last message written
	first   bool   // the page has nothing yet
	fresh   string // a token in place of the page's, "" if that is good for long
	state   state
	told    bool // state was written
}

// A state is what the page must know besides messages.
type state struct {
	Person bool `json:"person"` // a person has the conversation
	Email  bool `json:"email"`  // and nobody is there: ask for an address
	// Visitor is the token to use from now on: the one the page has becomes old.
	Visitor string `json:"visitor,omitempty"`
}

// run writes until the page goes, the site closes or writing fails.
func (l *line) run() error {
	ctx := l.visit.Request.Context()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	wrote, checked := time.Now(), time.Now()
	if err := l.write("retry: 2000\n\n"); err != nil {
		return err
	}
	for {
		said, err := l.tellNews()
		if err != nil {
			return err
		}
		if said {
			wrote = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.site.done:
			return nil
		case <-l.stream.woken:
		case <-poll.C:
		}
		if time.Since(checked) >= heartbeatEvery-pollEvery {
			checked = time.Now()
			if _, r := l.site.visitorOf(l.visit, l.who.token); r != nil && r.status == http.StatusUnauthorized {
				return nil // they were signed out: the page learns it when it comes back
			}
		}
		if time.Since(wrote) >= heartbeatEvery-pollEvery {
			wrote = time.Now()
			if err := l.write(": \n\n"); err != nil {
				return err
			}
		}
	}
}

// tellNews writes what is new. A database that does not answer is asked again later.
func (l *line) tellNews() (said bool, err error) {
	s, c := l.site, l.visit.channel
	conv, list, err := l.watch.news(l.visit.Request.Context(), s.o.Conversations, c.address(l.who.customer), l.last, s.o.Now())
	if err != nil {
		s.broken(l.visit, "cannot read what a stream should tell", err)
		return false, nil
	}
	text := ""
	if extra := len(list) - shownMost; l.first && extra > 0 {
		list = list[extra:]
	}
	for i, b := range s.bubbles(l.visit, l.who, list) {
		event, err := s.message(b, list[i])
		if err != nil {
			return false, err
		}
		text += event
		l.last = b.Seq
	}
	l.first = l.first && len(list) == 0
	if l.stream.typing.Swap(false) && (len(list) == 0 || list[len(list)-1].Author == bot.AuthorCustomer) { // not if the answer has come
		text += "event: typing\ndata: {}\n\n"
	}
	if now := (state{Person: conv.Mode == bot.ModePerson, Email: s.asksEmail(c, conv), Visitor: l.fresh}); !l.told || now != l.state {
		data, err := json.Marshal(now)
		if err != nil {
			return false, err
		}
		l.state, l.told = now, true
		text += fmt.Sprintf("event: state\ndata: %s\n\n", data)
	}
	if text == "" {
		return false, nil
	}
	return true, l.write(text)
}

// message is a bubble as an event. What the visitor said comes with its plain words, by which the
// page knows the bubble that it drew at once.
func (s *Site) message(b bubble, m bot.Message) (string, error) {
	html, err := s.html(b)
	if err != nil {
		return "", err
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
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("id: %d\nevent: message\ndata: %s\n\n", m.Seq, data), nil
}

func (l *line) write(text string) error {
	if err := l.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := l.visit.Writer.WriteString(text); err != nil {
		return err
	}
	return l.control.Flush()
}
