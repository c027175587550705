package gaps

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("gaps", migrations) }

// RowsOf selects what there is of some conversations, as a store.RowsOf: their questions, and the gaps that have no
// others. A gap with others is counted anew by the Collector.
func RowsOf(ids string) []sqldb.Selection {
	return []sqldb.Selection{
		{Table: "gaps", Where: `id IN (SELECT q.gap_id FROM gap_questions q WHERE q.conversation_id IN ` + ids + `)
			AND NOT EXISTS (SELECT 1 FROM gap_questions o WHERE o.gap_id = gaps.id AND o.conversation_id NOT IN ` + ids + `)`},
		{Table: "gap_questions", Where: `conversation_id IN ` + ids},
	}
}

// Empty removes a conversation's questions from before then, and the gaps that have no others.
func Empty(ctx context.Context, tx *sql.Tx, id bot.ConversationID, before time.Time) error {
	for _, query := range []string{
		`DELETE FROM gaps WHERE id IN (SELECT q.gap_id FROM gap_questions q WHERE q.conversation_id = $1 AND q.at < $2)
			AND NOT EXISTS (SELECT 1 FROM gap_questions o WHERE o.gap_id = gaps.id AND NOT (o.conversation_id = $1 AND o.at < $2))`,
		`DELETE FROM gap_questions WHERE conversation_id = $1 AND at < $2`,
	} {
		if _, err := tx.ExecContext(ctx, query, id, before.UnixMilli()); err != nil {
			return fmt.Errorf("empty gaps: %w", err)
		}
	}
	return nil
}

const gapColumns = `id, affiliate, state, size, tally, last_at, draft, entry, answered, decided_by, decided_at, space, sum, cost_rank, example, example_like`

// selectGaps reads the gaps that a condition selects.
func selectGaps(ctx context.Context, r sqldb.Reader, where string, args ...any) (list []*Gap, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var g Gap
		var tally string
		var sum []byte
		var last, decided int64
		if err := rows.Scan(&g.ID, &g.Affiliate, &g.State, &g.Size, &tally, &last, &g.Draft, &g.Entry, &g.Answered, &g.DecidedBy, &decided,
			&g.space, &sum, &g.costRank, &g.example, &g.exampleLike); err != nil {
			return err
		}
		g.LastAt, g.DecidedAt, g.sum = sqldb.Time(last), sqldb.Time(decided), unpackFloats(sum)
		list = append(list, &g)
		return json.Unmarshal([]byte(tally), &g.Tally)
	}, `SELECT `+gapColumns+` FROM gaps WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read gaps: %w", err)
	}
	return list, nil
}

// putGap stores a gap, new or changed.
func putGap(ctx context.Context, tx *sql.Tx, g *Gap) error {
	tally, err := json.Marshal(g.Tally)
	if err != nil {
		return fmt.Errorf("store a gap: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gaps (`+gapColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, size = excluded.size, tally = excluded.tally, last_at = excluded.last_at,
			draft = excluded.draft, entry = excluded.entry, answered = excluded.answered, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
			sum = excluded.sum, cost_rank = excluded.cost_rank, example = excluded.example, example_like = excluded.example_like`,
		g.ID, g.Affiliate, g.State, g.Size, string(tally), sqldb.Millis(g.LastAt), g.Draft, g.Entry, g.Answered, g.DecidedBy, sqldb.Millis(g.DecidedAt),
		g.space, packFloats(g.sum), g.costRank, g.example, g.exampleLike)
	if err != nil {
		return fmt.Errorf("store a gap: %w", err)
	}
	return nil
}

const questionColumns = `turn_id, gap_id, conversation_id, episode_id, kind, channel, locale, entry, probability, chosen, vector, at`

// selectQuestions reads the questions that a condition selects, without their words.
func selectQuestions(ctx context.Context, r sqldb.Reader, where string, args ...any) (list []Question, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var q Question
		var vector []byte
		var at int64
		err := rows.Scan(&q.Turn, &q.gap, &q.Conversation, &q.episode, &q.Kind, &q.Channel, &q.Locale, &q.Entry, &q.Probability, &q.chosen, &vector, &at)
		q.At, q.vector = sqldb.Time(at), unpackUnit(vector)
		list = append(list, q)
		return err
	}, `SELECT `+questionColumns+` FROM gap_questions WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the questions of gaps: %w", err)
	}
	return list, nil
}

func putQuestion(ctx context.Context, tx *sql.Tx, q Question) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gap_questions (`+questionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (turn_id) DO UPDATE SET kind = excluded.kind, chosen = excluded.chosen`,
		q.Turn, q.gap, q.Conversation, q.episode, q.Kind, q.Channel, q.Locale, q.Entry, q.Probability, q.chosen, packUnit(q.vector), sqldb.Millis(q.At))
	if err != nil {
		return fmt.Errorf("store a gap's question: %w", err)
	}
	return nil
}

// wordsOf reads what customers asked in some turns, as the turns were searched for.
func wordsOf(ctx context.Context, r sqldb.Reader, turns []bot.TurnID) (words map[bot.TurnID]string, err error) {
	words = map[bot.TurnID]string{}
	if len(turns) == 0 {
		return words, nil
	}
	var args []any
	for _, id := range turns {
		args = append(args, id)
	}
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var id bot.TurnID
		var packed string
		if err := rows.Scan(&id, &packed); err != nil {
			return err
		}
		var trace bot.Trace
		if json.Unmarshal([]byte(packed), &trace) == nil { // one that cannot be read keeps no others from being collected
			words[id] = strings.TrimSpace(trace.Query)
		}
		return nil
	}, `SELECT id, trace FROM turns WHERE id IN (`+marks(len(args))+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what was asked: %w", err)
	}
	return words, nil
}

// marks are n parameters: "$1, $2".
func marks(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(list, ", ")
}

// replyTo reads what a person first wrote in a conversation after a question, "" if nobody did.
func replyTo(ctx context.Context, r sqldb.Reader, q Question) (words string, err error) {
	err = r.QueryRowContext(ctx, `SELECT body FROM messages WHERE conversation_id = $1 AND author = 'agent' AND body <> '' AND at >= $2 AND episode_id = $3
		ORDER BY seq LIMIT 1`, q.Conversation, q.At.UnixMilli(), q.episode).Scan(&words)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what a person answered: %w", err)
	}
	return words, nil
}

// openGap reads one gap of an affiliate, or ErrNotFound.
func openGap(ctx context.Context, r sqldb.Reader, a knowledge.AffiliateID, id ID) (*Gap, error) {
	list, err := selectGaps(ctx, r, `id = $1 AND affiliate = $2`, id, a)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("gap %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
