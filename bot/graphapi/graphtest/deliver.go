package graphtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"
)

// Encode is v as Meta writes it: non-ASCII as lower-case \uXXXX, slashes escaped.
func Encode(v any) []byte {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("graphtest: a webhook that is no JSON: %v", err))
	}
	var b bytes.Buffer
	for _, r := range string(plain) {
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r < 0x7f:
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.Bytes()
}

// Sign is the value of X-Hub-Signature-256 for body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Post posts body, signed, to the webhook and returns the status it was answered with. It is not
// repeated.
func (a *Account) Post(ctx context.Context, body []byte) (status int, err error) {
	a.mu.Lock()
	hook := a.hook
	a.mu.Unlock()
	return a.postBody(ctx, hook, body)
}

func (a *Account) postBody(ctx context.Context, hook string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", Sign(a.o.Secret, body))
	resp, err := a.server.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close() // it was read
	return resp.StatusCode, err
}

// A posting is a webhook body that waits to be taken.
type posting struct {
	body  []byte
	event string // what a customer did, "" if nobody did anything
}

// An Accepted is a thing that a customer did, whose webhook body was answered with 200.
type Accepted struct {
	Event string // what Say, Tap and Edit returned
	At    time.Time
}

// enqueue has v posted until it is answered with 200. What has the same order is posted one after the
// other; Meta promises no order at all, but a customer's messages rarely overtake each other. a.mu is
// held.
func (a *Account) enqueue(order string, v any) { a.enqueueEvent(order, "", v) }

// enqueueEvent is enqueue for what a customer did, which Accepted lists by the name event.
func (a *Account) enqueueEvent(order, event string, v any) {
	a.pending++
	_, going := a.queues[order] // until deliver finds it empty
	a.queues[order] = append(a.queues[order], posting{Encode(v), event})
	if !going {
		a.kick(order)
	}
	a.announce()
}

// kick has a queue delivered if there is a webhook. a.mu is held.
func (a *Account) kick(order string) {
	if a.hook != "" {
		a.server.running.Go(func() { a.deliver(order) })
	}
}

// deliver posts what waits in a queue, each until it is taken.
func (a *Account) deliver(order string) {
	ctx, failures := a.server.ctx, 0
	for ctx.Err() == nil {
		a.mu.Lock()
		queue, hook := a.queues[order], a.hook
		if len(queue) == 0 {
			delete(a.queues, order)
			a.mu.Unlock()
			return
		}
		a.posts++
		twice := a.moods.Duplicate > 0 && a.posts%a.moods.Duplicate == 0
		a.mu.Unlock()

		var other chan struct{}
		if twice {
			other = make(chan struct{})
			go func() {
				defer close(other)
				_, _ = a.postBody(ctx, hook, queue[0].body) // the first one's answer counts
			}()
		}
		status, err := a.postBody(ctx, hook, queue[0].body)
		if twice {
			<-other
		}
		taken := err == nil && status == http.StatusOK
		a.mu.Lock()
		if taken {
			a.queues[order] = a.queues[order][1:]
			a.pending--
			a.delivered++
			if event := queue[0].event; event != "" {
				a.accepted = append(a.accepted, Accepted{event, time.Now()})
			}
			failures = 0
		} else {
			a.refused++
			failures++
		}
		a.announce()
		a.mu.Unlock()
		if !taken {
			sleep(ctx, min(10*time.Millisecond<<min(failures, 5), 250*time.Millisecond))
		}
	}
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// id makes an ID that nobody had before. a.mu is held.
func (a *Account) id(prefix string) string {
	a.next++
	return fmt.Sprintf("%s%s_%d=", prefix, strings.Trim(a.o.ID, " "), a.next)
}
