package knowledge

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/events"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
)

// edit saves an edit of the entry called key as somebody who just opened it.
func edit(t *testing.T, c *Corpus, key string, change func(*Edit)) Edit {
	t.Helper()
	e := Edit{Entry: Entry{ID: EntryID(rand.Text()), Key: key, Locale: "en"}, By: "ann"}
	live, _, err := c.Published(t.Context(), "acme")
	require.NoError(t, err)
	for _, l := range live {
		if l.Key == key {
			e.Entry, e.Base = l, l.Revision
		}
	}
	drafts, err := c.Edits(t.Context(), "acme")
	require.NoError(t, err)
	for _, d := range drafts {
		if d.Entry.Key == key {
			e.Entry, e.Version = d.Entry, d.Version
		}
	}
	change(&e)
	saved, err := c.SaveEdit(t.Context(), "acme", e)
	require.NoError(t, err)
	return saved
}

func answer(words string) func(*Edit) { return func(e *Edit) { e.Entry.Answer = words } }

// importAs reads a file of that name as the affiliate's page does.
func importAs(t *testing.T, c *Corpus, file string, reading Reading, list ...string) Upload {
	t.Helper()
	r := rows(list...)
	u, err := c.Preview(t.Context(), Upload{Affiliate: "acme", File: file, Digest: Digest(fmt.Append(nil, r)), By: "ann", Reading: reading}, r)
	require.NoError(t, err)
	u, err = c.Upload(t.Context(), u.ID)
	require.NoError(t, err)
	return u
}

func publishUpload(t *testing.T, c *Corpus, u Upload) {
	t.Helper()
	_, err := c.Publish(t.Context(), u.ID, "ann")
	require.NoError(t, err)
}

// Edits are public once they are published, as one revision that can be taken back; what was saved after it was
// looked at stays a draft.
func TestEditsArePublishedAsAnUpload(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two", "c: C?: three"))
		edit(t, c, "a", answer("better"))
		edit(t, c, "b", func(e *Edit) { e.Remove = true })
		edit(t, c, "d", func(e *Edit) { e.Entry.Question, e.Entry.Answer = "D?", "four" })
		edit(t, c, "e", func(e *Edit) { e.Entry.Question = "E?" })
		require.Equal(t, map[string]string{"a": "one", "b": "two", "c": "three"}, published(t, c, "acme", 1))
		u, err := c.ProposeEdits(t.Context(), "acme", "ann")
		require.NoError(t, err)
		require.Len(t, u.Changes, 3)
		require.Equal(t, 1, u.Unchanged)
		require.Len(t, u.Problems, 1, "the new question has no answer yet")
		again, err := c.ProposeEdits(t.Context(), "acme", "ann")
		require.NoError(t, err)
		require.Equal(t, u.ID, again.ID)
		edit(t, c, "a", answer("better still"))
		publishUpload(t, c, u)
		require.Equal(t, map[string]string{"a": "better", "c": "three", "d": "four"}, published(t, c, "acme", 2))
		left, err := c.Edits(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, left, 2)

		removed, err := c.Removed(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, removed, 1)
		back, err := c.SaveEdit(t.Context(), "acme", Edit{Entry: removed[0], By: "ann"})
		require.NoError(t, err)
		u, err = c.ProposeEdits(t.Context(), "acme", "ann", back.Entry.ID)
		require.NoError(t, err)
		publishUpload(t, c, u)
		require.Equal(t, map[string]string{"a": "better", "b": "two", "c": "three", "d": "four"}, published(t, c, "acme", 3))
		require.Equal(t, removed[0].ID, ids(t, c, "acme")["b"])
		_, err = c.RollBack(t.Context(), "acme", 1, "ann")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "one", "b": "two", "c": "three"}, published(t, c, "acme", 4))
		history, err := c.History(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, [3]int{1, 1, 1}, [3]int{history[2].Added, history[2].Edited, history[2].Retired})
	})
}

