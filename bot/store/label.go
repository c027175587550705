package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval/learn"
)

// caseOf is a turn as a case of a label; ok is false if its probability is not the calibration's alone, or if it was not
// decided by it.
func (r *Reader) caseOf(t bot.TurnRecord) (c learn.Case, ok bool) {
	hits, d := t.Trace.Hits, t.Decision
	switch {
	case len(hits) == 0 || t.Trace.Query == "" || len(t.Trace.Parts) > 0:
		return c, false
	case d.Action == bot.ActionAnswer && d.Reason == bot.ReasonConfident:
	case d.Action == bot.ActionClarify && (d.Reason == bot.ReasonUnsure || d.Reason == bot.ReasonCloseCall):
	default:
		return c, false
	}
	best := hits[0]
	if said := r.shipped().For(t.Trace.Space).At(best.Evidence); math.Abs(best.Score-said) > 1e-9 { // a doubt of another kind lowered it
		return c, false
	}
	c = learn.Case{Space: t.Trace.Space, Evidence: best.Evidence, Menu: d.Reason == bot.ReasonUnsure}
	for _, h := range hits[1:] {
		if slices.Contains(d.Entries, h.Entry) && best.Score > 0 && best.Score < 1 {
			c.Share += h.Score / (best.Score * (1 - best.Score))
		}
	}
	return c, true
}

// learnFromMenu makes a label of the turn before turn, if that asked which entry was meant: picked is what the customer
// chose, "" for none of them. A conversation teaches once: nobody moves what others hear by asking one thing again and
// again.
func (r *Reader) learnFromMenu(ctx context.Context, c *ConversationTx, turn bot.TurnID, picked knowledge.EntryID) error {
	t, unpackTrace, err := scanTurn(c.tx.QueryRowContext(ctx, `SELECT `+turnColumns+` FROM turns WHERE conversation_id = $1 AND episode_id = $2 AND id <> $3
		ORDER BY at DESC, id DESC LIMIT 1`, c.conv.ID, c.conv.Episode, turn))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the menu: %w", err)
	}
	if unpackTrace(&t) != nil { // a label less is no reason to fail
		return nil
	}
	one, ok := r.caseOf(t)
	if !ok || t.Decision.Action != bot.ActionClarify || picked != "" && !slices.Contains(t.Decision.Entries, picked) {
		return nil
	}
	l := learn.Label{Turn: string(t.ID), Conversation: string(c.conv.ID), Affiliate: c.conv.Affiliate, Chosen: learn.Menu, Verdict: learn.Offered, At: c.now, Case: one}
	switch picked {
	case "":
		l.Verdict = learn.None
	case t.Trace.Hits[0].Entry:
		l.Verdict = learn.Best
	}
	if l.Affiliate == "" { // an account of everyone's: whose entry was nearest
		if err := c.tx.QueryRowContext(ctx, `SELECT affiliate FROM entries WHERE id = $1`, t.Trace.Hits[0].Entry).Scan(&l.Affiliate); errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read whose menu it was: %w", err)
		}
	}
	var taught bool
	if err := c.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM labels WHERE conversation_id = $1 AND chosen = $2)`, c.conv.ID, learn.Menu).Scan(&taught); err != nil {
		return fmt.Errorf("read whether a conversation taught: %w", err)
	}
	if taught {
		return nil
	}
	return learn.Put(ctx, c.tx, l)
}

// A Drawn is a turn that may be judged.
type Drawn struct {
	bot.TurnRecord
	Conversation bot.ConversationID
	Affiliate    knowledge.AffiliateID
	learn.Case
}

// maxDrawn is how many turns a judged one is drawn from, those of the conversations that were active last.
const maxDrawn = 2000

// Unjudged lists turns of affiliates' conversations active since then that decided by how likely entries are, and have no
// label. With answers, those alone that answered.
func (r *Reader) Unjudged(ctx context.Context, affiliates []knowledge.AffiliateID, since time.Time, answers bool) (list []bot.TurnID, err error) {
	args := []any{since.UnixMilli()}
	kinds := `t.action = 'answer' AND t.reason = 'confident'`
	if !answers {
		kinds = `(` + kinds + ` OR t.action = 'clarify' AND t.reason IN ('unsure', 'close_call'))`
	}
	err = sqldb.Each(ctx, r.db, func(rows *sql.Rows) error {
		var id bot.TurnID
		err := rows.Scan(&id)
		list = append(list, id)
		return err
	}, `SELECT t.id FROM (SELECT id, active_at FROM conversations WHERE active_at >= $1 AND `+knowledge.Among(affiliates, &args)+`) c
		JOIN turns t ON t.conversation_id = c.id WHERE `+kinds+` AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.turn_id = t.id)
		ORDER BY c.active_at DESC LIMIT `+strconv.Itoa(maxDrawn), args...)
	if err != nil {
		return nil, fmt.Errorf("list turns to judge: %w", err)
	}
	return list, nil
}

// Drawn reads a turn to be judged; ok is false if it cannot be judged, or is gone.
func (r *Reader) Drawn(ctx context.Context, id bot.TurnID) (d Drawn, ok bool, err error) {
	t, unpackTrace, err := scanTurn(r.db.QueryRowContext(ctx, `SELECT `+turnColumns+` FROM turns WHERE id = $1`, id))
	if err == nil {
		err = r.db.QueryRowContext(ctx, `SELECT conversation_id, affiliate FROM turns WHERE id = $1`, id).Scan(&d.Conversation, &d.Affiliate)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read a turn to judge: %w", err)
	}
	if unpackTrace(&t) != nil {
		return d, false, nil
	}
	d.TurnRecord = t
	d.Case, ok = r.caseOf(t)
	return d, ok, nil
}

// maxAsked is how many questions Asked returns.
const maxAsked = 2000

// Asked returns what customers of an affiliate, active since then, asked last, as the bot read it.
func (r *Reader) Asked(ctx context.Context, affiliate knowledge.AffiliateID, since time.Time) (list []string, err error) {
	err = sqldb.Each(ctx, r.db, func(rows *sql.Rows) error {
		var trace string
		if err := rows.Scan(&trace); err != nil {
			return err
		}
		var t bot.Trace
		if json.Unmarshal([]byte(trace), &t) == nil && t.Query != "" {
			list = append(list, t.Query)
		}
		return nil
	}, `SELECT t.trace FROM (SELECT id, active_at FROM conversations WHERE active_at >= $3 AND affiliate = $1 ORDER BY active_at DESC LIMIT $2) c
		JOIN turns t ON t.conversation_id = c.id ORDER BY c.active_at DESC LIMIT $2`, affiliate, maxAsked, since.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read what customers asked: %w", err)
	}
	return list, nil
}
