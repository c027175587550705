// Package mailtest starts mail servers for a test: an SMTP server that takes mail for everybody, and a Dovecot that has a
// mailbox for each name, read by IMAP. It is for tests only.
package mailtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/mail"
)

// Password opens every mailbox.
const Password = "imappass"

// Servers are a test's.
type Servers struct {
	SMTP, IMAP string // addresses

	mu     sync.Mutex
	refuse *smtp.SMTPError // what the SMTP server says to each mail, nil if it takes it
	lmtp   string
}

// Start starts the servers, which end with the test. Without Dovecot the test is skipped, and failed where CI is set.
func Start(t testing.TB) *Servers {
	t.Helper()
	path, err := exec.LookPath("dovecot")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("dovecot is not installed: in CI mail is tested in a real mailbox")
		}
		t.Skip("dovecot is not installed; `make test` installs it")
	}
	s := &Servers{IMAP: free(t), lmtp: free(t)}
	base, err := os.MkdirTemp("", "dovecot")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	require.NoError(t, os.Chmod(base, 0o755)) // Dovecot's services are not run by us
	user := "dovecot"
	if os.Getuid() != 0 {
		out, err := exec.Command("id", "-un").Output()
		require.NoError(t, err)
		user = strings.TrimSpace(string(out))
	}
	require.NoError(t, os.Mkdir(filepath.Join(base, "mail"), 0o777))
	require.NoError(t, os.Chmod(filepath.Join(base, "mail"), 0o777))
	conf := filepath.Join(base, "dovecot.conf")
	require.NoError(t, os.WriteFile(conf, []byte(s.conf(base, user)), 0o644))
	var log bytes.Buffer
	cmd := exec.Command(path, "-F", "-c", conf)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	s.listen(t)
	for _, address := range []string{s.IMAP, s.lmtp} {
		for {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-ended:
				t.Fatal("dovecot ended")
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return s
}

// conf is Dovecot's configuration.
func (s *Servers) conf(base, user string) string {
	_, imapPort, _ := net.SplitHostPort(s.IMAP)
	_, lmtpPort, _ := net.SplitHostPort(s.lmtp)
	group := user
	return fmt.Sprintf(`base_dir = %[1]s/run
log_path = /dev/stderr
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
mail_location = maildir:%[1]s/mail/%%n
mail_uid = %[2]s
mail_gid = %[3]s
first_valid_uid = 1
recipient_delimiter = +
passdb {
  driver = static
  args = password=%[4]s
}
userdb {
  driver = static
  args = uid=%[2]s gid=%[3]s home=%[1]s/mail/%%n allow_all_users=yes
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = %[5]s
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[6]s
  }
}
protocol lmtp {
  postmaster_address = postmaster@example.test
}
`, base, user, group, Password, imapPort, lmtpPort)
}

func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// listen takes mail, and hands it to Dovecot.
func (s *Servers) listen(t testing.TB) {
	server := smtp.NewServer(s)
	server.Domain = "example.test"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.SMTP = l.Addr().String()
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}

// Refuse makes the SMTP server say code to each mail from now on, and take it again if code is 0.
func (s *Servers) Refuse(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = nil
	if code != 0 {
		s.refuse = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "not for " + strconv.Itoa(code)}
	}
}

// NewSession is smtp.Backend's.
func (s *Servers) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{servers: s}, nil }

type session struct {
	servers *Servers
	from    string
	to      []string
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from, s.to = from, nil; return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.servers.mu.Lock()
	defer s.servers.mu.Unlock()
	if s.servers.refuse != nil {
		return s.servers.refuse
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	conn, err := net.Dial("tcp", s.servers.lmtp)
	if err != nil {
		return err
	}
	client := smtp.NewClientLMTP(conn)
	defer func() { _ = client.Close() }()
	if err := client.Mail(s.from, nil); err != nil {
		return err
	}
	for _, to := range s.to {
		if err := client.Rcpt(to, nil); err != nil {
			return err
		}
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return w.Close()
}

// Settings are those of a service that sends and reads as name.
func (s *Servers) Settings(name string) mail.Settings {
	return mail.Settings{SMTP: s.SMTP, Security: mail.Plain, From: "Shop help <" + name + "@example.test>",
		IMAP: s.IMAP, IMAPSecurity: mail.Plain, IMAPUser: name, IMAPPassword: Password}
}

// Mails are the mails in the mailbox of name as they came, the oldest first.
func (s *Servers) Mails(t testing.TB, name string) (list []string) {
	t.Helper()
	client, err := imapclient.DialInsecure(s.IMAP, nil)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.NoError(t, client.Login(name, Password).Wait())
	box, err := client.Select("INBOX", nil).Wait()
	require.NoError(t, err)
	if box.NumMessages == 0 {
		return nil
	}
	body := &imap.FetchItemBodySection{Peek: true}
	found, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: box.NumMessages}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{body}}).Collect()
	require.NoError(t, err)
	for _, m := range found {
		list = append(list, string(m.FindBodySection(body)))
	}
	return list
}

// Write sends a mail as somebody else would.
func (s *Servers) Write(t testing.TB, from, to, source string) {
	t.Helper()
	client, err := smtp.Dial(s.SMTP)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.NoError(t, client.SendMail(from, []string{to}, strings.NewReader(strings.ReplaceAll(source, "\n", "\r\n"))))
}
