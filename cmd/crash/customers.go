package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// A kind is what a customer did.
type kind string

const (
	wrote  kind = "message"
	tapped kind = "tap"
	mended kind = "edit"
)

// A saying is one thing a customer did, which the network must tell the service.
type saying struct {
	Event string // as the service stores it
	Chat  int64
	Kind  kind
	Text  string // of a message or an edit
	Of    string // the event that an edit mends
	At    time.Time
}

// A book is what customers and agents did.
type book struct {
	mu      sync.Mutex
	sayings []saying
	replies []agentReply
}

func (b *book) say(s saying) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sayings = append(b.sayings, s)
}

func (b *book) said() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sayings)
}

func (b *book) reply(r agentReply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replies = append(b.replies, r)
}

const (
	// pendingMost is how much may wait at the network before customers hold their tongues.
	pendingMost = 150
	// patience is how long a customer who waits for an answer waits.
	patience = 4 * time.Second
	// payloadPerson is what the button that calls a person carries.
	payloadPerson = "person"
)

// A customer writes to the bot, in a chat of their own.
type customer struct {
	chat    int64
	fake    fake
	book    *book
	r       *rand.Rand
	seeker  bool          // they may want a person, and the bot back
	lost    bool          // what they asked last has no answer
	last    string        // the last message of theirs that was not mended yet, "" if there is none
	replies int           // that they have seen
	slow    time.Duration // they wait so many times longer; 1 if 0
	most    int           // what all customers do together, 0 for as much as they like
}

// run has the customer write until ctx ends.
func (c *customer) run(ctx context.Context) {
	for pause(ctx, max(c.slow, 1)*c.between(100, 1300)) {
		if c.most > 0 && c.book.said() >= c.most {
			return
		}
		if c.fake.pending() > pendingMost {
			continue
		}
		c.act(ctx)
		if c.slow == 0 && c.r.IntN(2) == 0 {
			c.wait(ctx)
		}
	}
}

// between is a random time between so many milliseconds.
func (c *customer) between(least, most int) time.Duration {
	return time.Duration(least+c.r.IntN(most-least)) * time.Millisecond
}

// wait waits for the next answer, for a while.
func (c *customer) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if n, err := c.fake.waitSent(ctx, c.chat, c.replies+1); err == nil {
		c.replies = n
	}
}

// act does one thing.
func (c *customer) act(ctx context.Context) {
	switch n := c.r.IntN(100); {
	case n < 45:
		c.write(c.signed(pick(c.r, knownQuestions())))
	case n < 55:
		c.write(c.signed(pick(c.r, vagueQuestions())))
	case n < 63:
		c.write(pick(c.r, greetings()))
	case n < 68:
		c.write(pick(c.r, []string{"thanks", "thank you very much", "👍", "ok great"}))
	case n < 70:
		c.write(pick(c.r, []string{"🤷", "🙈🙈"}))
	case n < 82:
		c.tap()
	case n < 88:
		c.burst(ctx)
	case n < 93:
		c.mend()
	case n < 96 && !c.lost:
		c.write(c.signed(pick(c.r, unknownQuestions())))
		c.lost = true
		return
	case n < 98 && c.seeker:
		c.write(pick(c.r, []string{"I want to talk to a person. " + canary, "/human"}))
	default:
		c.write("/bot")
	}
	c.lost = false
}

// signed puts the canary into a text.
func (c *customer) signed(text string) string {
	return text + pick(c.r, []string{" " + canary + " here", " This is " + canary, " – " + canary})
}

func (c *customer) write(text string) {
	c.last = c.fake.say(c.chat, text)
	c.book.say(saying{Event: c.last, Chat: c.chat, Kind: wrote, Text: text, At: time.Now()})
}

// burst writes one thought in several messages.
func (c *customer) burst(ctx context.Context) {
	parts := append([]string{pick(c.r, greetings())}, strings.SplitAfter(pick(c.r, knownQuestions()), " ")...)
	for len(parts) > 4 {
		parts = append([]string{parts[0], parts[1] + parts[2]}, parts[3:]...)
	}
	parts[len(parts)-1] = c.signed(parts[len(parts)-1])
	for _, part := range parts {
		c.write(strings.TrimSpace(part))
		if !pause(ctx, c.between(20, 250)) {
			return
		}
	}
}

// mend changes the last message. Each is changed once at most, so that it is clear what must become
// of it.
func (c *customer) mend() {
	if c.last == "" {
		return
	}
	text := c.signed(pick(c.r, knownQuestions()) + " (mended)")
	id := c.fake.edit(c.chat, c.last, text)
	c.book.say(saying{Event: id, Chat: c.chat, Kind: mended, Text: text, Of: c.last, At: time.Now()})
	c.last = ""
}

