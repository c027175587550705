package gaps_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// topics is an encoder of texts that hold one of a few words: texts with the same word are alike.
type topics []string

func (topics) Space() string { return "topics" }

func (e topics) Embed(_ context.Context, texts []string) (list [][]float32, err error) {
	for i, text := range texts {
		v := make([]float32, len(e)+1)
		for j, word := range e {
			if strings.Contains(text, word) {
				v[j] = 1
			}
		}
		v[len(e)] = float32(i%2) / 8
		list = append(list, v)
	}
	return list, nil
}

// A world is an affiliate's conversations, and the gaps in them.
type world struct {
	t      *testing.T
	db     *sqldb.DB
	corpus *knowledge.Corpus
	gaps   *gaps.Service
	now    time.Time
	n      int
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	w := &world{t: t, db: db, now: time.Now().UTC().Truncate(time.Millisecond)}
	clock := func() time.Time { return w.now }
	w.corpus = knowledge.NewCorpus(db, clock)
	require.NoError(t, w.corpus.EnsureAffiliate(t.Context(), "acme"))
	require.NoError(t, w.corpus.EnsureAffiliate(t.Context(), "other"))
	w.gaps = gaps.New(db, w.corpus, gaps.Options{Encoders: retrieval.Builtin{English: topics{"refund", "museum", "parking"}}, Log: logrus.New(), Now: clock})
	return w
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.db.Change(w.t.Context(), query, args...)
	require.NoError(w.t, err)
}

// A talk is one conversation.
type talk struct {
	*world
	id, affiliate string
}

func (w *world) talk(affiliate, channel string) talk {
	w.n++
	id := fmt.Sprintf("conv%d", w.n)
	w.exec(`INSERT INTO customers (id, opened_at) VALUES ($1, 1)`, "cust"+id)
	w.exec(`INSERT INTO conversations (id, channel, account, customer, customer_id, affiliate, locale, episode_id, opened_at) VALUES ($1, $2, 'shop', $1, $3, $4, 'en', $5, 1)`,
		id, channel, "cust"+id, affiliate, "ep"+id)
	return talk{w, id, affiliate}
}

// turn stores a turn that asked words, and what happened.
func (k talk) turn(words string, kind events.Kind, reason string, entry knowledge.EntryID) string {
	k.n++
	id := fmt.Sprintf("turn%d", k.n)
	trace, err := json.Marshal(bot.Trace{Query: words})
	require.NoError(k.t, err)
	k.exec(`INSERT INTO turns (id, conversation_id, episode_id, affiliate, action, reason, score, entries, trace, at) VALUES ($1, $2, $3, $4, '', '', 0, '', $5, $6)`,
		id, k.id, "ep"+k.id, k.affiliate, string(trace), k.now.UnixMilli())
	k.happened(kind, id, reason, entry)
	return id
}

func (k talk) happened(kind events.Kind, cause, reason string, entry knowledge.EntryID) {
	k.now = k.now.Add(10 * time.Millisecond)
	require.NoError(k.t, k.db.InTx(k.t.Context(), func(tx *sql.Tx) error {
		return events.Append(k.t.Context(), tx, events.Event{Kind: kind, At: k.now, Affiliate: k.affiliate, Conversation: k.id, Episode: "ep" + k.id,
			Cause: cause, Entry: string(entry), Probability: 0.3, Reason: reason})
	}))
}

func (w *world) collected(affiliate knowledge.AffiliateID, state gaps.State) []gaps.Gap {
	w.t.Helper()
	require.NoError(w.t, w.gaps.Collect(w.t.Context()))
	list, err := w.gaps.List(w.t.Context(), affiliate, state, 0, 100)
	require.NoError(w.t, err)
	return list
}

func schemas() []sqldb.Schema {
	return []sqldb.Schema{events.Schema(), knowledge.Schema(), media.Schema(), store.Schema(), gaps.Schema(), learn.Schema()}
}

