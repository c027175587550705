package mail

import (
	"errors"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mail in other letters than UTF-8
	gomessage "github.com/emersion/go-message/mail"

	"faqbot/knowledge/plaintext"
)

const (
	// MaxSize is how many bytes of a mail are read.
	MaxSize = 10 << 20
	// maxText is how many bytes of a mail's words are read, and maxParts how many of its parts are looked at.
	maxText  = 200_000
	maxParts = 100
)

// ErrAutomatic means that no person wrote the mail: an answer of a machine, a list's, or a report of what was not
// delivered. To answer it may go on for ever.
var ErrAutomatic = errors.New("no person wrote the mail")

// A Received is a mail that came.
type Received struct {
	ID      string   // its Message-ID, without the angle brackets
	From    string   // an address
	To      []string // addresses, those of Cc and of the delivery too
	Answers []string // Message-IDs, the nearest first
	Text    string   // what was written, without what it quotes
	Files   int      // how many files it has
	At      time.Time
}

// Tokens are the words after the plus sign in the addresses that the mail came to: see Settings.AddressOf.
func (r Received) Tokens() (list []string) {
	for _, to := range r.To {
		name, _, _ := strings.Cut(to, "@")
		if _, token, ok := strings.Cut(name, "+"); ok && token != "" {
			list = append(list, token)
		}
	}
	return list
}

// Parse reads a mail. mark is the line above which people are asked to write, "" for none.
func Parse(source io.Reader, mark string) (Received, error) {
	reader, err := gomessage.CreateReader(io.LimitReader(source, MaxSize))
	if err != nil && (reader == nil || !message.IsUnknownCharset(err)) {
		return Received{}, err
	}
	h := reader.Header
	if isAutomatic(h) {
		return Received{}, ErrAutomatic
	}
	var r Received
	if list, err := h.AddressList("From"); err == nil && len(list) > 0 {
		r.From = strings.ToLower(list[0].Address)
	}
	for _, key := range []string{"To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"} {
		for fields := h.FieldsByKey(key); fields.Next(); {
			list, err := mail.ParseAddressList(fields.Value())
			if err != nil {
				continue
			}
			for _, a := range list {
				r.To = append(r.To, strings.ToLower(a.Address))
			}
		}
	}
	r.ID, _ = h.MessageID() // a mail without one is told by its place in the mailbox
	answered, _ := h.MsgIDList("In-Reply-To")
	earlier, _ := h.MsgIDList("References")
	slices.Reverse(earlier)
	r.Answers = append(answered, earlier...)
	r.At, _ = h.Date()
	plain, html, err := r.readParts(reader)
	if err != nil {
		return Received{}, err
	}
	if strings.TrimSpace(plain) == "" {
		plain, _, _ = plaintext.HTML(html)
	}
	r.Text = written(plain, mark)
	return r, nil
}

// readParts reads the words, as plain text and as HTML, and counts the files.
func (r *Received) readParts(reader *gomessage.Reader) (plain, html string, err error) {
	for n := 0; n < maxParts; n++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return plain, html, nil
		}
		if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			return plain, html, err
		}
		if part == nil {
			return plain, html, nil
		}
		h, inline := part.Header.(*gomessage.InlineHeader)
		if !inline {
			r.Files++
			continue
		}
		kind, _, _ := h.ContentType()
		if kind != "text/plain" && kind != "text/html" && kind != "" {
			r.Files++ // a picture amid the words
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part.Body, maxText))
		if err != nil {
			return plain, html, err
		}
		words := strings.ToValidUTF8(string(text), "\uFFFD")
		if kind == "text/html" {
			html += words
		} else {
			plain += words
		}
	}
	return plain, html, nil
}

// isAutomatic reports whether a machine sent it: RFC 3834, and the headers of older programs.
func isAutomatic(h gomessage.Header) bool {
	if auto := strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted"))); auto != "" && !strings.HasPrefix(auto, "no") {
		return true
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "bulk", "junk", "list", "auto_reply":
		return true
	}
	kind, _, _ := h.ContentType()
	return h.Get("X-Autoreply") != "" || h.Get("X-Autorespond") != "" || h.Get("List-Id") != "" ||
		strings.TrimSpace(h.Get("Return-Path")) == "<>" || kind == "multipart/report"
}
