package knowledge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file with little of what is published adds and updates, unless it is told to replace everything.
func TestASmallFileDoesNotEmptyTheFAQ(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two", "c: C?: three"))
		see := func(absent Absent, list ...string) Upload {
			r := rows(list...)
			u, err := c.Preview(t.Context(), Upload{Affiliate: "acme", File: "small.csv", Digest: Digest(fmt.Append(nil, r)), By: "ann", Reading: Reading{Absent: absent}}, r)
			require.NoError(t, err)
			u, err = c.Upload(t.Context(), u.ID)
			require.NoError(t, err)
			return u
		}
		small := see(AbsentByShare, "a: A?: new", "d: D?: four")
		require.Equal(t, AbsentStay, small.Reading.Absent)
		require.Equal(t, 2, small.Kept)
		require.Zero(t, small.Retired())
		most := see(AbsentByShare, "a: A?: one", "b: B?: new")
		require.Equal(t, 1, most.Retired(), "most of it is there: the third was deleted")
		require.False(t, most.RemovesMost())
		all := see(AbsentRetired, "a: A?: new", "d: D?: four")
		require.Equal(t, 2, all.Retired())
		require.True(t, all.RemovesMost())
		_, err := c.Publish(t.Context(), small.ID, "ann")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "new", "b": "two", "c": "three", "d": "four"}, published(t, c, "acme", 2))
	})
}
