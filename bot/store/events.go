package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/plaintext"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// An Arrival is an event on its way into the store.
type Arrival struct {
	bot.Event
	Account bot.Account
	Limits  bot.Limits
	At      time.Time // when we had it
	Hold    time.Time // the turn waits until then for what is said in the message's recordings
	Post    []byte    // the whole post of which an Undecodable's body is a part, nil if that is the whole
	Waits   bool      // set by storing it: the message is new, and waits for the bot or carries a tap
}

// An EventWriter stores what networks told us.
type EventWriter struct {
	Store   *Store
	LinkKey vault.Signer                                    // Conversations' own; without it no link of ours is known
	Senders func(account bot.Account, body []byte) []string // the customers whose words are in a body that cannot be read
}

// StoreEvents stores a list in one transaction. An event that came before changes nothing.
func (w EventWriter) StoreEvents(ctx context.Context, list []Arrival) error {
	return w.Store.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error { return w.storeEventsIn(ctx, tx, list) })
}

// storeEventsIn may be called again for a list, if the transaction failed.
func (w EventWriter) storeEventsIn(ctx context.Context, tx *sql.Tx, list []Arrival) error {
	sortByCustomer(list)
	for i := range list {
		a := &list[i]
		answers, err := w.storeEvent(ctx, tx, *a)
		if err != nil {
			return err
		}
		a.Waits = a.Message != nil && (answers || a.Message.Tap != "")
	}
	return nil
}

// sortByCustomer puts a list in one order of locks for all: two batches of the same customers must not wait for
// each other. What one customer did stays in its order.
func sortByCustomer(list []Arrival) {
	slices.SortStableFunc(list, func(a, b Arrival) int {
		return cmp.Or(strings.Compare(a.Account.Channel, b.Account.Channel), strings.Compare(a.Account.ID, b.Account.ID),
			strings.Compare(a.Address.Customer, b.Address.Customer))
	})
}

// storeEvent stores one event. waits reports that a new message waits for the bot.
func (w EventWriter) storeEvent(ctx context.Context, tx *sql.Tx, a Arrival) (waits bool, err error) {
	s, e := w.Store, a.Event
	switch { // what opens no conversation
	case e.Undecodable != nil:
		return false, w.rejectPost(ctx, tx, a)
	case e.Status != nil:
		return false, s.applyStatus(ctx, tx, a)
	case e.AddressChanged != nil:
		return false, changeAddress(ctx, tx, e)
	case e.Echo != nil:
		if ours, err := s.settleByEcho(ctx, tx, a); ours || err != nil {
			return false, err
		}
	}
	if e, err = toShared(ctx, tx, e); err != nil {
		return false, err
	}
	c, err := s.openConversation(ctx, tx, a.Account, e, a.At)
	if err != nil {
		return false, err
	}
	if e, err = c.identifyCustomer(ctx, e, w.LinkKey); err != nil {
		return false, err
	}
	if err := c.storeReach(ctx, e, a.Limits); err != nil {
		return false, err
	}
	switch {
	case e.Message != nil:
		return c.storeMessage(ctx, e, a.Hold)
	case e.Edit != nil:
		return c.applyEdit(ctx, e)
	case e.Echo != nil:
		return false, c.storeEcho(ctx, e)
	case e.BlockChanged != nil:
		_, err = tx.ExecContext(ctx, `UPDATE conversations SET unreachable = $2 WHERE id = $1`, c.conv.ID, e.BlockChanged.Blocked)
		return false, err
	case e.ControlPassed != nil:
		return false, c.resumeLastMessage(ctx)
	case e.Consent != nil:
		return false, c.storeConsent(ctx, e)
	case e.Interaction != nil:
		return false, nil
	}
	return false, errors.New("event without content")
}

// saidAt is when a message was said, as late as that can have been: most networks cut times to the second,
// and what was said on another channel in that second would stand after it.
func (c *ConversationTx) saidAt(told time.Time) time.Time {
	if told.Equal(told.Truncate(time.Second)) {
		told = told.Add(time.Second - time.Millisecond)
	}
	if told.After(c.now) {
		return c.now
	}
	return told
}

