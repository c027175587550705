package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// RowsOf selects what a package's tables hold of some conversations, whose IDs the sub-select ids gives. Rows that
// refer to others come first.
type RowsOf func(ids string) []sqldb.Selection

// selectionOf is the RowsOf of this package's tables and of the events. Bodies of posts are another matter: see mentions.
func selectionOf(ids string) []sqldb.Selection {
	all := func(table string) sqldb.Selection {
		return sqldb.Selection{Table: table, Where: `conversation_id IN ` + ids}
	}
	return []sqldb.Selection{
		all("events"), all("fetches"), all("deliveries"), all("messages"), all("turns"), all("joins"), all("aliases"), all("contacts"), all("turn_queue"),
		{Table: "links", Where: `conversation_id IN ` + ids + ` OR opened_by IN ` + ids},
		{Table: "visitor_revocations", Where: `EXISTS (SELECT 1 FROM conversations c WHERE c.id IN ` + ids + `
			AND c.account = visitor_revocations.account AND c.customer = visitor_revocations.customer)`},
		all("episodes"),
		{Table: "customers", Where: `id IN (SELECT customer_id FROM conversations WHERE id IN ` + ids + `)
			AND NOT EXISTS (SELECT 1 FROM conversations o WHERE o.customer_id = customers.id AND o.id NOT IN ` + ids + `)`},
		{Table: "conversations", Where: `id IN ` + ids},
	}
}

// erased is the sub-select of the conversations that are to be erased.
const erased = `(SELECT conversation_id FROM erasures)`

// ErrUnread means that a customer cannot be erased yet: something that names them waits to be read.
var ErrUnread = errors.New("something that names the customer is yet to be read: let the service run, and try again in a moment")

// Erase removes a customer: every row of every conversation of theirs, their files, and what could not be read of
// them. also selects the rows of other packages. It is noted in erasures, by the IDs of the conversations alone.
func (s *Store) Erase(ctx context.Context, customer bot.CustomerID, also RowsOf, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO erasures (conversation_id, at) SELECT id, CAST($2 AS BIGINT) FROM conversations WHERE customer_id = $1
			ON CONFLICT DO NOTHING`, customer, now.UnixMilli()); err != nil {
			return err
		}
		return s.eraseNoted(ctx, tx, also)
	})
	if err == nil {
		err = s.db.Scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("erase a customer: %w", err)
	}
	return nil
}

// EraseAgain erases what a restored backup has brought back, and returns how many conversations that were.
func (s *Store) EraseAgain(ctx context.Context, also RowsOf) (n int, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM conversations WHERE id IN `+erased).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	err = s.db.InTx(ctx, func(tx *sql.Tx) error { return s.eraseNoted(ctx, tx, also) })
	if err == nil {
		err = s.db.Scrub(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("erase customers again: %w", err)
	}
	return n, nil
}

// eraseNoted removes all of the conversations in erasures.
func (s *Store) eraseNoted(ctx context.Context, tx *sql.Tx, also RowsOf) error {
	var convs []bot.Conversation
	if err := sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var c bot.Conversation
		err := rows.Scan(&c.ID, &c.Address.Channel, &c.Address.Account, &c.Address.Customer)
		convs = append(convs, c)
		return err
	}, `SELECT id, channel, account, customer FROM conversations WHERE id IN `+erased+` ORDER BY id `+s.db.ForUpdate); err != nil {
		return err
	}
	for _, c := range convs {
		if err := erasePosts(ctx, tx, c); err != nil {
			return err
		}
	}
	files, err := filesOf(ctx, tx, `conversation_id IN `+erased)
	if err != nil {
		return err
	}
	pictures, err := picturesOf(ctx, tx, `conversation_id IN `+erased)
	if err != nil {
		return err
	}
	// A matter that is others', too, goes on with them.
	if _, err := tx.ExecContext(ctx, `UPDATE episodes SET conversation_id = (SELECT MIN(o.id) FROM conversations o WHERE o.episode_id = episodes.id AND o.id NOT IN `+erased+`)
		WHERE conversation_id IN `+erased+` AND EXISTS (SELECT 1 FROM conversations o WHERE o.episode_id = episodes.id AND o.id NOT IN `+erased+`)`); err != nil {
		return fmt.Errorf("keep the matters of others: %w", err)
	}
	for _, rows := range append(also(erased), selectionOf(erased)...) {
		if err := rows.Delete(ctx, tx); err != nil {
			return err
		}
	}
	return removeFiles(ctx, tx, append(files, pictures...))
}

// filesOf lists the files that some messages have and we keep.
func filesOf(ctx context.Context, tx *sql.Tx, where string, args ...any) (files []string, err error) {
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var packed string
		var list []bot.Attachment
		err := rows.Scan(&packed)
		if err == nil {
			err = unpack(packed, &list)
		}
		for _, a := range list {
			if a.Kept != "" {
				files = append(files, a.Kept)
			}
		}
		return err
	}, `SELECT attachments FROM messages WHERE attachments <> '' AND `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return files, nil
}

// removeFiles removes files that no message, and no contact, has any more. One that is "" is none.
func removeFiles(ctx context.Context, tx *sql.Tx, files []string) error {
	for _, file := range files {
		if file == "" {
			continue
		}
		var others bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contacts WHERE picture = $2 AND picture <> '')
			OR EXISTS (SELECT 1 FROM messages WHERE attachments <> '' AND attachments LIKE $1 ESCAPE '\')`,
			`%`+escapeLike(`"kept":`+mustJSON(file))+`%`, file).Scan(&others); err != nil {
			return fmt.Errorf("find who else has a file: %w", err)
		}
		if others {
			continue
		}
		if err := media.Remove(ctx, tx, file); err != nil {
			return err
		}
	}
	return nil
}

