package speech

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/waittest"
)

// opus is the first page of an Ogg file with Opus in it and a last page that ends after d.
func opus(d time.Duration) []byte {
	first := append([]byte("OggS"), make([]byte, 24)...)
	first = append(first, "OpusHead"...)
	last := append([]byte("OggS\x00\x04"), binary.LittleEndian.AppendUint64(nil, uint64(d.Milliseconds())*48)...)
	return append(append(first, last...), make([]byte, 40)...)
}

func newClient(t *testing.T, serve http.HandlerFunc) *Client {
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	c, err := New(Options{BaseURL: s.URL + "/v1/", Key: "secret-key", Model: "whisper-1", Client: &http.Client{Timeout: waittest.Hang}})
	require.NoError(t, err)
	return c
}

func TestTranscribe(t *testing.T) {
	var calls atomic.Int32
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		f, h, err := r.FormFile("file")
		if err != nil || r.URL.Path != "/v1/audio/transcriptions" || r.FormValue("model") != "whisper-1" || r.Header.Get("Authorization") != "Bearer secret-key" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		data, _ := io.ReadAll(f)
		_ = json.NewEncoder(w).Encode(map[string]string{"text": " " + h.Filename + " " + string(data[:4]) + "\n"})
	})
	words, err := c.Transcribe(t.Context(), media.Blob{Type: "audio/ogg", Name: "my secret.ogg"}, opus(3*time.Second))
	require.NoError(t, err)
	require.Equal(t, "voice.ogg OggS", words)
	_, err = c.Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, opus(MaxTime))
	require.NoError(t, err, "the longest")
	calls.Store(0)
	_, err = c.Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, opus(MaxTime+time.Millisecond))
	require.ErrorIs(t, err, bot.ErrTooLong)
	_, err = c.Transcribe(t.Context(), media.Blob{Type: "audio/mpeg"}, make([]byte, MaxBytes+1))
	require.ErrorIs(t, err, bot.ErrTooLong)
	_, err = c.Transcribe(t.Context(), media.Blob{Type: "application/pdf"}, []byte("%PDF-"))
	require.Error(t, err)
	require.Zero(t, calls.Load())
}

func TestTranscribeFails(t *testing.T) {
	note := opus(time.Second)
	var calls atomic.Int32
	answer := func(status int, body string, times int32) *Client {
		calls.Store(0)
		return newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			if calls.Add(1) > times {
				_, _ = io.WriteString(w, `{"text":"hello"}`)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	words, err := answer(503, "down", 1).Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, note)
	require.NoError(t, err, "it is asked once more")
	require.Equal(t, "hello", words)
	for status, want := range map[int]int32{503: 2, 429: 2, 401: 1, 400: 1} {
		_, err := answer(status, `{"error":{"message":"canary: the customer said this","type":"x"}}`, 9).Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, note)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "canary")
		require.NotContains(t, err.Error(), "secret-key")
		require.Equal(t, want, calls.Load(), status)
	}
	_, err = answer(200, `{"text":"  "}`, 9).Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, note)
	require.ErrorIs(t, err, bot.ErrNothingSaid)
	_, err = answer(200, `<html>canary`, 9).Transcribe(t.Context(), media.Blob{Type: "audio/ogg"}, note)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = newClient(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
		<-r.Context().Done()
	}).Transcribe(ctx, media.Blob{Type: "audio/ogg"}, note)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestNew(t *testing.T) {
	_, err := New(Options{})
	require.ErrorContains(t, err, "model")
	_, err = New(Options{Model: "m", BaseURL: "ftp://user:password@host"})
	require.ErrorContains(t, err, "base URL")
	require.NotContains(t, err.Error(), "password")
}

func FuzzPlayed(f *testing.F) {
	f.Add(opus(time.Second))
	f.Add([]byte("OggS" + strings.Repeat("x", 30) + "OpusHeadOggS"))
	f.Fuzz(func(t *testing.T, data []byte) { require.GreaterOrEqual(t, played(data), time.Duration(0)) })
}
