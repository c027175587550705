package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// What was said is emptied after as many days as the configuration says for the affiliate; counts stay, and so does what
// is younger. Who was quiet for so long is nobody we know when they write again.
func TestRetention(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		var c config
		require.NoError(t, parseConfig([]byte("[retention]\ndays = 100\naffiliates = { brief = 10 }\n"), &c))
		require.NoError(t, c.Retention.complete())
		start := time.Now().Add(-400 * 24 * time.Hour)
		now := start
		clock := func() time.Time { return now }
		log := logrus.New()
		log.SetOutput(io.Discard)
		files := media.NewStore(db, media.Options{Now: clock})
		intake := inbound.NewIntake(store.New(db), bot.NewRegistry(), log, inbound.IntakeOptions{Now: clock})
		n := 0
		say := func(affiliate, who, words string) {
			n++
			b, err := files.Put(t.Context(), "secret.txt", strings.NewReader(fmt.Sprint(words, n)), media.Owner{Affiliate: affiliate})
			require.NoError(t, err)
			require.NoError(t, intake.Accept(t.Context(), bot.Account{Channel: "test", ID: affiliate, Affiliates: []knowledge.AffiliateID{knowledge.AffiliateID(affiliate)}}, []bot.Event{{
				Address: bot.Address{Channel: "test", Account: affiliate, Customer: who}, ExternalID: fmt.Sprint("e", n), At: now,
				Message: &bot.Inbound{Text: words, Attachments: []bot.Attachment{{Kind: "document", Name: "secret.txt", Kept: b.ID}}}}}))
			_, err = db.Change(t.Context(), `UPDATE messages SET turn_id = 'turn'`) // answered
			require.NoError(t, err)
		}
		count := func(query string) (n int) {
			require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
			return n
		}
		desk, err := bareDesk(db, terminal{out: io.Discard, err: io.Discard})
		require.NoError(t, err)
		after := func(days int) {
			now = start.Add(time.Duration(days) * 24 * time.Hour)
			keep := func(a knowledge.AffiliateID) time.Duration { return c.keep(a) + time.Since(now) } // the desk's clock is today's
			_, err := desk.Retain(t.Context(), keep)
			require.NoError(t, err)
		}
		say("acme", "ana", "hush")
		say("brief", "bea", "hush")
		after(9)
		require.Equal(t, 2, count(`SELECT COUNT(*) FROM messages WHERE body = 'hush'`))
		after(12)
		require.Equal(t, 1, count(`SELECT COUNT(*) FROM messages WHERE body = 'hush'`), "another affiliate keeps longer")
		require.Equal(t, 1, count(`SELECT COUNT(*) FROM blobs`))
		require.Equal(t, 2, count(`SELECT COUNT(*) FROM messages`), "counts stay")
		require.Equal(t, 0, count(`SELECT COUNT(*) FROM conversations WHERE customer = 'bea'`))
		after(60)
		say("acme", "ana", "hush")
		after(110)
		require.Equal(t, 1, count(`SELECT COUNT(*) FROM messages WHERE body = 'hush'`), "what is younger stays")
		require.Equal(t, 1, count(`SELECT COUNT(*) FROM conversations WHERE customer = 'ana'`), "and so does a customer who wrote since")
		after(170)
		require.Equal(t, 0, count(`SELECT COUNT(*) FROM messages WHERE body <> '' OR attachments <> ''`))
		require.Equal(t, 0, count(`SELECT COUNT(*) FROM blobs`))
		require.Equal(t, 3, count(`SELECT COUNT(*) FROM events`))
		say("acme", "ana", "hush")
		require.Equal(t, 3, count(`SELECT COUNT(*) FROM conversations`), "they begin anew")
	})
}
