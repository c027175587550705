package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

func TestRefreshMakesAPublishLive(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"), question("payment methods"))
	c.publish("bolt", question("opening hours"))
	builtin := newBag("b")
	s := fresh(t, c, builtin, retrieval.SearcherOptions{})
	reads, asked := c.reads, builtin.asked

	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, reads, c.reads, "nothing changed, nothing is read")

	c.publish("acme", question("where is my parcel"), question("gift cards"))
	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, reads+1, c.reads, "only the affiliate that published is read")
	require.Equal(t, asked+2, builtin.asked, "only the new wording and its answer are embedded")
	res := search(t, s, "gift cards", knowledge.Everyone)
	require.Equal(t, "gift cards", res.Hits[0].Entry.Question)
	require.EqualValues(t, 2, res.Revisions["acme"])
	for _, h := range res.Hits {
		require.NotEqual(t, "payment methods", h.Entry.Question)
	}
}

func TestRefreshDropsTheGone(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("where is my parcel"))
	c.publish("bolt", question("where is my parcel"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	c.publish("acme")
	c.set(func() { delete(c.revisions, "bolt") })
	require.NoError(t, s.Refresh(t.Context()))
	res := search(t, s, "parcel", knowledge.Everyone)
	require.Empty(t, res.Hits)
	require.Empty(t, res.Revisions)
	reads := c.reads
	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, reads, c.reads, "an empty affiliate is not read again and again")
}

func TestRefreshGoesOnPastAFailure(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("old words of acme"))
	c.publish("bolt", question("old words of bolt"))
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{})
	c.publish("acme", question("new words of acme"))
	c.publish("bolt", question("new words of bolt"))
	c.publish("cove", knowledge.Entry{Question: "borrowed"})
	c.set(func() {
		c.broken["acme"] = errors.New("disk on fire")
		c.entries["cove"][0].Affiliate = "acme"
	})
	err := s.Refresh(t.Context())
	require.ErrorContains(t, err, "refresh acme: disk on fire")
	require.ErrorContains(t, err, `refresh cove: entry cove/key-0/ belongs to "acme"`)
	require.Equal(t, "old words of acme", search(t, s, "words", "acme").Hits[0].Entry.Question)
	require.Equal(t, "new words of bolt", search(t, s, "words", "bolt").Hits[0].Entry.Question)
	require.Empty(t, search(t, s, "borrowed", "cove").Hits)
	c.set(func() { delete(c.broken, "acme"); delete(c.revisions, "cove") })
	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, "new words of acme", search(t, s, "words", "acme").Hits[0].Entry.Question)
}

func TestRefreshWithoutVectorsKeepsTheOldPart(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("old words"))
	builtin := newBag("b")
	s := fresh(t, c, builtin, retrieval.SearcherOptions{})
	c.publish("acme", question("new words"))
	builtin.set(func() { builtin.err = errors.New("broken") })
	require.ErrorContains(t, s.Refresh(t.Context()), "refresh acme: broken")
	builtin.set(func() { builtin.err = nil })
	require.Equal(t, "old words", search(t, s, "words", "acme").Hits[0].Entry.Question)

	c.publish("acme", question("old words"), question("new words"))
	builtin.set(func() { builtin.dim = 32 })
	require.ErrorContains(t, s.Refresh(t.Context()), "refresh acme: embedder b: vector 1: has 32 numbers, not 64")
	builtin.set(func() { builtin.dim = 64 })
	require.Len(t, search(t, s, "words", "acme").Hits, 1)
}

func TestReady(t *testing.T) {
	c := newCorpus()
	s := retrieval.NewSearcher(c, newBag("b"), retrieval.SearcherOptions{})
	require.False(t, s.Ready())
	c.down = errors.New("no database")
	require.Error(t, s.Refresh(t.Context()))
	require.False(t, s.Ready())
	c.down = nil
	c.publish("acme", question("x"))
	c.broken["acme"] = errors.New("unreadable")
	require.Error(t, s.Refresh(t.Context()))
	require.False(t, s.Ready(), "nothing at all could be read")
	c.publish("bolt", question("y"))
	require.Error(t, s.Refresh(t.Context()))
	require.True(t, s.Ready(), "one affiliate's failure does not stop the others")
	empty := retrieval.NewSearcher(newCorpus(), newBag("b"), retrieval.SearcherOptions{})
	require.NoError(t, empty.Refresh(t.Context()))
	require.True(t, empty.Ready())
}

func TestRunFollowsPublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCorpus()
		c.publish("acme", question("first words"))
		primary := newBag("p")
		s := retrieval.NewSearcher(c, newBag("b"), retrieval.SearcherOptions{Primary: primary})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		require.True(t, s.Ready())
		require.Equal(t, "first words", search(t, s, "words", "acme").Hits[0].Entry.Question)

		c.publish("acme", question("second words"))
		pass(500 * time.Millisecond)
		require.Equal(t, "second words", search(t, s, "words", "acme").Hits[0].Entry.Question)

		c.publish("acme", question("third words"))
		s.Poke()
		s.Poke()
		synctest.Wait()
		require.Equal(t, "third words", search(t, s, "words", "acme").Hits[0].Entry.Question)

		primary.set(func() { primary.err = errors.New("down") })
		c.publish("acme", question("fourth words"))
		pass(time.Second)
		calls := primary.called()
		pass(10 * time.Minute)
		require.LessOrEqual(t, primary.called()-calls, 20, "a failing embedder is asked less and less often")
		require.Equal(t, "b", search(t, s, "words", "acme").Space)
		primary.set(func() { primary.err = nil })
		pass(time.Minute)
		require.Equal(t, "p", search(t, s, "words", "acme").Space)

		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestRunIsNotHeldUpByOneAffiliate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCorpus()
		c.publish("acme", question("first words"))
		c.publish("bolt", question("first words"))
		slow := &slowFor{Embedder: newBag("b"), text: "huge upload"}
		s := retrieval.NewSearcher(c, slow, retrieval.SearcherOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		c.publish("acme", question("huge upload"))
		pass(time.Second)
		c.publish("bolt", question("second words"))
		pass(time.Second)
		require.Equal(t, "second words", search(t, s, "words", "bolt").Hits[0].Entry.Question)
		require.Equal(t, "first words", search(t, s, "words", "acme").Hits[0].Entry.Question)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

// pass lets d pass on the bubble's clock, which takes no time, and all that is due be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// slowFor never finishes embedding one text.
type slowFor struct {
	retrieval.Embedder
	text string
}

func (s *slowFor) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if texts[0] == s.text {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Embedder.Embed(ctx, texts)
}

// TestSearchWhilePublishing: eight search while two affiliates publish one revision after the
// other. Every search succeeds, none is empty, none sees another's entry or a mixture of revisions.
func TestSearchWhilePublishing(t *testing.T) {
	c := newCorpus()
	publish := func(a knowledge.AffiliateID, n int) {
		c.publish(a, question(fmt.Sprintf("shared words %d", n), fmt.Sprintf("of %s", a)), question(fmt.Sprintf("other words %d", n)))
	}
	publish("acme", 0)
	publish("bolt", 0)
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: newBag("p")})

	var stop atomic.Bool
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			a := knowledge.AffiliateID([]string{"acme", "bolt"}[g%2])
			for i := 0; i < 50 || !stop.Load(); i++ {
				if problem := look(s, a); problem != "" {
					t.Error(problem)
					return
				}
			}
		})
	}
	for n := 1; n <= 30; n++ {
		publish("acme", n)
		publish("bolt", n)
		require.NoError(t, s.Refresh(t.Context()))
		res := search(t, s, "words", "acme")
		require.Contains(t, res.Hits[0].Entry.Question, fmt.Sprint(n))
	}
	stop.Store(true)
	wg.Wait()
}

func look(s *retrieval.Searcher, a knowledge.AffiliateID) string {
	res, err := s.Search(context.Background(), retrieval.Query{Text: "shared words", Affiliates: []knowledge.AffiliateID{a}})
	if err != nil || len(res.Hits) != 2 {
		return fmt.Sprintf("search of %s: %d hits, %v", a, len(res.Hits), err)
	}
	for _, h := range res.Hits {
		_, n, _ := strings.Cut(h.Entry.Question, "words ")
		if h.Entry.Affiliate != a || h.Entry.Revision != res.Revisions[a] || n != fmt.Sprint(h.Entry.Revision-1) {
			return fmt.Sprintf("search of %s at %v found %+v", a, res.Revisions, h.Entry)
		}
	}
	return ""
}
