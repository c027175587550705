// Package graphapi is what Meta's channels share: the signature of what Meta posts to us, calls of
// the Graph API, what its errors mean for a send, its usage limits, and the fetching and uploading of files. It
// knows no channel's messages, stores nothing and serves no HTTP.
//
// Facts and error codes are those of Meta's documentation for Messenger Platform and WhatsApp Business
// Platform as of 2026; where that documentation is silent, the comment names the source.
package graphapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"faqbot/bot/exchange"
	"faqbot/knowledge/media"
)

const (
	defaultBase    = "https://graph.facebook.com"
	defaultVersion = "v25.0"
	networkName    = "the Graph API" // what a *exchange.LostError calls it
	answerMost     = 8 << 20         // bytes of an answer: a page of templates fits many times over
	agent          = "faqbot"
)

// Options are what a Client needs.
type Options struct {
	Token   string // goes into the Authorization header and nowhere else
	Base    string // https://graph.facebook.com if ""
	Version string // of the Graph API, "v25.0"; that one if ""
}

// A Client calls the Graph API with one token. It is safe for concurrent use. The errors of its
// methods are *Error, *exchange.LostError and *OddError, and hold neither the token nor words of anybody.
type Client struct {
	token   string
	base    string
	version string
	http    *http.Client
	media   *media.Downloader
	usage   *usage
	skew    *atomic.Int64 // of Meta's clock, in nanoseconds
}

// NewClient returns a Client. It calls nobody.
func NewClient(o Options) (*Client, error) {
	c := &Client{token: o.Token, base: strings.TrimRight(o.Base, "/"), version: o.Version, usage: &usage{}, skew: &atomic.Int64{}}
	if c.base == "" {
		c.base = defaultBase
	}
	if c.version == "" {
		c.version = defaultVersion
	}
	if c.token == "" || strings.ContainsFunc(c.token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("the token is missing or holds characters that no token has")
	}
	if !regexp.MustCompile(`^v[1-9][0-9]{0,2}\.[0-9]$`).MatchString(c.version) {
		return nil, errors.New("api_version is not like v25.0")
	}
	u, err := url.Parse(c.base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("api_base is not an http or https URL")
	}
	c.http = &http.Client{
		Transport:     transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute, // callers' contexts are shorter
	}
	c.media = c.newDownloader()
	return c, nil
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		// Sooner than the other side closes it: a send that meets a closing connection is in doubt.
		IdleConnTimeout: 30 * time.Second,
	}
}

// Probe asks for the ID of an object of ours. Its error is a *bot.SendError.
func (c *Client) Probe(ctx context.Context, object string) error {
	if err := c.Call(ctx, http.MethodGet, object, url.Values{"fields": {"id"}}, nil, nil); err != nil {
		return SendError(err)
	}
	return nil
}

// Call carries out method on path, "123/messages", with in as the JSON body unless it is nil, and
// decodes the answer into out unless that is nil.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	if in == nil {
		return c.exchange(ctx, method, path, query, "", nil, out)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return unbuilt()
	}
	return c.exchange(ctx, method, path, query, "application/json", body, out)
}

// unbuilt is the error of a request that could not be made.
func unbuilt() error {
	return &exchange.LostError{Network: networkName, Unsent: true, What: "the request could not be built"}
}

// exchange carries out method on path with body, which is of the kind contentType unless there is none.
func (c *Client) exchange(ctx context.Context, method, path string, query url.Values, contentType string, body []byte, out any) error {
	if err := c.usage.wait(ctx); err != nil {
		return err
	}
	target := c.base + "/" + c.version + "/" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return unbuilt()
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", agent)
	answer, err := exchange.Do(c.http, req, networkName, answerMost)
	if err != nil {
		return err
	}
	c.usage.note(answer.Response.Header)
	c.noteClock(answer.Response.Header)
	return c.open(answer.Response, answer.Body, out)
}

// open reads an answer. A 200 can carry an error, and a proxy's page can carry any status.
func (c *Client) open(resp *http.Response, body []byte, out any) error {
	var e struct {
		Error *Error `json:"error"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return &OddError{Status: resp.StatusCode}
	}
	if e.Error != nil {
		e.Error.Status = resp.StatusCode
		e.Error.After = c.usage.regain()
		if seconds, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 64); err == nil && seconds > 0 {
			e.Error.After = time.Duration(min(seconds, 24*3600)) * time.Second
		}
		return e.Error
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &OddError{Status: resp.StatusCode}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &OddError{Status: resp.StatusCode}
	}
	return nil
}

// An OddError is an answer that is not the Graph API's: a proxy's page, half a body.
type OddError struct{ Status int }

func (e *OddError) Error() string {
	return fmt.Sprintf("something that is not the Graph API answered with status %d", e.Status)
}
