package gaps

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
)

const (
	collectEvery = time.Second
	restFor      = 30 * time.Second // after a failure
	recountEvery = time.Minute      // what is erased is in no sum any more by then
	// eventsAtOnce is how many events one transaction works on: each question costs about a millisecond, and on SQLite
	// all who write wait.
	eventsAtOnce = 100
	// overlap is how far back events are looked through again: a transaction may commit events that are older than
	// those that were seen.
	overlap = 10 * time.Second
	// maxCandidates is how many gaps of an affiliate may take further questions, the costliest lately.
	maxCandidates = 2000
)

// A space is an encoder's, and the cosine from which questions in it are one gap.
type space struct {
	retrieval.Embedder
	join float64
}

// Options are what a Service needs besides its tables.
type Options struct {
	Encoders retrieval.Builtin // that keep no vectors: the texts are customers'
	// Prepare makes the vectors of entries before they are published; nil: they are made after.
	Prepare   func(context.Context, []knowledge.Entry) error
	Published func() // called after each publish; may be nil
	Log       logrus.FieldLogger
	Now       func() time.Time // time.Now if nil
}

// A Service keeps the gaps of all affiliates. It is safe for concurrent use, also from several processes.
type Service struct {
	db                    *sqldb.DB
	corpus                *knowledge.Corpus
	english, multilingual space
	o                     Options
	seen                  map[string]bool // events since overlap that were worked on; of Collect alone
}

// New returns the service over db, to which Schema was applied.
func New(db *sqldb.DB, corpus *knowledge.Corpus, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Published == nil {
		o.Published = func() {}
	}
	return &Service{db: db, corpus: corpus, o: o, seen: map[string]bool{},
		english: space{o.Encoders.English, JoinEnglish}, multilingual: space{o.Encoders.Multilingual, JoinMultilingual}}
}

// Run collects until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var recounted, rested time.Time
	guard.Every(ctx, collectEvery, func(ctx context.Context) {
		if time.Since(rested) < restFor {
			return
		}
		err := s.Collect(ctx)
		if err == nil && time.Since(recounted) > recountEvery {
			recounted = time.Now()
			err = s.Recount(ctx)
		}
		if err != nil && ctx.Err() == nil {
			rested = time.Now()
			s.o.Log.WithError(err).Error("cannot collect questions without an answer; it is tried again")
		}
	})
	return nil
}

// Collect puts the questions that came since it was last called into gaps. One call is made at a time.
func (s *Service) Collect(ctx context.Context) error {
	var at int64
	if err := s.db.QueryRowContext(ctx, `SELECT at FROM gap_progress WHERE id = 1`).Scan(&at); err != nil {
		return fmt.Errorf("read until when gaps were collected: %w", err)
	}
	answering, err := s.answering(ctx)
	if err != nil {
		return err
	}
	after, seen := sqldb.FirstID(sqldb.Time(max(1, at-overlap.Milliseconds()))), map[string]bool{}
	for {
		page, err := selectEvents(ctx, s.db, `id > $1 ORDER BY id LIMIT $2`, after, eventsAtOnce)
		if err != nil || len(page) == 0 {
			s.seen = seen
			return err
		}
		last := page[len(page)-1]
		after = last.id
		fresh := slices.DeleteFunc(slices.Clone(page), func(e event) bool { return s.seen[e.id] })
		if len(fresh) > 0 {
			if err := s.collectBatch(ctx, fresh, answering, max(at, last.at.UnixMilli())); err != nil {
				return err
			}
		}
		newest := s.o.Now().Add(-2 * overlap)
		for _, e := range page {
			if e.at.After(newest) {
				seen[e.id] = true
			}
		}
	}
}

// answering are the entries that answer gaps.
func (s *Service) answering(ctx context.Context) (map[knowledge.EntryID]bool, error) {
	list := map[knowledge.EntryID]bool{}
	err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var id knowledge.EntryID
		err := rows.Scan(&id)
		list[id] = true
		return err
	}, `SELECT DISTINCT entry FROM gaps WHERE entry <> '' AND state = 'answered'`)
	if err != nil {
		return nil, fmt.Errorf("read which entries answer gaps: %w", err)
	}
	return list, nil
}

