package knowledge

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// noon is the time of every test.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// onBoth runs test on a corpus in each database, with the affiliates acme and bravo.
func onBoth(t *testing.T, test func(t *testing.T, c *Corpus)) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), events.Schema(), Schema()}, func(t *testing.T, db *sqldb.DB) {
		c := NewCorpus(db, noon)
		require.NoError(t, c.EnsureAffiliate(t.Context(), "acme"))
		require.NoError(t, c.EnsureAffiliate(t.Context(), "bravo"))
		test(t, c)
	})
}

// rows makes rows from "key: question: answer".
func rows(lines ...string) []Row {
	var out []Row
	for i, line := range lines {
		parts := strings.SplitN(line, ": ", 3)
		out = append(out, Row{Line: i + 1, Entry: Entry{Key: parts[0], Locale: "en", Question: parts[1], Answer: parts[2]}})
	}
	return out
}

func preview(t *testing.T, c *Corpus, affiliate AffiliateID, rows []Row, problems ...Problem) Upload {
	t.Helper()
	u, err := c.Preview(t.Context(), Upload{
		Affiliate: affiliate, File: "faq.csv", Digest: Digest(fmt.Append(nil, rows)), By: "ann", Problems: problems,
		Reading: Reading{Absent: AbsentRetired},
	}, rows)
	require.NoError(t, err)
	return u
}

func publish(t *testing.T, c *Corpus, affiliate AffiliateID, rows []Row, problems ...Problem) Revision {
	t.Helper()
	r, err := c.Publish(t.Context(), preview(t, c, affiliate, rows, problems...).ID, "ann")
	require.NoError(t, err)
	return r
}

// published returns what the affiliate published as key → answer, and checks the revision.
func published(t *testing.T, c *Corpus, affiliate AffiliateID, want Revision) map[string]string {
	t.Helper()
	entries, revision, err := c.Published(t.Context(), affiliate)
	require.NoError(t, err)
	require.Equal(t, want, revision)
	got := map[string]string{}
	for _, e := range entries {
		assert.Equal(t, affiliate, e.Affiliate)
		got[e.Key] = e.Answer
	}
	require.Len(t, got, len(entries))
	return got
}

func ids(t *testing.T, c *Corpus, affiliate AffiliateID) map[string]EntryID {
	t.Helper()
	entries, _, err := c.Published(t.Context(), affiliate)
	require.NoError(t, err)
	got := map[string]EntryID{}
	for _, e := range entries {
		got[e.Key] = e.ID
	}
	return got
}

func TestEnsureAffiliate(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		require.NoError(t, c.EnsureAffiliate(t.Context(), "acme"))
		require.NoError(t, c.EnsureAffiliate(t.Context(), "Große Läden_1.x-y"))
		for _, bad := range []AffiliateID{"", "*", "a/b", " a", "a ", "a\nb", "\xff", AffiliateID(strings.Repeat("x", 65))} {
			require.ErrorIs(t, c.EnsureAffiliate(t.Context(), bad), ErrName, "%q", bad)
		}
		got, err := c.Affiliates(t.Context())
		require.NoError(t, err)
		require.Equal(t, []AffiliateID{"Große Läden_1.x-y", "acme", "bravo"}, got)
		revisions, err := c.Revisions(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[AffiliateID]Revision{"Große Läden_1.x-y": 0, "acme": 0, "bravo": 0}, revisions)
	})
}

func TestPreviewShowsChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		require.EqualValues(t, 1, publish(t, c, "acme", rows("a: A?: one", "b: B?: two", "c: C?: three")))
		u := preview(t, c, "acme", rows("d: D?: four", "b: B?: changed", "a: A?: one"))
		require.Equal(t, 1, u.Unchanged)
		require.Equal(t, noon(), u.At)
		require.EqualValues(t, 1, u.Base)
		require.Len(t, u.Changes, 3)
		assert.Equal(t, ChangeAdded, u.Changes[0].Kind)
		assert.Equal(t, "four", u.Changes[0].After.Answer)
		assert.Equal(t, ChangeEdited, u.Changes[1].Kind)
		assert.Equal(t, "two", u.Changes[1].Before.Answer)
		assert.Equal(t, "changed", u.Changes[1].After.Answer)
		assert.Equal(t, u.Changes[1].Before.ID, u.Changes[1].After.ID)
		assert.Equal(t, ChangeRetired, u.Changes[2].Kind)
		assert.Equal(t, "three", u.Changes[2].Before.Answer)

		// Nothing is public yet, and what was stored is what was shown.
		require.Equal(t, map[string]string{"a": "one", "b": "two", "c": "three"}, published(t, c, "acme", 1))
		stored, err := c.Upload(t.Context(), u.ID)
		require.NoError(t, err)
		require.Equal(t, u, stored)

		r, err := c.Publish(t.Context(), u.ID, "bob")
		require.NoError(t, err)
		require.EqualValues(t, 2, r)
		require.Equal(t, map[string]string{"a": "one", "b": "changed", "d": "four"}, published(t, c, "acme", 2))

		history, err := c.History(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, history, 2)
		require.Equal(t, Publish{
			Revision: 2, At: noon(), By: "bob", Upload: u.ID, File: "faq.csv", Added: 1, Edited: 1, Retired: 1,
		}, history[0])
	})
}

func TestEntryKeepsEveryField(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		row := Row{Line: 2, Entry: Entry{
			Key: "k", Locale: "pt-BR", Question: "Posso?", Variants: []string{"Dá?", "É \"possível\"?"}, Answer: "Sim.\nVeja https://a.example",
			Topic: "geral", FollowUps: []string{"k", "other"}, Slug: "eu-posso", From: noon(), To: noon().Add(36 * time.Hour),
		}}
		publish(t, c, "acme", []Row{row})
		entries, _, err := c.Published(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, entries, 1)
		want := row.Entry
		want.ID, want.Affiliate, want.Revision, want.Source = entries[0].ID, "acme", 1, "faq.csv"
		require.Equal(t, want, entries[0])
		got, err := c.Entry(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// The same key in two locales is two entries.
func TestLocalesAreSeparate(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		both := rows("a: A?: one", "a: A?: um")
		both[1].Locale = "pt"
		publish(t, c, "acme", both)
		require.EqualValues(t, 2, publish(t, c, "acme", both[:1]))
		entries, _, err := c.Published(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Equal(t, "en", entries[0].Locale)
	})
}

func TestPreviewTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		file := rows("a: A?: one")
		first := preview(t, c, "acme", file)
		require.Equal(t, first, preview(t, c, "acme", file))

		// The same bytes read otherwise, as another format may, are another upload.
		other, err := c.Preview(t.Context(), Upload{Affiliate: "acme", File: "faq.md", Digest: first.Digest}, rows("b: B?: two"))
		require.NoError(t, err)
		require.NotEqual(t, first.ID, other.ID)

		// Against another revision too.
		_, err = c.Publish(t.Context(), first.ID, "ann")
		require.NoError(t, err)
		again := preview(t, c, "acme", file)
		require.NotEqual(t, first.ID, again.ID)
		require.Empty(t, again.Changes)
		require.Equal(t, 1, again.Unchanged)

		// And another affiliate's.
		require.NotEqual(t, first.ID, preview(t, c, "bravo", file).ID)
	})
}

func TestPreviewsAtOnceAreOne(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		file := rows("a: A?: one")
		uploads := make([]Upload, 8)
		var wg sync.WaitGroup
		for i := range uploads {
			wg.Go(func() { uploads[i] = preview(t, c, "acme", file) })
		}
		wg.Wait()
		for _, u := range uploads {
			require.Equal(t, uploads[0], u)
		}
	})
}

func TestPublishTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		u := preview(t, c, "acme", rows("a: A?: one"))
		for range 3 {
			r, err := c.Publish(t.Context(), u.ID, "ann")
			require.NoError(t, err)
			require.EqualValues(t, 1, r)
		}
		publish(t, c, "acme", rows("a: A?: two"))
		r, err := c.Publish(t.Context(), u.ID, "ann")
		require.NoError(t, err)
		require.EqualValues(t, 1, r)
		require.Equal(t, map[string]string{"a": "two"}, published(t, c, "acme", 2))
	})
}

func TestPublishNothingNew(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		file := rows("a: A?: one")
		require.EqualValues(t, 1, publish(t, c, "acme", file))
		require.EqualValues(t, 1, publish(t, c, "acme", file))
		history, err := c.History(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, history, 1)
	})
}