// Questions that were not answered well are one gap if they mean the same, the costliest first; each is counted once,
// as the worst that happened to it.
func TestQuestionsBecomeGaps(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		first := w.talk("acme", "telegram")
		first.turn("where is the museum", events.AskedBack, "unsure", "E1")
		first.happened(events.Tapped, "m1", bot.ChoiceNone, "")
		w.talk("acme", "webchat").turn("is the museum open", events.AskedBack, "unsure", "E1")

		refund := w.talk("acme", "webchat")
		refund.turn("I want a refund", events.AskedBack, "no_answer", "E2")
		refund.turn("give me my refund", events.HandedOff, "no_answer", "E2")
		helped := w.talk("acme", "webchat")
		helped.turn("hello", events.Answered, "small_talk", "")
		helped.turn("refund when", events.Answered, "confident", "E3")
		complaint := helped.turn("that did not help", events.Feedback, events.ReasonNoHelp, "E3")
		helped.happened(events.HandedOff, complaint, "no_answer", "")
		person := w.talk("acme", "webchat")
		person.turn("can I get a refund", events.Answered, "confident", "E3")
		person.turn("a human please", events.HandedOff, "asked_person", "")
		w.talk("acme", "webchat").turn("you idiots", events.HandedOff, "abuse", "")
		w.talk("other", "webchat").turn("refund of others", events.HandedOff, "no_answer", "")

		list := w.collected("acme", gaps.Open)
		require.Len(t, list, 2)
		require.Equal(t, 3, list[0].Size, "once for each conversation")
		require.Equal(t, map[gaps.Kind]int{gaps.HandedOff: 3}, list[0].Tally.Kinds)
		require.Contains(t, list[0].Question, "refund")
		require.Equal(t, map[gaps.Kind]int{gaps.NoneChosen: 1, gaps.AskedBack: 1}, list[1].Tally.Kinds)
		require.Equal(t, map[string]int{"telegram": 1, "webchat": 1}, list[1].Tally.Channels)
		entry, p := list[1].Tally.NearestEntry()
		require.EqualValues(t, "E1", entry)
		require.InDelta(t, 0.3, p, 1e-9)
		week, before := list[0].Tally.Trend(w.now)
		require.Equal(t, []int{3, 0}, []int{week, before})

		require.Equal(t, list, w.collected("acme", gaps.Open), "what was read is read once")
		again := gaps.New(db, w.corpus, gaps.Options{Encoders: retrieval.Builtin{English: topics{"refund", "museum", "parking"}}, Log: logrus.New()})
		require.NoError(t, again.Collect(t.Context()), "another process, or this one after a crash")
		require.Equal(t, list, w.collected("acme", gaps.Open))

		_, _, err := w.gaps.Get(t.Context(), "other", list[0].ID)
		require.ErrorIs(t, err, gaps.ErrNotFound, "another affiliate's")
		require.ErrorIs(t, w.gaps.Decide(t.Context(), "other", list[0].ID, gaps.Ignored, "x"), gaps.ErrNotFound)
		require.NoError(t, w.gaps.Decide(t.Context(), "acme", list[1].ID, gaps.OutOfScope, "ann"))
		w.talk("acme", "webchat").turn("museum again", events.HandedOff, "no_answer", "")
		require.Len(t, w.collected("acme", gaps.Open), 1, "what was set aside stays there")
	})
}

