package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// A customer is one or more conversations, each with an address of theirs. They are joined by proof alone:
// a link opened on the other channel, or one phone number that both networks prove to be theirs. Names
// never join anybody. One affiliate's customers are never joined with another's.

const (
	// phoneFor is how long a number counts as proven. Carriers give a number that was left to somebody
	// else after 45 days at the earliest (47 CFR 52.15(f)(1)(ii)).
	phoneFor = 45 * 24 * time.Hour
	// phoneAgain is how often the same proof is noted.
	phoneAgain = 24 * time.Hour
)

// identifyCustomer finds out whether the customer of e is one we know from another channel.
func (c *ConversationTx) identifyCustomer(ctx context.Context, e bot.Event, signer vault.Signer) (bot.Event, error) {
	e, err := c.openLink(ctx, e, signer)
	if err == nil && e.Phone != "" {
		err = c.storePhone(ctx, e.Phone)
	}
	if err == nil && e.Name != "" && e.Name != c.conv.Name {
		err = storeName(ctx, c.tx, c.conv.ID, e.Name)
	}
	return e, err
}

// storeName notes what the network calls a customer.
func storeName(ctx context.Context, tx *sql.Tx, id bot.ConversationID, name string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE contacts SET name = $2 WHERE conversation_id = $1`, id, name); err != nil {
		return fmt.Errorf("note a customer's name: %w", err)
	}
	return nil
}

// storePhone notes that phone is the customer's, and joins them with the customer of another account who has
// proven the same lately, unless an agent separated either.
func (c *ConversationTx) storePhone(ctx context.Context, phone string) error {
	res, err := c.tx.ExecContext(ctx, `UPDATE contacts SET phone = $2, phone_at = $3 WHERE conversation_id = $1 AND (phone <> $2 OR phone_at < $4)`,
		c.conv.ID, phone, c.now.UnixMilli(), c.now.Add(-phoneAgain).UnixMilli())
	if err != nil {
		return fmt.Errorf("note a phone number: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	a := c.conv.Address
	// Whoever had it on the same account has it no more.
	if _, err := c.tx.ExecContext(ctx, `UPDATE contacts SET phone = '' WHERE phone = $1 AND phone <> '' AND conversation_id <> $4
		AND EXISTS (SELECT 1 FROM conversations o WHERE o.id = contacts.conversation_id AND o.channel = $2 AND o.account = $3)`,
		phone, a.Channel, a.Account, c.conv.ID); err != nil {
		return fmt.Errorf("a phone number passed on: %w", err)
	}
	var other bot.CustomerID
	err = c.tx.QueryRowContext(ctx, `SELECT o.customer_id FROM contacts k JOIN conversations o ON o.id = k.conversation_id JOIN contacts c ON c.conversation_id = $2
		WHERE k.phone = $1 AND k.phone <> '' AND o.id <> $2 AND o.affiliate = $3 AND k.phone_at > $4 AND NOT k.apart AND NOT c.apart AND o.customer_id <> $5
		ORDER BY k.phone_at DESC LIMIT 1`, phone, c.conv.ID, c.conv.Affiliate, c.now.Add(-phoneFor).UnixMilli(), c.conv.Customer).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find who has a phone number: %w", err)
	}
	return c.joinCustomer(ctx, other, bot.ProofPhone, "")
}

// joinCustomer makes the conversation, and all that its customer had, another customer's.
func (c *ConversationTx) joinCustomer(ctx context.Context, to bot.CustomerID, proof bot.Proof, agent string) error {
	was := c.conv.Customer
	if _, err := c.tx.ExecContext(ctx, `UPDATE conversations SET customer_id = $2 WHERE customer_id = $1 AND affiliate = $3`,
		was, to, c.conv.Affiliate); err != nil {
		return fmt.Errorf("join conversations: %w", err)
	}
	if _, err := c.tx.ExecContext(ctx, `DELETE FROM customers WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM conversations WHERE customer_id = $1)`, was); err != nil {
		return fmt.Errorf("join customers: %w", err)
	}
	c.conv.Customer, c.event.joined = to, true
	return recordJoin(ctx, c.tx, c.conv.ID, was, to, proof, agent, c.now)
}

func recordJoin(ctx context.Context, tx *sql.Tx, id bot.ConversationID, was, became bot.CustomerID, proof bot.Proof, agent string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO joins (conversation_id, was, became, proof, agent, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, was, became, proof, agent, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("record a join: %w", err)
	}
	return nil
}

// openEpisodeOfCustomer is the episode that the customer is in on any of their channels, "" if they are in none: a
// matter that goes on in another channel is one matter.
func (c *ConversationTx) openEpisodeOfCustomer(ctx context.Context) (id bot.EpisodeID, err error) {
	err = c.tx.QueryRowContext(ctx, `SELECT c.episode_id FROM conversations c JOIN episodes e ON e.id = c.episode_id
		WHERE c.customer_id = $1 AND e.closed_at = 0 AND (c.active_at >= $3 OR c.mode = $4)
		ORDER BY CASE WHEN c.id = $2 THEN 1 ELSE 0 END, c.active_at DESC LIMIT 1`,
		c.conv.Customer, c.conv.ID, c.now.Add(-episodeGap).UnixMilli(), bot.ModePerson).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the customer's episode: %w", err)
	}
	return id, nil
}

// mergeEpisodes makes the episode that the conversation was in part of another, into which its customer came by a
// join: it was the same matter, and counts once. One that has ended stays as it is.
func (c *ConversationTx) mergeEpisodes(ctx context.Context, into bot.EpisodeID) error {
	res, err := c.tx.ExecContext(ctx, `DELETE FROM episodes WHERE id = $1 AND closed_at = 0`, c.conv.Episode)
	if err != nil {
		return fmt.Errorf("merge two episodes: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	for _, table := range []string{"messages", "turns"} {
		if _, err := c.tx.ExecContext(ctx, `UPDATE `+table+` SET episode_id = $3 WHERE episode_id = $2 AND conversation_id IN
			(SELECT id FROM conversations WHERE customer_id = $1)`, c.conv.Customer, c.conv.Episode, into); err != nil {
			return fmt.Errorf("merge the %s of two episodes: %w", table, err)
		}
	}
	if _, err = c.tx.ExecContext(ctx, `UPDATE conversations SET episode_id = $3 WHERE customer_id = $1 AND episode_id = $2`,
		c.conv.Customer, c.conv.Episode, into); err != nil {
		return err
	}
	var ids []string
	if err := sqldb.Each(ctx, c.tx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM conversations WHERE customer_id = $1`, c.conv.Customer); err != nil {
		return err
	}
	return events.MergeEpisodes(ctx, c.tx, ids, string(c.conv.Episode), string(into))
}

