package mail

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"github.com/sirupsen/logrus"
	gomail "github.com/wneessen/go-mail"

	"faqbot/knowledge/backoff"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("mail", migrations) }

const (
	dialTimeout = 20 * time.Second
	sendTimeout = time.Minute
	// leaseTime is how long nobody else takes a mail that is being sent.
	leaseTime = 2 * time.Minute
	lookEvery = 5 * time.Second
	// maxAttempts over the waits below make about three days, which is as long as servers keep what they cannot deliver.
	maxAttempts = 80
	// KeptFor is how long the row of a mail is kept.
	KeptFor = 30 * 24 * time.Hour
)

func waits() backoff.Waits { return backoff.Doubling(30*time.Second, time.Hour) }

// A Mail is one that is to be sent. To, Subject and Text are required.
type Mail struct {
	Once         string // a second mail with it is not queued; "" for no such bound
	Kind         string
	Conversation string // the customer's whom it is for or about: it goes with them when they are erased
	To           string
	Sender       string // the name that stands before our address; the configured one if ""
	ReplyTo      string
	Answers      string // a Message-ID
	Subject      string
	Text         string
}

// An Outbox keeps mails and sends them. It is safe for concurrent use, also from several processes.
type Outbox struct {
	db       *sqldb.DB
	settings Settings
	log      logrus.FieldLogger
	now      func() time.Time
	wake     chan struct{}
}

// NewOutbox returns the outbox over db, to which Schema was applied. now is time.Now if nil.
func NewOutbox(db *sqldb.DB, s Settings, log logrus.FieldLogger, now func() time.Time) *Outbox {
	if now == nil {
		now = time.Now
	}
	return &Outbox{db: db, settings: s, log: log, now: now, wake: make(chan struct{}, 1)}
}

// Settings are those of the servers.
func (o *Outbox) Settings() Settings { return o.settings }

// Poke makes the outbox look for mails now.
func (o *Outbox) Poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Queue writes m in tx, and returns its ID; "" if one with the same Once was queued before.
func (o *Outbox) Queue(ctx context.Context, tx *sql.Tx, m Mail) (string, error) {
	id := sqldb.NewID(o.now())
	if m.Once == "" {
		m.Once = id
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO mails (id, once, kind, conversation_id, recipient, sender, reply_to, answers, subject, body, state, next_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11, $11) ON CONFLICT (once) DO NOTHING`,
		id, m.Once, m.Kind, m.Conversation, m.To, m.Sender, m.ReplyTo, m.Answers, m.Subject, m.Text, o.now().UnixMilli())
	if err != nil {
		return "", fmt.Errorf("queue a mail: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return "", err
	}
	return id, nil
}

// QueueAlone is Queue in a transaction of its own.
func (o *Outbox) QueueAlone(ctx context.Context, m Mail) error {
	err := o.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := o.Queue(ctx, tx, m)
		return err
	})
	o.Poke()
	return err
}

// Count is Recent in a transaction.
func (o *Outbox) Count(ctx context.Context, r sqldb.Reader, kind, recipient string, since time.Time) (n int, err error) {
	err = r.QueryRowContext(ctx, `SELECT COUNT(*) FROM mails WHERE recipient = $1 AND kind = $2 AND created_at >= $3`, recipient, kind, since.UnixMilli()).Scan(&n)
	return n, err
}

// Recent is how many mails of a kind were queued for a recipient since then.
func (o *Outbox) Recent(ctx context.Context, kind, recipient string, since time.Time) (int, error) {
	return o.Count(ctx, o.db, kind, recipient, since)
}

// Run sends what waits, until ctx ends.
func (o *Outbox) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		sent, err := o.sendNext(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if sent {
			continue
		}
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-time.After(lookEvery):
		}
	}
	return ctx.Err()
}

// A queued is a mail as its row has it.
type queued struct {
	Mail
	id       string
	attempts int
}

// sendNext sends the mail that is due next; sent is false if none is.
func (o *Outbox) sendNext(ctx context.Context) (sent bool, err error) {
	m, ok, err := o.claim(ctx)
	if err != nil || !ok {
		return false, err
	}
	// What was begun is ended: a mail that is cut off might come twice.
	ctx = context.WithoutCancel(ctx)
	err = guard.Run(func() error { return o.send(ctx, m) })
	guard.Log(o.log, "sending a mail", err)
	return true, o.settle(ctx, m, err)
}

// claim takes a mail, and nobody else does until its lease has ended.
func (o *Outbox) claim(ctx context.Context) (m queued, ok bool, err error) {
	now := o.now()
	err = o.db.InTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id, kind, recipient, sender, reply_to, answers, subject, body, attempts FROM mails
			WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at LIMIT 1 `+o.db.SkipLocked, now.UnixMilli()).
			Scan(&m.id, &m.Kind, &m.To, &m.Sender, &m.ReplyTo, &m.Answers, &m.Subject, &m.Text, &m.attempts)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		m.attempts++
		_, err = tx.ExecContext(ctx, `UPDATE mails SET attempts = $1, next_at = $2 WHERE id = $3`, m.attempts, now.Add(leaseTime).UnixMilli(), m.id)
		return err
	})
	if err != nil {
		return m, false, fmt.Errorf("look for mails: %w", err)
	}
	return m, ok, nil
}

