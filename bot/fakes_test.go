package bot

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A recorder is a channel that keeps what it is asked to send, or fails as told.
type recorder struct {
	limits Limits
	mu     sync.Mutex
	sent   map[string][]Reply // by customer
	tries  int
	fail   func(to Address, r Reply) error // asked before each send, nil means never
	typing func() error
}

func (c *recorder) Limits() Limits { return c.limits }

func (c *recorder) Send(_ context.Context, to Address, id DeliveryID, r Reply) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if c.fail != nil {
		if err := c.fail(to, r); err != nil {
			return "", err
		}
	}
	if c.sent == nil {
		c.sent = map[string][]Reply{}
	}
	c.sent[to.Customer] = append(c.sent[to.Customer], r)
	return "x" + string(id), nil
}

func (c *recorder) Typing(context.Context, Address) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.typing == nil {
		return nil
	}
	return c.typing()
}

func (c *recorder) texts(customer string) (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.sent[customer] {
		list = append(list, r.Text)
	}
	return list
}

func (c *recorder) failing(f func(Address, Reply) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}

// fails makes the first n sends fail with kind; arrived says that the network has them all the same.
func (c *recorder) fails(n int, e SendError, arrived bool) {
	c.failing(func(to Address, r Reply) error {
		if n == 0 {
			return nil
		}
		n--
		if arrived {
			if c.sent == nil {
				c.sent = map[string][]Reply{}
			}
			c.sent[to.Customer] = append(c.sent[to.Customer], r)
		}
		return &e
	})
}

// A deskRecorder keeps the news, or fails as told.
type deskRecorder struct {
	mu   sync.Mutex
	news []News
	err  error
}

func (d *deskRecorder) Tell(_ context.Context, n News) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.news = append(d.news, n)
	return nil
}

func (d *deskRecorder) failing(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *deskRecorder) heard() []News {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]News(nil), d.news...)
}

// An echo answers with the words it heard, forwards in mode person, and hands off on "person".
type echo struct {
	before func(t Turn) error // called first, nil means nothing
}

func (e echo) Turn(_ context.Context, t Turn) (Outcome, error) {
	if e.before != nil {
		if err := e.before(t); err != nil {
			return Outcome{}, err
		}
	}
	var words []string
	for _, m := range t.Waiting {
		words = append(words, m.Text)
	}
	o := Outcome{Decision: Decision{Action: ActionAnswer, Reason: ReasonConfident}, Next: t.Conversation, Trace: Trace{Rule: "echo"}}
	said := strings.Join(words, "+")
	switch {
	case t.Conversation.Mode == ModePerson:
		o.Decision = Decision{Action: ActionForward, Reason: ReasonPersonHasIt}
		return o, nil
	case said == "person":
		return e.handoff(t, ReasonAskedPerson), nil
	}
	o.Replies = []Reply{{Text: "re: " + said}}
	return o, nil
}

func (e echo) Broken(t Turn) Outcome { return e.handoff(t, ReasonBroken) }

func (e echo) handoff(t Turn, r Reason) Outcome {
	next := t.Conversation
	next.Mode = ModePerson
	return Outcome{Decision: Decision{Action: ActionHandoff, Reason: r}, Next: next, Replies: []Reply{{Text: "to a person"}},
		Escalate: &Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: r, Question: t.Waiting[0].Text}}
}

// testOutput shows the log of a failed test.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func status(s StatusUpdate) Event {
	return Event{Address: Address{"test", "one", "c"}, ExternalID: "s", At: time.Now(), Status: &s}
}

func aside(id string, a Aside) Event {
	return Event{Address: Address{"test", "one", "c"}, ExternalID: "echo:" + id, At: time.Now(), Aside: &a}
}

// A postman is a Channel that can read posts: "CUSTOMER ID WORDS" is a message. "bad…" cannot be read,
// "odd…" is an event that cannot be stored, and over nothing it stumbles.
type postman struct{ *recorder }

func (postman) Verify(http.Header, []byte) error { return nil }

func (postman) Decode(body []byte) ([]Event, error) {
	switch text := string(body); {
	case strings.HasPrefix(text, "bad"):
		return nil, errors.New("cannot be read")
	case strings.HasPrefix(text, "odd"):
		return []Event{{Address: Address{"test", "one", "odd"}, ExternalID: "odd"}}, nil
	case text == "nothing":
		return nil, nil
	case text == "":
		panic("stumbled")
	default:
		part := strings.SplitN(text, " ", 3)
		return []Event{message(part[0], part[1], part[2])}, nil
	}
}

// withPosts runs a test on both databases with an account whose posts can be read.
func withPosts(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	onBoth(t, func(t *testing.T, w *world) {
		w.accounts.Put(w.account, postman{w.channel})
		test(t, w)
	})
}
