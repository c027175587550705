package telegram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"faqbot/bot/exchange"
)

// answerMost bounds an answer, in bytes: a hundred updates fit many times over.
const answerMost = 32 << 20

// networkName is what a *exchange.LostError calls Telegram.
const networkName = "telegram"

// A client does one exchange with the Bot API. Its errors are *apiError, *exchange.LostError and *oddError
// and hold neither the token, which is in every URL, nor words of anybody.
type client struct {
	http *http.Client
	skew atomic.Int64 // of Telegram's clock, in nanoseconds
}

func newClient() *client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &client{http: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        64,
			MaxIdleConnsPerHost: 64,
			// Sooner than the other side closes it: a send that meets a closing connection is in doubt.
			IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute, // callers' contexts are shorter
	}}
}

// An envelope is what the Bot API answers everything with.
type envelope struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"` // seconds
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// Do carries out req and returns an answer only if it is the Bot API's and says ok.
func (c *client) Do(req *http.Request) (*http.Response, error) {
	form, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, &exchange.LostError{Network: networkName, Unsent: true, What: "the request could not be built"}
	}
	// With the whole body at hand the transport may repeat what it could not write to a connection
	// that had been idle for too long.
	req.Body, req.ContentLength = http.NoBody, int64(len(form))
	if len(form) > 0 {
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
		req.Body, _ = req.GetBody()
	}
	answer, err := exchange.Do(c.http, req, networkName, answerMost)
	resp := answer.Response
	if resp == nil {
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil { // cut to the second
		c.skew.Store(int64(time.Until(at.Add(time.Second / 2))))
	}
	if err != nil {
		return nil, err
	}
	body, err := open(answer.Body, resp, isMessage(req.URL.Path))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// isMessage reports whether the call at path is answered with the message that it sent.
func isMessage(path string) bool {
	method := path[strings.LastIndex(path, "/")+1:]
	return strings.HasPrefix(method, "send") && method != "sendChatAction"
}

// open checks an answer. Of a message it leaves nothing but its ID, and that of its file: a new kind of content in it, which
// the library cannot decode, must not make a message that was sent look like one that failed.
func open(body []byte, resp *http.Response, message bool) ([]byte, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || !e.OK && e.Code == 0 {
		return nil, &oddError{status: resp.StatusCode}
	}
	if !e.OK {
		after := e.Parameters.RetryAfter
		if after == 0 {
			after, _ = strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 64)
		}
		return nil, &apiError{code: e.Code, description: e.Description, migrateTo: e.Parameters.MigrateTo,
			retryAfter: time.Duration(min(max(after, 1), 7*24*3600)) * time.Second}
	}
	if !message {
		return body, nil
	}
	var m struct {
		ID int64 `json:"message_id"`
	}
	if err := json.Unmarshal(e.Result, &m); err != nil || m.ID == 0 {
		return nil, &oddError{status: resp.StatusCode}
	}
	return fmt.Appendf(nil, `{"ok":true,"result":{"message_id":%d,"document":{"file_id":%q}}}`, m.ID, fileID(e.Result)), nil
}

// fileID is Telegram's name for the file in a message, "" if it has none, or none that can be one.
func fileID(message json.RawMessage) string {
	var m media
	if json.Unmarshal(message, &m) != nil {
		return ""
	}
	for _, a := range m.attachments() {
		if isName(a.File, 256) {
			return a.File
		}
	}
	return ""
}

// An apiError is the Bot API's refusal.
type apiError struct {
	code        int
	description string // may quote our text: never shown where customers' words could be in it
	retryAfter  time.Duration
	migrateTo   int64 // the chat's new ID, 0 if it has none
}

// Error says only what the Bot API is known to say.
func (e *apiError) Error() string { return "telegram refused: " + e.name() }

// name is the code with the known phrase that the description holds.
func (e *apiError) name() string {
	for _, phrase := range []string{phraseEntities, phraseTooOld, phraseFile, "failed to get http url content", "wrong type of the web page content", "file is too big", "message caption is too long", "image_process_failed", "photo_invalid_dimensions", "bot was blocked by the user", "user is deactivated",
		"can't initiate conversation", "bot was kicked", "bot is not a member", "chat not found", "message is too long",
		"message text is empty", "message thread not found", "message is not modified", "not enough rights", "chat_write_forbidden",
		"button_data_invalid", "group chat was upgraded", "webhook is active", "terminated by other getupdates",
		"bad webhook", "method not found", "unauthorized", "too many requests"} {
		if e.says(phrase) {
			return fmt.Sprintf("%d %s", e.code, phrase)
		}
	}
	return strconv.Itoa(e.code)
}

const (
	phraseEntities = "can't parse entities"
	phraseTooOld   = "query is too old"
	phraseFile     = "wrong file identifier"
)

// says reports whether the description holds phrase, which is lower case: the wording drifts in
// capitals.
func (e *apiError) says(phrase string) bool {
	return strings.Contains(strings.ToLower(e.description), phrase)
}

// An oddError is an answer that is not the Bot API's: a proxy's page, half a body.
type oddError struct{ status int }

func (e *oddError) Error() string {
	return fmt.Sprintf("something that is not the Bot API answered with status %d", e.status)
}
