package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/embed"
	"faqbot/retrieval/encoder"
)

// A yard is where files are sent, published and said, by a clock that jumps.
type yard struct {
	t      *testing.T
	db     *sqldb.DB
	now    time.Time
	random *rand.Rand
	store  *media.Store
	corpus *knowledge.Corpus
	intake *inbound.Intake
	cached *embed.Cached
	n      int

	sent      map[string]time.Time // what a conversation shows, by when it must still be there
	drafts    map[knowledge.UploadID]time.Time
	published map[string]bool // files of any revision
	live      map[string][]knowledge.Media
	unused    []string
}

func (y *yard) put() knowledge.Media {
	y.n++
	b, err := y.store.Put(y.t.Context(), fmt.Sprintf("f%d.txt", y.n), strings.NewReader(fmt.Sprint("file ", y.n)), media.Owner{Affiliate: "acme"})
	require.NoError(y.t, err)
	return knowledge.Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}
}

// say sends a file into a conversation.
func (y *yard) say() {
	m := y.put()
	require.NoError(y.t, y.intake.Accept(y.t.Context(), bot.Account{Channel: "webchat", ID: "shop"}, []bot.Event{{Address: bot.Address{Channel: "webchat", Account: "shop", Customer: "v:ana"},
		ExternalID: fmt.Sprint("e", y.n), At: y.now, Message: &bot.Inbound{Attachments: []bot.Attachment{{Kind: m.Kind, Kept: m.File}}}}}))
	y.sent[m.File] = y.now.Add(limits.SentFilesFor)
}

// upload previews an entry with a file, and publishes it now and then.
func (y *yard) upload() {
	m := y.put()
	require.NoError(y.t, y.corpus.AddFiles(y.t.Context(), "acme", []knowledge.Media{m}))
	digest, err := y.corpus.KeepFile(y.t.Context(), "acme", []byte(fmt.Sprint("faq ", y.n)))
	require.NoError(y.t, err)
	key := fmt.Sprint("k", y.random.IntN(5))
	y.live[key] = []knowledge.Media{m}
	var rows []knowledge.Row
	for k, files := range y.live {
		rows = append(rows, knowledge.Row{Line: len(rows) + 1, Entry: knowledge.Entry{Key: k, Locale: "en", Question: "Question " + k + " " + files[0].Name + "?", Answer: "Answer.", Media: files}})
	}
	u, err := y.corpus.Preview(y.t.Context(), knowledge.Upload{Affiliate: "acme", File: "faq.csv", Digest: digest, By: "ann"}, rows)
	require.NoError(y.t, err)
	if y.random.IntN(2) == 0 {
		delete(y.live, key)
		y.drafts[u.ID] = y.now.Add(limits.DraftsFor)
		return
	}
	_, err = y.corpus.Publish(y.t.Context(), u.ID, "ann")
	require.NoError(y.t, err)
	for _, files := range y.live {
		y.published[files[0].File] = true
	}
	entries, _, err := y.corpus.Published(y.t.Context(), "acme")
	require.NoError(y.t, err)
	_, err = y.cached.Embed(y.t.Context(), retrieval.Texts(entries))
	require.NoError(y.t, err)
}

func (y *yard) sweep(s sweeper) {
	for _, sweep := range []func(context.Context) (int64, error){y.corpus.Sweep, y.store.Sweep, s.sweepVectors} {
		_, err := sweep(y.t.Context())
		require.NoError(y.t, err)
	}
}

// check looks at all that something refers to.
func (y *yard) check() {
	ctx := y.t.Context()
	there := func(file, why string) {
		_, _, err := y.store.Get(ctx, file)
		require.NoError(y.t, err, "%s, at %s", why, y.now)
	}
	for file, until := range y.sent {
		if y.now.Before(until) {
			there(file, "a conversation shows it")
		}
	}
	for file := range y.published {
		there(file, "a revision that may come back shows it")
	}
	for id, until := range y.drafts {
		if !y.now.Before(until) {
			continue
		}
		u, err := y.corpus.Upload(ctx, id)
		require.NoError(y.t, err)
		_, err = y.corpus.File(ctx, "acme", u.Digest)
		require.NoError(y.t, err, "a draft can be read again")
		for _, ch := range u.Changes {
			for _, m := range ch.After.Media {
				there(m.File, "a draft shows it")
			}
		}
	}
}

// Nothing that is referred to is ever swept, whatever comes in whatever order; and in the end nothing
// is left but that.
func TestSweepLeavesWhatIsReferredTo(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		e, err := encoder.New()
		require.NoError(t, err)
		y := &yard{t: t, db: db, now: time.Now(), random: rand.New(rand.NewPCG(seed, 0)), sent: map[string]time.Time{}, drafts: map[knowledge.UploadID]time.Time{},
			published: map[string]bool{}, live: map[string][]knowledge.Media{}}
		clock := func() time.Time { return y.now }
		log := logrus.New()
		log.SetOutput(io.Discard)
		y.store, y.corpus = media.NewStore(db, media.Options{Now: clock}), knowledge.NewCorpus(db, clock)
		y.intake = inbound.NewIntake(store.New(db), bot.NewRegistry(), log, inbound.IntakeOptions{Now: clock})
		y.cached = embed.NewCached(e, db, embed.CachedOptions{Now: clock})
		s := sweeper{db: db, corpus: y.corpus, media: y.store, log: log, now: clock}
		require.NoError(t, y.corpus.EnsureAffiliate(t.Context(), "acme"))
		y.upload()
		for range 60 {
			switch y.random.IntN(5) {
			case 0:
				y.say()
			case 1, 2:
				y.upload()
			case 3:
				y.unused = append(y.unused, y.put().File)
			case 4:
				y.now = y.now.Add(time.Duration(y.random.Int64N(int64(20 * 24 * time.Hour))))
			}
			y.sweep(s)
			y.check()
		}
		entries, _, err := y.corpus.Published(t.Context(), "acme")
		require.NoError(t, err)
		y.now = y.now.Add(limits.SentFilesFor + time.Hour)
		y.sweep(s)
		y.check()
		count := func(query string) (n int) {
			require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
			return n
		}
		require.Equal(t, len(y.published), count(`SELECT COUNT(*) FROM blobs`))
		require.Equal(t, len(y.published), count(`SELECT COUNT(*) FROM entry_files`))
		require.Zero(t, count(`SELECT COUNT(*) FROM uploads WHERE published = 0`))
		require.Equal(t, count(`SELECT COUNT(DISTINCT digest) FROM uploads`), count(`SELECT COUNT(*) FROM files`))
		texts := map[string]bool{}
		for _, text := range retrieval.Texts(entries) {
			texts[text] = true
		}
		require.Equal(t, len(texts), count(`SELECT COUNT(*) FROM embeddings`), "the vectors of what is published, and no others")
	})
}
