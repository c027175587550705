package bot

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/sqldb"
)

const (
	// settle is how long a customer must have been quiet before a turn answers: people send one
	// thought in several messages.
	settle = 700 * time.Millisecond
	// settleMost is how long somebody who keeps typing waits at most.
	settleMost = 3 * time.Second
	// episodeGap of silence ends an episode.
	episodeGap = 24 * time.Hour
	// holdMost is how long an answer waits for what is said in a voice note to be known.
	holdMost = 20 * time.Second
	// courtesyTimeout bounds a typing sign or an acknowledgement.
	courtesyTimeout = 5 * time.Second
)

// IntakeOptions are the parts of an Intake that may be left out.
type IntakeOptions struct {
	Poke  func()           // called when a turn has become due sooner than the runner knows
	Now   func() time.Time // time.Now if nil
	Hears bool             // a Collector turns voice notes into words: their turns wait for it
}

// An Intake takes in what channels heard. What Accept returns nil for is on disk.
type Intake struct {
	store      *Store
	channels   map[string]Channel // by AccountKey
	log        logrus.FieldLogger
	poke       func()
	now        func() time.Time
	hears      bool
	courtesies chan courtesy
}

// A courtesy is a best-effort sign to a customer that we heard.
type courtesy struct {
	to  Address
	tap string // acknowledge this; "" shows typing
}

// AccountKey names an account in maps and paths: "telegram/ID".
func AccountKey(channel, account string) string { return channel + "/" + account }

// NewIntake returns an Intake for the accounts of channels, by AccountKey.
func NewIntake(store *Store, channels map[string]Channel, log logrus.FieldLogger, o IntakeOptions) *Intake {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	return &Intake{store: store, channels: channels, log: log, poke: o.Poke, now: o.Now, hears: o.Hears,
		courtesies: make(chan courtesy, 256)}
}

// Accept stores events of account and returns after they are durable. An event that came before
// changes nothing. An error means that none, or not all, were stored: the network must deliver them
// again.
func (in *Intake) Accept(ctx context.Context, account Account, events []Event) error {
	for _, e := range events {
		now := in.now()
		if e.At.IsZero() { // Telegram does not say when a button was tapped
			e.At = now
		}
		var heard bool
		err := in.store.db.Grouped(ctx, func(tx *sql.Tx) (err error) {
			heard, err = accept(ctx, tx, account, in.holding(clean(e), now), now)
			return err
		})
		if err != nil {
			return fmt.Errorf("accept event on %s: %w", AccountKey(account.Channel, account.ID), err)
		}
		if e.Message != nil {
			in.beCourteous(e, heard)
		}
	}
	in.poke()
	return nil
}

// Reject keeps a body that the network signed and we could not read, for a person to look at.
func (in *Intake) Reject(ctx context.Context, account Account, body []byte, reason string) error {
	err := in.store.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO rejects (id, channel, account, reason, body, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			rand.Text(), account.Channel, account.ID, reason, body, in.now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep rejected body: %w", err)
	}
	return nil
}

func (in *Intake) beCourteous(e Event, heard bool) {
	c := courtesy{to: e.Address, tap: e.Message.Tap}
	if c.tap == "" && !heard {
		return
	}
	select {
	case in.courtesies <- c:
	default: // a sign that comes late is worth nothing
	}
}

// Run shows typing and acknowledges taps until ctx ends. Without it Accept works all the same.
func (in *Intake) Run(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(8)
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case c := <-in.courtesies:
			g.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, courtesyTimeout)
				defer cancel()
				if err := in.show(ctx, c); err != nil && ctx.Err() == nil {
					in.log.WithFields(logrus.Fields{"channel": c.to.Channel, "account": c.to.Account}).WithError(err).
						Debug("courtesy failed")
				}
				return nil
			})
		}
	}
}

func (in *Intake) show(ctx context.Context, c courtesy) error {
	channel := in.channels[AccountKey(c.to.Channel, c.to.Account)]
	if c.tap != "" {
		if a, ok := channel.(Acknowledger); ok {
			return a.Acknowledge(ctx, c.tap)
		}
		return nil
	}
	if t, ok := channel.(Typist); ok {
		return t.Typing(ctx, c.to)
	}
	return nil
}