// collectBatch works on events, and notes that those until then were.
func (s *Service) collectBatch(ctx context.Context, page []event, answering map[knowledge.EntryID]bool, until int64) error {
	var list []observation
	published := map[knowledge.AffiliateID]bool{}
	for _, e := range page {
		if e.kind == events.Published {
			published[e.affiliate] = true
		}
		o, ok, err := s.observe(ctx, e, answering)
		if err != nil {
			return err
		}
		if ok {
			list = append(list, o)
		}
	}
	list, err := s.embed(ctx, list)
	if err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE gap_progress SET at = CASE WHEN at < $1 THEN $1 ELSE at END WHERE id = 1`, until); err != nil { // it locks the row: one process at a time
			return err
		}
		c := collecting{tx: tx, byAffiliate: map[knowledge.AffiliateID][]*Gap{}}
		for _, o := range list {
			if err := c.take(ctx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("collect gaps: %w", err)
	}
	for a := range published {
		if err := s.settle(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// A collecting is one transaction of Collect.
type collecting struct {
	tx          *sql.Tx
	byAffiliate map[knowledge.AffiliateID][]*Gap
}

// candidates are the gaps of an affiliate that may take a question.
func (c *collecting) candidates(ctx context.Context, a knowledge.AffiliateID) ([]*Gap, error) {
	if list, ok := c.byAffiliate[a]; ok {
		return list, nil
	}
	list, err := selectGaps(ctx, c.tx, `id IN (SELECT id FROM gaps WHERE affiliate = $1 ORDER BY cost_rank DESC LIMIT $2)`, a, maxCandidates)
	c.byAffiliate[a] = list
	return list, err
}

// gap finds a gap by its ID.
func (c *collecting) gap(ctx context.Context, a knowledge.AffiliateID, id ID) (*Gap, error) {
	list, err := c.candidates(ctx, a)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(g *Gap) bool { return g.ID == id }); i >= 0 {
		return list[i], nil
	}
	g, err := openGap(ctx, c.tx, a, id)
	if err == nil {
		c.byAffiliate[a] = append(list, g)
	}
	return g, err
}

// take puts one question into its gap, a new one if none is like it. A question that was taken before becomes as bad
// as the worst that happened to it; so does one that the customer asks again in the same matter.
func (c *collecting) take(ctx context.Context, o observation) error {
	known, err := selectQuestions(ctx, c.tx, `turn_id = $1`, o.Turn)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		return c.worsen(ctx, known[0], o)
	}
	list, err := c.candidates(ctx, o.affiliate)
	if err != nil {
		return err
	}
	if o.Kind == Found {
		return c.found(ctx, list, o)
	}
	var g *Gap
	if i := nearestGap(list, o.space.Space(), o.vector, o.space.join); i >= 0 {
		g = list[i]
		again, err := selectQuestions(ctx, c.tx, `conversation_id = $1 AND gap_id = $2 AND episode_id = $3 ORDER BY at LIMIT 1`, o.Conversation, g.ID, o.episode)
		if err != nil {
			return err
		}
		if len(again) > 0 {
			return c.worsen(ctx, again[0], o)
		}
	} else {
		g = &Gap{ID: ID(sqldb.NewID(o.At)), Affiliate: o.affiliate, State: Open, space: o.space.Space()}
		c.byAffiliate[o.affiliate] = append(list, g)
	}
	q := o.Question
	q.gap = g.ID
	g.join(q)
	g.reopen(q)
	if err := putQuestion(ctx, c.tx, q); err != nil {
		return err
	}
	return putGap(ctx, c.tx, g)
}

// worsen notes on a question what else is known of it.
func (c *collecting) worsen(ctx context.Context, q Question, o observation) error {
	next := q
	if o.Kind.cost() > q.Kind.cost() && q.Kind != Found {
		next.Kind = o.Kind
	}
	if o.chosen != "" {
		next.chosen = o.chosen
	}
	if next.Kind == q.Kind && next.chosen == q.chosen {
		return nil
	}
	g, err := c.gap(ctx, o.affiliate, q.gap)
	if err != nil {
		return err
	}
	g.Tally.add(q, -1)
	g.Tally.add(next, 1)
	g.costRank = addCost(g.costRank, next.Kind.cost()-q.Kind.cost(), q.At)
	g.reopen(next)
	if err := putQuestion(ctx, c.tx, next); err != nil {
		return err
	}
	return putGap(ctx, c.tx, g)
}

// found counts an answered question for the gap that its entry answers, if it is like that gap.
func (c *collecting) found(ctx context.Context, list []*Gap, o observation) error {
	for _, g := range list {
		if g.State != Answered || g.Entry != o.Entry || !o.At.After(g.DecidedAt) || g.space != o.space.Space() || likeness(g.sum, o.vector) < o.space.join {
			continue
		}
		q := o.Question
		q.gap = g.ID
		g.Answered++
		if err := putQuestion(ctx, c.tx, q); err != nil {
			return err
		}
		return putGap(ctx, c.tx, g)
	}
	return nil
}

// reopen opens an answered gap again for a question that was not answered since. That the customer was asked back is
// no reason.
func (g *Gap) reopen(q Question) {
	if g.State == Answered && q.At.After(g.DecidedAt) && q.Kind.cost() > AskedBack.cost() {
		g.State = Open
	}
}

// Recount counts the gaps anew of which questions were erased.
func (s *Service) Recount(ctx context.Context) error {
	var ids []ID
	if err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var id ID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT g.id FROM gaps g JOIN (SELECT gap_id, COUNT(*) AS n FROM gap_questions GROUP BY gap_id) q ON q.gap_id = g.id WHERE q.n <> g.size + g.answered`); err != nil {
		return fmt.Errorf("find gaps to count anew: %w", err)
	}
	for _, id := range ids {
		err := s.db.InTx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `UPDATE gap_progress SET at = at WHERE id = 1`); err != nil {
				return err
			}
			list, err := selectGaps(ctx, tx, `id = $1`, id)
			if err != nil || len(list) == 0 {
				return err
			}
			questions, err := selectQuestions(ctx, tx, `gap_id = $1 ORDER BY at, turn_id`, id)
			if err != nil {
				return err
			}
			list[0].recount(questions)
			return putGap(ctx, tx, list[0])
		})
		if err != nil {
			return fmt.Errorf("count a gap anew: %w", err)
		}
	}
	return nil
}
