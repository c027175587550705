package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An update is one thing that the bot is told, until it took it.
type update struct {
	id      int64
	chat    int64
	message int64  // of the customer's, if it is one
	tap     string // the callback ID, if it is one
	body    []byte
	done    bool
}

// A queue is what Telegram delivers strictly one after the other: a chat's messages, a customer's
// taps, a chat's memberships.
type queue struct {
	waiting []*update
	running bool // somebody is delivering it
}

// A hook is a registered webhook.
type hook struct {
	url, secret    string
	maxConnections int
	slots          chan struct{} // one for each connection
	errorAt        time.Time
	errorMessage   string
}

// enqueue makes payload of kind an update. b.mu is held.
func (b *Bot) enqueue(kind, key string, u *update, payload any) int64 {
	b.nextUpdate++
	u.id = b.nextUpdate
	if len(b.allowed) > 0 && !slices.Contains(b.allowed, kind) {
		return u.id // Telegram drops it
	}
	body, err := json.Marshal(map[string]any{"update_id": u.id, kind: payload})
	if err != nil {
		panic(fmt.Sprintf("telegramtest: an update that is no JSON: %v", err))
	}
	u.body = body
	b.updates = append(b.updates, u)
	b.pending++
	b.byID[u.id] = u
	q := b.queues[key]
	if q == nil {
		q = &queue{}
		b.queues[key] = q
	}
	q.waiting = append(q.waiting, u)
	b.kick(q)
	b.announce()
	return u.id
}

// take marks u as accepted. b.mu is held.
func (b *Bot) take(u *update) {
	if u.done {
		return
	}
	u.done, u.body = true, nil
	b.pending--
	b.accepted = append(b.accepted, Accepted{UpdateID: u.id, Chat: u.chat, At: time.Now()})
	for b.head < len(b.updates) && b.updates[b.head].done {
		b.head++
	}
	b.announce()
}

// kick has q delivered if there is a webhook and nobody does it yet. b.mu is held.
func (b *Bot) kick(q *queue) {
	if b.hook.url == "" || q.running || len(q.waiting) == 0 {
		return
	}
	q.running = true
	b.ready = append(b.ready, q)
	select {
	case b.server.wake <- struct{}{}:
	default: // it is awake
	}
}

// due hands over the queues that nobody delivers yet.
func (b *Bot) due() []*queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.ready
	b.ready = nil
	return list
}

