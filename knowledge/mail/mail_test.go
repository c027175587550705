package mail_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/mail"
	"faqbot/knowledge/mail/mailtest"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A mail is in the recipient's mailbox once, however often it is queued; a server that is busy is asked again, one that
// refuses is not, and no words stay in the database.
func TestOutbox(t *testing.T) {
	servers := mailtest.Start(t)
	sqldbtest.Run(t, []sqldb.Schema{mail.Schema()}, func(t *testing.T, db *sqldb.DB) {
		name := "ana" + strings.ToLower(t.Name()[len(t.Name())-6:])
		log, hook := logtest.NewNullLogger()
		now := time.Now()
		var mu sync.Mutex
		clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
		later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
		box := mail.NewOutbox(db, servers.Settings("help"), log, clock)
		queue := func(m mail.Mail) {
			require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error { _, err := box.Queue(t.Context(), tx, m); return err }))
			box.Poke()
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { require.ErrorIs(t, box.Run(ctx), context.Canceled) })
		defer func() { cancel(); all.Wait() }()
		state := func(kind string) (s string) {
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT state || ' ' || problem || '|' || subject || body FROM mails WHERE kind = $1`, kind).Scan(&s))
			return s
		}

		m := mail.Mail{Once: "a", Kind: "first", To: name + "@example.test", Sender: "Müller & Söhne", ReplyTo: box.Settings().AddressOf("tok"),
			Subject: "Ihre Frage — «größer»", Text: "Grüße,\n.\nund zurück: https://shop.example/x\n"}
		queue(m)
		queue(m)
		require.Eventually(t, func() bool { return state("first") == "sent |" }, waittest.Hang, 10*time.Millisecond)
		got := servers.Mails(t, name)
		require.Len(t, got, 1)
		read, err := mail.Parse(strings.NewReader(strings.Replace(got[0], "Auto-Submitted: auto-generated", "Auto-Submitted: no", 1)), "")
		require.NoError(t, err)
		require.Equal(t, "help@example.test", read.From)
		require.Equal(t, strings.TrimSpace(m.Text), read.Text)
		require.Contains(t, got[0], "help+tok@example.test")
		require.Contains(t, got[0], "Auto-Submitted: auto-generated")

		servers.Refuse(451)
		queue(mail.Mail{Kind: "busy", To: name + "@example.test", Subject: "s", Text: "t"})
		require.Eventually(t, func() bool { return state("busy") == "waiting the server said 451|st" }, waittest.Hang, 10*time.Millisecond)
		servers.Refuse(0)
		later(time.Hour)
		box.Poke()
		require.Eventually(t, func() bool { return state("busy") == "sent |" }, waittest.Hang, 10*time.Millisecond)
		require.Len(t, servers.Mails(t, name), 2)

		servers.Refuse(550)
		queue(mail.Mail{Kind: "refused", To: name + "@example.test", Subject: "s", Text: "t"})
		require.Eventually(t, func() bool { return state("refused") == "failed the server said 550|" }, waittest.Hang, 10*time.Millisecond)
		servers.Refuse(0)
		for _, e := range hook.AllEntries() {
			line, err := e.String()
			require.NoError(t, err)
			require.NotContains(t, line, name, "an address is in no log")
		}
		later(mail.KeptFor + time.Hour)
		n, err := mail.Sweep(t.Context(), db, clock())
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

// What comes is read once, also after a restart; what is not ours stays unread for people; what failed for the database's
// sake is read again.
func TestReader(t *testing.T) {
	servers := mailtest.Start(t)
	db := sqldbtest.Migrated(t, mail.Schema())
	settings := servers.Settings("help")
	log, _ := logtest.NewNullLogger()
	var got []mail.Received
	fail := true
	run := func(last int) {
		ctx, cancel := context.WithCancel(t.Context())
		r := mail.NewReader(db, settings, mail.ReaderOptions{Log: log, Every: 10 * time.Millisecond, Take: func(_ context.Context, m mail.Received) (bool, error) {
			if fail {
				fail = false
				return false, sql.ErrConnDone
			}
			got = append(got, m)
			return len(m.Tokens()) > 0, nil
		}})
		var all sync.WaitGroup
		all.Go(func() { require.ErrorIs(t, r.Run(ctx), context.Canceled) })
		require.Eventually(t, func() bool {
			n := 0
			err := db.QueryRowContext(t.Context(), `SELECT last FROM mailboxes`).Scan(&n)
			return err == nil && n == last
		}, waittest.Hang, 10*time.Millisecond)
		cancel()
		all.Wait()
	}
	servers.Write(t, "ana@example.test", "help+tok@example.test", "From: Ana <ana@example.test>\nTo: help+tok@example.test\nMessage-ID: <1@x>\nIn-Reply-To: <abc@example.test>\nSubject: Re\n\nThank you!\n\nOn 2 Nov 2026 at 10:12, Shop help wrote:\n> Hello\n> there\n")
	servers.Write(t, "", "help@example.test", "From: Robot <robot@example.test>\nTo: help@example.test\nAuto-Submitted: auto-replied\n\nI am away.\n")
	servers.Write(t, "bo@example.test", "help@example.test", "From: bo@example.test\nTo: help@example.test\n\nHello\n")
	run(3)
	require.Len(t, got, 2)
	require.Equal(t, "Thank you!", got[0].Text)
	require.Equal(t, []string{"tok"}, got[0].Tokens()[:1])
	require.Equal(t, []string{"abc@example.test"}, got[0].Answers)
	require.Equal(t, "1@x", got[0].ID)
	require.Equal(t, "Hello", got[1].Text)

	servers.Write(t, "ana@example.test", "help+tok@example.test", "From: ana@example.test\nTo: help+tok@example.test\nMessage-ID: <2@x>\n\nAgain\n")
	run(4)
	require.Len(t, got, 3)
	require.Equal(t, "Again", got[2].Text)
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		s    mail.Settings
		want string
	}{
		{mail.Settings{}, ""},
		{mail.Settings{SMTP: "smtp.example.com:587", From: "a@example.com"}, ""},
		{mail.Settings{SMTP: "smtp.example.com", From: "a@example.com"}, "is no server"},
		{mail.Settings{SMTP: "smtp.example.com:587", From: "shop"}, "is not an e-mail address"},
		{mail.Settings{From: "a@example.com"}, "smtp is missing"},
		{mail.Settings{SMTP: "smtp.example.com:587", From: "a@example.com", Security: "ssl"}, `smtp_security = "ssl"`},
		{mail.Settings{SMTP: "smtp.example.com:587", From: "a@example.com", IMAP: "imap.example.com:993"}, "imap_user is missing"},
	} {
		err := c.s.Complete()
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.want)
	}
	s := mail.Settings{SMTP: "smtp.example.com:465", From: "a@example.com", IMAP: "imap.example.com:143", User: "u", Password: "p"}
	require.NoError(t, s.Complete())
	require.Equal(t, []string{mail.TLS, mail.StartTLS, "u", "p"}, []string{s.Security, s.IMAPSecurity, s.IMAPUser, s.IMAPPassword})
}

// What people wrote is told from what their programs quote.
func TestWritten(t *testing.T) {
	const mark = "##- above -##"
	for name, c := range map[string]struct{ source, want string }{
		"mark":       {"Yes please.\n\n" + mark + "\nHello Ana", "Yes please."},
		"quoted":     {"Yes please.\n\nOn Mon, 2 Nov 2026, Shop <help@x.test>\nwrote:\n> " + mark + "\n> Hello", "Yes please."},
		"spanish":    {"Sí.\n\nEl lun, 2 nov 2026 a las 10:12, Ana (<help@x.test>) escribió:\n\n> Hola", "Sí."},
		"between":    {"> Which size?\n42\n> Which colour?\nred\n", "> Which size?\n42\n> Which colour?\nred"},
		"outlook":    {"It works now.\n\nFrom: Shop help <help@x.test>\nSent: Monday\nTo: Ana\nSubject: Re\n\nHello", "It works now."},
		"signature":  {"Done.\n-- \nAna Lima\n+351 1", "Done."},
		"no quote":   {"The time is 10:12 and:\n", "The time is 10:12 and:"},
		"german old": {"Ja\n\n-----Ursprüngliche Nachricht-----\nVon: x", "Ja"},
	} {
		got, err := mail.Parse(strings.NewReader("From: ana@x.test\nContent-Type: text/plain; charset=utf-8\n\n"+c.source), mark)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.Text, name)
	}
	got, err := mail.Parse(strings.NewReader("From: =?iso-8859-1?q?Andr=E9?= <A@x.test>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Ol=E1,<br>tudo bem?</p>\n--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\nxx\n--b--\n"), mark)
	require.NoError(t, err)
	require.Equal(t, "Olá,\ntudo bem?", got.Text)
	require.Equal(t, "a@x.test", got.From)
	require.Equal(t, 1, got.Files)
	for _, head := range []string{"Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <l.x.test>", "X-Autoreply: yes", "Return-Path: <>", "Content-Type: multipart/report; boundary=x"} {
		_, err := mail.Parse(strings.NewReader("From: a@x.test\n"+head+"\n\nhello"), mark)
		require.True(t, errors.Is(err, mail.ErrAutomatic), head)
	}
}
