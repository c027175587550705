package knowledge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
)

func TestSlugify(t *testing.T) {
	for text, want := range map[string]string{"¿Cómo cobro?": "como-cobro", "  What's — \"new\"?! ": "whats-new", "如何付款?": "如何付款", "Прибыль 50 %": "прибыль-50", "???": "", "": "",
		"ÉCOLE": "ecole", "हिन्दी में": "हिन्दी-में"} {
		require.Equal(t, want, Slugify(text), text)
		require.Equal(t, want, Slugify(want), "a slug is its own")
	}
	long := Slugify(strings.Repeat("Long words ", 40))
	require.LessOrEqual(t, len(long), limits.MaxSlug)
	require.Equal(t, long, Slugify(long))
}

// A slug stays with its entry through edits, is of one entry alone, and is not given to another when its entry moves on
// or is removed.
func TestSlugs(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		ctx := t.Context()
		slugs := func(affiliate AffiliateID) map[string]string {
			list, _, err := c.Published(ctx, affiliate)
			require.NoError(t, err)
			all := map[string]string{}
			for _, e := range list {
				all[e.Key] = e.Slug
			}
			return all
		}
		publish(t, c, "acme", rows("a: How do I pay?: one", "b: How do I pay!: two", "c: ???: three"))
		publish(t, c, "bravo", rows("x: How do I pay?: other"))
		got := slugs("acme")
		require.ElementsMatch(t, []string{"how-do-i-pay", "how-do-i-pay-2", "entry"}, []string{got["a"], got["b"], got["c"]})
		require.Equal(t, "how-do-i-pay", slugs("bravo")["x"], "another affiliate's are apart")
		first := got["a"]
		publish(t, c, "acme", rows("a: How can I pay?: one", "b: How do I pay!: two", "c: ???: three"))
		require.Equal(t, first, slugs("acme")["a"], "the question changed")
		own := rows("a: How can I pay?: one", "b: How do I pay!: two", "c: ???: three")
		own[0].Slug = "paying"
		publish(t, c, "acme", own)
		require.Equal(t, "paying", slugs("acme")["a"])
		publish(t, c, "acme", rows("b: How do I pay!: two", "c: ???: three", "d: Paying: four"))
		require.Equal(t, "paying-2", slugs("acme")["d"], "of a removed entry")
		again := rows("b: How do I pay!: two", "c: ???: three", "d: Paying: four")
		again[0].Slug = first
		publish(t, c, "acme", again)
		require.NotEqual(t, first, slugs("acme")["b"], "an old address of another entry")
		_, err := c.RollBack(ctx, "acme", 3, "ann")
		require.NoError(t, err)
		require.Equal(t, "paying", slugs("acme")["a"])

		_, err = c.db.Change(ctx, `UPDATE versions SET slug = '' WHERE affiliate = 'bravo'`) // as an earlier build published it
		require.NoError(t, err)
		_, err = c.db.Change(ctx, `DELETE FROM slugs WHERE affiliate = 'bravo'`)
		require.NoError(t, err)
		publish(t, c, "bravo", rows("x: How do I pay?: other", "y: How do I pay?!: new"))
		require.Equal(t, map[string]string{"x": "how-do-i-pay-2", "y": "how-do-i-pay"}, slugs("bravo"))
		_, err = c.RollBack(ctx, "bravo", 1, "ann")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"x": "how-do-i-pay-2"}, slugs("bravo"), "it keeps the one it has by now")
	})
}

// Follow-ups are kept with the entry; a file that says nothing of them leaves them as they are.
func TestFollowUpsStay(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		one := rows("a: A?: one", "b: B?: two")
		one[0].FollowUps = []string{"b", "gone"}
		publish(t, c, "acme", one)
		followUps := func() []string {
			list, _, err := c.Published(t.Context(), "acme")
			require.NoError(t, err)
			for _, e := range list {
				if e.Key == "a" {
					return e.FollowUps
				}
			}
			return nil
		}
		require.Equal(t, []string{"b", "gone"}, followUps())
		publish(t, c, "acme", rows("a: A?: changed", "b: B?: two"))
		require.Equal(t, []string{"b", "gone"}, followUps())
		one[0].FollowUps = []string{}
		publish(t, c, "acme", one)
		require.Empty(t, followUps())
	})
}
