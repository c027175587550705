// Package mail sends and receives e-mail. A mail is a row first, written in the transaction of what it tells, and then
// an Outbox sends it, again and again until the server takes it or says that it never will. A Reader reads a mailbox and
// hands over what came.
//
// The package knows neither chats nor tickets: whoever queues a mail says whose it is, and whoever reads says what to do
// with what comes.
package mail

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// maxAddress is how many bytes an address has (RFC 5321).
const maxAddress = 254

// IsAddress reports whether text is an e-mail address and nothing else.
func IsAddress(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= maxAddress
}

// How a connection is encrypted.
const (
	StartTLS = "starttls" // from the first command on
	TLS      = "tls"      // from the first byte on
	Plain    = "none"     // never: for a server on the same machine
)

// Settings say which servers carry the mail. The zero Settings send nothing.
type Settings struct {
	SMTP     string // "smtp.example.com:587"
	Security string // StartTLS and so on; TLS with port 465, else StartTLS, if ""
	User     string // none signs in with ""
	Password string
	From     string // "Shop help <help@example.com>"

	IMAP         string // "imap.example.com:993", "" if nothing is read
	IMAPSecurity string // TLS with port 993, else StartTLS, if ""
	IMAPUser     string // User if ""
	IMAPPassword string // Password if ""
}

// On reports whether mail is sent.
func (s Settings) On() bool { return s.SMTP != "" }

// Reads reports whether mail is received.
func (s Settings) Reads() bool { return s.IMAP != "" }

// Complete checks what was given, and fills in what was left out.
func (s *Settings) Complete() error {
	if !s.On() {
		if s.Reads() || s.From != "" || s.User != "" {
			return errors.New(`smtp is missing: name the server that sends, as "smtp.example.com:587"`)
		}
		return nil
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return fmt.Errorf(`from = %q is not an e-mail address: write it like "Shop help <help@example.com>"`, s.From)
	}
	if err := completeServer("smtp", s.SMTP, "465", &s.Security); err != nil {
		return err
	}
	if !s.Reads() {
		return nil
	}
	if s.IMAPUser == "" {
		s.IMAPUser, s.IMAPPassword = s.User, s.Password
	}
	if s.IMAPUser == "" {
		return errors.New("imap_user is missing: a mailbox is read by somebody who signs in")
	}
	return completeServer("imap", s.IMAP, "993", &s.IMAPSecurity)
}

// completeServer checks an address, and how the connection is encrypted.
func completeServer(key, address, tlsPort string, security *string) error {
	host, port, err := net.SplitHostPort(address)
	if n, err2 := strconv.Atoi(port); err != nil || err2 != nil || host == "" || n < 1 || n > 65535 {
		return fmt.Errorf(`%s = %q is no server: write it as "%s.example.com:%s"`, key, address, key, tlsPort)
	}
	switch *security {
	case "":
		*security = StartTLS
		if port == tlsPort {
			*security = TLS
		}
	case StartTLS, TLS, Plain:
	default:
		return fmt.Errorf("%s_security = %q: write %s, %s or %s", key, *security, StartTLS, TLS, Plain)
	}
	return nil
}

// address is our own.
func (s Settings) address() string {
	a, err := mail.ParseAddress(s.From)
	if err != nil {
		return ""
	}
	return a.Address
}

// domain is our own, which ends our Message-IDs.
func (s Settings) domain() string {
	_, domain, _ := strings.Cut(s.address(), "@")
	return domain
}

// AddressOf is our address with a token in it, by which an answer is told: "help+token@example.com".
func (s Settings) AddressOf(token string) string {
	name, domain, _ := strings.Cut(s.address(), "@")
	return name + "+" + token + "@" + domain
}

// MessageID is the Message-ID of the mail that has the ID, without its angle brackets.
func (s Settings) MessageID(id string) string { return id + "@" + s.domain() }

// client connects to the server that sends.
func (s Settings) client() (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.SMTP)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(n), gomail.WithTimeout(dialTimeout), gomail.WithHELO(s.domain())}
	switch s.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password), gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover))
	}
	return gomail.NewClient(host, options...)
}
