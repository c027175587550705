package live

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	// writeWithin bounds one write: a browser that does not read for so long is gone.
	writeWithin = 15 * time.Second
	// Browsers come back after 1 to 3 s, not all at once after a restart.
	minRetry = time.Second
	maxRetry = 3 * time.Second
	// Beat is how often a stream says that it is alive. The script waits 45 s for a sign of life.
	Beat = 20 * time.Second
)

// An Event is one server-sent event. Data is one line.
type Event struct {
	ID         int64 // the browser sends it back as Last-Event-ID; 0: none
	Name, Data string
}

// A Stream is what an owner wants of one response.
type Stream struct {
	Topics []string
	// News returns the events to write. It is called at the beginning, when one of Topics was woken, every
	// Poll and after each heartbeat; woken is empty if only time has passed.
	News func(woken []string) ([]Event, error)
	// Allowed reports whether the reader may still read; it is asked at every heartbeat.
	Allowed func() bool
	Poll    time.Duration // 0: News is called only when woken
	Beat    time.Duration // Beat if 0
}

// Serve writes s until the reader is gone or no longer allowed, the hub is closed, or News fails.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, s Stream) error {
	out := NewWriter(w)
	if err := out.keepOpen(); err != nil {
		return err
	}
	l := h.join(s.Topics)
	defer h.leave(l)
	if s.Beat == 0 {
		s.Beat = Beat
	}
	beat := time.NewTicker(s.Beat)
	defer beat.Stop()
	var poll <-chan time.Time // nil: never
	if s.Poll > 0 {
		ticker := time.NewTicker(s.Poll)
		defer ticker.Stop()
		poll = ticker.C
	}
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-h.done:
			return nil
		case <-beat.C:
			if !s.Allowed() {
				return nil
			}
			if err := out.writeText(":\n\n"); err != nil {
				return err
			}
		case <-l.wake:
		case <-poll:
		}
		events, err := s.News(h.take(l))
		if err == nil {
			err = out.Write(events...)
		}
		if err != nil {
			return err
		}
	}
}

// A Writer writes server-sent events.
type Writer struct {
	w       io.Writer
	control *http.ResponseController
}

// NewWriter sets the headers of an event stream.
func NewWriter(w http.ResponseWriter) *Writer {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold it back
	return &Writer{w: w, control: http.NewResponseController(w)}
}

// keepOpen lets the response outlive the server's ReadTimeout, and says when to connect again.
func (w *Writer) keepOpen() error {
	if err := w.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	retry := minRetry + rand.N(maxRetry-minRetry)
	return w.writeText(fmt.Sprintf("retry: %d\n\n", retry.Milliseconds()))
}

// Write writes events at once.
func (w *Writer) Write(events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	var text strings.Builder
	for _, e := range events {
		if e.ID != 0 {
			fmt.Fprintf(&text, "id: %d\n", e.ID)
		}
		fmt.Fprintf(&text, "event: %s\ndata: %s\n\n", e.Name, e.Data)
	}
	return w.writeText(text.String())
}

func (w *Writer) writeText(text string) error {
	if err := w.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := io.WriteString(w.w, text); err != nil {
		return err
	}
	return w.control.Flush()
}