// clean makes e's words storable: Postgres refuses NUL and invalid UTF-8.
func clean(e Event) Event {
	e.ExternalID, e.Locale, e.Address.Customer = storable(e.ExternalID), storable(e.Locale), storable(e.Address.Customer)
	if e.Message != nil {
		m := *e.Message
		m.NetworkID, m.Text, m.Choice, m.Ref = storable(m.NetworkID), storable(m.Text), storable(m.Choice), storable(m.Ref)
		e.Message = &m
	}
	if e.Edit != nil {
		e.Edit = &Edit{NetworkID: storable(e.Edit.NetworkID), Text: storable(e.Edit.Text)}
	}
	return e
}

func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// accept stores one event. heard reports that a new message waits for the bot.
func accept(ctx context.Context, tx *sql.Tx, account Account, e Event, now time.Time) (heard bool, err error) {
	h, err := openConversation(ctx, tx, account, e.Address, now)
	if err != nil {
		return false, err
	}
	switch {
	case e.Message != nil:
		return h.hear(ctx, tx, e)
	case e.Edit != nil:
		return h.edit(ctx, tx, e)
	case e.Reach != nil:
		_, err = tx.ExecContext(ctx, `UPDATE conversations SET unreachable = $2 WHERE id = $1`, h.conv.ID, e.Reach.Blocked)
		return false, err
	}
	return false, errors.New("event without content")
}

// A hearing is a conversation whose row tx holds while an event is stored.
type hearing struct {
	conv         Conversation
	seq          int64 // the next sequence number
	waitingSince int64
	activeAt     int64
	now          time.Time
}

// openConversation finds or begins the conversation of to and locks its row.
func openConversation(ctx context.Context, tx *sql.Tx, account Account, to Address, now time.Time) (*hearing, error) {
	id, customer := ConversationID(rand.Text()), CustomerID(rand.Text())
	row := tx.QueryRowContext(ctx, `INSERT INTO conversations
		(id, channel, account, customer, customer_id, affiliate, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (channel, account, customer) DO UPDATE SET opened_at = conversations.opened_at
		RETURNING `+conversationColumns+`, next_seq, waiting_since, active_at`,
		id, to.Channel, to.Account, to.Customer, customer, account.Owner(), now.UnixMilli())
	h := &hearing{now: now}
	var err error
	if h.conv, err = scanConversation(row, &h.seq, &h.waitingSince, &h.activeAt); err != nil {
		return nil, fmt.Errorf("open conversation: %w", err)
	}
	if h.conv.ID != id {
		return h, nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO customers (id, opened_at) VALUES ($1, $2)`, customer, now.UnixMilli()); err != nil {
		return nil, fmt.Errorf("add customer: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO identities (channel, account, customer, customer_id) VALUES ($1, $2, $3, $4)`,
		to.Channel, to.Account, to.Customer, customer)
	return h, err
}

// hear stores a message and makes a turn due.
func (h *hearing) hear(ctx context.Context, tx *sql.Tx, e Event) (bool, error) {
	m, c := e.Message, h.conv
	episode, fresh, err := h.episode(ctx, tx)
	if err != nil {
		return false, err
	}
	id := MessageID(rand.Text())
	res, err := tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, body, choice, attachments, external_id, network_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (conversation_id, external_id) DO NOTHING`,
		id, c.ID, h.seq, episode, AuthorCustomer, m.Text, m.Choice, pack(m.Attachments), e.ExternalID, m.NetworkID,
		StatusReceived, sqldb.Millis(e.At))
	if err != nil {
		return false, fmt.Errorf("store message: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err // it came before
	}
	if err := queueFetches(ctx, tx, c, id, m.Attachments, !m.hold.IsZero(), h.now); err != nil {
		return false, err
	}
	if fresh {
		if err := h.begin(ctx, tx, episode); err != nil {
			return false, err
		}
	}
	due := h.due(m.Choice != "")
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET next_seq = CAST($2 AS BIGINT) + 1, waiting_seq = $2,
		waiting_since = CASE WHEN waiting_since = 0 THEN $3 ELSE waiting_since END,
		turn_due_at = CASE WHEN held_until > $4 THEN held_until WHEN CAST($7 AS BIGINT) > $4 THEN CAST($7 AS BIGINT) ELSE $4 END,
		held_until = CASE WHEN held_until <= $3 THEN CAST($7 AS BIGINT) ELSE held_until END,
		heard_at = $3, active_at = $3, unreachable = FALSE,
		locale = CASE WHEN $5 = '' THEN locale ELSE $5 END,
		first_ref = CASE WHEN first_ref = '' THEN $6 ELSE first_ref END,
		last_ref = CASE WHEN $6 = '' THEN last_ref ELSE $6 END
		WHERE id = $1`, c.ID, h.seq, h.now.UnixMilli(), due, e.Locale, m.Ref, sqldb.Millis(m.hold))
	return c.Mode == ModeBot, err
}

