// Package speech turns voice notes into words by a service that speaks OpenAI's protocol. It is a
// bot.Transcriber: it keeps nothing, and knows neither networks nor conversations. It does not say what
// a customer meant; what comes out is treated as if they had typed it.
package speech

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"

	"faqbot/bot"
	"faqbot/knowledge/media"
)

const (
	// MaxBytes and MaxTime bound a recording that is sent to the service: who speaks longer has more to
	// say than a FAQ answers.
	MaxBytes = 10 << 20
	MaxTime  = 5 * time.Minute

	tries      = 2
	tryTimeout = 12 * time.Second
	tryPause   = 500 * time.Millisecond
)

// Options say where the service is. Only Model is required.
type Options struct {
	BaseURL string       // up to and with the version; "" means https://api.openai.com/v1
	Key     string       // "" for servers of one's own that want none
	Model   string       // "whisper-1"
	Client  *http.Client // nil means one that waits 12 s for an answer
}

// A Client transcribes by one service. It is safe for concurrent use.
type Client struct {
	client *openai.Client
	model  string
}

var _ bot.Transcriber = (*Client)(nil)

// New returns a client; nothing is called yet.
func New(o Options) (*Client, error) {
	if o.Model == "" {
		return nil, errors.New("speech service: name a model")
	}
	c := openai.DefaultConfig(o.Key)
	c.BaseURL = strings.TrimRight(cmp.Or(o.BaseURL, c.BaseURL), "/")
	if base, err := url.Parse(c.BaseURL); err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("speech service: the base URL must be like https://host/v1")
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: tryTimeout}
	}
	c.HTTPClient = o.Client
	return &Client{openai.NewClientWithConfig(c), o.Model}, nil
}

// Transcribe returns what is said in a recording. The error is bot.ErrTooLong, bot.ErrNothingSaid or a
// failure; it names the HTTP status and never what the service wrote back. A service that fails is asked
// once more, if ctx leaves time.
func (c *Client) Transcribe(ctx context.Context, b media.Blob, data []byte) (string, error) {
	ext, ok := extension(b.Type)
	switch {
	case !ok:
		return "", errors.New("transcribe: the file is no sound")
	case len(data) > MaxBytes || played(data) > MaxTime:
		return "", bot.ErrTooLong
	}
	for try := 1; ; try++ {
		// Servers tell by the name's ending what it is. The name that a customer gave is none of theirs.
		resp, err := c.client.CreateTranscription(ctx, openai.AudioRequest{Model: c.model, FilePath: "voice" + ext, Reader: bytes.NewReader(data),
			Format: openai.AudioResponseFormatJSON})
		if err == nil {
			if words := strings.TrimSpace(resp.Text); words != "" {
				return words, nil
			}
			return "", bot.ErrNothingSaid
		}
		err, again := failure(ctx, err)
		if !again || try == tries {
			return "", fmt.Errorf("transcribe: %w", err)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("transcribe: %w", err)
		case <-time.After(tryPause):
		}
	}
}

// failure is err in words that quote nobody, and whether it may pass.
func failure(ctx context.Context, err error) (_ error, again bool) {
	if ctx.Err() != nil {
		return ctx.Err(), false
	}
	status := 0
	if e, ok := errors.AsType[*openai.RequestError](err); ok { // first: it may wrap an APIError that was never filled in
		status = e.HTTPStatusCode
	} else if e, ok := errors.AsType[*openai.APIError](err); ok {
		status = e.HTTPStatusCode
	}
	switch e, isURL := errors.AsType[*url.Error](err); {
	case status > 0:
		return fmt.Errorf("HTTP status %d", status), status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
	case isURL && e.Timeout():
		return errors.New("the service did not answer in time"), false
	case isURL:
		return errors.New("the connection failed"), true
	}
	return errors.New("the service's answer could not be read"), true
}

// extension is a file name's ending for a media type; ok is false for what holds no sound.
func extension(mediaType string) (ext string, ok bool) {
	ext, ok = map[string]string{"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/wav": ".wav", "audio/aac": ".aac",
		"audio/amr": ".amr", "video/mp4": ".mp4", "video/webm": ".webm", "video/3gpp": ".3gp"}[mediaType]
	return ext, ok
}

// played is how long an Ogg file with Opus in it plays, 0 for any other: its last page counts samples of
// 48 kHz (RFC 7845, section 4). What a network says of it may be wrong, so it is not asked.
func played(data []byte) time.Duration {
	const head = 27 // bytes of a page's header before its segment table
	if len(data) < head+9 || !bytes.Contains(data[:min(len(data), 64)], []byte("OpusHead")) {
		return 0
	}
	at := bytes.LastIndex(data, []byte("OggS"))
	if at < 0 || at+head > len(data) {
		return 0
	}
	samples := binary.LittleEndian.Uint64(data[at+6:])
	return time.Duration(min(samples/48, uint64(24*time.Hour/time.Millisecond))) * time.Millisecond
}