// tap taps a button under one of the last messages, now and then twice.
func (c *customer) tap() {
	sent := c.fake.sent(c.chat)
	sent = sent[max(0, len(sent)-6):]
	c.r.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	for _, m := range sent {
		if len(m.Payloads) == 0 {
			continue
		}
		payload := pick(c.r, m.Payloads)
		if payload == payloadPerson && !c.seeker {
			payload = m.Payloads[len(m.Payloads)-1]
		}
		for range 1 + c.r.IntN(4)/3 {
			id := c.fake.tap(c.chat, m, payload)
			c.book.say(saying{Event: id, Chat: c.chat, Kind: tapped, At: time.Now()})
		}
		return
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// pause waits for d and reports whether ctx is still going on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func greetings() []string {
	return []string{"hi", "hello there", "good morning", "hey", "/start", "/help"}
}

// knownQuestions have an answer in the FAQ, the last two a long one.
func knownQuestions() []string {
	return []string{"When do I get paid?", "How do I get paid?", "What is the minimum payout?", "My payout is late",
		"How much commission do I earn?", "Is there recurring commission?", "What is the cookie duration?",
		"Where do I find my affiliate link?", "May I shorten my affiliate link?", "Why do I see clicks but no sales?",
		"Can I bid on the brand in Google Ads?", "May I publish coupon codes?", "Is e-mail marketing allowed?",
		"Where are the banners?", "What tax forms do you need?", "How do I change my bank details?",
		"How do I change my e-mail address?", "How do I close my account?", "How long does approval take?",
		"Do I lose commission on refunds?", "What are the terms of the program?", "Show me the terms and conditions"}
}

// vagueQuestions are near to two or more entries.
func vagueQuestions() []string {
	return []string{"payment?", "How do I change my details?", "commission?", "May I use a short link?", "my account"}
}

// unknownQuestions have no answer in the FAQ.
func unknownQuestions() []string {
	return []string{"Do you know a good recipe for lentil soup?", "Who won the match on Sunday?",
		"What is the capital of Mongolia?", "How tall is the Eiffel tower?"}
}

// newCustomers returns n customers, each with a seed of their own.
func newCustomers(n int, seed uint64, fake fake, b *book) (list []*customer) {
	for i := range n {
		list = append(list, &customer{chat: int64(100_001 + i), fake: fake, book: b,
			r: rand.New(rand.NewPCG(seed, uint64(i))), seeker: i%4 == 0})
	}
	return list
}

// An agentReply is one reply that an agent gave with faqbot desk reply.
type agentReply struct {
	Ticket string
	Text   string
	Failed string // why the command failed, "" if it did not
}

// An agent works on tickets with the binary's own commands, whether or not the service is up.
type agent struct {
	service *service
	book    *book
	r       *rand.Rand
	done    map[string]int // commands that worked, by what they did
	odd     []string       // failures that nothing explains
}

// run works until ctx ends.
func (a *agent) run(ctx context.Context) {
	for n := 1; pause(ctx, time.Duration(500+a.r.IntN(1500))*time.Millisecond); n++ {
		// A command that began ends: it is the service that dies here.
		a.work(context.WithoutCancel(ctx), n)
	}
}

// work does one thing to one open ticket.
func (a *agent) work(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	list, err := a.service.tool(ctx, "desk", "list")
	if err != nil {
		a.odd = append(a.odd, err.Error())
		return
	}
	var tickets []string
	for _, line := range strings.Split(list, "\n") {
		if f := strings.Fields(line); len(f) > 3 && len(f[0]) == 8 {
			tickets = append(tickets, f[0])
		}
	}
	if len(tickets) == 0 {
		return
	}
	ticket := pick(a.r, tickets)
	switch what := a.r.IntN(10); {
	case what < 6:
		text := fmt.Sprintf("This is reply %d, from %s.", n, canary)
		_, err = a.service.tool(ctx, "desk", "--as", "anna", "reply", ticket, text)
		r := agentReply{Ticket: ticket, Text: text}
		if err != nil {
			r.Failed = err.Error()
		}
		a.book.reply(r)
		a.note("reply", err)
	case what < 8:
		_, err = a.service.tool(ctx, "desk", "--as", "anna", "close", ticket)
		a.note("close", err)
	default:
		_, err = a.service.tool(ctx, "desk", "--as", "anna", "hand-back", ticket)
		a.note("hand back", err)
	}
}

// note counts what was done. That a ticket was closed meanwhile is no trouble.
func (a *agent) note(what string, err error) {
	switch {
	case err == nil:
		a.done[what]++
	case !strings.Contains(err.Error(), "the ticket is closed"):
		a.odd = append(a.odd, err.Error())
	}
}
