package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/store"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/handoff"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A busySite is a faqbot on what a build that was killed in the midst of its work left behind:
// testdata/before/README.md. The fakes of the networks are others, which were sent nothing yet.
type busySite struct {
	*site
	kind, dsn string
	accounts  map[string]*graphtest.Account // by channel
}

func newBusySite(t *testing.T, dsn string) *busySite {
	t.Helper()
	telegram, graph := telegramtest.New(testToken), graphtest.New()
	require.NoError(t, telegram.Start())
	t.Cleanup(func() { require.NoError(t, telegram.Close()) })
	require.NoError(t, graph.Start())
	t.Cleanup(func() { require.NoError(t, graph.Close()) })
	s := &busySite{kind: kindOf(dsn), dsn: dsn, site: &site{t: t, dir: t.TempDir(), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient, telegram: telegram}}
	s.addr = freeAddress(t)
	var meta string
	meta, s.accounts = metaAccounts(graph)
	account := "[[account]]\nlocale = \"en\"\naffiliates = [\"shop\"]\n"
	config := fmt.Sprintf("[server]\nlisten = %q\npublic_url = \"http://%s\"\n[database]\ndsn = %q\n", s.addr, s.addr, dsn) +
		account + "channel = \"webchat\"\nid = \"chat\"\n" +
		account + fmt.Sprintf("channel = \"telegram\"\nid = \"shop\"\ntoken = %q\nsecret = \"hook-secret\"\napi_base = %q\nmode = \"webhook\"\n", testToken, telegram.URL()) + meta
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "faqbot.toml"), []byte(config), 0o600))
	key := "faqbot.db.key"
	if sqldb.IsPostgres(dsn) {
		key = "faqbot.key"
		loadSQL(t, dsn, unzip(t, "testdata/before/busy.sql.gz"))
	} else {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, dsn), unzip(t, "testdata/before/busy.db.gz"), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, key), s.left("key"), 0o600))
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// left is what the build before left beside its database.
func (s *busySite) left(what string) []byte {
	data, err := os.ReadFile("testdata/before/busy." + s.kind + "." + what)
	require.NoError(s.t, err)
	return data
}

// shift moves all times of conversations, so that the build before was killed a minute ago: replies, leases and windows age.
func (s *busySite) shift(db *sqldb.DB) {
	var last int64
	require.NoError(s.t, db.QueryRowContext(s.t.Context(), `SELECT MAX(active_at) FROM conversations`).Scan(&last))
	for _, table := range []string{"conversations", "messages", "episodes", "turns", "deliveries", "tickets", "links", "joins", "incidents", "rejects"} {
		rows, err := db.QueryContext(s.t.Context(), `SELECT * FROM `+table+` LIMIT 0`)
		require.NoError(s.t, err)
		columns, err := rows.Columns()
		require.NoError(s.t, err)
		require.NoError(s.t, rows.Close())
		var sets []string
		for _, c := range columns {
			if c == "at" || strings.HasSuffix(c, "_at") || strings.HasSuffix(c, "_until") || strings.HasSuffix(c, "_since") {
				sets = append(sets, fmt.Sprintf("%s = CASE WHEN %s > 0 THEN %s + %d ELSE 0 END", c, c, c, time.Now().Add(-time.Minute).UnixMilli()-last))
			}
		}
		_, err = db.ExecContext(s.t.Context(), `UPDATE `+table+` SET `+strings.Join(sets, ", "))
		require.NoError(s.t, err)
	}
	// The networks' fakes number their messages from 1, as those of before did.
	for _, query := range []string{`UPDATE messages SET external_id = 'before' || external_id, network_id = 'before' || network_id`,
		`UPDATE deliveries SET external_id = 'before' || external_id WHERE external_id <> ''`} {
		_, err := db.ExecContext(s.t.Context(), query)
		require.NoError(s.t, err)
	}
}