// storeConsent notes what a customer said in the network's settings. It says nothing of answers they ask for.
func (c *ConversationTx) storeConsent(ctx context.Context, e bot.Event) error {
	from, to := bot.OptOutNothing, bot.OptOutMarketing
	if e.Consent.Marketing {
		from, to = to, from
	}
	_, err := c.tx.ExecContext(ctx, `UPDATE contacts SET opt_out = $2, opt_out_at = $3 WHERE conversation_id = $1 AND opt_out = $4 AND opt_out_at <= $3`,
		c.conv.ID, to, sqldb.Millis(e.At), from)
	if err != nil {
		return fmt.Errorf("note what a customer wants: %w", err)
	}
	return nil
}

// Identities are all conversations of the customer of conv, itself among them, the oldest first.
func (r *Reader) Identities(ctx context.Context, conv bot.Conversation) (list []bot.Identity, err error) {
	all, err := r.conversations(ctx, `customer_id = $1 ORDER BY opened_at, id`, conv.Customer)
	if err != nil {
		return nil, fmt.Errorf("list a customer's conversations: %w", err)
	}
	for _, one := range all {
		i := bot.Identity{Conversation: one}
		var at int64
		err := r.db.QueryRowContext(ctx, `SELECT proof, agent, at FROM joins WHERE conversation_id = $1 ORDER BY at DESC LIMIT 1`, one.ID).
			Scan(&i.Proof, &i.Agent, &at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read why a conversation was joined: %w", err)
		}
		i.Since = sqldb.Time(at)
		list = append(list, i)
	}
	return list, nil
}

// Separate makes the conversation a customer's of its own again. From then on only a link joins it with
// another. One that is alone already is left as it is.
func (c *ConversationTx) Separate(ctx context.Context, agent string) error {
	var others int
	if err := c.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM conversations WHERE customer_id = $1 AND id <> $2`, c.conv.Customer, c.conv.ID).Scan(&others); err != nil {
		return fmt.Errorf("count a customer's conversations: %w", err)
	}
	if others == 0 {
		return nil
	}
	own := bot.CustomerID(sqldb.NewID(c.now))
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO customers (id, opened_at) VALUES ($1, $2)`, own, sqldb.Millis(c.conv.OpenedAt)); err != nil {
		return fmt.Errorf("add customer: %w", err)
	}
	// A matter that was shared stays with the others.
	if _, err := c.tx.ExecContext(ctx, `UPDATE conversations SET customer_id = $2, episode_id = CASE WHEN EXISTS
			(SELECT 1 FROM conversations o WHERE o.customer_id = $3 AND o.id <> $1 AND o.episode_id = conversations.episode_id)
		THEN '' ELSE episode_id END WHERE id = $1`, c.conv.ID, own, c.conv.Customer); err != nil {
		return fmt.Errorf("separate a conversation: %w", err)
	}
	if _, err := c.tx.ExecContext(ctx, `UPDATE contacts SET apart = TRUE WHERE conversation_id = $1`, c.conv.ID); err != nil {
		return fmt.Errorf("keep a conversation separate: %w", err)
	}
	return recordJoin(ctx, c.tx, c.conv.ID, c.conv.Customer, own, bot.ProofApart, agent, c.now)
}
