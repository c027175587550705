package knowledge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/media"
)

// Files belong to an entry through preview, publish, edit and roll-back, as its words do.
func TestEntryFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		put := func(data string) Media {
			b, err := media.NewStore(c.db, media.Options{Now: noon}).Put(t.Context(), "Plan.png", strings.NewReader("\x89PNG\r\n\x1a\n"+data), media.Owner{})
			require.NoError(t, err)
			return Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}
		}
		one, two := put("1"), put("2")
		link := Media{Kind: "video", Link: "https://x.example/v.mp4"}
		row := func(media ...Media) []Row {
			list := rows("a: A?: one")
			list[0].Media = media
			return list
		}
		require.EqualValues(t, 1, publish(t, c, "acme", row(one, link)))
		entries, _, err := c.Published(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, []Media{one, link}, entries[0].Media)
		require.Equal(t, 1, preview(t, c, "acme", row(one, link)).Unchanged)
		for _, other := range [][]Media{{link, one}, {two, link}, {one}, nil} {
			u := preview(t, c, "acme", row(other...))
			require.Len(t, u.Changes, 1)
			require.Equal(t, [][]Media{{one, link}, other}, [][]Media{u.Changes[0].Before.Media, u.Changes[0].After.Media})
		}
		require.EqualValues(t, 2, publish(t, c, "acme", row()))
		changes, err := c.Difference(t.Context(), "acme", 2, 1)
		require.NoError(t, err)
		require.Equal(t, []Media{one, link}, changes[0].After.Media)
		_, err = c.RollBack(t.Context(), "acme", 1, "bob")
		require.NoError(t, err)
		entries, _, err = c.Published(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, []Media{one, link}, entries[0].Media)
		e, err := c.Entry(t.Context(), entries[0].ID)
		require.NoError(t, err)
		require.Equal(t, entries[0], e)

		gone := one
		gone.File = strings.Repeat("0", 64)
		_, err = c.Publish(t.Context(), preview(t, c, "acme", row(gone)).ID, "ann")
		require.ErrorIs(t, err, media.ErrNotFound)
		require.ErrorContains(t, err, `"Plan.png": no such file any more; send it again`)

		_, err = c.Preview(t.Context(), Upload{Affiliate: "acme", File: "faq.csv"}, row(Media{Name: "a.png"}))
		require.ErrorContains(t, err, "nobody looked for", "what cannot be sent is not published")

		require.NoError(t, c.AddFiles(t.Context(), "acme", []Media{one, two}))
		require.NoError(t, c.AddFiles(t.Context(), "acme", []Media{one})) // sent again, so it is the newest of its name
		require.ErrorIs(t, c.AddFiles(t.Context(), "nobody", []Media{one}), ErrNotFound)
		files, err := c.Files(t.Context(), "acme")
		require.NoError(t, err)
		require.ElementsMatch(t, []Media{one, two}, files)
		others, err := c.Files(t.Context(), "bravo")
		require.NoError(t, err)
		require.Empty(t, others)

		named := row(Media{Name: "pictures/plan.PNG"}, Media{Name: two.Mark()}, link, Media{Name: "none.png"}, Media{Name: "Plan.png#ffffffffffff"})
		problems := FindFiles(named, files)
		require.Equal(t, []Media{files[len(files)-1], two, link}, named[0].Media)
		require.Len(t, problems, 2)
		require.Equal(t, []any{"media", "a", named[0].Line}, []any{problems[0].Field, problems[0].Key, problems[0].Line})
		require.Contains(t, problems[0].Text, `There is no file "none.png"`)
		require.Len(t, FindFiles(row(Media{Name: one.Mark()}), others), 1, "another affiliate's file is nobody else's")
	})
}