// serve serves, and lets the networks, which know the customers of before, post to the service.
func (s *busySite) serve(db *sqldb.DB) {
	for kind, a := range s.accounts {
		a.Know(lines(s.t, db, `SELECT customer FROM conversations WHERE channel = '`+kind+`'`)...)
	}
	s.telegram.Know(77, 78, 79, 80)
	s.start()
	for kind, a := range s.accounts {
		a.SetMoods(graphtest.Moods{})
		a.Hook("http://" + s.addr + "/hooks/" + kind + "/shop")
	}
}

// lines lists what a query of one column finds.
func lines(t *testing.T, db *sqldb.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		list = append(list, line)
	}
	require.NoError(t, rows.Err())
	return list
}

// state is what must be the same before and after an upgrade, in the columns that the build before had.
func (s *busySite) state(db *sqldb.DB) map[string][]string {
	state := map[string][]string{}
	for what, query := range map[string]string{
		"conversations": `SELECT id || ' ' || channel || ' ' || customer || ' ' || customer_id || ' ' || affiliate || ' ' || episode_id || ' ' || mode || ' ' || misses || ' ' || clarify || ' ' || asked FROM conversations`,
		"tickets":       `SELECT id || ' ' || conversation_id || ' ' || state || ' ' || assignee || ' ' || waiting_since || ' ' || closed_at FROM tickets`,
		"messages":      `SELECT id || ' ' || conversation_id || ' ' || seq || ' ' || author || ' ' || body || ' ' || turn_id FROM messages`,
		"deliveries":    `SELECT id || ' ' || state || ' ' || attempt || ' ' || doubts || ' ' || external_id FROM deliveries`,
		"links":         `SELECT digest || ' ' || opened_by FROM links`,
		"joins":         `SELECT conversation_id || ' ' || was || ' ' || became || ' ' || proof FROM joins`,
		"incidents":     `SELECT id || ' ' || failures || ' ' || ended_at FROM incidents`,
		"rejects":       `SELECT id || ' ' || reason FROM rejects`,
	} {
		state[what] = lines(s.t, db, query+` ORDER BY 1`)
		require.NotEmpty(s.t, state[what], what)
	}
	return state
}

// reads is what this build makes of the conversations, by channel and customer.
func (s *busySite) reads(db *sqldb.DB) map[string]bot.Conversation {
	audit, err := store.ReadAudit(s.t.Context(), db)
	require.NoError(s.t, err)
	list := map[string]bot.Conversation{}
	for _, c := range audit.Conversations {
		conv, err := store.New(db).Conversation(s.t.Context(), c.ID)
		require.NoError(s.t, err)
		name := conv.Address.Channel + " " + conv.Address.Customer
		if conv.Address.Channel == "webchat" {
			name = "webchat"
		}
		list[name] = conv
	}
	return list
}

// What a build left that was killed in the midst of its work is what this one finds: the same conversations, tickets
// and deliveries. What waited is answered and sent, once; who opted out hears nothing; all of them are answered on.
func TestUpgradeInTheMidstOfWork(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	for kind, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "faqbot.db" }, "postgres": sqldbtest.Postgres} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newBusySite(t, dsn(t))
			db := s.open(s.dsn)
			s.shift(db)
			before := s.state(db)
			s.faqbot("migrate")
			require.Equal(t, before, s.state(db))
			s.migrated(db)
			s.serve(db)
			s.worksOn(db)
		})
	}
}

// migrated checks what the conversations say in this build.
func (s *busySite) migrated(db *sqldb.DB) {
	t := s.t
	convs := s.reads(db)
	require.Equal(t, bot.AskedWhich, convs["whatsapp 16505550007"].Asked)
	require.Equal(t, bot.OptOutAll, convs["whatsapp 16505550008"].OptOut)
	require.False(t, convs["whatsapp 16505550008"].OptOutAt.IsZero())
	ad := convs["whatsapp 16505550009"]
	require.Equal(t, []any{"ad:ad-1", "ad-1", "Join", 1}, []any{ad.FirstRef, ad.Last.ID, ad.First.Title, ad.Misses})
	require.Equal(t, "16505550011", convs["telegram 79"].Phone)
	require.Equal(t, convs["whatsapp 16505550011"].Customer, convs["telegram 79"].Customer, "joined by a phone number")
	require.Equal(t, convs["webchat"].Customer, convs["telegram 78"].Customer, "joined by a link")
	require.Equal(t, bot.ModePerson, convs["telegram 77"].Mode)
	require.False(t, convs["whatsapp 16505550007"].WindowUntil.IsZero())
	backlog, err := store.ReadBacklog(t.Context(), db)
	require.NoError(t, err)
	require.Equal(t, store.Backlog{Turns: 1, Messages: 1, Deliveries: 4}, backlog)
}

