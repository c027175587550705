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

// connected runs do with n new connections to a program. Something was asked on each before, so that opening
// them is not measured.
func connected(ctx context.Context, p *program, n int, do func([]*line) error) (err error) {
	var lines []*line
	defer func() {
		for _, l := range lines {
			err = errors.Join(err, l.conn.Close())
		}
	}()
	for range n {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		lines = append(lines, &line{conn, bufio.NewReader(conn)})
	}
	hello := fmt.Appendf(nil, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", p.address)
	if err := together(lines, func(l *line) error { _, err := l.ask(hello); return err }); err != nil {
		return err
	}
	return do(lines)
}

// ask makes one call and waits for its answer.
func (l *line) ask(call []byte) (status int, err error) {
	if err := l.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := l.conn.Write(call); err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	r, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	_, err = io.Copy(io.Discard, r.Body)
	return r.StatusCode, errors.Join(err, r.Body.Close())
}

// post makes a webhook call, whose answer must be 200.
func (l *line) post(call []byte) error {
	status, err := l.ask(call)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a webhook call was answered with %d", status)
	}
	return err
}

// closed has each of so many lines post for d, each call when the one before was answered, and returns how many
// were.
func closed(ctx context.Context, p *program, lines int, m *mint, d time.Duration) (count int, perSecond float64, err error) {
	var n atomic.Int64
	err = connected(ctx, p, lines, func(lines []*line) error {
		began := time.Now()
		defer func() { perSecond = float64(n.Load()) / time.Since(began).Seconds() }()
		return together(lines, func(l *line) error {
			for time.Since(began) < d {
				if err := l.post(m.call(p.address)); err != nil {
					return err
				}
				n.Add(1)
			}
			return nil
		})
	})
	return int(n.Load()), perSecond, err
}

// open posts at a rate for d, each call at its time whether or not those before were answered, as
// long as there are lines, and returns how long after its time each was answered.
func open(ctx context.Context, p *program, lines int, m *mint, rate float64, d time.Duration) (took []time.Duration, err error) {
	err = connected(ctx, p, lines, func(lines []*line) error {
		type post struct {
			call []byte
			at   time.Time
		}
		calls := make([][]byte, int(rate*d.Seconds())) // made before, since whoever posts is measured, too
		for i := range calls {
			calls[i] = m.call(p.address)
		}
		due := make(chan post, len(calls)) // holds all: the clock waits for nobody
		began := time.Now()
		go func() {
			defer close(due)
			for n, call := range calls {
				at := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
				pauseUntil(at)
				due <- post{call, at}
			}
		}()
		var mu sync.Mutex
		return together(lines, func(l *line) error {
			for post := range due {
				if err := l.post(post.call); err != nil {
					return err
				}
				late := time.Since(post.at)
				mu.Lock()
				took = append(took, late)
				mu.Unlock()
			}
			return nil
		})
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
