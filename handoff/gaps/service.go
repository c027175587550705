package gaps

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"faqbot/bot"
	"faqbot/knowledge"
)

// MaxCount is how far Counts counts: a page opens as fast at any number of gaps.
const MaxCount = 1000

// Counts are how many gaps of an affiliate are in each state, at most MaxCount.
func (s *Service) Counts(ctx context.Context, a knowledge.AffiliateID) (map[State]int, error) {
	counts := map[State]int{}
	for _, state := range States() {
		var n int
		if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM gaps WHERE affiliate = $1 AND state = $2 LIMIT $3) AS counted`,
			a, state, MaxCount).Scan(&n); err != nil {
			return nil, fmt.Errorf("count gaps: %w", err)
		}
		counts[state] = n
	}
	return counts, nil
}

// List reads an affiliate's gaps in a state, those that cost most lately first, each with one of its questions: limit
// of them, after the first skip.
func (s *Service) List(ctx context.Context, a knowledge.AffiliateID, state State, skip, limit int) ([]Gap, error) {
	found, err := selectGaps(ctx, s.db, `affiliate = $1 AND state = $2 ORDER BY cost_rank DESC, id LIMIT $3 OFFSET $4`, a, state, limit, skip)
	if err != nil {
		return nil, err
	}
	var turns []bot.TurnID
	for _, g := range found {
		turns = append(turns, g.example)
	}
	words, err := wordsOf(ctx, s.db, turns)
	list := make([]Gap, len(found))
	for i, g := range found {
		list[i] = *g
		list[i].Question = words[g.example]
	}
	return list, err
}

// shownQuestions is how many of a gap's questions are read, the newest.
const shownQuestions = 50

// Get reads a gap with its newest questions, or ErrNotFound.
func (s *Service) Get(ctx context.Context, a knowledge.AffiliateID, id ID) (Gap, []Question, error) {
	g, err := openGap(ctx, s.db, a, id)
	if err != nil {
		return Gap{}, nil, err
	}
	list, err := selectQuestions(ctx, s.db, `gap_id = $1 AND kind <> 'answered' ORDER BY at DESC, turn_id LIMIT $2`, id, shownQuestions)
	if err != nil {
		return Gap{}, nil, err
	}
	turns := []bot.TurnID{g.example}
	for _, q := range list {
		turns = append(turns, q.Turn)
	}
	words, err := wordsOf(ctx, s.db, turns)
	for i := range list {
		list[i].Words = words[list[i].Turn]
	}
	g.Question = words[g.example]
	return *g, list, err
}

// Of finds the gap that has the last question of a conversation, or ErrNotFound.
func (s *Service) Of(ctx context.Context, a knowledge.AffiliateID, conversation bot.ConversationID) (id ID, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT g.id FROM gap_questions q JOIN gaps g ON g.id = q.gap_id
		WHERE q.conversation_id = $1 AND g.affiliate = $2 ORDER BY q.at DESC LIMIT 1`, conversation, a).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("find the gap of a conversation: %w", err)
	}
	return id, nil
}

// Replied is what a person wrote to the newest of some questions that a person answered, "" if nobody did.
func (s *Service) Replied(ctx context.Context, list []Question) (string, error) {
	for _, q := range list {
		if q.Kind != HandedOff {
			continue
		}
		if words, err := replyTo(ctx, s.db, q); words != "" || err != nil {
			return words, err
		}
	}
	return "", nil
}

// change changes a gap, while the Collector waits.
func (s *Service) change(ctx context.Context, a knowledge.AffiliateID, id ID, do func(*Gap)) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE gap_progress SET at = at WHERE id = 1`); err != nil {
			return err
		}
		g, err := openGap(ctx, tx, a, id)
		if err != nil {
			return err
		}
		do(g)
		return putGap(ctx, tx, g)
	})
	if err != nil {
		return fmt.Errorf("change a gap: %w", err)
	}
	return nil
}

// Decide says that a gap needs no entry, or opens it again.
func (s *Service) Decide(ctx context.Context, a knowledge.AffiliateID, id ID, state State, by string) error {
	if !slices.Contains([]State{Open, OutOfScope, Ignored}, state) {
		return fmt.Errorf("a gap cannot be made %q by hand", state)
	}
	return s.change(ctx, a, id, func(g *Gap) { g.State, g.DecidedBy, g.DecidedAt = state, by, s.o.Now() })
}

// settle notes which gaps of an affiliate are answered by what was published.
func (s *Service) settle(ctx context.Context, a knowledge.AffiliateID) error {
	drafted, err := selectGaps(ctx, s.db, `affiliate = $1 AND draft <> ''`, a)
	if err != nil {
		return err
	}
	for _, g := range drafted {
		u, err := s.corpus.Upload(ctx, g.Draft)
		if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
			return err
		}
		if err == nil && u.Published == 0 && !u.Discarded {
			continue
		}
		answered := entryOf(u)
		err = s.change(ctx, a, g.ID, func(now *Gap) {
			if now.Draft != g.Draft {
				return
			}
			now.Draft = ""
			if u.Published != 0 && answered != "" {
				now.State, now.Entry, now.Answered, now.DecidedAt = Answered, answered, 0, s.o.Now()
			}
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// entryOf is the entry that an upload adds or edits.
func entryOf(u knowledge.Upload) knowledge.EntryID {
	if list := knowledge.AfterAll(u.Changes); len(list) > 0 {
		return list[0].ID
	}
	return ""
}
