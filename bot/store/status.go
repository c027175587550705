package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// applyStatus records what the network says became of a message of ours. It may come before the answer to
// our own call, come twice, and come in any order: a status only moves right. A message that is not
// ours, as when other software writes through the same account, changes nothing.
func (s *Store) applyStatus(ctx context.Context, tx *sql.Tx, a Arrival) error {
	u := a.Status
	if !u.Before.IsZero() {
		return applyStatusBefore(ctx, tx, a.Event)
	}
	lock := ""
	if u.Status == bot.StatusFailed { // the same news that comes twice at once must not send twice
		lock = s.db.ForUpdate
	}
	d, state, failed, err := findDelivery(ctx, tx, a.Account, u.Delivery, u.NetworkID, lock)
	if err != nil || d == nil {
		return err
	}
	if slices.Contains(failed, u.NetworkID) && (u.Status == bot.StatusFailed || u.Status == bot.StatusSent) {
		return nil // old news of a try that another has followed
	}
	if u.Status == bot.StatusFailed {
		return s.failByStatus(ctx, tx, *d, u, a.At)
	}
	return s.settleByStatus(ctx, tx, *d, state, u.Status, u.NetworkID, a.Limits, a.At)
}

// findDelivery finds a reply by our own ID, or by the network's; nil if there is none on the account.
// failed are the network's names for the tries before, which were not delivered. The row is read with lock.
func findDelivery(ctx context.Context, tx *sql.Tx, account bot.Account, id bot.DeliveryID, networkID, lock string) (_ *Delivery, state bot.DeliveryState, failed []string, err error) {
	d := Delivery{Lane: LaneCustomer}
	var window int64
	var names string
	scan := func(where string, arg any) error {
		return tx.QueryRowContext(ctx, `SELECT id, conversation_id, seq, message_id, state, attempt, failed_id,
				(SELECT window_until FROM conversations c WHERE c.id = deliveries.conversation_id) FROM deliveries
			WHERE `+where+` AND channel = $2 AND account = $3 AND lane = 'customer' `+lock, arg, account.Channel, account.ID).
			Scan(&d.ID, &d.Conversation, &d.Seq, &d.message, &state, &d.Attempt, &names, &window)
	}
	err = sql.ErrNoRows
	if id != "" {
		err = scan(`id = $1`, id)
	}
	if errors.Is(err, sql.ErrNoRows) && networkID != "" {
		err = scan(`external_id <> '' AND external_id = $1`, networkID)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", nil, nil
	}
	if err != nil {
		return nil, "", nil, fmt.Errorf("find the delivery of a status: %w", err)
	}
	d.Window = sqldb.Time(window)
	return &d, state, strings.Fields(names), nil
}