// worksOn checks that the service goes on where the build before was killed.
func (s *busySite) worksOn(db *sqldb.DB) {
	t := s.t
	wa, fb, ig := s.accounts["whatsapp"], s.accounts["messenger"], s.accounts["instagram"]
	const payout, disclosed = "The smallest payout is 50 euros.", disclosure + "\n\nThe smallest payout is 50 euros."
	hears := func(a *graphtest.Account, customer string, want ...string) {
		t.Helper()
		var got []string
		for _, m := range heard(t, a, customer, len(want)) {
			got = append(got, m.Text)
		}
		require.Equal(t, want, got, customer)
	}
	hears(wa, "16505550010", disclosed) // their turn waited
	cut := &customer{s: s.site, chat: 80}
	require.Equal(t, commandDisclosure+"\n\n"+payout, cut.next().Text, "the service was killed while it sent this")
	for _, customer := range []string{"16505550511", "16505550512", "16505550513"} {
		hears(fb, customer, disclosed) // their answers did
	}
	wa.Say("16505550007", "the second one") // of a menu
	require.Contains(t, heard(t, wa, "16505550007", 1)[0].Text, "are approved within")
	ig.Say("16505550601", "minimum payout?")
	hears(ig, "16505550601", payout)
	fb.Say("16505550501", "minimum payout?")
	hears(fb, "16505550501", payout)
	visitor := newChatLine(t, "http://"+s.addr)
	base, err := url.Parse("http://" + s.addr)
	require.NoError(t, err)
	name, value, _ := strings.Cut(string(s.left("visitor")), "=")
	visitor.client.Jar.(*cookiejar.Jar).SetCookies(base, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
	require.Equal(t, payout, visitor.heard(1)[0].text, "the visitor is known")
	visitor.say("minimum payout?")
	require.Len(t, visitor.heard(2), 2)

	ticket := string(s.left("ticket"))
	require.Contains(t, s.faqbot("desk", "show", ticket), "and my order?")
	s.faqbot("desk", "--as", "ann", "reply", ticket, "It left today.")
	s.faqbot("desk", "--as", "ann", "close", ticket)
	waiting := &customer{s: s.site, chat: 77}
	require.Equal(t, "It left today.", waiting.next().Text)
	require.Contains(t, waiting.next().Text, "closed this request")
	require.Equal(t, payout, waiting.ask("minimum payout?").Text)
	wa.Say("16505550008", "minimum payout?") // opted out: for a person alone
	s.calm(db)
	require.Len(t, s.telegram.Sent(77), 3)
	require.Len(t, s.telegram.Sent(80), 1)
	require.Equal(t, 0, wa.SentTo("16505550008"))
	for a, want := range map[*graphtest.Account]int{wa: 2, fb: 4, ig: 1} {
		require.Equal(t, want, a.SentCount(), "nothing was sent twice")
	}
	audit, err := store.ReadAudit(t.Context(), db)
	require.NoError(t, err)
	for _, d := range audit.Deliveries {
		require.Equal(t, bot.DeliverySent, d.State)
	}
	tickets, _, err := handoff.ReadAudit(t.Context(), db)
	require.NoError(t, err)
	require.Len(t, tickets, 4, "three that were there, and one for who opted out and asks")
}

// calm waits until the networks and the service have nothing left to do.
func (s *busySite) calm(db *sqldb.DB) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		for _, a := range s.accounts {
			if a.Pending() > 0 {
				return false
			}
		}
		b, err := store.ReadBacklog(s.t.Context(), db)
		return err == nil && b == store.Backlog{}
	}, waittest.Hang, 20*time.Millisecond)
}
