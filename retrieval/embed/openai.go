// Package embed gets vectors from where they cost something: OpenAI calls an embedding service that
// speaks OpenAI's protocol, and Cached keeps any embedder's vectors in the database. It does not
// compare vectors and knows no entries.
package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"

	"faqbot/retrieval"
	"faqbot/retrieval/vector"
)

// OpenAIOptions say where the embedding service is. Only Model is required.
type OpenAIOptions struct {
	BaseURL    string        // up to and with the version; "" means https://api.openai.com/v1
	Key        string        // "" sends none, as local servers like it
	Model      string        // "text-embedding-3-small"
	Dimensions int           // numbers in a vector, for models that can shorten theirs; 0 means the model's own
	Batch      int           // texts in one request; 0 means 128
	Tries      int           // tries for one request, the first included; 0 means 4
	Client     *http.Client  // nil means one with Timeout
	Timeout    time.Duration // for one try; 0 means 30 s; not used with Client
}

// OpenAI embeds texts by an OpenAI-compatible service. It is safe for concurrent use.
type OpenAI struct {
	client *openai.Client
	opts   OpenAIOptions
	space  string
}

var _ retrieval.Embedder = (*OpenAI)(nil)

// NewOpenAI returns a client; nothing is called yet.
func NewOpenAI(opts OpenAIOptions) (*OpenAI, error) {
	if opts.Model == "" {
		return nil, errors.New("embedding service: name a model")
	}
	cfg := openai.DefaultConfig(opts.Key)
	cfg.BaseURL = strings.TrimRight(cmp.Or(opts.BaseURL, cfg.BaseURL), "/")
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		// The error would quote the URL, and with it a password that may be in it.
		return nil, errors.New("embedding service: the base URL must be like https://host/v1")
	}
	opts.Batch = cmp.Or(opts.Batch, 128)
	opts.Tries = cmp.Or(opts.Tries, 4)
	if opts.Client == nil {
		opts.Client = &http.Client{Timeout: cmp.Or(opts.Timeout, 30*time.Second)}
	}
	cfg.HTTPClient = opts.Client
	space := "openai:" + strings.ToLower(base.Host) + "/" + opts.Model
	if opts.Dimensions > 0 {
		space += "@" + strconv.Itoa(opts.Dimensions)
	}
	return &OpenAI{client: openai.NewClientWithConfig(cfg), opts: opts, space: space}, nil
}

// Space is made of the service's host, the model and, if set, the dimensions:
// "openai:api.openai.com/text-embedding-3-small@512".
func (o *OpenAI) Space() string { return o.space }

// Embed asks for the vectors of texts, a batch at a time. Too many requests, a server that fails
// and a network that breaks are tried again, after the time the service asked for if it did, as
// long as ctx's deadline leaves time. Its error names the HTTP status and the service's error code,
// never the texts, the key or what the service wrote back.
func (o *OpenAI) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, 0, len(texts))
	for batch := range slices.Chunk(texts, o.opts.Batch) {
		got, err := o.embedBatch(ctx, batch)
		if err != nil {
			return nil, fmt.Errorf("embed by %s: %w", o.space, err)
		}
		vectors = append(vectors, got...)
	}
	return vectors, nil
}

func (o *OpenAI) embedBatch(ctx context.Context, texts []string) ([][]float32, error) {
	for try := 1; ; try++ {
		resp, err := o.client.CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{
			Input:      texts,
			Model:      openai.EmbeddingModel(o.opts.Model),
			Dimensions: o.opts.Dimensions,
		})
		if err == nil {
			return unpack(resp.Data, len(texts))
		}
		f := failureOf(ctx, err)
		if !f.again || try >= o.opts.Tries {
			return nil, f.err
		}
		if err := wait(ctx, pause(try, resp.Header())); err != nil {
			return nil, fmt.Errorf("%w, last: %w", err, f.err)
		}
	}
}

// unpack puts the vectors in the order of the texts: the protocol lets the service choose its own.
func unpack(data []openai.Embedding, n int) ([][]float32, error) {
	if len(data) != n {
		return nil, fmt.Errorf("the service returned %d vectors for %d texts", len(data), n)
	}
	vectors := make([][]float32, n)
	for _, d := range data {
		if d.Index < 0 || d.Index >= n || vectors[d.Index] != nil {
			return nil, fmt.Errorf("the service returned vector %d of %d twice or out of range", d.Index, n)
		}
		v, err := vector.Unit(d.Embedding)
		if err != nil {
			return nil, fmt.Errorf("the service returned a vector that %w", err)
		}
		if len(v) != len(data[0].Embedding) {
			return nil, fmt.Errorf("the service returned vectors of %d and of %d numbers", len(data[0].Embedding), len(v))
		}
		vectors[d.Index] = v
	}
	return vectors, nil
}

// A failure is an error fit to be shown and whether trying again may help.
type failure struct {
	err   error
	again bool
}

func failureOf(ctx context.Context, err error) failure {
	if ctx.Err() != nil {
		return failure{err: ctx.Err()}
	}
	// RequestError first: it may wrap an APIError that was never filled in.
	if e, ok := errors.AsType[*openai.RequestError](err); ok {
		return ofStatus(e.HTTPStatusCode, "")
	}
	if e, ok := errors.AsType[*openai.APIError](err); ok {
		code, _ := e.Code.(string)
		return ofStatus(e.HTTPStatusCode, code)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		if e.Timeout() {
			return failure{err: errors.New("the service did not answer in time"), again: true}
		}
		if op, ok := errors.AsType[*net.OpError](e.Err); ok {
			return failure{err: fmt.Errorf("network: %w", op), again: true}
		}
		return failure{err: errors.New("the connection failed"), again: true}
	}
	return failure{err: errors.New("the service's answer could not be read"), again: true}
}

// quota is the code of a 429 that waiting does not cure.
const quota = "insufficient_quota"

func ofStatus(status int, code string) failure {
	err := fmt.Errorf("HTTP status %d", status)
	if plain(code) {
		err = fmt.Errorf("HTTP status %d, %s", status, code)
	}
	again := status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
	return failure{err: err, again: again && code != quota}
}

// plain reports whether code is a word such as "model_not_found", not a sentence that might quote
// something.
func plain(code string) bool {
	return code != "" && len(code) <= 40 && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// pause is how long to wait after a failed try: what the service asks for, or half a second
// doubling.
func pause(try int, h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s >= 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return max(time.Until(at), 0)
	}
	return min(time.Second/2<<(try-1), maxPause)
}

// maxPause is the longest a service may ask to wait for; the caller then had better do without.
const maxPause = time.Minute

// wait waits for d, or fails at once if that is too long or ctx will be done before.
func wait(ctx context.Context, d time.Duration) error {
	if d > maxPause {
		return fmt.Errorf("the service asks to wait for %v", d)
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return fmt.Errorf("no time left to try again: %w", context.DeadlineExceeded)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