// settleByStatus settles a delivery that the network has, in doubt or not answered yet, as sent.
func (s *Store) settleByStatus(ctx context.Context, tx *sql.Tx, d Delivery, state bot.DeliveryState, status bot.SendStatus, networkID string, l bot.Limits, now time.Time) error {
	if state == bot.DeliveryFailed || state == bot.DeliveryReplayed {
		return nil
	}
	if state != bot.DeliverySent {
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'sent', external_id = $2, code = '', lease_until = 0, settled_at = $3 WHERE id = $1`,
			d.ID, networkID, now.UnixMilli()); err != nil {
			return fmt.Errorf("settle by a status: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1 AND status IN ('queued', 'failed')`, d.message, bot.StatusSent); err != nil {
			return fmt.Errorf("mark message: %w", err)
		}
		if l.Pace > 0 {
			if err := setPace(ctx, tx, d.Conversation, now.Add(l.Pace)); err != nil {
				return err
			}
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1 AND `+below(status), d.message, status)
	return err
}

// below is the condition that a message has a status that moves right to s.
func below(s bot.SendStatus) string {
	switch s {
	case bot.StatusSent:
		return `status = 'queued'`
	case bot.StatusReached:
		return `status IN ('queued', 'sent')`
	case bot.StatusRead:
		return `status IN ('queued', 'sent', 'reached')`
	}
	return `FALSE`
}

// mayRetry reports whether a delivery that the network took, and says it did not carry out, is worth another try.
// Without its name for the message, news of the next try could not be told from news of this one.
func (d Delivery) mayRetry(u *bot.StatusUpdate, now time.Time) bool {
	switch u.Failure {
	case bot.SendTransient, bot.SendThrottled, bot.SendErrored, bot.SendUnknown:
		return u.NetworkID != "" && d.Attempt < maxAgainAttempts
	case bot.SendWindowClosed:
		return u.NetworkID != "" && d.MayBeOpen(now)
	}
	return false
}

// requeue queues a delivery once more, unless it is a bot reply and an agent has taken over. It bumps the fence, so
// that a late response to the previous attempt is ignored, and the network's ID of that attempt joins those that failed.
func requeue(ctx context.Context, tx *sql.Tx, d Delivery, u *bot.StatusUpdate, now time.Time) (queued bool, err error) {
	res, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'queued', due_at = $2, code = $3, failed_id = failed_id || ' ' || $4, external_id = '', doubts = 0,
		lease_until = 0, fence = fence + 1, settled_at = 0 WHERE id = $1 AND state IN ('queued', 'sent') AND EXISTS
			(SELECT 1 FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.id = deliveries.message_id
				AND m.status IN ('queued', 'sent') AND (m.author <> $5 OR c.mode <> $6))`,
		d.ID, now.Add(SendBackoff(d.Attempt)).UnixMilli(), u.Failure, u.NetworkID, bot.AuthorBot, bot.ModePerson)
	if err != nil {
		return false, fmt.Errorf("send again after a status: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1`, d.message, bot.StatusQueued)
	return true, err
}

// switchToLink notes with a delivery whose file the network could not use that its link goes from now on. ok is
// false if it was to go already, or there is no file.
func switchToLink(ctx context.Context, tx *sql.Tx, id bot.DeliveryID) (ok bool, err error) {
	var packed string
	if err := tx.QueryRowContext(ctx, `SELECT payload FROM deliveries WHERE id = $1`, id).Scan(&packed); err != nil {
		return false, fmt.Errorf("read the delivery of a file: %w", err)
	}
	var p Payload
	if unpack(packed, &p) != nil || p.Reply == nil || p.Reply.Media == nil || p.Linked {
		return false, nil
	}
	p.Linked = true
	if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET payload = $2 WHERE id = $1`, id, mustJSON(p)); err != nil {
		return false, fmt.Errorf("send a file as its link: %w", err)
	}
	return true, nil
}

// failByStatus gives up a delivery that the network took and could not carry out, unless it may go better
// once more.
func (s *Store) failByStatus(ctx context.Context, tx *sql.Tx, d Delivery, u *bot.StatusUpdate, now time.Time) (err error) {
	again := d.mayRetry(u, now)
	if u.Failure == bot.SendFile && u.NetworkID != "" {
		if again, err = switchToLink(ctx, tx, d.ID); err != nil {
			return err
		}
	}
	if again {
		if queued, err := requeue(ctx, tx, d, u, now); queued || err != nil {
			return err
		}
	}
	res, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'failed', code = $2, lease_until = 0, settled_at = $3,
		external_id = CASE WHEN $4 = '' THEN external_id ELSE $4 END
		WHERE id = $1 AND state IN ('queued', 'sent', 'doubtful') AND EXISTS
			(SELECT 1 FROM messages m WHERE m.id = deliveries.message_id AND m.status IN ('queued', 'sent', 'failed'))`,
		d.ID, u.Failure, now.UnixMilli(), u.NetworkID)
	if err != nil {
		return fmt.Errorf("fail by a status: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1`, d.message, bot.StatusFailed); err != nil {
		return fmt.Errorf("mark message: %w", err)
	}
	return s.escalateDelivery(ctx, tx, d, DeliveryResult{State: bot.DeliveryFailed, Code: string(u.Failure)}, now)
}

// applyStatusBefore moves all messages of ours to a customer, up to a time, to a status.
func applyStatusBefore(ctx context.Context, tx *sql.Tx, e bot.Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE messages SET status = $4 WHERE author <> $5 AND at <= $6 AND status <> 'queued' AND `+below(e.Status.Status)+`
		AND conversation_id IN (SELECT id FROM conversations WHERE channel = $1 AND account = $2 AND customer = $3)`,
		e.Address.Channel, e.Address.Account, e.Address.Customer, e.Status.Status, bot.AuthorCustomer, sqldb.Millis(e.Status.Before))
	return err
}

// settleByEcho recognises an Echo that is a message of ours come back, and settles it as sent. Networks give
// our ID back, or not; then the network's name for the message tells, or, while the answer to our
// call is still on its way, the words.
func (s *Store) settleByEcho(ctx context.Context, tx *sql.Tx, a Arrival) (ours bool, err error) {
	d, state, err := findEchoed(ctx, tx, a.Account, a.Event)
	if d == nil || err != nil {
		return false, err
	}
	return true, s.settleByStatus(ctx, tx, *d, state, bot.StatusSent, a.Echo.NetworkID, a.Limits, a.At)
}

// findEchoed finds the reply that came back. It is one statement, so that a reply which is settled
// meanwhile is seen either as still on its way or by its name, and never as neither: its own echo would
// pass for a person's words then, and silence the bot.
func findEchoed(ctx context.Context, tx *sql.Tx, account bot.Account, e bot.Event) (d *Delivery, state bot.DeliveryState, err error) {
	const columns = `SELECT d.id, d.conversation_id, d.seq, d.message_id, d.state, m.body, m.attachments FROM deliveries d JOIN messages m ON m.id = d.message_id
		WHERE d.channel = $1 AND d.account = $2 AND d.lane = 'customer' AND `
	rows, err := tx.QueryContext(ctx, columns+`d.id = $3 UNION ALL `+columns+`d.external_id <> '' AND d.external_id = $4 UNION ALL `+columns+`
			(d.state = 'queued' AND d.attempt > 0 OR d.state = 'doubtful') AND d.conversation_id IN
				(SELECT id FROM conversations WHERE channel = $1 AND account = $2 AND customer = $5)`,
		account.Channel, account.ID, e.Echo.Delivery, e.Echo.NetworkID, e.Address.Customer)
	if err != nil {
		return nil, "", fmt.Errorf("find the delivery of an echo: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		found := Delivery{Lane: LaneCustomer}
		var as bot.DeliveryState
		var body, attached string
		if err := rows.Scan(&found.ID, &found.Conversation, &found.Seq, &found.message, &as, &body, &attached); err != nil {
			return nil, "", err
		}
		var files []bot.Attachment
		if err := unpack(attached, &files); err != nil {
			return nil, "", fmt.Errorf("read a reply's files: %w", err)
		}
		named := found.ID == e.Echo.Delivery || as != bot.DeliveryQueued && as != bot.DeliveryDoubtful
		if d == nil && (named || sameWords(body, files, e.Echo.Text)) {
			d, state = &found, as
		}
	}
	return d, state, rows.Err()
}

// sameWords reports whether an echo repeats what we said: networks trim, and channels list choices
// below the words. A file without words comes as none, or as the link to it if the network did not take it.
func sameWords(said string, files []bot.Attachment, echoed string) bool {
	said, echoed = strings.Join(strings.Fields(said), " "), strings.Join(strings.Fields(echoed), " ")
	if said != "" || echoed == "" {
		return strings.HasPrefix(echoed, said)
	}
	return slices.ContainsFunc(files, func(f bot.Attachment) bool {
		return f.Kept != "" && strings.Contains(echoed, f.Kept) || f.Link != "" && strings.Contains(echoed, f.Link)
	})
}

// storeEcho stores what a person of ours wrote past us and silences the bot: its fence goes, so that an
// answer it is working out cannot land after theirs.
func (c *ConversationTx) storeEcho(ctx context.Context, e bot.Event) error {
	episode, fresh, err := c.resolveEpisode(ctx)
	if err != nil {
		return err
	}
	author := bot.AuthorAgent
	if automatic, err := c.isAutomatic(ctx, e, episode); err != nil {
		return err
	} else if automatic {
		author = bot.AuthorInbox
	}
	id := bot.MessageID(sqldb.NewID(c.now))
	res, err := c.tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, body, attachments, external_id, network_id, turn_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (conversation_id, external_id) DO NOTHING`,
		id, c.conv.ID, c.seq, episode, author, e.Echo.Text, pack(e.Echo.Attachments), e.ExternalID, e.Echo.NetworkID,
		standby, bot.StatusSent, sqldb.Millis(e.At))
	if err != nil {
		return fmt.Errorf("store what was written past us: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // it came before
	}
	if err := queueFetches(ctx, c.tx, c.conv, id, e.Echo.Attachments, false, c.now); err != nil {
		return err
	}
	if fresh {
		if err := c.enterEpisode(ctx, episode); err != nil {
			return err
		}
	}
	if !e.Standby && author == bot.AuthorAgent { // else another program has the customer, no person of ours
		c.conv.Episode = episode
		if err := errors.Join(c.setMode(ctx, bot.ModePerson), c.recordReply(ctx, id, ""), bumpFence(ctx, c.tx, c.conv.ID)); err != nil {
			return err
		}
	}
	_, err = c.tx.ExecContext(ctx, `UPDATE conversations SET next_seq = CAST($2 AS BIGINT) + 1, active_at = $3, misses = 0, clarify = 0, asked = '' WHERE id = $1`,
		c.conv.ID, c.seq, c.now.UnixMilli())
	return err
}

// automaticWithin is how soon after a customer's first words nobody has read them and typed a reply.
const automaticWithin = 10 * time.Second

// isAutomatic reports whether an echo is what the network's own inbox answers by itself to a customer's first words.
func (c *ConversationTx) isAutomatic(ctx context.Context, e bot.Event, episode bot.EpisodeID) (bool, error) {
	var first, agents int64
	err := c.tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(CASE WHEN author = $3 THEN at END), 0), COUNT(CASE WHEN author = $4 THEN 1 END)
		FROM messages WHERE conversation_id = $1 AND episode_id = $2`, c.conv.ID, episode, bot.AuthorCustomer, bot.AuthorAgent).Scan(&first, &agents)
	if err != nil {
		return false, fmt.Errorf("tell an automatic reply from a person's: %w", err)
	}
	return first > 0 && agents == 0 && c.conv.Mode == bot.ModeBot && e.At.Sub(sqldb.Time(first)) <= automaticWithin, nil
}

// resumeLastMessage makes the customer's newest message wait for an answer if another program was to give it.
func (c *ConversationTx) resumeLastMessage(ctx context.Context) error {
	var seq int64
	err := c.tx.QueryRowContext(ctx, `UPDATE messages SET turn_id = '' WHERE conversation_id = $1 AND author = $2 AND turn_id = $3
		AND seq = (SELECT MAX(m.seq) FROM messages m WHERE m.conversation_id = $1 AND m.author = $2) RETURNING seq`,
		c.conv.ID, bot.AuthorCustomer, standby).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take up what was left to us: %w", err)
	}
	return c.scheduleTurn(ctx, seq, false, time.Time{})
}
