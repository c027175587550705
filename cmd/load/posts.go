package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"faqbot/bot/graphapi/graphtest"
)

// A mint makes webhook calls, each with another message of the next customer. It is safe for
// concurrent use.
type mint struct {
	template  string
	customers []string
	questions []string
	next      atomic.Int64
}

const (
	placeCustomer = "15550000000"
	placeMessage  = "MESSAGE"
	placeWords    = "WORDS"
)

// newMint takes the shape of a call from the fake.
func newMint(a *graphtest.Account, customers, questions []string) *mint {
	message, contact := a.Message(placeCustomer, map[string]any{"type": "text", "text": map[string]any{"body": placeWords}})
	message["id"] = placeMessage
	return &mint{template: string(a.Body(map[string]any{"messages": []any{message}, "contacts": []any{contact}})),
		customers: customers, questions: questions}
}

// call is a whole HTTP request.
func (m *mint) call(host string) []byte {
	n := m.next.Add(1)
	customer := m.customers[int(n)%len(m.customers)]
	body := []byte(strings.NewReplacer(placeCustomer, customer, placeMessage, "wamid.HBgLoad"+strconv.FormatInt(n, 10)+"=",
		placeWords, m.questions[int(n)%len(m.questions)]).Replace(m.template))
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: facebookexternalua\r\nContent-Type: application/json\r\n"+
		"X-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s", hookPath, host, graphtest.Sign(appSecret, body), len(body), body)
}

// A line is one connection to a program. It writes requests by itself: a client that does more would
// be measured instead of the server.
type line struct {
	conn net.Conn
	in   *bufio.Reader
}

// dial opens n connections to a program.
func dial(ctx context.Context, p *program, n int) (lines []*line, err error) {
	for range n {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect: %w", err), hangUp(lines))
		}
		lines = append(lines, &line{conn, bufio.NewReader(conn)})
	}
	return lines, nil
}

func hangUp(lines []*line) error {
	var err error
	for _, l := range lines {
		err = errors.Join(err, l.conn.Close())
	}
	return err
}

// post makes one call and waits for its answer, which must be 200.
func (l *line) post(call []byte) error {
	if err := l.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := l.conn.Write(call); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	r, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err = io.Copy(io.Discard, r.Body)
	if err = errors.Join(err, r.Body.Close()); err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("a webhook call was answered with %d", r.StatusCode)
	}
	return err
}

// closed has each line post for d, each call when the one before was answered, and returns how many
// were.
func closed(p *program, lines []*line, m *mint, d time.Duration) (count int, perSecond float64, err error) {
	var n atomic.Int64
	began := time.Now()
	err = together(lines, func(l *line) error {
		for time.Since(began) < d {
			if err := l.post(m.call(p.address)); err != nil {
				return err
			}
			n.Add(1)
		}
		return nil
	})
	return int(n.Load()), float64(n.Load()) / time.Since(began).Seconds(), err
}

// open posts at a rate for d, each call at its time whether or not those before were answered, as
// long as there are lines, and returns how long after its time each was answered.
func open(p *program, lines []*line, m *mint, rate float64, d time.Duration) (took []time.Duration, err error) {
	due := make(chan time.Time, int(rate*d.Seconds())+1) // holds all: the clock waits for nobody
	began := time.Now()
	go func() {
		defer close(due)
		for n := range int(rate * d.Seconds()) {
			at := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
			pauseUntil(at)
			due <- at
		}
	}()
	var mu sync.Mutex
	err = together(lines, func(l *line) error {
		for at := range due {
			if err := l.post(m.call(p.address)); err != nil {
				return err
			}
			late := time.Since(at)
			mu.Lock()
			took = append(took, late)
			mu.Unlock()
		}
		return nil
	})
	return took, err
}

// together runs do for every line at once and returns the first error.
func together(lines []*line, do func(*line) error) error {
	errs := make([]error, len(lines))
	var working sync.WaitGroup
	for i, l := range lines {
		working.Go(func() { errs[i] = do(l) })
	}
	working.Wait()
	return errors.Join(errs...)
}
