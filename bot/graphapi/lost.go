package graphapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// A LostError is an exchange without an answer.
type LostError struct {
	Unsent bool // the request surely did not go out
	what   string
	cause  error // the context's error, if that ended it
}

func (e *LostError) Error() string { return "the Graph API cannot be reached: " + e.what }

func (e *LostError) Unwrap() error { return e.cause }

// lost is err, of net/http, in words that hold no URL and no bytes from the wire.
func lost(err error, unsent bool) *LostError {
	e := &LostError{Unsent: unsent, what: "the connection failed"}
	timeout, isNet := errors.AsType[net.Error](err)
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		e.what = errno.Error()
	} else if _, ok := errors.AsType[*net.DNSError](err); ok {
		e.what = "the host name does not resolve"
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.what = "the certificate is not valid"
	} else if errors.Is(err, context.Canceled) {
		e.what, e.cause = "cancelled", context.Canceled
	} else if errors.Is(err, context.DeadlineExceeded) {
		e.what, e.cause = "timed out", context.DeadlineExceeded
	} else if isNet && timeout.Timeout() {
		e.what = "timed out"
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		e.what = "the connection was closed"
	}
	if unsent {
		e.what += " (nothing was sent)"
	}
	return e
}
