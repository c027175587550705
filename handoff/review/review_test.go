package review_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff/review"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// A world is two affiliates with published entries and what their customers asked.
type world struct {
	t       *testing.T
	db      *sqldb.DB
	learner *learn.Learner
	review  *review.Service
	entries map[knowledge.AffiliateID][]knowledge.Entry
	now     time.Time
	n       int
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	w := &world{t: t, db: db, learner: learn.New(db), now: time.Now(), entries: map[knowledge.AffiliateID][]knowledge.Entry{}}
	corpus := knowledge.NewCorpus(db, time.Now)
	w.review = review.New(store.New(db).Reader, w.learner, corpus, func() time.Time { return w.now })
	data := []byte("id,question,answer\na,When am I paid?,Monthly.\nb,How am I paid?,By transfer.\nc,Who pays me?,We do.\n")
	rows, _ := faqfile.Parse("faq.csv", data, faqfile.Options{})
	for _, a := range []knowledge.AffiliateID{"acme", "other"} {
		require.NoError(t, corpus.EnsureAffiliate(t.Context(), a))
		u, err := corpus.Preview(t.Context(), knowledge.Upload{Affiliate: a, File: "faq.csv", Digest: knowledge.Digest(data)}, rows)
		require.NoError(t, err)
		_, err = corpus.Publish(t.Context(), u.ID, "x")
		require.NoError(t, err)
		w.entries[a], _, err = corpus.Published(t.Context(), a)
		require.NoError(t, err)
		slices.SortFunc(w.entries[a], func(x, y knowledge.Entry) int { return int(x.Key[0]) - int(y.Key[0]) })
	}
	return w
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.db.Change(w.t.Context(), query, args...)
	require.NoError(w.t, err)
}

// asked stores a turn in a conversation of its own: the best entry is the first one's, and the first two were offered
// unless it answered.
func (w *world) asked(a knowledge.AffiliateID, words string, action bot.Action, reason bot.Reason) bot.TurnID {
	w.t.Helper()
	w.n++
	id := fmt.Sprintf("turn%d", w.n)
	e := retrieval.Evidence{Sure: .9, Plain: .9, Entries: 30, Wordings: 1, Nearest: .5}
	p := retrieval.ShippedCalibrations().For("x").At(e)
	trace := bot.Trace{Query: words, Space: "x"}
	for i, entry := range w.entries[a] {
		trace.Hits = append(trace.Hits, bot.TraceHit{Entry: entry.ID, Wording: entry.Question, Score: []float64{p, p * (1 - p) * .7, p * (1 - p) * .3}[i], Odds: 1, Evidence: e})
	}
	raw, err := json.Marshal(trace)
	require.NoError(w.t, err)
	entries, err := json.Marshal([]knowledge.EntryID{w.entries[a][0].ID, w.entries[a][1].ID})
	require.NoError(w.t, err)
	w.exec(`INSERT INTO customers (id, opened_at) VALUES ($1, 1)`, "cust"+id)
	w.exec(`INSERT INTO conversations (id, channel, account, customer, customer_id, affiliate, locale, episode_id, opened_at, active_at) VALUES ($1, 'webchat', 'shop', $1, $2, $3, 'en', '', 1, $4)`,
		"conv"+id, "cust"+id, a, w.now.UnixMilli())
	w.exec(`INSERT INTO turns (id, conversation_id, episode_id, affiliate, action, reason, score, entries, trace, at) VALUES ($1, $2, '', $3, $4, $5, $6, $7, $8, $9)`,
		id, "conv"+id, a, action, reason, p, string(entries), string(raw), w.now.UnixMilli())
	return bot.TurnID(id)
}

// drawAll draws all turns of an affiliate, in order.
func (w *world) drawAll(a knowledge.AffiliateID, answers bool) (list []bot.TurnID) {
	w.t.Helper()
	for after := ""; ; {
		q, err := w.review.Draw(w.t.Context(), []knowledge.AffiliateID{a}, after, answers)
		if err != nil {
			require.ErrorIs(w.t, err, review.ErrNothing)
			return list
		}
		list, after = append(list, q.Turn), review.Place(q.Turn)
	}
}

func schemas() []sqldb.Schema {
	return []sqldb.Schema{events.Schema(), knowledge.Schema(), media.Schema(), store.Schema(), learn.Schema()}
}