func TestPublishOutdated(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		old := preview(t, c, "acme", rows("a: A?: one"))
		publish(t, c, "acme", rows("b: B?: two"))
		_, err := c.Publish(t.Context(), old.ID, "ann")
		require.ErrorIs(t, err, ErrOutdated)
		require.Equal(t, map[string]string{"b": "two"}, published(t, c, "acme", 1))
	})
}

func TestPublishesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		const n = 8
		uploads, errs := make([]Upload, n), make([]error, n)
		for i := range uploads {
			uploads[i] = preview(t, c, "acme", rows(fmt.Sprintf("k%d: Q%d?: answer", i, i), "same: S?: s"))
		}
		var wg sync.WaitGroup
		for i, u := range uploads {
			wg.Go(func() { _, errs[i] = c.Publish(t.Context(), u.ID, "ann") })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, ErrOutdated)
			}
		}
		require.Equal(t, 1, won)
		require.Len(t, published(t, c, "acme", 1), 2)
	})
}

func TestPublishSameUploadAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		u := preview(t, c, "acme", rows("a: A?: one"))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				r, err := c.Publish(t.Context(), u.ID, "ann")
				assert.NoError(t, err)
				assert.EqualValues(t, 1, r)
			})
		}
		wg.Wait()
		history, err := c.History(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, history, 1)
	})
}

// Readers beside a writer see whole revisions: revision n has n entries.
func TestPublishedIsConsistent(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					entries, revision, err := c.Published(t.Context(), "acme")
					if !assert.NoError(t, err) || !assert.Len(t, entries, int(revision)) {
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		var file []string
		for i := range 15 {
			file = append(file, fmt.Sprintf("k%d: Q%d?: a", i, i))
			publish(t, c, "acme", rows(file...))
		}
		close(done)
		wg.Wait()
	})
}

func TestPublishProblems(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one"))
		u := preview(t, c, "acme", nil, Problem{Text: "nothing can be read", Fatal: true})
		require.True(t, u.Fatal())
		require.Empty(t, u.Changes)
		_, err := c.Publish(t.Context(), u.ID, "ann")
		require.ErrorIs(t, err, ErrProblems)
		require.Equal(t, map[string]string{"a": "one"}, published(t, c, "acme", 1))
	})
}

func TestBadRowKeepsEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two", "c: C?: three"))

		named := preview(t, c, "acme", rows("a: A?: one"), Problem{Line: 3, Key: "b", Text: "no answer"})
		require.Equal(t, 1, named.Kept)
		require.Len(t, named.Changes, 1)
		require.Equal(t, "c", named.Changes[0].Before.Key)

		// Whose row was it? Anybody's.
		unnamed := preview(t, c, "acme", rows("a: A?: one"), Problem{Line: 3, Text: "cannot be read"})
		require.Equal(t, 2, unnamed.Kept)
		require.Empty(t, unnamed.Changes)

		// A remark on the file as a whole is no row.
		remark := preview(t, c, "acme", rows("a: A?: one"), Problem{Text: "no header"})
		require.Equal(t, 0, remark.Kept)
		require.Len(t, remark.Changes, 2)
		_, err := c.Publish(t.Context(), remark.ID, "ann")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "one"}, published(t, c, "acme", 2))
	})
}

func TestIDsLast(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two"))
		first := ids(t, c, "acme")
		publish(t, c, "acme", rows("a: Another A?: edited"))
		require.Equal(t, first["a"], ids(t, c, "acme")["a"])
		_, err := c.Entry(t.Context(), first["b"])
		require.ErrorIs(t, err, ErrNotFound, "retired")
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two"))
		require.Equal(t, first, ids(t, c, "acme"))
	})
}