// deliver posts what waits in q, one after the other, each until it is taken.
func (b *Bot) deliver(ctx context.Context, q *queue) {
	failures := 0
	for {
		b.mu.Lock()
		for len(q.waiting) > 0 && q.waiting[0].done {
			q.waiting = q.waiting[1:]
		}
		if len(q.waiting) == 0 || b.hook.url == "" || ctx.Err() != nil {
			q.running = false
			b.mu.Unlock()
			return
		}
		u, h, wait := q.waiting[0], b.hook, b.most
		body := u.body
		if failures < 16 {
			wait = min(b.first<<failures, b.most)
		}
		b.posts++
		twice := b.duplicate > 0 && b.posts%b.duplicate == 0
		b.mu.Unlock()

		err := b.post(ctx, h, body, twice)
		b.mu.Lock()
		if err == nil {
			b.take(u)
			failures = 0
		} else {
			words := err.Error()
			b.hook.errorAt, b.hook.errorMessage = time.Now(), strings.ToUpper(words[:1])+words[1:]
			failures++
			b.announce()
		}
		b.mu.Unlock()
		if err != nil {
			sleep(ctx, wait)
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

// post delivers body, twice at once if told so. An error is what Telegram would show as the
// webhook's last.
func (b *Bot) post(ctx context.Context, h hook, body []byte, twice bool) error {
	if !twice {
		return b.postOnce(ctx, h, body)
	}
	other := make(chan error, 1)
	go func() { other <- b.postOnce(ctx, h, body) }()
	err := b.postOnce(ctx, h, body)
	if second := <-other; err == nil {
		err = second
	}
	return err
}

func (b *Bot) postOnce(ctx context.Context, h hook, body []byte) error {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("bad webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	resp, err := b.server.client.Do(req)
	if err != nil {
		return fmt.Errorf("connection failed: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close() // it was read
	if err != nil || resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("wrong response from the webhook: %s", resp.Status)
	}
	if len(answer) > 0 {
		b.mu.Lock()
		b.bodies++
		b.mu.Unlock()
	}
	return nil
}

func (b *Bot) setWebhook(p params) (any, *refusal) {
	if p["url"] == "" {
		return b.deleteWebhook(p)
	}
	u, err := url.Parse(p["url"])
	local := err == nil && u.Scheme == "http" && u.Hostname() == "127.0.0.1" // stands for https
	if err != nil || u.Host == "" || u.Scheme != "https" && !local {
		return nil, bad("bad webhook: An HTTPS URL must be provided for webhook")
	}
	h := hook{url: p["url"], secret: p["secret_token"], maxConnections: 40}
	if len(h.secret) > 256 {
		return nil, bad("secret token is too long")
	}
	if strings.Trim(h.secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return nil, bad("secret token contains unallowed characters")
	}
	if p["max_connections"] != "" {
		h.maxConnections = int(min(max(p.number("max_connections"), 1), 100))
	}
	if failed := b.allow(p); failed != nil {
		return nil, failed
	}
	h.slots = make(chan struct{}, h.maxConnections)
	if p["drop_pending_updates"] == "true" {
		b.dropPending()
	}
	b.hook = h
	for _, q := range b.queues {
		b.kick(q)
	}
	return true, nil
}

// allow keeps the kinds of updates that a call asks for; a call that does not say changes nothing.
func (b *Bot) allow(p params) *refusal {
	if p["allowed_updates"] == "" {
		return nil
	}
	var kinds []string
	if err := json.Unmarshal([]byte(p["allowed_updates"]), &kinds); err != nil {
		return bad("can't parse allowed updates JSON object")
	}
	b.allowed = kinds
	return nil
}

func (b *Bot) deleteWebhook(p params) (any, *refusal) {
	b.hook = hook{}
	if p["drop_pending_updates"] == "true" {
		b.dropPending()
	}
	return true, nil
}

func (b *Bot) dropPending() {
	for _, u := range b.updates[b.head:] {
		u.done, u.body = true, nil
	}
	b.head, b.pending = len(b.updates), 0
}

func (b *Bot) getWebhookInfo(params) (any, *refusal) {
	info := map[string]any{"url": b.hook.url, "has_custom_certificate": false, "pending_update_count": b.pending}
	if b.hook.url != "" {
		info["max_connections"] = b.hook.maxConnections
	}
	if len(b.allowed) > 0 {
		info["allowed_updates"] = b.allowed
	}
	if !b.hook.errorAt.IsZero() {
		info["last_error_date"], info["last_error_message"] = b.hook.errorAt.Unix(), b.hook.errorMessage
	}
	return info, nil
}

// getUpdates confirms what is below the offset and returns what is not confirmed, waiting for it as
// long as the caller likes. A later call ends the wait of an earlier one.
func (b *Bot) getUpdates(ctx context.Context, p params) (any, *refusal) {
	wait := min(max(p.number("timeout"), 0), 50)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(wait)*time.Second)
	defer cancel()
	limit := p.number("limit")
	if limit < 1 || limit > 100 {
		limit = 100
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hook.url != "" {
		return nil, &refusal{code: http.StatusConflict, description: "Conflict: can't use getUpdates method while webhook is active;" +
			" use deleteWebhook to delete the webhook first"}
	}
	b.polls++
	mine := b.polls
	if failed := b.allow(p); failed != nil {
		return nil, failed
	}
	b.confirm(p.number("offset"))
	b.announce()
	for {
		if b.polls != mine || b.hook.url != "" {
			return nil, &refusal{code: http.StatusConflict, description: "Conflict: terminated by other getUpdates request;" +
				" make sure that only one bot instance is running"}
		}
		if list := b.unconfirmed(int(limit)); len(list) > 0 || ctx.Err() != nil {
			return list, nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		b.mu.Lock()
	}
}

// confirm takes all below offset, or all but the last -offset if it is negative.
func (b *Bot) confirm(offset int64) {
	waiting := slices.Clone(b.updates[b.head:])
	if offset < 0 {
		waiting = slices.DeleteFunc(waiting, func(u *update) bool { return u.done })
		waiting = waiting[:max(len(waiting)+int(offset), 0)]
		offset = b.nextUpdate + 1
	}
	for _, u := range waiting {
		if u.id >= offset {
			return
		}
		b.take(u)
	}
}

func (b *Bot) unconfirmed(limit int) []json.RawMessage {
	list := []json.RawMessage{}
	for _, u := range b.updates[b.head:] {
		if len(list) == limit {
			break
		}
		if !u.done {
			list = append(list, u.body)
		}
	}
	return list
}

// queueKey names the queue of what for an ID.
func queueKey(what string, id int64) string { return what + strconv.FormatInt(id, 10) }
