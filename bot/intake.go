package bot

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
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
	// courtesyEvery is the least time between two courtesies, and courtesiesMost is how many wait: under
	// load customers do without, since networks count them against what we send.
	courtesyEvery  = 10 * time.Millisecond
	courtesiesMost = 50
	// courtesyTimeout bounds a typing sign or an acknowledgement.
	courtesyTimeout = 5 * time.Second
	// overheard stands for the turn of messages that another program answers.
	overheard TurnID = "overheard"
)

// IntakeOptions are the parts of an Intake that may be left out.
type IntakeOptions struct {
	Poke    func()           // called when a turn has become due sooner than the runner knows
	Now     func() time.Time // time.Now if nil
	Hears   bool             // a Collector turns voice notes into words: their turns wait for it
	LinkKey vault.Signer     // Conversations' own; without it no link of ours is known
}

// An Intake takes in what channels heard. What Receive or Accept returns nil for is on disk.
type Intake struct {
	store      *Store
	accounts   *Registry
	log        logrus.FieldLogger
	poke       func()
	now        func() time.Time
	linkKey    vault.Signer
	hears      bool
	courtesies chan courtesy
	order      order         // of the inbox
	received   chan struct{} // something is in the inbox
	lastPost   atomic.Int64  // when that was, in Unix nanoseconds
	storing    atomic.Int64  // how many are being put there
	deafAt     atomic.Int64  // when one was last not stored, or the Intake was made, in Unix milliseconds
}

// A courtesy is a best-effort sign to a customer that we heard.
type courtesy struct {
	to      Address
	tap     string // acknowledge this; "" shows typing
	message string // the network's name for what was heard
}

// AccountKey names an account in maps and paths: "telegram/ID".
func AccountKey(channel, account string) string { return channel + "/" + account }

// NewIntake returns an Intake for accounts.
func NewIntake(store *Store, accounts *Registry, log logrus.FieldLogger, o IntakeOptions) *Intake {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	in := &Intake{store: store, accounts: accounts, log: log, poke: o.Poke, now: o.Now, hears: o.Hears, linkKey: o.LinkKey,
		courtesies: make(chan courtesy, courtesiesMost), received: make(chan struct{}, 1)}
	in.deafAt.Store(o.Now().UnixMilli())
	return in
}

// An arrival is an event on its way into the store.
type arrival struct {
	Event
	account Account
	limits  Limits
	at      time.Time // when we had it
	heard   bool      // by the bot, which will answer
}

// Accept stores events of account and returns after they are durable. An event that came before
// changes nothing. An error means that none, or not all, were stored: the network must deliver them
// again.
func (in *Intake) Accept(ctx context.Context, account Account, events []Event) error {
	list := inOrder(in.arrivals(account, events, in.now()))
	if err := in.store.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error { return in.takeIn(ctx, tx, list) }); err != nil {
		return fmt.Errorf("accept %d events on %s: %w", len(events), AccountKey(account.Channel, account.ID), err)
	}
	in.tell(list)
	return nil
}

func (in *Intake) arrivals(account Account, events []Event, at time.Time) (list []arrival) {
	limits := Limits{}
	if channel := in.accounts.Channel(AccountKey(account.Channel, account.ID)); channel != nil {
		limits = channel.Limits()
	}
	for _, e := range events {
		list = append(list, arrival{Event: in.holding(complete(e, at), at), account: account, limits: limits, at: at})
	}
	return list
}

// inOrder is list in one order of locks for all: two batches of the same customers must not wait for each
// other. What one customer did stays in its order.
func inOrder(list []arrival) []arrival {
	slices.SortStableFunc(list, func(a, b arrival) int {
		return cmp.Or(strings.Compare(a.account.Channel, b.account.Channel), strings.Compare(a.account.ID, b.account.ID),
			strings.Compare(a.Address.Customer, b.Address.Customer))
	})
	return list
}

