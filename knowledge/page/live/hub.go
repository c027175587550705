package live

import (
	"slices"
	"sync"
)

// A Hub knows the open streams and the topics that each listens to. It is safe for concurrent use.
type Hub struct {
	mu        sync.Mutex
	listeners map[string]map[*listener]struct{} // by topic
	done      chan struct{}                     // closed when all streams must end
	close     sync.Once
}

// A listener is a stream as the hub knows it.
type listener struct {
	topics []string
	wake   chan struct{} // holds one when the stream should look
	woken  []string      // topics, in the order of their first wake-up; guarded by the hub
}

// NewHub returns a hub without streams.
func NewHub() *Hub {
	return &Hub{listeners: map[string]map[*listener]struct{}{}, done: make(chan struct{})}
}

// join adds a stream, which looks at once, as if all its topics were woken: the page is older than it.
func (h *Hub) join(topics []string) *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &listener{topics: topics, wake: make(chan struct{}, 1)}
	l.wake <- struct{}{}
	for _, topic := range topics {
		if h.listeners[topic] == nil {
			h.listeners[topic] = map[*listener]struct{}{}
		}
		h.listeners[topic][l] = struct{}{}
		l.mark(topic)
	}
	return l
}

func (h *Hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, topic := range l.topics {
		delete(h.listeners[topic], l)
		if len(h.listeners[topic]) == 0 {
			delete(h.listeners, topic)
		}
	}
}

// Wake makes the streams that listen to one of topics look for news.
func (h *Hub) Wake(topics ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, topic := range topics {
		for l := range h.listeners[topic] {
			l.mark(topic)
		}
	}
}

// WakeAll wakes every topic.
func (h *Hub) WakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for topic, listeners := range h.listeners {
		for l := range listeners {
			l.mark(topic)
		}
	}
}

// mark notes that topic was woken. The caller holds the hub's lock.
func (l *listener) mark(topic string) {
	if !slices.Contains(l.woken, topic) {
		l.woken = append(l.woken, topic)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns the topics that were woken since it was last called.
func (h *Hub) take(l *listener) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	woken := l.woken
	l.woken = nil
	return woken
}

// Close ends every stream, now and from now on. Streams would otherwise keep http.Server.Shutdown waiting.
func (h *Hub) Close() { h.close.Do(func() { close(h.done) }) }
