package bottest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"faqbot/bot"
)

// A Recorder is a channel that keeps what it is asked to send, or fails as told.
type Recorder struct {
	Capacity bot.Limits
	Mu       sync.Mutex
	Sent     map[string][]bot.Reply // by customer
	tries    int
	fail     func(to bot.Address, r bot.Reply) error // asked before each send, nil means never
	OnTyping func() error
}

func (c *Recorder) Limits() bot.Limits { return c.Capacity }

func (c *Recorder) Send(_ context.Context, to bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	c.tries++
	if c.fail != nil {
		if err := c.fail(to, r); err != nil {
			return "", err
		}
	}
	if c.Sent == nil {
		c.Sent = map[string][]bot.Reply{}
	}
	c.Sent[to.Customer] = append(c.Sent[to.Customer], r)
	return "x" + string(id), nil
}

func (c *Recorder) Typing(context.Context, bot.Address) error {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	if c.OnTyping == nil {
		return nil
	}
	return c.OnTyping()
}

func (c *Recorder) Texts(customer string) (list []string) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	for _, r := range c.Sent[customer] {
		list = append(list, r.Text)
	}
	return list
}

func (c *Recorder) Failing(f func(bot.Address, bot.Reply) error) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	c.fail = f
}

// Fails makes the first n sends fail with kind; arrived says that the network has them all the same.
func (c *Recorder) Fails(n int, e bot.SendError, arrived bool) {
	c.Failing(func(to bot.Address, r bot.Reply) error {
		if n == 0 {
			return nil
		}
		n--
		if arrived {
			if c.Sent == nil {
				c.Sent = map[string][]bot.Reply{}
			}
			c.Sent[to.Customer] = append(c.Sent[to.Customer], r)
		}
		return &e
	})
}

// A deskRecorder keeps the news, or fails as told.
type deskRecorder struct {
	mu   sync.Mutex
	news []bot.DeskEvent
	err  error
}

func (d *deskRecorder) Tell(_ context.Context, n bot.DeskEvent) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.news = append(d.news, n)
	return nil
}

func (d *deskRecorder) Failing(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *deskRecorder) Heard() []bot.DeskEvent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]bot.DeskEvent(nil), d.news...)
}

// An Echo answers with the words it heard, forwards in mode person, and hands off on "person".
type Echo struct {
	Before func(t bot.Turn) error // called first, nil means nothing
}

func (e Echo) Turn(_ context.Context, t bot.Turn) (bot.Outcome, error) {
	if e.Before != nil {
		if err := e.Before(t); err != nil {
			return bot.Outcome{}, err
		}
	}
	var words []string
	for _, m := range t.Waiting {
		words = append(words, m.Text)
	}
	o := bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonConfident}, Next: t.Conversation, Trace: bot.Trace{Rule: "echo"}}
	said := strings.Join(words, "+")
	switch {
	case t.Conversation.Mode == bot.ModePerson:
		o.Decision = bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt}
		return o, nil
	case said == "person":
		return e.handoff(t, bot.ReasonAskedPerson), nil
	}
	o.Replies = []bot.Reply{{Text: "re: " + said}}
	return o, nil
}

func (e Echo) Broken(t bot.Turn) bot.Outcome { return e.handoff(t, bot.ReasonBroken) }

func (e Echo) handoff(t bot.Turn, r bot.Reason) bot.Outcome {
	next := t.Conversation
	next.Mode = bot.ModePerson
	return bot.Outcome{Decision: bot.Decision{Action: bot.ActionHandoff, Reason: r}, Next: next, Replies: []bot.Reply{{Text: "to a person"}},
		Escalate: &bot.Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: r, Question: t.Waiting[0].Text}}
}

// testOutput shows the log of a failed test.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func Status(s bot.StatusUpdate) bot.Event {
	return bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, ExternalID: "s", At: time.Now(), Status: &s}
}

func EchoEvent(id string, a bot.Echo) bot.Event {
	return bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, ExternalID: "echo:" + id, At: time.Now(), Echo: &a}
}

// A Postman is a Channel that can read posts: "CUSTOMER ID WORDS" is a message. "bad…" cannot be read,
// "odd…" is an event that cannot be stored, and over nothing it stumbles.
type Postman struct{ *Recorder }

func (Postman) Verify(http.Header, []byte) error { return nil }

func (Postman) Decode(body []byte) ([]bot.Event, error) {
	switch text := string(body); {
	case strings.HasPrefix(text, "bad"):
		return nil, errors.New("cannot be read")
	case strings.HasPrefix(text, "odd"):
		return []bot.Event{{Address: bot.Address{Channel: "test", Account: "one", Customer: "odd"}, ExternalID: "odd"}}, nil
	case text == "nothing":
		return nil, nil
	case text == "":
		panic("stumbled")
	default:
		part := strings.SplitN(text, " ", 3)
		return []bot.Event{Message(part[0], part[1], part[2])}, nil
	}
}

// WithPosts runs a test on both databases with an account whose posts can be read.
func WithPosts(t *testing.T, test func(t *testing.T, w *World)) {
	t.Helper()
	OnBoth(t, func(t *testing.T, w *World) {
		w.Accounts.Put(w.Account, Postman{w.Channel})
		test(t, w)
	})
}
