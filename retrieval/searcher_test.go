package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

func TestSearchNamesItsAffiliates(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"))
	c.publish("bolt", question("where is my parcel now"))
	c.publish("void")
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})

	none := search(t, s, "where is my parcel")
	require.Empty(t, none.Hits, "no affiliate is none, not all")
	require.Empty(t, none.Revisions)

	one := search(t, s, "where is my parcel", "bolt", "bolt", "nobody", "void")
	require.Equal(t, []knowledge.EntryID{"bolt/key-0/"}, ids(one))
	require.Equal(t, map[knowledge.AffiliateID]knowledge.Revision{"bolt": 1}, one.Revisions)
	require.Equal(t, "b", one.Space)
	require.Empty(t, one.Fallback)

	all := search(t, s, "where is my parcel", "acme", knowledge.Everyone)
	require.Equal(t, []knowledge.EntryID{"acme/key-0/", "bolt/key-0/"}, ids(all))
	require.Equal(t, map[knowledge.AffiliateID]knowledge.Revision{"acme": 1, "bolt": 1}, all.Revisions)
}

func TestHitSaysWhatMatched(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("delivery time", "when does my parcel arrive", "when does my parcel arrive", " "), question("payment methods"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	h := search(t, s, "when does my parcel arrive", "acme").Hits[0]
	require.Equal(t, "when does my parcel arrive", h.Wording)
	require.Equal(t, "answer to delivery time", h.Entry.Answer)
	require.Len(t, h.Entry.Variants, 3, "the entry is as it was published")
	require.InDelta(t, 1, h.Parts.Cosine, 1e-5)
	require.InDelta(t, 1, h.Parts.Ngrams, 1e-5)
	require.Greater(t, h.Score, .5)
	require.Less(t, h.Score, 1.)
}

func TestOneStrayWordingIsNotEnough(t *testing.T) {
	c := newCorpus()
	c.publish("acme",
		question("opening hours", "gift cards", "payment methods", "parcel late"),
		question("parcel tracking", "parcel lost", "parcel damaged", "parcel late"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	hits := search(t, s, "parcel late", "acme").Hits
	require.Equal(t, hits[0].Parts.Cosine, hits[1].Parts.Cosine)
	require.Equal(t, "parcel tracking", hits[0].Entry.Question, "whose other wordings are near too")
}

func TestLimit(t *testing.T) {
	c := newCorpus()
	var entries []knowledge.Entry
	for i := range 300 {
		entries = append(entries, question(fmt.Sprintf("parcel number %d", i)))
	}
	c.publish("acme", entries...)
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	for limit, want := range map[int]int{0: 10, -1: 10, 3: 3, 50: 50, 1 << 40: 100} {
		res, err := s.Search(t.Context(), retrieval.Query{Text: "parcel", Affiliates: []knowledge.AffiliateID{"acme"}, Limit: limit})
		require.NoError(t, err)
		require.Len(t, res.Hits, want)
		seen := make(map[knowledge.EntryID]bool)
		for i, h := range res.Hits {
			require.False(t, seen[h.Entry.ID])
			seen[h.Entry.ID] = true
			require.True(t, i == 0 || h.Score <= res.Hits[i-1].Score)
		}
	}
}

func TestAnyTextIsSafe(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"), question("\x00\xff"))
	bag := newBag("b")
	s := fresh(t, c, bag, retrieval.SearcherOptions{})
	for _, text := range []string{"", " \t\n", "\u2003", "\xff\xfe"} {
		require.Empty(t, search(t, s, text, "acme").Hits)
	}
	for _, text := range []string{"?", "\x00", "a\xc3", "🤷🏽", "\u0301", strings.Repeat("parcel ", 100_000), strings.Repeat("é", 5000)} {
		require.Len(t, search(t, s, text, "acme").Hits, 2)
	}
	long := strings.Repeat("é", 1999) + "x"
	require.Equal(t, search(t, s, long, "acme"), search(t, s, long+"where is my parcel", "acme"))
}

func TestSameQuerySameResult(t *testing.T) {
	c := newCorpus()
	var entries []knowledge.Entry
	for i := range 400 {
		entries = append(entries, question("all the same words", fmt.Sprintf("variant %d", i%7)))
	}
	c.publish("acme", entries...)
	c.publish("bolt", entries[:100]...)
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	first := search(t, s, "the same variant 3", knowledge.Everyone)
	for range 20 {
		require.Equal(t, first, search(t, s, "the same variant 3", knowledge.Everyone))
	}
	again := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	require.Equal(t, first, search(t, again, "the same variant 3", knowledge.Everyone))
}

func TestValidityWindow(t *testing.T) {
	c := newCorpus()
	from, to := at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z")
	sale := question("spring sale")
	sale.From, sale.To = from, to
	c.publish("acme", sale, question("opening hours"))
	now := from
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Now: func() time.Time { return now }})
	for when, want := range map[time.Time]int{
		from.Add(-time.Nanosecond): 1, from: 2, to.Add(-time.Nanosecond): 2, to: 1,
	} {
		now = when
		require.Len(t, search(t, s, "spring sale", "acme").Hits, want, "%v", when)
	}
}

// What to suggest after an answer is what of it is published now, in the entry's language.
func TestFollowUps(t *testing.T) {
	c := newCorpus()
	keyed := func(key, locale string) knowledge.Entry {
		e := question("what about " + key)
		e.Key, e.Locale = key, locale
		return e
	}
	first, over := keyed("first", "en"), keyed("over", "en")
	first.FollowUps = []string{"c", "gone", "first", "b", "over"}
	over.To = at("2020-01-01T00:00:00Z")
	c.publish("acme", first, keyed("b", "en"), keyed("c", "en"), keyed("b", "es"), over)
	c.publish("other", keyed("gone", "en"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	e := search(t, s, "what about first", "acme").Hits[0].Entry
	require.Equal(t, "first", e.Key)
	list := s.FollowUps(e)
	require.Len(t, list, 2)
	require.Equal(t, []string{"c en", "b en"}, []string{list[0].Key + " " + list[0].Locale, list[1].Key + " " + list[1].Locale})
}

func TestWhatDoesNotHoldTakesNoPlace(t *testing.T) {
	// More expired entries match perfectly than the vector store is asked for.
	c := newCorpus()
	var entries []knowledge.Entry
	for range 500 {
		e := question("spring sale dates")
		e.To = at("2020-01-01T00:00:00Z")
		entries = append(entries, e)
	}
	entries = append(entries, question("sale"), question("something else"))
	c.publish("acme", entries...)
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	require.Equal(t, []knowledge.EntryID{"acme/key-500/", "acme/key-501/"}, ids(search(t, s, "spring sale dates", "acme")))
}

func TestTranslations(t *testing.T) {
	twin := func(key, locale, text string) knowledge.Entry {
		e := question(text)
		e.Key, e.Locale = key, locale
		return e
	}
	c := newCorpus()
	expired := twin("old", "de", "alte aktion")
	expired.To = at("2020-01-01T00:00:00Z")
	c.publish("acme",
		twin("hours", "en", "opening hours"), twin("hours", "en-GB", "opening times"), twin("hours", "de", "offen"), twin("hours", "", "hours"),
		twin("only", "fr", "adresse"),
		expired, twin("old", "en", "old offer"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	for _, want := range []struct{ locale, text, hours string }{
		{"en", "opening times", "en"},
		{"en-GB", "opening hours", "en-GB"},
		{"EN_gb", "opening hours", "en-GB"},
		{"de", "opening hours", "de"},
		{"de-AT", "opening hours", "de"},
		{"en-US", "opening times", "en-GB"}, // two fit alike: the better match
		{"en-US", "opening hours", "en"},
		{"fr", "offen", ""},
		{"", "offen", "de"}, // unknown: the better match
	} {
		res, err := s.Search(t.Context(), retrieval.Query{Text: want.text, Locale: want.locale, Affiliates: []knowledge.AffiliateID{"acme"}})
		require.NoError(t, err)
		locales := make(map[string][]string)
		for _, h := range res.Hits {
			locales[h.Entry.Key] = append(locales[h.Entry.Key], h.Entry.Locale)
		}
		require.Equal(t, map[string][]string{"hours": {want.hours}, "only": {"fr"}, "old": {"en"}}, locales, "%+v", want)
	}
}

func TestPrimaryAnswers(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"), question("payment methods"))
	builtin, primary := newBag("b"), newBag("p")
	s := fresh(t, c, builtin, retrieval.SearcherOptions{Primary: primary})
	asked := builtin.asked
	res := search(t, s, "parcel", "acme")
	require.Equal(t, "p", res.Space)
	require.NotEmpty(t, res.Vector, "what votes on signals looks at it")
	require.Empty(t, res.Fallback)
	require.NotEmpty(t, res.Hits)
	require.Equal(t, asked, builtin.asked, "a query is embedded once")
}

func TestPrimaryOfTheSameSpaceIsNotAsked(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"))
	primary := newBag("b")
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: primary})
	require.Empty(t, search(t, s, "parcel", "acme").Fallback)
	require.Zero(t, primary.calls)
}

func TestPrimaryFails(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"), question("payment methods"))
	primary := newBag("p")
	var reported error
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: primary, Observe: func(stage string, _ time.Duration, err error) {
		if stage == retrieval.StagePrimary {
			reported = err
		}
	}})
	primary.set(func() { primary.err = errors.New("canary key sk-1") })
	res := search(t, s, "parcel", "acme")
	require.Equal(t, "b", res.Space)
	require.NotEmpty(t, res.Vector)
	require.Equal(t, "p failed", res.Fallback)
	require.NotEmpty(t, res.Hits)
	require.ErrorContains(t, reported, "canary")

	primary.set(func() { primary.err, primary.dim = nil, 32 })
	require.Equal(t, "p failed", search(t, s, "parcel", "acme").Fallback, "a vector of another length")
	primary.set(func() { primary.dim = 64 })
	require.Equal(t, "p", search(t, s, "parcel", "acme").Space, "it is well again")
}

func TestPrimaryIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCorpus()
		c.publish("acme", question("where is my parcel"))
		primary := newBag("p")
		s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: primary})
		primary.set(func() { primary.hang = true })
		start := time.Now()
		res := search(t, s, "parcel", "acme")
		require.Equal(t, "p did not answer in time", res.Fallback)
		require.NotEmpty(t, res.Hits)
		require.Equal(t, 3*time.Second, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		res, err := s.Search(ctx, retrieval.Query{Text: "parcel", Affiliates: []knowledge.AffiliateID{"acme"}})
		require.NoError(t, err, "the built-in embedder has its share of a short deadline")
		require.NotEmpty(t, res.Hits)
	})
}

func TestPrimaryHasNoVectorsYet(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"))
	primary := newBag("p")
	primary.err = errors.New("down")
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: primary})
	res := search(t, s, "parcel", "acme")
	require.NotEmpty(t, res.Hits)
	require.Equal(t, "p has no vectors yet for all of acme's wordings", res.Fallback)
	primary.set(func() { primary.err = nil })
	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, "p", search(t, s, "parcel", "acme").Space)
}

func TestBuiltinFails(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"))
	builtin := newBag("b")
	s := fresh(t, c, builtin, retrieval.SearcherOptions{})
	builtin.set(func() { builtin.err = errors.New("broken") })
	_, err := s.Search(t.Context(), retrieval.Query{Text: "parcel", Affiliates: []knowledge.AffiliateID{"acme"}})
	require.ErrorContains(t, err, "search: embed the query: broken")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	builtin.set(func() { builtin.err, builtin.hang = nil, true })
	_, err = s.Search(ctx, retrieval.Query{Text: "parcel", Affiliates: []knowledge.AffiliateID{"acme"}})
	require.ErrorIs(t, err, context.Canceled)
}