// send hands m to the server. Its Message-ID is the same each time, so that a server that knows it drops a second one.
func (o *Outbox) send(ctx context.Context, m queued) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	client, err := o.settings.client()
	if err != nil {
		return err
	}
	msg := gomail.NewMsg()
	from, err := mail.ParseAddress(o.settings.From)
	if err != nil {
		return err
	}
	if m.Sender != "" {
		from.Name = m.Sender
	}
	msg.FromMailAddress(from)
	if err := msg.To(m.To); err != nil {
		return fmt.Errorf("%w: %w", errRecipient, err)
	}
	if m.ReplyTo != "" {
		if err := msg.ReplyTo(m.ReplyTo); err != nil {
			return err
		}
	}
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.SetMessageIDWithValue(o.settings.MessageID(m.id))
	msg.SetDateWithValue(o.now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no answer of a machine, please
	if m.Answers != "" {
		msg.SetGenHeaderPreformatted("In-Reply-To", "<"+m.Answers+">")
		msg.SetGenHeaderPreformatted("References", "<"+m.Answers+">")
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// errRecipient means that the address is none.
var errRecipient = errors.New("no address")

// settle stores how the attempt ended, however long the database is away: what was sent must not be sent again.
func (o *Outbox) settle(ctx context.Context, m queued, sent error) error {
	state, problem, next := "sent", "", o.now()
	switch {
	case sent == nil:
	case m.attempts >= maxAttempts, isRefused(sent):
		state, problem = "failed", word(sent)
	default:
		state, problem, next = "waiting", word(sent), next.Add(waits().After(m.attempts))
	}
	log := o.log.WithFields(logrus.Fields{"mail": m.id, "kind": m.Kind, "attempt": m.attempts, "state": state})
	if sent == nil {
		log.Info("mail")
	} else {
		log.WithField("problem", problem).Warn("a mail could not be sent")
	}
	for n := 1; ; n++ {
		_, err := o.db.Change(ctx, `UPDATE mails SET state = $1, problem = $2, next_at = $3, sent_at = CASE WHEN $1 = 'sent' THEN $4 ELSE sent_at END,
			subject = CASE WHEN $1 = 'waiting' THEN subject ELSE '' END, body = CASE WHEN $1 = 'waiting' THEN body ELSE '' END WHERE id = $5`,
			state, problem, next.UnixMilli(), o.now().UnixMilli(), m.id)
		if err == nil || !sqldb.Unavailable(err) || time.Duration(n)*time.Second > leaseTime {
			return err
		}
		time.Sleep(time.Second)
	}
}

// isRefused reports whether the server says that it will never take the mail.
func isRefused(err error) bool {
	if errors.Is(err, errRecipient) {
		return true
	}
	refused, ok := errors.AsType[*gomail.SendError](err)
	return ok && !refused.IsTemp() && refused.ErrorCode() >= 500
}

// word says why a mail was not sent. The server's own words may hold the address.
func word(err error) string {
	if refused, ok := errors.AsType[*gomail.SendError](err); ok && refused.ErrorCode() > 0 {
		return fmt.Sprintf("the server said %d", refused.ErrorCode())
	}
	if errors.Is(err, errRecipient) {
		return "no address"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the server did not answer in time"
	}
	return "the server cannot be reached, or nobody can sign in"
}

// Try sends a mail at once, without a row, and returns what the server said.
func (o *Outbox) Try(ctx context.Context, m Mail) error {
	return o.send(ctx, queued{Mail: m, id: sqldb.NewID(o.now())})
}

// Sweep removes the rows of mails that are older than KeptFor.
func Sweep(ctx context.Context, db *sqldb.DB, now time.Time) (int64, error) {
	return db.Change(ctx, `DELETE FROM mails WHERE created_at < $1 AND state <> 'waiting'`, now.Add(-KeptFor).UnixMilli())
}

// RowsOf selects what there is of some conversations, as a store.RowsOf.
func RowsOf(ids string) []sqldb.Selection {
	return []sqldb.Selection{{Table: "mails", Where: `conversation_id IN ` + ids}}
}