// takeIn stores a list. It may be called again for one, if the transaction failed.
func (in *Intake) takeIn(ctx context.Context, tx *sql.Tx, list []arrival) error {
	for i := range list {
		a := &list[i]
		answers, err := in.accept(ctx, tx, a.account, a.limits, a.Event, a.at)
		if err != nil {
			return err
		}
		a.heard = a.Message != nil && (answers || a.Message.Tap != "")
	}
	return nil
}

// tell tells whom it concerns of what has been stored.
func (in *Intake) tell(list []arrival) {
	for _, a := range list {
		if a.Unread != nil {
			in.log.WithFields(logrus.Fields{"channel": a.account.Channel, "account": a.account.ID, "reason": a.Unread.Reason}).
				Error("cannot read a part of what the network posted; it is kept")
		}
		if a.heard {
			in.beCourteous(a.Event)
		}
	}
	in.poke()
}

func (in *Intake) beCourteous(e Event) {
	c := courtesy{to: e.Address, tap: e.Message.Tap, message: e.Message.NetworkID}
	select {
	case in.courtesies <- c:
	default: // a sign that comes late is worth nothing
	}
}

// Run takes in what is received, shows typing and acknowledges taps, until ctx ends. Without it Accept works
// all the same.
func (in *Intake) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return in.empty(ctx) })
	g.Go(func() error { return in.showAll(ctx) })
	return g.Wait()
}

func (in *Intake) showAll(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(8)
	tick := time.NewTicker(courtesyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return g.Wait()
		case c := <-in.courtesies:
			g.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, courtesyTimeout)
				defer cancel()
				if err := guard.Run(func() error { return in.show(ctx, c) }); err != nil && ctx.Err() == nil {
					in.log.WithFields(logrus.Fields{"channel": c.to.Channel, "account": c.to.Account}).WithError(err).
						Debug("courtesy failed")
				}
				return nil
			})
		}
	}
}

func (in *Intake) show(ctx context.Context, c courtesy) error {
	channel := in.accounts.Channel(AccountKey(c.to.Channel, c.to.Account))
	if c.tap != "" {
		if a, ok := channel.(Acknowledger); ok {
			return a.Acknowledge(ctx, c.tap)
		}
		return nil
	}
	if r, ok := channel.(Reader); ok && c.message != "" {
		return r.Read(ctx, c.to, c.message)
	}
	if t, ok := channel.(Typist); ok {
		return t.Typing(ctx, c.to)
	}
	return nil
}

// complete is e with a time that can be, and with words that can be stored. Networks leave times out
// (Telegram does not say when a button was tapped); one ahead of ours would hold a window open.
func complete(e Event, now time.Time) Event {
	if e.At.IsZero() || e.At.After(now) {
		e.At = now
	}
	return clean(e)
}

// clean makes e's words storable: Postgres refuses NUL and invalid UTF-8.
func clean(e Event) Event {
	e.ExternalID, e.Locale, e.Address.Customer = storable(e.ExternalID), storable(e.Locale), storable(e.Address.Customer)
	e.Stable, e.Phone = storable(e.Stable), storable(e.Phone)
	if e.Message != nil {
		m := *e.Message
		m.NetworkID, m.Text, m.Choice, m.Ref = storable(m.NetworkID), storable(m.Text), storable(m.Choice), storable(m.Ref)
		e.Message = &m
	}
	if e.Edit != nil {
		e.Edit = &Edit{NetworkID: storable(e.Edit.NetworkID), Text: storable(e.Edit.Text), Gone: e.Edit.Gone}
	}
	if e.Aside != nil {
		a := *e.Aside
		a.Delivery, a.NetworkID, a.Text = DeliveryID(storable(string(a.Delivery))), storable(a.NetworkID), storable(a.Text)
		e.Aside = &a
	}
	if e.Status != nil {
		s := *e.Status
		s.Delivery, s.NetworkID, s.Code = DeliveryID(storable(string(s.Delivery))), storable(s.NetworkID), storable(s.Code)
		e.Status = &s
	}
	if e.Moved != nil {
		e.Moved = &Moved{Customer: storable(e.Moved.Customer), Stable: storable(e.Moved.Stable)}
	}
	return e
}