// due is when the turn that answers a message of now should start.
func (h *hearing) due(tapped bool) int64 {
	if tapped {
		return h.now.UnixMilli()
	}
	due := h.now.Add(settle).UnixMilli()
	if h.waitingSince == 0 {
		return due
	}
	return min(due, h.waitingSince+settleMost.Milliseconds())
}

// episode returns the episode that a message of now belongs to; fresh means that it is yet to begin.
func (h *hearing) episode(ctx context.Context, tx *sql.Tx) (id EpisodeID, fresh bool, err error) {
	c := h.conv
	if c.Episode == "" {
		return EpisodeID(rand.Text()), true, nil
	}
	if c.Mode == ModePerson { // the ticket keeps the matter open
		return c.Episode, false, nil
	}
	if h.now.UnixMilli()-h.activeAt > episodeGap.Milliseconds() {
		return EpisodeID(rand.Text()), true, nil
	}
	var closed int64
	err = tx.QueryRowContext(ctx, `SELECT closed_at FROM episodes WHERE id = $1`, c.Episode).Scan(&closed)
	if err != nil {
		return "", false, fmt.Errorf("read episode: %w", err)
	}
	if closed > 0 {
		return EpisodeID(rand.Text()), true, nil
	}
	return c.Episode, false, nil
}

// begin opens episode id and closes the one before it.
func (h *hearing) begin(ctx context.Context, tx *sql.Tx, id EpisodeID) error {
	c := h.conv
	if _, err := tx.ExecContext(ctx, `UPDATE episodes SET closed_at = $2, outcome = 'silence' WHERE id = $1 AND closed_at = 0`,
		c.Episode, h.activeAt); err != nil {
		return fmt.Errorf("close episode: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO episodes (id, conversation_id, affiliate, opened_at) VALUES ($1, $2, $3, $4)`,
		id, c.ID, c.Affiliate, h.now.UnixMilli()); err != nil {
		return fmt.Errorf("open episode: %w", err)
	}
	_, err := tx.ExecContext(ctx, `UPDATE conversations SET episode_id = $2, misses = 0, clarify = 0, asked = '' WHERE id = $1`, c.ID, id)
	return err
}

// edit replaces the text of a message that still waits. One that was answered already is heard
// anew, with its new words: whoever mends a question wants the mended one answered.
func (h *hearing) edit(ctx context.Context, tx *sql.Tx, e Event) (bool, error) {
	var id MessageID
	var body string
	var turn TurnID
	err := tx.QueryRowContext(ctx, `SELECT id, body, turn_id FROM messages
		WHERE conversation_id = $1 AND network_id = $2 AND author = $3 ORDER BY seq DESC LIMIT 1`,
		h.conv.ID, e.Edit.NetworkID, AuthorCustomer).Scan(&id, &body, &turn)
	switch {
	case errors.Is(err, sql.ErrNoRows): // the message itself never came
	case err != nil:
		return false, fmt.Errorf("find edited message: %w", err)
	case body == e.Edit.Text: // a link preview, a location that moved
		return false, nil
	case turn == "":
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET body = $2 WHERE id = $1`, id, e.Edit.Text); err != nil {
			return false, fmt.Errorf("edit message: %w", err)
		}
		// A turn in progress has read the old words: its fence goes, and it is done again.
		_, err := tx.ExecContext(ctx, `UPDATE conversations SET fence = fence + 1, lease_until = 0, turn_due_at = $2 WHERE id = $1`,
			h.conv.ID, h.due(false))
		return false, err
	}
	e.Message = &Inbound{NetworkID: e.Edit.NetworkID, Text: e.Edit.Text}
	return h.hear(ctx, tx, e)
}