// An answer is a draft like an upload; once it is published the gap is answered, and what customers ask then shows
// whether it helps.
func TestAnswerToAGap(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		for range 5 {
			k := w.talk("acme", "webchat")
			k.turn("where do I find parking", events.AskedBack, "close_call", "PARK")
			k.happened(events.Tapped, "m"+k.id, "entry", "PARK")
		}
		asked := w.talk("acme", "webchat")
		asked.turn("parking for my truck", events.HandedOff, "no_answer", "PARK")
		w.exec(`INSERT INTO messages (id, conversation_id, seq, episode_id, author, body, external_id, status, at) VALUES ('a1', $1, 9, $2, 'agent', 'Behind the house.', 'a1', '', $3)`,
			asked.id, "ep"+asked.id, w.now.Add(time.Second).UnixMilli())
		list := w.collected("acme", gaps.Open)
		require.Len(t, list, 1)
		require.EqualValues(t, "PARK", list[0].Tally.Agreed())
		_, questions, err := w.gaps.Get(ctx, "acme", list[0].ID)
		require.NoError(t, err)
		reply, err := w.gaps.Replied(ctx, questions)
		require.NoError(t, err)
		require.Equal(t, "Behind the house.", reply)
		of, err := w.gaps.Of(ctx, "acme", bot.ConversationID(asked.id))
		require.NoError(t, err)
		require.Equal(t, list[0].ID, of)
		_, err = w.gaps.Of(ctx, "other", bot.ConversationID(asked.id))
		require.ErrorIs(t, err, gaps.ErrNotFound, "another affiliate's")

		w.now = w.now.Add(time.Minute)
		taken := gaps.Fresh(nil, "Where is parking?")
		e := gaps.Fresh([]knowledge.Entry{taken}, "Where is parking?")
		require.Equal(t, taken.Key+"-2", e.Key)
		e.Answer = "Behind the house."
		u, err := w.gaps.Draft(ctx, "acme", list[0].ID, "ann", e)
		require.NoError(t, err)
		require.Len(t, w.collected("acme", gaps.Open), 1, "a draft answers nothing")
		_, err = w.corpus.Publish(ctx, u.ID, "ann") // on the page of uploads
		require.NoError(t, err)
		require.Empty(t, w.collected("acme", gaps.Open))
		done := w.collected("acme", gaps.Answered)
		require.Len(t, done, 1)
		require.Equal(t, u.Changes[0].After.ID, done[0].Entry)
		require.False(t, done[0].Fixed())

		w.now = w.now.Add(time.Minute)
		w.talk("acme", "webchat").turn("parking?", events.Answered, "confident", done[0].Entry)
		w.talk("acme", "webchat").turn("refund?", events.Answered, "confident", done[0].Entry)
		done = w.collected("acme", gaps.Answered)
		require.True(t, done[0].Fixed())
		require.Equal(t, 1, done[0].Answered, "what is not like it does not count")
		w.talk("acme", "webchat").turn("parking??", events.AskedBack, "unsure", "")
		require.Len(t, w.collected("acme", gaps.Answered), 1)
		w.talk("acme", "webchat").turn("no parking!", events.HandedOff, "no_answer", "")
		require.Len(t, w.collected("acme", gaps.Open), 1, "customers still do not get it")

		entries, _, err := w.corpus.Published(ctx, "acme")
		require.NoError(t, err)
		same := entries[0]
		_, err = w.gaps.Draft(ctx, "acme", list[0].ID, "ann", same)
		require.ErrorIs(t, err, gaps.ErrNothing)
		same.Variants = append(slices.Clone(same.Variants), "Where can I leave my car?")
		u, err = w.gaps.Draft(ctx, "acme", list[0].ID, "ann", same)
		require.NoError(t, err)
		again, err := w.gaps.Draft(ctx, "acme", list[0].ID, "ann", same)
		require.NoError(t, err, "a draft of the gap's own is replaced")
		require.NotEqual(t, u.ID, again.ID)
		u = again
		revision, err := w.gaps.Publish(ctx, "acme", u, "ann")
		require.NoError(t, err)
		require.EqualValues(t, 2, revision)

		entries, _, err = w.corpus.Published(ctx, "acme")
		require.NoError(t, err)
		busy := entries[0]
		busy.Answer = "In the yard."
		_, err = w.corpus.SaveEdit(ctx, "acme", knowledge.Edit{Entry: busy, Base: busy.Revision, By: "bob"})
		require.NoError(t, err)
		busy.Variants = append(slices.Clone(busy.Variants), "parking spot")
		_, err = w.gaps.Draft(ctx, "acme", list[0].ID, "ann", busy)
		require.ErrorIs(t, err, knowledge.ErrConflict, "what somebody else writes is not published with it")
		require.Len(t, w.collected("acme", gaps.Answered), 1)
	})
}

// What is erased of a customer is not counted any more, and is in no gap's sum.
func TestGapsForget(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		gone := w.talk("acme", "telegram")
		gone.turn("museum", events.HandedOff, "no_answer", "")
		gone.turn("refund", events.HandedOff, "no_answer", "")
		w.talk("acme", "webchat").turn("a refund", events.HandedOff, "no_answer", "")
		require.Len(t, w.collected("acme", gaps.Open), 2)
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			return gaps.Empty(t.Context(), tx, bot.ConversationID(gone.id), w.now.Add(time.Hour))
		}))
		w.exec(`DELETE FROM turns WHERE conversation_id = $1`, gone.id)
		require.NoError(t, w.gaps.Recount(t.Context()))
		list := w.collected("acme", gaps.Open)
		require.Len(t, list, 1)
		require.Equal(t, 1, list[0].Size)
		require.Equal(t, map[string]int{"webchat": 1}, list[0].Tally.Channels)
		require.Equal(t, "a refund", list[0].Question)
	})
}

// A gap weighs as much as its questions, however many times it was read: six about refunds are not moved to museums by
// the three of them that name one.
func TestGapKeepsItsWeight(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		var list []gaps.Gap
		for _, words := range []string{"refund", "refund", "refund", "refund of a museum", "refund of a museum", "refund of a museum", "museum"} {
			w.talk("acme", "webchat").turn(words, events.HandedOff, "no_answer", "")
			list = w.collected("acme", gaps.Open)
		}
		require.Len(t, list, 2)
		require.Equal(t, []int{6, 1}, []int{list[0].Size, list[1].Size})
	})
}