// What is drawn is what was decided by how likely entries are, whatever became of it; what is judged is learned from and
// not drawn again.
func TestTurnsAreDrawnAndJudged(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		w, ctx := newWorld(t, db), t.Context()
		var answers, menus []bot.TurnID
		for i := range 6 {
			answers = append(answers, w.asked("acme", fmt.Sprint("my money, card 4111 1111 1111 1111, ", i), bot.ActionAnswer, bot.ReasonConfident))
		}
		menus = append(menus, w.asked("acme", "paid how", bot.ActionClarify, bot.ReasonUnsure))
		w.asked("acme", "hello", bot.ActionAnswer, bot.ReasonSmallTalk)
		w.asked("acme", "paid", bot.ActionAnswer, bot.ReasonChosen)
		w.asked("acme", "a person", bot.ActionHandoff, bot.ReasonAskedPerson)
		w.asked("acme", "when am I paid?", bot.ActionAnswer, bot.ReasonConfident) // in the entry's own words
		other := w.asked("other", "my money", bot.ActionAnswer, bot.ReasonConfident)
		w.exec(`UPDATE conversations SET active_at = 1 WHERE id = $1`, "conv"+string(w.asked("acme", "long ago", bot.ActionAnswer, bot.ReasonConfident)))

		require.ElementsMatch(t, append(slices.Clone(answers), menus...), w.drawAll("acme", false))
		order := w.drawAll("acme", true)
		require.ElementsMatch(t, answers, order)
		require.NotEqual(t, answers, order, "not in the order in which they were asked")
		require.Equal(t, []bot.TurnID{other}, w.drawAll("other", false))

		q, err := w.review.Draw(ctx, []knowledge.AffiliateID{"acme"}, "", true)
		require.NoError(t, err)
		require.Contains(t, q.Asked, "•••• 1111")
		require.NotContains(t, q.Asked, "4111 1111 1111")
		require.Equal(t, []string{"How am I paid?", "When am I paid?", "Who pays me?"}, []string{q.Candidates[0].Question, q.Candidates[1].Question, q.Candidates[2].Question})
		require.Equal(t, "When am I paid?", q.Answer.Question)
		require.NoError(t, w.review.Judge(ctx, q, learn.Wrong, learn.Desk, "ann"))
		require.NotContains(t, w.drawAll("acme", true), q.Turn)
		r, err := w.review.Report(ctx, "acme")
		require.NoError(t, err)
		require.Less(t, r.Offsets.Best, 0.)
		require.Equal(t, map[learn.Chosen]int{learn.Desk: 1}, r.By)
		require.NoError(t, w.review.Undo(ctx, "acme", q.Turn))
		require.Contains(t, w.drawAll("acme", true), q.Turn, "it can be judged again")

		menu, err := w.review.Question(ctx, menus[0])
		require.NoError(t, err)
		of := w.entries["acme"]
		require.Equal(t, learn.Best, menu.Verdict(of[0].ID))
		require.Equal(t, learn.Offered, menu.Verdict(of[1].ID))
		require.Equal(t, learn.Wrong, menu.Verdict(of[2].ID))
		require.Equal(t, learn.None, menu.Verdict(""))
		require.NoError(t, w.review.Judge(ctx, menu, learn.None, learn.Page, "ann"))
		r, err = w.review.Report(ctx, "acme")
		require.NoError(t, err)
		require.Less(t, r.Offsets.Menu, 0.)
		require.NoError(t, w.review.Reset(ctx, "acme"))
		r, err = w.review.Report(ctx, "acme")
		require.NoError(t, err)
		require.Zero(t, r.Offsets.Best)
		_, err = w.review.Question(ctx, "nosuch")
		require.ErrorIs(t, err, review.ErrNotFound)
	})
}

// An account may answer for several affiliates: none is shown another's entry.
func TestNoEntryOfOthersIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqldbtest.Migrated(t, schemas()...))
	w.entries["acme"][1] = w.entries["other"][1]
	q, err := w.review.Question(t.Context(), w.asked("acme", "my money", bot.ActionAnswer, bot.ReasonConfident))
	require.NoError(t, err)
	require.Len(t, q.Candidates, 2)
	w.entries["acme"][0] = w.entries["other"][0]
	_, err = w.review.Question(t.Context(), w.asked("acme", "my money", bot.ActionAnswer, bot.ReasonConfident))
	require.ErrorIs(t, err, review.ErrNotFound)
}