func TestRollBack(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two"))           // 1
		first := ids(t, c, "acme")                                        //
		publish(t, c, "acme", rows("a: A?: edited", "c: C?: three"))      // 2
		publish(t, c, "acme", rows("d: D?: four"))                        // 3
		publish(t, c, "bravo", rows("a: A?: bravo's own", "z: Z?: last")) // bravo's 1
		want := []map[string]string{
			{},
			{"a": "one", "b": "two"},
			{"a": "edited", "c": "three"},
			{"d": "four"},
		}
		revision := Revision(3)
		for _, to := range []Revision{1, 0, 2, 3, 1, 2, 0, 3} {
			r, err := c.RollBack(t.Context(), "acme", to, "ann")
			require.NoError(t, err)
			revision++
			require.Equal(t, revision, r)
			require.Equal(t, want[to], published(t, c, "acme", revision), "back to %d", to)
			if to == 1 {
				require.Equal(t, first, ids(t, c, "acme"))
			}
		}
		// A roll-back may be rolled back to: 4 was 1.
		r, err := c.RollBack(t.Context(), "acme", 4, "ann")
		require.NoError(t, err)
		require.Equal(t, want[1], published(t, c, "acme", r))
		// Twice is once.
		again, err := c.RollBack(t.Context(), "acme", 4, "ann")
		require.NoError(t, err)
		require.Equal(t, r, again)

		history, err := c.History(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, history, 12)
		require.Equal(t, Publish{Revision: 12, At: noon(), By: "ann", RollBack: true, To: 4, Added: 2, Retired: 1}, history[0])
		recorded, err := events.List(t.Context(), c.db)
		require.NoError(t, err)
		require.Len(t, recorded, 13, "one for each revision of both affiliates")
		require.Contains(t, recorded, events.Event{Kind: events.Published, At: noon(), Affiliate: "acme", Cause: "12", Agent: "ann"})
		require.Equal(t, map[string]string{"a": "bravo's own", "z": "last"}, published(t, c, "bravo", 1))
	})
}

func TestRollBackNowhere(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one"))
		for _, to := range []Revision{-1, 2, 99} {
			_, err := c.RollBack(t.Context(), "acme", to, "ann")
			require.ErrorIs(t, err, ErrNotFound)
		}
		_, err := c.RollBack(t.Context(), "nobody", 0, "ann")
		require.ErrorIs(t, err, ErrNotFound)
	})
}

func TestRollBackOutdatesPreview(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one"))
		u := preview(t, c, "acme", rows("a: A?: two"))
		_, err := c.RollBack(t.Context(), "acme", 0, "ann")
		require.NoError(t, err)
		_, err = c.Publish(t.Context(), u.ID, "ann")
		require.ErrorIs(t, err, ErrOutdated)
	})
}

func TestAffiliatesAreSeparate(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: acme's", "x: X?: acme only"))
		publish(t, c, "bravo", rows("a: A?: bravo's"))
		publish(t, c, "bravo", rows("a: A?: bravo's second"))
		require.Equal(t, map[string]string{"a": "acme's", "x": "acme only"}, published(t, c, "acme", 1))
		require.Equal(t, map[string]string{"a": "bravo's second"}, published(t, c, "bravo", 2))
		require.NotEqual(t, ids(t, c, "acme")["a"], ids(t, c, "bravo")["a"])
		revisions, err := c.Revisions(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[AffiliateID]Revision{"acme": 1, "bravo": 2}, revisions)

		// A row that names another affiliate, or another's entry, is still the uploader's.
		forged := rows("a: A?: forged")
		forged[0].Affiliate, forged[0].ID = "acme", ids(t, c, "acme")["a"]
		publish(t, c, "bravo", forged)
		require.Equal(t, map[string]string{"a": "acme's", "x": "acme only"}, published(t, c, "acme", 1))
		require.Equal(t, map[string]string{"a": "forged"}, published(t, c, "bravo", 3))
	})
}

func TestNotFound(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		_, _, err := c.Published(t.Context(), "nobody")
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.Entry(t.Context(), "none")
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.Upload(t.Context(), "none")
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.Publish(t.Context(), "none", "ann")
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.Preview(t.Context(), Upload{Affiliate: "nobody"}, rows("a: A?: one"))
		require.ErrorIs(t, err, ErrNotFound)
	})
}

func TestPreviewRefusesBadRows(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		for _, bad := range [][]Row{rows("a: A?: one", "a: B?: two"), rows(": A?: one"), rows("a: : one")} {
			_, err := c.Preview(t.Context(), Upload{Affiliate: "acme"}, bad)
			require.Error(t, err)
		}
	})
}
