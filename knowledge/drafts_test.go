package knowledge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/events"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func TestFilesAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), events.Schema(), Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := noon()
		c := NewCorpus(db, func() time.Time { return now })
		require.NoError(t, c.EnsureAffiliate(t.Context(), "acme"))
		require.NoError(t, c.EnsureAffiliate(t.Context(), "bravo"))
		live, err := c.KeepFile(t.Context(), "acme", []byte("published"))
		require.NoError(t, err)
		u, err := c.Preview(t.Context(), Upload{Affiliate: "acme", File: "a", Digest: live, By: "ann"}, rows("a: A?: 1"))
		require.NoError(t, err)
		_, err = c.Publish(t.Context(), u.ID, "ann")
		require.NoError(t, err)
		draft, err := c.KeepFile(t.Context(), "acme", []byte("draft\x00"))
		require.NoError(t, err)
		data, err := c.File(t.Context(), "acme", draft)
		require.NoError(t, err)
		assert.Equal(t, "draft\x00", string(data))
		_, err = c.File(t.Context(), "bravo", draft)
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.KeepFile(t.Context(), "nobody", nil)
		require.ErrorIs(t, err, ErrNotFound)
		now = now.Add(limits.DraftsFor + time.Hour)
		_, err = c.Sweep(t.Context())
		require.NoError(t, err)
		_, err = c.File(t.Context(), "acme", draft)
		require.ErrorIs(t, err, ErrNotFound)
		_, err = c.File(t.Context(), "acme", live)
		require.NoError(t, err)
	})
}

func TestDraftsAndSetAside(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		u := preview(t, c, "acme", rows("a: A?: 1"))
		reading := Reading{Columns: map[string]string{"x": "question"}, Mends: []Fix{{Row: 2, Field: "answer", Value: "v"}}}
		v, err := c.Preview(t.Context(), Upload{Affiliate: "acme", File: "faq.csv", Digest: u.Digest, By: "ann", Reading: reading}, rows("a: A?: 1"))
		require.NoError(t, err)
		assert.NotEqual(t, u.ID, v.ID, "read in another way")
		v, err = c.Upload(t.Context(), v.ID)
		require.NoError(t, err)
		assert.Equal(t, reading, v.Reading)
		list := func() (ids []UploadID) {
			drafts, err := c.Drafts(t.Context(), "acme")
			require.NoError(t, err)
			for _, d := range drafts {
				ids = append(ids, d.ID)
			}
			return ids
		}
		assert.ElementsMatch(t, []UploadID{u.ID, v.ID}, list())
		require.NoError(t, c.SetAside(t.Context(), u.ID, true))
		assert.Equal(t, []UploadID{v.ID}, list())
		assert.Equal(t, u.ID, preview(t, c, "acme", rows("a: A?: 1")).ID, "sent again, so wanted again")
		assert.Len(t, list(), 2)
		_, err = c.Publish(t.Context(), v.ID, "ann")
		require.NoError(t, err)
		assert.Equal(t, []UploadID{u.ID}, list())
		require.ErrorIs(t, c.SetAside(t.Context(), "none", true), ErrNotFound)
		drafts, err := c.Drafts(t.Context(), "bravo")
		require.NoError(t, err)
		assert.Empty(t, drafts)
	})
}

func TestWhatStaysIsNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: 1", "b: B?: 2", "c: C?: 3"))
		u := preview(t, c, "acme", rows("a: A?: 1"), Problem{Line: 2, Key: "b", Text: "x", Lost: true, Row: 2, Given: map[string]string{"id": "b"}})
		for range 2 {
			require.Equal(t, 1, u.Kept)
			require.Len(t, u.Stay, 1)
			assert.Equal(t, "B?", u.Stay[0].Question)
			assert.Equal(t, "b", u.Problems[0].Given["id"])
			var err error
			u, err = c.Upload(t.Context(), u.ID)
			require.NoError(t, err)
		}
	})
}

func TestAtDifferenceAndRollBackFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: 1", "b: B?: 2"))
		publish(t, c, "acme", rows("a: A?: new", "c: C?: 3"))
		entries, err := c.At(t.Context(), "acme", 1)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.Equal(t, "b", entries[1].Key)
		entries, err = c.At(t.Context(), "acme", 0)
		require.NoError(t, err)
		assert.Empty(t, entries)
		for _, bad := range []Revision{-1, 3} {
			_, err = c.At(t.Context(), "acme", bad)
			require.ErrorIs(t, err, ErrNotFound)
			_, err = c.Difference(t.Context(), "acme", 2, bad)
			require.ErrorIs(t, err, ErrNotFound)
			_, err = c.Difference(t.Context(), "acme", bad, 2)
			require.ErrorIs(t, err, ErrNotFound)
		}
		for _, way := range [][2]Revision{{2, 1}, {1, 2}, {0, 2}, {2, 0}, {2, 2}} {
			from, err := c.At(t.Context(), "acme", way[0])
			require.NoError(t, err)
			to, err := c.At(t.Context(), "acme", way[1])
			require.NoError(t, err)
			changes, err := c.Difference(t.Context(), "acme", way[0], way[1])
			require.NoError(t, err)
			got := map[string]string{}
			for _, e := range After(from, changes) {
				got[e.Key] = e.Answer
			}
			want := map[string]string{}
			for _, e := range to {
				want[e.Key] = e.Answer
			}
			assert.Equal(t, want, got, "%v", way)
		}
		_, err = c.RollBackFrom(t.Context(), "acme", 1, 1, "ann")
		require.ErrorIs(t, err, ErrOutdated)
		revision, err := c.RollBackFrom(t.Context(), "acme", 2, 1, "ann")
		require.NoError(t, err)
		assert.Equal(t, Revision(3), revision)
		revision, err = c.RollBackFrom(t.Context(), "acme", 2, 1, "ann")
		require.NoError(t, err, "asked twice, done once")
		assert.Equal(t, Revision(3), revision)
	})
}
