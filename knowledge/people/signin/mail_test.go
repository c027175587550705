package signin_test

import (
	"database/sql"
	"net/url"
	"regexp"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/mail"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Links are mailed to those who have an address: the invitation, and one for a forgotten password, which says nothing of
// who has an account. Who changes an address proves who they are, and the old address is told.
func TestMailedLinks(t *testing.T) {
	db := sqldbtest.Migrated(t, people.Schema(), mail.Schema())
	log, _ := logtest.NewNullLogger()
	now := time.Now()
	s := newSiteOn(t, db, false, mail.NewOutbox(db, mail.Settings{From: "desk@shop.test"}, log, func() time.Time { now = now.Add(time.Second); return now }))
	mails := func() (list []string) {
		require.NoError(t, sqldb.Each(t.Context(), db, func(rows *sql.Rows) error {
			var to, kind, text string
			err := rows.Scan(&to, &kind, &text)
			list = append(list, to+" "+kind+"\n"+text)
			return err
		}, `SELECT recipient, kind, body FROM mails ORDER BY id`))
		return list
	}
	link := func(text string) string { return regexp.MustCompile(`/welcome/\S+`).FindString(text) }

	s.add("boss", people.RoleAdmin)
	admin := s.browser()
	require.Equal(t, 303, admin.send("POST", "/sign-in", url.Values{"name": {"boss"}, "password": {good}}).code)
	r := admin.send("POST", "/people", url.Values{"name": {"Mia"}, "role": {"agent"}, "affiliates": {"acme"}, "email": {"mia"}})
	require.Equal(t, 422, r.code)
	require.Contains(t, r.body, "Write an address like ana@example.com.")
	r = admin.send("POST", "/people", url.Values{"name": {"Mia"}, "role": {"agent"}, "affiliates": {"acme"}, "email": {"mia@shop.test"}})
	require.Equal(t, 200, r.code)
	require.Contains(t, r.body, "The link is on its way to mia@shop.test.")
	require.Regexp(t, "^mia@shop.test invitation\n", mails()[0])
	require.Contains(t, r.body, link(mails()[0]))

	mia := s.browser()
	require.Equal(t, 303, mia.send("POST", link(mails()[0]), url.Values{"password": {good}}).code)
	require.Contains(t, mia.send("GET", "/desk", nil).body, "desk of Mia")

	stranger := s.browser()
	require.Contains(t, stranger.send("GET", "/sign-in", nil).body, `href="/forgot"`)
	of := stranger.send("POST", "/forgot", url.Values{"name": {"nobody"}})
	require.Len(t, mails(), 1)
	require.Equal(t, of.body, stranger.send("POST", "/forgot", url.Values{"name": {"MIA"}}).body, "it does not tell who has an account")
	require.Len(t, mails(), 2)
	require.Regexp(t, "^mia@shop.test reset\n", mails()[1])
	require.Contains(t, mia.send("GET", "/desk", nil).body, "desk of Mia", "asking changes nothing")
	stranger.send("POST", "/forgot", url.Values{"name": {"boss"}})
	require.Len(t, mails(), 2, "an account without an address gets no mail")
	for range 4 {
		stranger.send("POST", "/forgot", url.Values{"name": {"mia@shop.test"}})
	}
	require.LessOrEqual(t, len(mails()), 4, "three an hour")
	require.Equal(t, 429, stranger.send("POST", "/forgot", url.Values{"name": {"mia"}}).code)
	last := mails()[len(mails())-1]
	require.Equal(t, 303, s.browser().send("POST", link(last), url.Values{"password": {good + " new"}}).code)
	require.Equal(t, 303, mia.send("GET", "/desk", nil).code, "the new password ended all sessions")

	require.Equal(t, 303, mia.send("POST", "/sign-in", url.Values{"name": {"mia"}, "password": {good + " new"}}).code)
	require.Equal(t, 422, mia.send("POST", "/account/email", url.Values{"email": {"thief@x.test"}, "proof": {"guess"}}).code)
	before := len(mails())
	require.Equal(t, 303, mia.send("POST", "/account/email", url.Values{"email": {"mia@home.test"}, "proof": {good + " new"}, "notify": {"1"}}).code)
	require.Regexp(t, "^mia@shop.test address changed\n", mails()[before])
	p, err := s.dir.Find(t.Context(), "mia")
	require.NoError(t, err)
	require.Equal(t, "mia@home.test", p.Email)
	require.True(t, p.Notify)
	require.Equal(t, 303, mia.send("POST", "/account/email", url.Values{"email": {"mia@home.test"}}).code, "a switch needs no password")
	p, err = s.dir.Find(t.Context(), "mia")
	require.NoError(t, err)
	require.False(t, p.Notify)
}

// Without mail nothing on the pages speaks of it.
func TestNoMail(t *testing.T) {
	s := newSite(t, false)
	s.add("boss", people.RoleAdmin)
	admin := s.browser()
	require.NotContains(t, admin.send("GET", "/sign-in", nil).body, "/forgot")
	require.Equal(t, 404, admin.send("POST", "/forgot", url.Values{"name": {"boss"}}).code)
	admin.send("POST", "/sign-in", url.Values{"name": {"boss"}, "password": {good}})
	require.NotContains(t, admin.send("GET", "/people", nil).body, "E-mail")
	require.NotContains(t, admin.send("GET", "/account", nil).body, "E-mail")
}
