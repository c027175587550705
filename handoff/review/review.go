// Package review asks people of ours whether the bot was right, about turns drawn at random. What they say is a label
// (retrieval/learn), from which the affiliate's probabilities learn.
//
// Turns are drawn in an order that has nothing to do with what became of them. A person who judged what they came across
// would judge mostly what went wrong.
package review

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/retrieval/learn"
)

const (
	drawnFor      = 30 * 24 * time.Hour // turns of conversations that were active so lately are drawn
	maxCandidates = 5                   // entries that a question may be about
)

var (
	// ErrNothing means that no turn is left to be judged.
	ErrNothing = errors.New("nothing is left to be judged")
	// ErrNotFound means that there is no such turn to be judged.
	ErrNotFound = errors.New("no such question")
)

// A Service draws turns and keeps what is said of them. It is safe for concurrent use.
type Service struct {
	turns   *store.Reader
	learner *learn.Learner
	corpus  *knowledge.Corpus
	now     func() time.Time
}

// New returns the service; now is time.Now if nil.
func New(turns *store.Reader, learner *learn.Learner, corpus *knowledge.Corpus, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{turns, learner, corpus, now}
}

// A Question is a turn that is to be judged.
type Question struct {
	Turn         bot.TurnID
	Conversation bot.ConversationID
	Affiliate    knowledge.AffiliateID
	Asked        string            // without card numbers and the like
	Before       []string          // what was said before, if the question needed it
	Answer       knowledge.Entry   // the best entry
	Candidates   []knowledge.Entry // the best entry and the next ones, by their questions: the order tells nothing

	drawn store.Drawn
}

// Place is a turn's place in the order in which turns are drawn.
func Place(id bot.TurnID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// Draw draws the next turn of affiliates after a place in the order, "" for the first, or returns ErrNothing. With
// answers, turns alone that answered.
func (s *Service) Draw(ctx context.Context, affiliates []knowledge.AffiliateID, after string, answers bool) (Question, error) {
	list, err := s.turns.Unjudged(ctx, affiliates, s.now().Add(-drawnFor), answers)
	if err != nil {
		return Question{}, err
	}
	slices.SortFunc(list, func(a, b bot.TurnID) int { return cmp.Compare(Place(a), Place(b)) })
	for _, id := range list {
		if Place(id) <= after {
			continue
		}
		q, err := s.Question(ctx, id)
		if !errors.Is(err, ErrNotFound) {
			return q, err
		}
	}
	return Question{}, ErrNothing
}

// Question reads a turn that can be judged, or ErrNotFound. One whose question is an entry's own wording tells nothing.
func (s *Service) Question(ctx context.Context, id bot.TurnID) (q Question, err error) {
	d, ok, err := s.turns.Drawn(ctx, id)
	if err != nil {
		return q, err
	}
	if !ok || strings.EqualFold(d.Trace.Query, d.Trace.Hits[0].Wording) {
		return q, ErrNotFound
	}
	q = Question{Turn: id, Conversation: d.Conversation, Affiliate: d.Affiliate, Asked: handoff.MaskSecrets(d.Trace.Query), drawn: d}
	for _, said := range d.Trace.Before {
		q.Before = append(q.Before, handoff.MaskSecrets(said))
	}
	for i, h := range d.Trace.Hits[:min(len(d.Trace.Hits), maxCandidates)] {
		e, err := s.corpus.Entry(ctx, h.Entry)
		switch {
		case errors.Is(err, knowledge.ErrNotFound) && i > 0:
			continue
		case errors.Is(err, knowledge.ErrNotFound): // whether it was right does not matter any more
			return q, ErrNotFound
		case err != nil:
			return q, err
		case e.Affiliate != q.Affiliate && i > 0: // the account answers for several
			continue
		case e.Affiliate != q.Affiliate:
			return q, ErrNotFound
		}
		if i == 0 {
			q.Answer = e
		}
		q.Candidates = append(q.Candidates, e)
	}
	slices.SortStableFunc(q.Candidates, func(a, b knowledge.Entry) int { return strings.Compare(a.Question, b.Question) })
	return q, nil
}

// Verdict is what it means that an entry answers q; "" for none.
func (q Question) Verdict(entry knowledge.EntryID) learn.Verdict {
	i := slices.IndexFunc(q.Candidates, func(e knowledge.Entry) bool { return e.ID == entry })
	switch {
	case entry == "":
		return learn.None
	case i >= 0 && q.Candidates[i].Answer == q.Answer.Answer:
		return learn.Best // it says the same
	case slices.Contains(q.drawn.Decision.Entries, entry):
		return learn.Offered
	}
	return learn.Wrong
}

// Judge keeps a verdict on q.
func (s *Service) Judge(ctx context.Context, q Question, v learn.Verdict, chosen learn.Chosen, by string) error {
	err := s.learner.Add(ctx, learn.Label{Turn: string(q.Turn), Conversation: string(q.Conversation), Affiliate: q.Affiliate,
		Chosen: chosen, Verdict: v, By: by, At: s.now(), Case: q.drawn.Case})
	if err != nil {
		return fmt.Errorf("keep what was judged: %w", err)
	}
	return nil
}

// Undo takes back what a person said of a turn.
func (s *Service) Undo(ctx context.Context, a knowledge.AffiliateID, id bot.TurnID) error {
	return s.learner.Remove(ctx, a, string(id))
}

// Report is what was learned of an affiliate's customers.
func (s *Service) Report(ctx context.Context, a knowledge.AffiliateID) (learn.Report, error) {
	return s.learner.Report(ctx, a)
}

// Reset forgets what was learned of an affiliate's customers.
func (s *Service) Reset(ctx context.Context, a knowledge.AffiliateID) error {
	return s.learner.Reset(ctx, a)
}