func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// accept stores one event. heard reports that a new message waits for the bot.
func (in *Intake) accept(ctx context.Context, tx *sql.Tx, account Account, l Limits, e Event, now time.Time) (heard bool, err error) {
	s := in.store
	switch { // what opens no conversation
	case e.Unread != nil:
		return false, in.reject(ctx, tx, account, *e.Unread, now)
	case e.Status != nil:
		return false, s.learn(ctx, tx, account, l, e, now)
	case e.Moved != nil:
		return false, move(ctx, tx, e)
	case e.Aside != nil:
		if ours, err := s.echo(ctx, tx, account, l, e, now); ours || err != nil {
			return false, err
		}
	}
	h, err := s.openConversation(ctx, tx, account, e, now)
	if err != nil {
		return false, err
	}
	if e, err = h.identify(ctx, tx, e, in.linkKey); err != nil {
		return false, err
	}
	if err := h.touch(ctx, tx, e, l); err != nil {
		return false, err
	}
	switch {
	case e.Message != nil:
		return h.hear(ctx, tx, e)
	case e.Edit != nil:
		return h.edit(ctx, tx, e)
	case e.Aside != nil:
		return false, h.overtake(ctx, tx, e)
	case e.Reach != nil:
		_, err = tx.ExecContext(ctx, `UPDATE conversations SET unreachable = $2 WHERE id = $1`, h.conv.ID, e.Reach.Blocked)
		return false, err
	case e.Passed != nil:
		return false, h.takeUp(ctx, tx)
	case e.Consent != nil:
		return false, h.consent(ctx, tx, e)
	case e.Sign != nil:
		return false, nil
	}
	return false, errors.New("event without content")
}

// A hearing is a conversation whose row tx holds while an event is stored.
type hearing struct {
	conv         Conversation // as far as hearingColumns go
	seq          int64        // the next sequence number
	waitingSince int64
	activeAt     int64
	phone        string // proven to be theirs
	phoneAt      int64  // when that was last proven
	now          time.Time
	joined       bool // just now, with another conversation
}

// saidAt is when a message was said, as late as that can have been: most networks cut times to the second,
// and what was said on another channel in that second would stand after it.
func (h *hearing) saidAt(told time.Time) time.Time {
	if told.Equal(told.Truncate(time.Second)) {
		told = told.Add(time.Second - time.Millisecond)
	}
	if told.After(h.now) {
		return h.now
	}
	return told
}

