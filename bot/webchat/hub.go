package webchat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"faqbot/bot"
	"faqbot/bot/worker"
)

const (
	// pollEvery is how often a customer's conversation is read although nobody woke us: another
	// process may have written.
	pollEvery = 2 * time.Second
	// tailMost is how many messages a watch keeps for the streams it serves.
	tailMost = 50
)

// A hub knows the open streams of one account.
type hub struct {
	mu      sync.Mutex
	watches map[string]*watch // by customer
}

func newHub() *hub { return &hub{watches: map[string]*watch{}} }

// A stream is one open page of a customer.
type stream struct {
	woken  chan struct{} // look for news now
	typing atomic.Bool   // tell that an answer is on its way
}

// A watch reads one customer's conversation for all their streams: one query serves them all.
type watch struct {
	hub     *hub
	streams map[*stream]struct{} // under hub.mu
	version atomic.Uint64        // grows when there may be news

	mu   sync.Mutex
	conv bot.Conversation // without an ID while there is none
	tail []bot.Message    // the newest messages, all those after base
	base int64
	seen int64
	read uint64    // the version that was read last
	at   time.Time // when
}

// join opens a stream of customer.
func (h *hub) join(customer string) (*watch, *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watches[customer]
	if w == nil {
		w = &watch{hub: h, streams: map[*stream]struct{}{}}
		w.version.Store(1)
		h.watches[customer] = w
	}
	s := &stream{woken: make(chan struct{}, 1)}
	w.streams[s] = struct{}{}
	return w, s
}

func (h *hub) leave(customer string, w *watch, s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(w.streams, s)
	if len(w.streams) == 0 {
		delete(h.watches, customer)
	}
}

// wake makes the streams of customer look for news.
func (h *hub) wake(customer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.watches[customer]; w != nil {
		w.version.Add(1)
		w.poke()
	}
}

// typing makes the streams of customer tell that an answer is on its way.
func (h *hub) typing(customer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.watches[customer]; w != nil {
		for s := range w.streams {
			s.typing.Store(true)
		}
		w.poke()
	}
}

// poke wakes all streams. The caller holds hub.mu.
func (w *watch) poke() {
	for s := range w.streams {
		worker.Poke(s.woken)
	}
}

// news returns the conversation and what was said in it after seq, oldest first.
func (w *watch) news(ctx context.Context, cs Conversations, to bot.Address, after int64, now time.Time) (bot.Conversation, []bot.Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	version := w.version.Load() // before reading: what comes meanwhile is read next time
	if version != w.read || now.Sub(w.at) >= pollEvery-pollEvery/10 {
		if err := w.refresh(ctx, cs, to, after); err != nil {
			return w.conv, nil, err
		}
		w.read, w.at = version, now
	}
	if w.conv.ID == "" {
		return w.conv, nil, nil
	}
	if after < w.base { // a page that comes back after long
		list, err := cs.Transcript(ctx, w.conv.ID, after)
		return w.conv, list, err
	}
	var list []bot.Message
	for i, m := range w.tail {
		if m.Seq > after {
			list = append(list, w.tail[i:]...)
			break
		}
	}
	return w.conv, list, nil
}

// refresh reads what is new. after is where the first reader begins.
func (w *watch) refresh(ctx context.Context, cs Conversations, to bot.Address, after int64) error {
	first := w.conv.ID == ""
	if first {
		conv, err := cs.Find(ctx, to)
		if errors.Is(err, bot.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find the conversation of a stream: %w", err)
		}
		w.conv, w.base, w.seen = conv, after, after
	}
	list, err := cs.Transcript(ctx, w.conv.ID, w.seen)
	if err != nil || len(list) == 0 {
		return err
	}
	if !first { // who has the conversation may have changed with what was said
		if w.conv, err = cs.Find(ctx, to); err != nil {
			return fmt.Errorf("find the conversation of a stream: %w", err)
		}
	}
	w.tail = append(w.tail, list...)
	w.seen = list[len(list)-1].Seq
	if extra := len(w.tail) - tailMost; extra > 0 {
		w.base = w.tail[extra-1].Seq
		w.tail = append([]bot.Message(nil), w.tail[extra:]...)
	}
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.poke() // the other streams find it in the tail
	return nil
}