// Nobody overwrites what they have not seen: another's draft, what was published meanwhile, another affiliate's entry,
// or an ID that is taken.
func TestNoEditIsLost(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one"))
		publish(t, c, "bravo", rows("z: Z?: theirs"))
		save := func(e Edit) (Edit, error) { return c.SaveEdit(t.Context(), "acme", e) }
		seen, _, err := c.Published(t.Context(), "acme")
		require.NoError(t, err)
		ann := Edit{Entry: seen[0], Base: 1, By: "ann"}
		bob := ann
		ann.Entry.Answer, bob.Entry.Answer = "ann's", "bob's"
		saved, err := save(ann)
		require.NoError(t, err)
		_, err = save(bob)
		require.ErrorIs(t, err, ErrConflict)
		bob.Version = saved.Version
		_, err = save(bob)
		require.NoError(t, err, "bob has seen it")
		_, err = save(saved)
		require.ErrorIs(t, err, ErrConflict)
		require.ErrorIs(t, c.DropEdit(t.Context(), "acme", EditRef{seen[0].ID, saved.Version}), ErrConflict)

		publishUpload(t, c, importAs(t, c, "faq.csv", Reading{}, "a: A?: three"))
		bob.Version = edit(t, c, "a", answer("bob's again")).Version
		_, err = save(bob)
		require.ErrorIs(t, err, ErrConflict, "it was published meanwhile")
		undone := edit(t, c, "a", answer("three"))
		require.Empty(t, undone.Version, "that is what is published")
		left, err := c.Edits(t.Context(), "acme")
		require.NoError(t, err)
		require.Empty(t, left)

		foreign := Edit{Entry: Entry{ID: ids(t, c, "bravo")["z"], Key: "z", Question: "Z?", Answer: "mine"}}
		_, err = save(foreign)
		require.ErrorIs(t, err, ErrNotFound)
		_, err = save(Edit{Entry: Entry{ID: "NEW", Key: "a", Locale: "en", Question: "Another?"}})
		require.ErrorIs(t, err, ErrIDTaken)
	})
}

// A file that is read again leaves alone what was edited or written by hand, or came from elsewhere, proposes to remove
// what it lost, and counts after all where somebody says so.
func TestReimportMerges(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		file := []string{"a: A?: one", "b: B?: two", "c: C?: three", "d: D?: four", "e: E?: five"}
		publishUpload(t, c, importAs(t, c, "faq.csv", Reading{}, file...))
		publishUpload(t, c, importAs(t, c, "page", Reading{Absent: AbsentStay}, "p: P?: page"))
		edit(t, c, "a", answer("by hand"))
		edit(t, c, "b", answer("by hand, too"))
		edit(t, c, "h", func(e *Edit) { e.Entry.Question, e.Entry.Answer = "H?", "written here" })
		u, err := c.ProposeEdits(t.Context(), "acme", "ann")
		require.NoError(t, err)
		publishUpload(t, c, u)

		// The file lost b and c, changed d, and still says the old words of a.
		merge := importAs(t, c, "faq.csv", Reading{}, "a: A?: one", "d: D?: new", "e: E?: five")
		require.Len(t, merge.Changes, 2)
		require.Equal(t, "new", merge.Changes[0].After.Answer)
		require.Equal(t, "c", merge.Changes[1].Before.Key, "what vanished is proposed")
		require.Len(t, merge.Held, 2)
		require.Equal(t, []string{"by hand", "one"}, []string{merge.Held[0].Before.Answer, merge.Held[0].After.Answer})
		require.Equal(t, "ann", merge.Held[0].Before.EditedBy)
		require.Equal(t, noon(), merge.Held[0].Before.EditedAt)
		require.Equal(t, ChangeRetired, merge.Held[1].Kind)
		require.Equal(t, 2, merge.Kept, "what came from elsewhere, and what was written here")
		taken := importAs(t, c, "faq.csv", Reading{Take: []EntryID{merge.Held[0].Before.ID}}, "a: A?: one", "d: D?: new", "e: E?: five")
		require.Len(t, taken.Changes, 3)
		require.Len(t, taken.Held, 1)
		require.Zero(t, importAs(t, c, "faq.csv", Reading{}, "a: A?: one").Retired(), "most of it vanished")
		require.Equal(t, 3, importAs(t, c, "faq.csv", Reading{Absent: AbsentGone}, "a: A?: one").Retired())
		require.Equal(t, 6, importAs(t, c, "faq.csv", Reading{Absent: AbsentRetired}, "a: A?: one").Retired())
		publishUpload(t, c, merge)
		require.Equal(t, map[string]string{"a": "by hand", "b": "by hand, too", "d": "new", "e": "five", "p": "page", "h": "written here"}, published(t, c, "acme", 4))

		// Another file with the entry replaces what was edited: somebody edited it there.
		export := importAs(t, c, "export.csv", Reading{}, "a: A?: in a spreadsheet", "b: B?: by hand, too", "d: D?: new", "e: E?: five", "p: P?: page", "h: H?: written here")
		require.Len(t, export.Changes, 1)
		require.Equal(t, "in a spreadsheet", export.Changes[0].After.Answer)
	})
}