// hear stores a message and makes a turn due.
func (h *hearing) hear(ctx context.Context, tx *sql.Tx, e Event) (bool, error) {
	m, c := e.Message, h.conv
	episode, fresh, err := h.episode(ctx, tx)
	if err != nil {
		return false, err
	}
	turn := TurnID("")
	if e.Overheard {
		turn = overheard
	}
	id := MessageID(newID(h.now))
	res, err := tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, body, choice, attachments, external_id, network_id, turn_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (conversation_id, external_id) DO NOTHING`,
		id, c.ID, h.seq, episode, AuthorCustomer, m.Text, m.Choice, pack(m.Attachments), e.ExternalID, m.NetworkID,
		turn, StatusReceived, sqldb.Millis(h.saidAt(e.At)))
	if err != nil {
		return false, fmt.Errorf("store message: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err // it came before
	}
	if err := keepAttachments(ctx, tx, m.Attachments, h.now); err != nil && !errors.Is(err, media.ErrNotFound) {
		return false, err
	}
	if err := queueFetches(ctx, tx, c, id, m.Attachments, !m.hold.IsZero() && !e.Overheard, h.now); err != nil {
		return false, err
	}
	if fresh {
		if err := h.begin(ctx, tx, episode); err != nil {
			return false, err
		}
	}
	if e.Overheard {
		_, err = tx.ExecContext(ctx, `UPDATE conversations SET next_seq = CAST($2 AS BIGINT) + 1, heard_at = $3, active_at = $3,
			window_until = $4, window_reason = $5 WHERE id = $1`, c.ID, h.seq, h.now.UnixMilli(), sqldb.Millis(c.WindowUntil), c.WindowReason)
		return false, err
	}
	due := h.due(m.Choice != "")
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET next_seq = CAST($2 AS BIGINT) + 1, waiting_seq = $2,
		waiting_since = CASE WHEN waiting_since = 0 THEN $3 ELSE waiting_since END,
		waiting_from = CASE WHEN waiting_since = 0 THEN $2 ELSE waiting_from END,
		turn_due_at = CASE WHEN held_until > $4 THEN held_until WHEN CAST($8 AS BIGINT) > $4 THEN CAST($8 AS BIGINT) ELSE $4 END,
		held_until = CASE WHEN held_until <= $3 THEN CAST($8 AS BIGINT) ELSE held_until END,
		heard_at = $3, active_at = $3, unreachable = FALSE,
		locale = CASE WHEN $5 = '' THEN locale ELSE $5 END, window_until = $6, window_reason = $7
		WHERE id = $1`, c.ID, h.seq, h.now.UnixMilli(), due, e.Locale, sqldb.Millis(c.WindowUntil), c.WindowReason, sqldb.Millis(m.hold))
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

// episode returns the episode that a message of now belongs to; fresh means that the conversation is
// yet to enter it.
func (h *hearing) episode(ctx context.Context, tx *sql.Tx) (id EpisodeID, fresh bool, err error) {
	c := h.conv
	if c.Episode == "" && !h.joined {
		return EpisodeID(newID(h.now)), true, nil
	}
	if c.Episode != "" && c.Mode == ModePerson && !h.joined { // the ticket keeps the matter open
		return c.Episode, false, nil
	}
	if !h.joined && h.now.UnixMilli()-h.activeAt <= episodeGap.Milliseconds() {
		var closed int64
		if err := tx.QueryRowContext(ctx, `SELECT closed_at FROM episodes WHERE id = $1`, c.Episode).Scan(&closed); err != nil {
			return "", false, fmt.Errorf("read episode: %w", err)
		}
		if closed == 0 {
			return c.Episode, false, nil
		}
	}
	id, err = h.elsewhere(ctx, tx)
	if id == "" {
		id = EpisodeID(newID(h.now))
	}
	return id, id != c.Episode, err
}

// begin enters episode id, opening it if need be, and closes the one before it.
func (h *hearing) begin(ctx context.Context, tx *sql.Tx, id EpisodeID) error {
	c := h.conv
	if h.joined && c.Episode != "" && h.now.UnixMilli()-h.activeAt <= episodeGap.Milliseconds() {
		if err := h.merge(ctx, tx, id); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, `UPDATE episodes SET closed_at = $2, outcome = 'silence' WHERE id = $1 AND closed_at = 0`,
		c.Episode, h.activeAt); err != nil {
		return fmt.Errorf("close episode: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO episodes (id, conversation_id, affiliate, opened_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO NOTHING`, id, c.ID, c.Affiliate, h.now.UnixMilli()); err != nil {
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
	case e.Edit.Gone && turn != "": // it was answered: only its words go
		_, err := tx.ExecContext(ctx, `UPDATE messages SET body = '', attachments = '' WHERE id = $1`, id)
		return false, err
	case !e.Edit.Gone && body == e.Edit.Text: // a link preview, a location that moved
		return false, nil
	case turn == "":
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET body = $2, attachments = CASE WHEN $3 THEN '' ELSE attachments END WHERE id = $1`,
			id, e.Edit.Text, e.Edit.Gone); err != nil {
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
