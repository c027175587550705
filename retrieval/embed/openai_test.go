package embed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/waittest"
)

// A script answers requests one after the other.
type script struct {
	answers []func() (*http.Response, error)
	inputs  [][]string
	keys    []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	var body struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	s.inputs = append(s.inputs, body.Input)
	s.keys = append(s.keys, r.Header.Get("Authorization"))
	answer := s.answers[min(len(s.inputs), len(s.answers))-1]
	return answer()
}

func answer(status int, body string, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func fail(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

const (
	secret = "sk-canary-key"
	said   = "canary words of a customer"
	good   = `{"data":[{"index":0,"embedding":[3,4]}]}`
)

func client(t *testing.T, s *script, opts OpenAIOptions) *OpenAI {
	t.Helper()
	opts.BaseURL, opts.Key, opts.Model = "https://user:canary-pw@Models.example:8443/v1/", secret, "small"
	opts.Client = &http.Client{Transport: s}
	o, err := NewOpenAI(opts)
	require.NoError(t, err)
	return o
}

func TestOpenAISortsCountsAndScales(t *testing.T) {
	s := &script{answers: []func() (*http.Response, error){
		answer(200, `{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]}`),
		answer(200, `{"data":[{"index":0,"embedding":[-1,0]}]}`),
	}}
	got, err := client(t, s, OpenAIOptions{Batch: 2}).Embed(t.Context(), []string{"a", "b", "c"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{.6, .8}, {0, 1}, {-1, 0}}, got)
	require.Equal(t, [][]string{{"a", "b"}, {"c"}}, s.inputs)
	require.Equal(t, "Bearer "+secret, s.keys[0])
}

func TestOpenAISpace(t *testing.T) {
	require.Equal(t, "openai:models.example:8443/small", client(t, &script{}, OpenAIOptions{}).Space())
	o, err := NewOpenAI(OpenAIOptions{Model: "text-embedding-3-small", Dimensions: 512})
	require.NoError(t, err)
	require.Equal(t, "openai:api.openai.com/text-embedding-3-small@512", o.Space())
	for _, bad := range []string{"api.openai.com/v1", "ftp://x/v1", "http://", ":x:canary", "https://us er:canary@x"} {
		_, err = NewOpenAI(OpenAIOptions{Model: "m", BaseURL: bad})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
	}
	_, err = NewOpenAI(OpenAIOptions{})
	require.Error(t, err)
}

func TestOpenAIRefusesWhatCannotBeTheAnswer(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":[]}`:                          "returned 0 vectors for 2 texts",
		`{"error":{"message":"` + said + `"}}`: "returned 0 vectors for 2 texts",
		`{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`:     "twice or out of range",
		`{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`:     "twice or out of range",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[0]}]}`:     "is zero",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,0]}]}`:   "of 1 and of 2 numbers",
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]}`:      "is zero",
		`{"data":[{"index":0,"embedding":[1e38]},{"index":1,"embedding":[1]}]} `: "",
	} {
		s := &script{answers: []func() (*http.Response, error){answer(200, body)}}
		_, err := client(t, s, OpenAIOptions{}).Embed(t.Context(), []string{"a", "b"})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestOpenAITriesAgain(t *testing.T) {
	tooMany := `{"error":{"message":"slow down: ` + said + `","code":"rate_limit_exceeded"}}`
	for name, c := range map[string]struct {
		first func() (*http.Response, error)
		waits time.Duration
	}{
		"retry after":      {answer(429, tooMany, "Retry-After", "7"), 7 * time.Second},
		"429 without":      {answer(429, tooMany), time.Second / 2},
		"bare error":       {answer(503, `{"error":"overloaded"}`), time.Second / 2},
		"a page":           {answer(502, `<html>`), time.Second / 2},
		"500":              {answer(500, `{"error":{"message":"x"}}`), time.Second / 2},
		"connection lost":  {fail(&net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")}), time.Second / 2},
		"cut short":        {answer(200, `{"data":[{"ind`), time.Second / 2},
		"retry after date": {answer(429, tooMany, "Retry-After", "Sat, 01 Jan 2000 00:00:09 GMT"), 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock starts on 1 January 2000
				s := &script{answers: []func() (*http.Response, error){c.first, answer(200, good)}}
				start := time.Now()
				got, err := client(t, s, OpenAIOptions{}).Embed(t.Context(), []string{said})
				require.NoError(t, err)
				require.Equal(t, [][]float32{{.6, .8}}, got)
				require.Equal(t, c.waits, time.Since(start))
			})
		})
	}
}

func TestOpenAIGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		answer func() (*http.Response, error)
		tries  int
		want   string
	}{
		"bad key":       {answer(401, `{"error":{"message":"Incorrect API key: `+secret+`","code":"invalid_api_key"}}`), 1, "HTTP status 401, invalid_api_key"},
		"odd code":      {answer(400, `{"error":{"message":"m","code":"`+said+`"}}`), 1, "HTTP status 400"},
		"body echoed":   {answer(400, `you wrote: `+said), 1, "HTTP status 400"},
		"quota":         {answer(429, `{"error":{"message":"pay","code":"insufficient_quota"}}`), 1, "insufficient_quota"},
		"always 500":    {answer(500, said), 4, "HTTP status 500"},
		"never there":   {fail(errors.New(secret + said)), 4, "the connection failed"},
		"always broken": {answer(200, said), 4, "could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []func() (*http.Response, error){c.answer}}
				_, err := client(t, s, OpenAIOptions{}).Embed(t.Context(), []string{said})
				require.ErrorContains(t, err, c.want)
				require.NotContains(t, err.Error(), "canary")
				require.Len(t, s.inputs, c.tries)
			})
		})
	}
}

func TestOpenAIKeepsToTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){answer(429, `{}`, "Retry-After", "50")}}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client(t, s, OpenAIOptions{}).Embed(ctx, []string{"a"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "HTTP status 429")
		require.Zero(t, time.Since(start), "waiting cannot help")
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []func() (*http.Response, error){answer(429, `{}`, "Retry-After", "3600")}}
		start := time.Now()
		_, err := client(t, s, OpenAIOptions{}).Embed(t.Context(), []string{"a"})
		require.ErrorContains(t, err, "asks to wait for 1h0m0s, last: HTTP status 429")
		require.Zero(t, time.Since(start))
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{answers: []func() (*http.Response, error){func() (*http.Response, error) {
			cancel()
			return nil, fmt.Errorf("%s: %w", said, context.Canceled)
		}}}
		_, err := client(t, s, OpenAIOptions{}).Embed(ctx, []string{"a"})
		require.ErrorIs(t, err, context.Canceled)
		require.NotContains(t, err.Error(), "canary")
		require.Len(t, s.inputs, 1)
	})
}

func TestOpenAIOverHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/embeddings" || r.Header.Get("Authorization") != "" {
			http.Error(w, "unexpected", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, good)
	}))
	defer srv.Close()
	o, err := NewOpenAI(OpenAIOptions{BaseURL: srv.URL + "/v1", Model: "m", Timeout: waittest.Hang})
	require.NoError(t, err)
	got, err := o.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{.6, .8}}, got)
	got, err = o.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, got)
}
