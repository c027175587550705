// Package exchange carries out one HTTP exchange with a network, and says what is known of one that failed: whether
// the request surely did not go out. Its errors hold no URL, which may have a token in it.
package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// A LostError is an exchange with a network that brought no answer. It holds no URL, which may have a
// token in it, and no bytes from the wire.
type LostError struct {
	Network string // as it stands in a sentence: "telegram", "the Graph API"
	Unsent  bool   // the request surely did not go out
	What    string // what happened
	Cause   error  // the context's error, if that ended it
}

func (e *LostError) Error() string { return e.Network + " cannot be reached: " + e.What }

func (e *LostError) Unwrap() error { return e.Cause }

// Lost is err, of net/http, as a LostError.
func Lost(network string, err error, unsent bool) *LostError {
	e := &LostError{Network: network, Unsent: unsent, What: "the connection failed"}
	timeout, isNet := errors.AsType[net.Error](err)
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		e.What = errno.Error()
	} else if _, ok := errors.AsType[*net.DNSError](err); ok {
		e.What = "the host name does not resolve"
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.What = "the certificate is not valid"
	} else if errors.Is(err, context.Canceled) {
		e.What, e.Cause = "cancelled", context.Canceled
	} else if errors.Is(err, context.DeadlineExceeded) {
		e.What, e.Cause = "timed out", context.DeadlineExceeded
	} else if isNet && timeout.Timeout() {
		e.What = "timed out"
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		e.What = "the connection was closed"
	}
	if unsent {
		e.What += " (nothing was sent)"
	}
	return e
}

// An Answer is what a network said.
type Answer struct {
	Response *http.Response // nil if none came; its body is read and closed
	Body     []byte
}

// Do carries out req and returns the answer, of which at most most bytes are read. An error is a
// *LostError; the answer's header is there all the same if it came.
func Do(client *http.Client, req *http.Request, network string, most int64) (Answer, error) {
	// The transport asks for another connection only if it wrote nothing to the one before. So
	// whatever fails without a connection surely did not go out.
	var connected atomic.Bool
	resp, err := client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})))
	if err != nil {
		return Answer{}, Lost(network, err, !connected.Load())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return Answer{Response: resp}, Lost(network, err, false)
	}
	return Answer{resp, body}, nil
}
