package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	tg "github.com/go-telegram/bot"

	"faqbot/bot/worker"
)

const (
	pollWait  = 25 * time.Second // Telegram holds a poll for that long if there is nothing
	pollLimit = 100              // updates at once, Telegram's most
	pollMost  = 30 * time.Second // the longest wait after a failure that mends itself
)

// A Receive stores an update as it came, durably. After an error it comes again.
type Receive func(ctx context.Context, body []byte) error

// Poll hears the account by polling, for where no webhook can reach us, until ctx ends; then it
// returns nil. It removes a webhook. An update is confirmed to Telegram only after receive returned nil
// for it and all before it; a crash in between brings it again. Nothing is read or stored here: Telegram
// keeps what was not confirmed, for 24 h.
func (c *Channel) Poll(ctx context.Context, receive Receive) error {
	c.insist(ctx, "start polling", func(ctx context.Context) error {
		if err := c.unhook(ctx); err != nil {
			return err
		}
		return c.introduce(ctx)
	})
	c.offerCommands(ctx)
	var offset int64 // everything below it is accepted; 0 asks for all that is not confirmed
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		updates, err := c.getUpdates(ctx, offset)
		if err == nil {
			offset, err = c.takeAll(ctx, updates, offset, receive)
		}
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failures++
			wait := c.pollAgain(failures, err)
			c.complain(err).WithField("again_in", wait.String()).Error("polling failed")
			worker.Rest(ctx, wait)
			continue
		}
		failures = 0
		if len(updates) == 0 {
			// That confirmed all below offset. Asking without one outlives Telegram's habit of
			// starting its numbers elsewhere, maybe lower, after a quiet week.
			offset = 0
			if time.Since(began) < c.retry.first { // something on the way does not hold polls
				worker.Rest(ctx, c.retry.first)
			}
		}
	}
	return nil
}

// pollAgain is the wait after the n-th failed poll in a row.
func (c *Channel) pollAgain(n int, err error) time.Duration {
	if refusal, ok := errors.AsType[*apiError](err); ok &&
		(refusal.code == http.StatusUnauthorized || refusal.code == http.StatusNotFound) {
		return min(slowly, c.retry.most)
	}
	p := c.retry
	p.most = min(p.most, pollMost)
	return p.after(n, err)
}

func (c *Channel) unhook(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := c.api.DeleteWebhook(ctx, &tg.DeleteWebhookParams{DropPendingUpdates: false}); err != nil {
		return fmt.Errorf("remove the webhook: %w", err)
	}
	return nil
}

// takeAll stores updates in order and returns the offset past those that were stored.
func (c *Channel) takeAll(ctx context.Context, updates []json.RawMessage, offset int64, receive Receive) (int64, error) {
	start := offset
	for _, raw := range updates {
		if err := receive(ctx, raw); err != nil {
			return offset, fmt.Errorf("store an update: %w", err)
		}
		var named struct {
			ID int64 `json:"update_id"`
		}
		if err := json.Unmarshal(raw, &named); err != nil || named.ID == 0 {
			continue // it can only be passed by the one after it
		}
		offset = named.ID + 1
	}
	if len(updates) > 0 && offset == start {
		return offset, errors.New("none of the updates has a number to pass it by")
	}
	return offset, nil
}

// getUpdates asks for updates from offset on, as they were written, so that each can be read, or
// not, on its own.
func (c *Channel) getUpdates(ctx context.Context, offset int64) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, pollWait+10*time.Second)
	defer cancel()
	ask, err := json.Marshal(map[string]any{"offset": offset, "limit": pollLimit, "timeout": int(pollWait.Seconds()),
		"allowed_updates": allowedUpdates()})
	if err != nil {
		return nil, fmt.Errorf("ask for updates: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/bot"+c.token+"/getUpdates", bytes.NewReader(ask))
	if err != nil {
		return nil, errors.New("ask for updates: api_base is not usable") // the text of err has the token
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for updates: %w", err)
	}
	var answer struct {
		Result []json.RawMessage `json:"result"`
	}
	if err := errors.Join(json.NewDecoder(resp.Body).Decode(&answer), resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("ask for updates: %w", &oddError{status: resp.StatusCode})
	}
	return answer.Result, nil
}

// redact is text without the account's secrets.
func (c *Channel) redact(text string) string {
	text = strings.ReplaceAll(text, c.token, "TOKEN")
	if c.secret != "" {
		text = strings.ReplaceAll(text, c.secret, "SECRET")
	}
	return text
}