// erasePosts removes the posts that could not be read and name the customer of a conversation. One that is yet to be
// read is ErrUnread: it may have words of others.
func erasePosts(ctx context.Context, tx *sql.Tx, c bot.Conversation) error {
	names, err := namesOf(ctx, tx, c)
	if err != nil {
		return err
	}
	unread, err := mentions(ctx, tx, `SELECT id, body, body FROM inbox WHERE channel = $1 AND account = $2`, c.Address, names)
	if err != nil {
		return err
	}
	if len(unread) > 0 {
		return ErrUnread
	}
	rejects, err := mentions(ctx, tx, `SELECT id, body, post FROM rejects WHERE channel = $1 AND account = $2`, c.Address, names)
	if err != nil {
		return err
	}
	for _, id := range rejects {
		if _, err := tx.ExecContext(ctx, `DELETE FROM rejects WHERE id = $1`, id); err != nil {
			return fmt.Errorf("remove what could not be read: %w", err)
		}
	}
	return nil
}

// namesOf are the IDs and the number by which a network may call a conversation's customer.
func namesOf(ctx context.Context, r sqldb.Reader, c bot.Conversation) (names []string, err error) {
	parts := strings.Split(c.Address.Customer, ":") // visitors of a chat and members of groups have something before it
	names = append(names, parts[len(parts)-1])
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		if name != "" {
			names = append(names, name)
		}
		return err
	}, `SELECT stable FROM aliases WHERE conversation_id = $1 UNION SELECT phone FROM contacts WHERE conversation_id = $1`, c.ID)
	if err != nil {
		return nil, fmt.Errorf("list a customer's IDs: %w", err)
	}
	return names, nil
}

// mentions lists the posts that a query selects in which one of names stands.
func mentions(ctx context.Context, r sqldb.Reader, query string, a bot.Address, names []string) (ids []string, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var id string
		var body, post []byte
		err := rows.Scan(&id, &body, &post)
		if slices.ContainsFunc(names, func(name string) bool { return stands(body, name) || stands(post, name) }) {
			ids = append(ids, id)
		}
		return err
	}, query, a.Channel, a.Account)
	if err != nil {
		return nil, fmt.Errorf("look through posts: %w", err)
	}
	return ids, nil
}

// stands reports whether name stands in body, and is no part of a longer name or number.
func stands(body []byte, name string) bool {
	inner := func(i int) bool {
		return i >= 0 && i < len(body) && (body[i] >= '0' && body[i] <= '9' || body[i] >= 'a' && body[i] <= 'z' || body[i] >= 'A' && body[i] <= 'Z')
	}
	for from := 0; ; {
		i := bytes.Index(body[from:], []byte(name))
		if i < 0 {
			return false
		}
		if i += from; !inner(i-1) && !inner(i+len(name)) {
			return true
		}
		from = i + 1
	}
}

// Export reads all rows about a customer, by table, and names their files. also selects the rows of other packages.
func (r *Reader) Export(ctx context.Context, customer bot.CustomerID, also RowsOf) (tables map[string][]map[string]any, files []string, err error) {
	tables = map[string][]map[string]any{}
	convs, err := r.OfCustomer(ctx, customer)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range convs {
		ids := `('` + string(c.ID) + `')` // ours: letters and digits
		for _, rows := range append(also(ids), selectionOf(ids)...) {
			list, err := rows.Read(ctx, r.db)
			if err != nil {
				return nil, nil, fmt.Errorf("export a customer: %w", err)
			}
			tables[rows.Table] = append(tables[rows.Table], list...)
		}
		if c.Picture != "" && !slices.Contains(files, c.Picture) {
			files = append(files, c.Picture)
		}
		said, err := r.Transcript(ctx, c.ID, 0)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range said {
			for _, a := range m.Attachments {
				if a.Kept != "" && !slices.Contains(files, a.Kept) {
					files = append(files, a.Kept)
				}
			}
		}
		if err := r.exportRejects(ctx, c, tables); err != nil {
			return nil, nil, err
		}
	}
	return tables, files, nil
}

// exportRejects adds the posts that could not be read and name the customer of c.
func (r *Reader) exportRejects(ctx context.Context, c bot.Conversation, tables map[string][]map[string]any) error {
	names, err := namesOf(ctx, r.db, c)
	if err != nil {
		return err
	}
	ids, err := mentions(ctx, r.db, `SELECT id, body, post FROM rejects WHERE channel = $1 AND account = $2`, c.Address, names)
	for _, id := range ids {
		list, err := sqldb.Selection{Table: "rejects", Where: `id = '` + id + `'`}.Read(ctx, r.db) // a digest in hex
		if err != nil {
			return err
		}
		tables["rejects"] = append(tables["rejects"], list...)
	}
	return err
}

// Erasures lists the conversations of customers who were erased.
func (r *Reader) Erasures(ctx context.Context) (list []bot.ConversationID, err error) {
	err = sqldb.Each(ctx, r.db, func(rows *sql.Rows) error {
		var id bot.ConversationID
		err := rows.Scan(&id)
		list = append(list, id)
		return err
	}, `SELECT conversation_id FROM erasures ORDER BY at, conversation_id`)
	if err != nil {
		return nil, fmt.Errorf("list who was erased: %w", err)
	}
	return list, nil
}

// NoteErasures adds to the list of Erasures; EraseAgain carries them out.
func (s *Store) NoteErasures(ctx context.Context, list []bot.ConversationID, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		for _, id := range list {
			if _, err := tx.ExecContext(ctx, `INSERT INTO erasures (conversation_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, now.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note who was erased: %w", err)
	}
	return nil
}
