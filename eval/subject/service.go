package subject

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Service is a running faqbot, asked over its API.
type Service struct {
	url, key string
	said     func(string) string
}

var _ Subject = Service{}

// NewService asks the service at url with an API key. A tap is said as the entry's question, since the API
// takes words alone.
func NewService(url, key string, entries []knowledge.Entry) Service {
	return Service{strings.TrimSuffix(url, "/"), key, labels(entries)}
}

func (s Service) Name() string { return "service at " + s.url }

func (s Service) Close() error { return nil }

func (s Service) Open(c suite.Case) Dialogue { return remember(c, s.said, s.ask) }

const (
	maxReply   = 1 << 20          // bytes of one response
	maxWait    = time.Minute      // for one response
	maxTries   = 20               // while the service says that it is busy or starting
	defaultGap = 2 * time.Second  // between them, if the service does not say
	maxGap     = 30 * time.Second // between them
)

func (s Service) ask(ctx context.Context, q question) (Reply, error) {
	for try := 1; ; try++ {
		began := time.Now()
		r, wait, err := s.post(ctx, q)
		if err == nil {
			return r.toReply(time.Since(began))
		}
		if wait == 0 || try == maxTries {
			return Reply{}, fmt.Errorf("ask %s: %w", s.url, err)
		}
		select {
		case <-ctx.Done():
			return Reply{}, context.Cause(ctx)
		case <-time.After(min(wait, maxGap)):
		}
	}
}

// post asks once. wait is how long to wait before another try, 0 if that is of no use.
func (s Service) post(ctx context.Context, q question) (r row, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return r, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/ask", bytes.NewReader(body))
	if err != nil {
		return r, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return r, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return r, 0, err
	}
	if response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable {
		wait = defaultGap
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
			wait = time.Duration(seconds) * time.Second
		}
	}
	if response.StatusCode != http.StatusOK {
		var said struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(data, &said) // the status is told in any case
		return r, wait, fmt.Errorf("%s %s", response.Status, said.Error)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, 0, fmt.Errorf("the response is no reply: %w", err)
	}
	return r, 0, nil
}
