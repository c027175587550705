package knowledge

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SQLite is ten times slower under the race detector; "-entries 10000 -v" without it gives the figures.
var entryCount = flag.Int("entries", 1000, "how many entries TestManyEntries publishes")

// Many entries, in many statements, go in, change and come back.
func TestManyEntries(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		n := *entryCount
		many := make([]Row, n)
		for i := range many {
			many[i] = Row{Line: i + 1, Entry: Entry{
				Key: fmt.Sprintf("key-%d", i), Locale: "en", Question: fmt.Sprintf("How do I do thing number %d?", i),
				Variants: []string{fmt.Sprintf("thing %d", i), fmt.Sprintf("doing thing %d please", i)},
				Answer:   strings.Repeat("Do it like this. ", 20),
			}}
		}
		timed := func(what string, do func()) {
			start := time.Now()
			do()
			t.Logf("%s: %v", what, time.Since(start).Round(time.Millisecond))
		}
		var u Upload
		timed("preview added", func() { u = preview(t, c, "acme", many) })
		timed("publish added", func() {
			_, err := c.Publish(t.Context(), u.ID, "ann")
			require.NoError(t, err)
		})
		timed("published", func() { require.Len(t, ids(t, c, "acme"), n) })
		for i := range many {
			many[i].Answer = "Better not."
		}
		timed("preview edited", func() { u = preview(t, c, "acme", many) })
		timed("publish edited", func() {
			_, err := c.Publish(t.Context(), u.ID, "ann")
			require.NoError(t, err)
		})
		timed("roll back", func() {
			_, err := c.RollBack(t.Context(), "acme", 1, "ann")
			require.NoError(t, err)
		})
		timed("revisions", func() {
			_, err := c.Revisions(t.Context())
			require.NoError(t, err)
		})
	})
}