// storeMessage stores a message and makes a turn due.
func (c *ConversationTx) storeMessage(ctx context.Context, e bot.Event, hold time.Time) (bool, error) {
	m, conv := e.Message, c.conv
	episode, fresh, err := c.resolveEpisode(ctx)
	if err != nil {
		return false, err
	}
	turn := bot.TurnID("")
	if e.Standby {
		turn = standby
	}
	if err := c.nameReplies(ctx, m.Attachments); err != nil {
		return false, err
	}
	id := bot.MessageID(sqldb.NewID(c.now))
	res, err := c.tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, body, choice, attachments, external_id, network_id, turn_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (conversation_id, external_id) DO NOTHING`,
		id, conv.ID, c.seq, episode, bot.AuthorCustomer, m.Text, m.Choice, pack(m.Attachments), e.ExternalID, m.NetworkID,
		turn, bot.StatusReceived, sqldb.Millis(c.saidAt(e.At)))
	if err != nil {
		return false, fmt.Errorf("store message: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err // it came before
	}
	if err := keepAttachments(ctx, c.tx, m.Attachments, c.now); err != nil && !errors.Is(err, media.ErrNotFound) {
		return false, err
	}
	if err := queueFetches(ctx, c.tx, conv, id, m.Attachments, !hold.IsZero() && !e.Standby, c.now); err != nil {
		return false, err
	}
	if fresh {
		if err := c.enterEpisode(ctx, episode); err != nil {
			return false, err
		}
	}
	c.conv.Episode = episode
	if err := c.recordMessage(ctx, id, m.Choice, e.Standby); err != nil {
		return false, err
	}
	if err := c.storeHeard(ctx, e.Locale); err != nil || e.Standby {
		return false, err
	}
	return conv.Mode == bot.ModeBot, c.scheduleTurn(ctx, c.seq, m.Choice != "", hold)
}

// nameReplies fills in the words of earlier messages that a message replies to, where its network tells only their
// names for them.
func (c *ConversationTx) nameReplies(ctx context.Context, list []bot.Attachment) error {
	const longest = 300 // characters
	for i, a := range list {
		if a.Kind != bot.KindReply || a.Of == "" || a.Name != "" {
			continue
		}
		err := c.tx.QueryRowContext(ctx, `SELECT body FROM messages WHERE conversation_id = $1 AND network_id = $2
			UNION ALL SELECT m.body FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.external_id = $2 AND d.external_id <> '' AND d.conversation_id = $1
			LIMIT 1`, c.conv.ID, a.Of).Scan(&list[i].Name)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find what a message replies to: %w", err)
		}
		list[i].Name = plaintext.Cut(list[i].Name, longest)
	}
	return nil
}

// storeHeard writes back what a message of the customer's changes of the conversation.
func (c *ConversationTx) storeHeard(ctx context.Context, locale string) error {
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET next_seq = CAST($2 AS BIGINT) + 1, heard_at = $3, active_at = $3, unreachable = FALSE,
		locale = CASE WHEN $4 = '' THEN locale ELSE $4 END, window_until = $5, window_reason = $6 WHERE id = $1`,
		c.conv.ID, c.seq, c.now.UnixMilli(), locale, sqldb.Millis(c.conv.WindowUntil), c.conv.WindowReason)
	return err
}

// applyEdit replaces the text of a message that still waits. One that was answered already is heard
// anew, with its new words: whoever mends a question wants the mended one answered.
func (c *ConversationTx) applyEdit(ctx context.Context, e bot.Event) (bool, error) {
	var id bot.MessageID
	var body string
	var turn bot.TurnID
	err := c.tx.QueryRowContext(ctx, `SELECT id, body, turn_id FROM messages
		WHERE conversation_id = $1 AND network_id = $2 AND author = $3 ORDER BY seq DESC LIMIT 1`,
		c.conv.ID, e.Edit.NetworkID, bot.AuthorCustomer).Scan(&id, &body, &turn)
	switch {
	case errors.Is(err, sql.ErrNoRows): // the message itself never came
	case err != nil:
		return false, fmt.Errorf("find edited message: %w", err)
	case e.Edit.Gone && turn != "": // it was answered: only its words go
		_, err := c.tx.ExecContext(ctx, `UPDATE messages SET body = '', attachments = '' WHERE id = $1`, id)
		return false, err
	case !e.Edit.Gone && body == e.Edit.Text: // a link preview, a location that moved
		return false, nil
	case turn == "":
		if _, err := c.tx.ExecContext(ctx, `UPDATE messages SET body = $2, attachments = CASE WHEN $3 THEN '' ELSE attachments END WHERE id = $1`,
			id, e.Edit.Text, e.Edit.Gone); err != nil {
			return false, fmt.Errorf("edit message: %w", err)
		}
		// A turn in progress has read the old words: its fence goes, and it is done again.
		return false, c.restartTurn(ctx)
	}
	e.Message = &bot.Inbound{NetworkID: e.Edit.NetworkID, Text: e.Edit.Text}
	return c.storeMessage(ctx, e, time.Time{})
}

// resolveEpisode returns the episode that a message of now belongs to; fresh means that the conversation is
// yet to enter it.
func (c *ConversationTx) resolveEpisode(ctx context.Context) (id bot.EpisodeID, fresh bool, err error) {
	conv := c.conv
	if conv.Episode == "" && !c.event.joined {
		return bot.EpisodeID(sqldb.NewID(c.now)), true, nil
	}
	if conv.Episode != "" && conv.Mode == bot.ModePerson && !c.event.joined { // the ticket keeps the matter open
		return conv.Episode, false, nil
	}
	if !c.event.joined && c.now.UnixMilli()-c.event.activeAt <= episodeGap.Milliseconds() {
		var closed int64
		if err := c.tx.QueryRowContext(ctx, `SELECT closed_at FROM episodes WHERE id = $1`, conv.Episode).Scan(&closed); err != nil {
			return "", false, fmt.Errorf("read episode: %w", err)
		}
		if closed == 0 {
			return conv.Episode, false, nil
		}
	}
	id, err = c.openEpisodeOfCustomer(ctx)
	if id == "" {
		id = bot.EpisodeID(sqldb.NewID(c.now))
	}
	return id, id != conv.Episode, err
}

// enterEpisode enters episode id, opening it if need be, and closes the one before it.
func (c *ConversationTx) enterEpisode(ctx context.Context, id bot.EpisodeID) error {
	conv := c.conv
	if c.event.joined && conv.Episode != "" && c.now.UnixMilli()-c.event.activeAt <= episodeGap.Milliseconds() {
		if err := c.mergeEpisodes(ctx, id); err != nil {
			return err
		}
	} else if _, err := c.tx.ExecContext(ctx, `UPDATE episodes SET closed_at = $2, outcome = 'silence' WHERE id = $1 AND closed_at = 0`,
		conv.Episode, c.event.activeAt); err != nil {
		return fmt.Errorf("close episode: %w", err)
	}
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO episodes (id, conversation_id, affiliate, opened_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO NOTHING`, id, conv.ID, conv.Affiliate, c.now.UnixMilli()); err != nil {
		return fmt.Errorf("open episode: %w", err)
	}
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET episode_id = $2, misses = 0, clarify = 0, asked = '' WHERE id = $1`, conv.ID, id)
	return err
}