// What customers got counts since a day, for the affiliate whose entry it is.
func TestUsage(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		publish(t, c, "acme", rows("a: A?: one", "b: B?: two"))
		publish(t, c, "bravo", rows("z: Z?: theirs"))
		a, z := string(ids(t, c, "acme")["a"]), string(ids(t, c, "bravo")["z"])
		require.NoError(t, c.db.InTx(t.Context(), func(tx *sql.Tx) error {
			return events.Append(t.Context(), tx,
				events.Event{Kind: events.Answered, At: noon(), Entry: a}, events.Event{Kind: events.AlsoAnswered, At: noon(), Entry: a},
				events.Event{Kind: events.Answered, At: noon().AddDate(0, 0, -100), Entry: a}, events.Event{Kind: events.AskedBack, At: noon(), Entry: a},
				events.Event{Kind: events.Feedback, Reason: events.ReasonNoHelp, At: noon(), Entry: a}, events.Event{Kind: events.Feedback, Reason: events.ReasonHelped, At: noon(), Entry: a},
				events.Event{Kind: events.Answered, At: noon(), Entry: z}, events.Event{Kind: events.Received, At: noon()})
		}))
		used, err := c.Usage(t.Context(), "acme", noon().AddDate(0, 0, -90))
		require.NoError(t, err)
		require.Equal(t, map[EntryID]Usage{EntryID(a): {Answers: 2, NoHelp: 1}}, used)
	})
}

// A draft may wait for longer than a file that nobody publishes is kept: its files wait with it.
func TestFilesOfEditsWait(t *testing.T) {
	onBoth(t, func(t *testing.T, c *Corpus) {
		now := noon()
		c.now = func() time.Time { return now }
		store := media.NewStore(c.db, media.Options{Now: c.now})
		b, err := store.Put(t.Context(), "plan.png", strings.NewReader("\x89PNG\r\n\x1a\nrest"), media.Owner{})
		require.NoError(t, err)
		file := Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}
		require.NoError(t, c.AddFiles(t.Context(), "acme", []Media{file}))
		edit(t, c, "a", func(e *Edit) { e.Entry.Question, e.Entry.Answer, e.Entry.Media = "A?", "one", []Media{file} })
		for range 3 {
			now = now.Add(limits.DraftsFor * 2 / 3)
			_, err = c.Sweep(t.Context())
			require.NoError(t, err)
			_, err = store.Sweep(t.Context())
			require.NoError(t, err)
		}
		u, err := c.ProposeEdits(t.Context(), "acme", "ann")
		require.NoError(t, err)
		publishUpload(t, c, u)
		files, err := c.Files(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, files, 1)
	})
}
