package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// disclosure is what stands before the bot's first words where the channel has no commands; commandDisclosure is the same where it has.
const (
	disclosure        = "I'm an automated assistant. If you'd rather talk to a person, just say so."
	commandDisclosure = "I'm an automated assistant. Send /human to talk to a person at any time."
)

// A metaSite is a running faqbot with a WhatsApp number, a page and an Instagram account, and the fake
// Graph API they lie with.
type metaSite struct {
	*site
	dsn      string
	accounts map[string]*graphtest.Account // by channel
}

// metaAccounts adds an account of each kind to a fake that has started, and returns their configuration, by channel.
func metaAccounts(graph *graphtest.Server) (config string, accounts map[string]*graphtest.Account) {
	accounts = map[string]*graphtest.Account{}
	for i, kind := range []string{graphtest.WhatsApp, graphtest.Messenger, graphtest.Instagram} {
		id := fmt.Sprint(5000 + i)
		accounts[kind] = graph.Add(graphtest.AccountOptions{Kind: kind, ID: id, Business: "9" + id, Token: "MetaToken" + id, Secret: "app-secret", AppID: "77"})
		config += fmt.Sprintf("[[account]]\nchannel = %q\nid = \"shop\"\ntoken = \"MetaToken%s\"\nsecret = \"old-secret app-secret\"\nverify_token = \"v3rify\"\napi_base = %q\nlocale = \"en\"\naffiliates = [\"shop\"]\n",
			kind, id, graph.URL())
		if kind == graphtest.WhatsApp {
			config += fmt.Sprintf("number_id = %q\nbusiness_id = \"9%s\"\n", id, id)
		} else {
			config += fmt.Sprintf("page_id = %q\n", id)
		}
	}
	return config, accounts
}

func newMetaSite(t *testing.T, dsn string) *metaSite {
	t.Helper()
	graph := graphtest.New()
	require.NoError(t, graph.Start())
	t.Cleanup(func() { require.NoError(t, graph.Close()) })
	meta, accounts := metaAccounts(graph)
	s := newChatSite(t, dsn, func(addr string) string {
		return fmt.Sprintf("[server]\nlisten = %q\n", addr) + "[[account]]\nchannel = \"webchat\"\nid = \"chat\"\nlocale = \"en\"\naffiliates = [\"shop\"]\n" + meta
	})
	s.accounts = accounts
	for kind, a := range s.accounts {
		a.Hook("http://" + s.addr + "/hooks/" + kind + "/shop")
	}
	return s
}

// newChatSite starts a service that answers from testdata/shop.jsonl, with what config says for its address besides the
// database.
func newChatSite(t *testing.T, dsn string, config func(addr string) string) *metaSite {
	t.Helper()
	s := &metaSite{site: &site{t: t, dir: t.TempDir(), addr: freeAddress(t), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}, dsn: dsn}
	text := config(s.addr) + fmt.Sprintf("[database]\ndsn = %q\n", dsn)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "faqbot.toml"), []byte(text), 0o600))
	faq, err := filepath.Abs("testdata/shop.jsonl")
	require.NoError(t, err)
	require.Contains(t, s.faqbot("import", faq, "--affiliate", "shop", "--publish"), "Published: revision 1")
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	s.start()
	return s
}

// count runs a counting query on the service's database, once all that was posted is taken in.
func (s *metaSite) count(query string) (n int) {
	s.t.Helper()
	dsn := s.dsn
	if dsn == "faqbot.db" {
		dsn = filepath.Join(s.dir, dsn)
	}
	db, err := sqldb.Open(s.t.Context(), dsn)
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		return db.QueryRowContext(s.t.Context(), `SELECT COUNT(*) FROM inbox`).Scan(&n) == nil && n == 0
	}, waittest.Hang, 5*time.Millisecond)
	require.NoError(s.t, db.QueryRowContext(s.t.Context(), query).Scan(&n))
	require.NoError(s.t, db.Close())
	return n
}

func onMeta(t *testing.T, test func(t *testing.T, s *metaSite)) {
	t.Helper()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "faqbot.db" }, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newMetaSite(t, dsn(t)))
		})
	}
}

func heard(t *testing.T, a *graphtest.Account, customer string, n int) []graphtest.Sent {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	list, err := a.WaitSent(ctx, customer, n)
	require.NoError(t, err)
	return list
}

// One body with three messages of two customers, two statuses and something malformed: all good events
// are taken once, the bad one is kept and reported, and the same body again is nothing new.
func TestWhatsAppBatch(t *testing.T) {
	t.Parallel()
	onMeta(t, func(t *testing.T, s *metaSite) {
		a := s.accounts["whatsapp"]
		a.SetMoods(graphtest.Moods{})
		a.Say("16505550001", "minimum payout?")
		first := heard(t, a, "16505550001", 1)[0]
		require.Equal(t, disclosure+"\n\nThe smallest payout is 50 euros.", first.Text)
		require.Eventually(t, func() bool { return a.Pending() == 0 }, waittest.Hang, 10*time.Millisecond)
		require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM messages WHERE author = 'bot' AND status = 'read'`))

		text := func(phone, words string) map[string]any {
			m, _ := a.Message(phone, map[string]any{"type": "text", "text": map[string]any{"body": words}})
			return m
		}
		status := func(kind string) map[string]any {
			return map[string]any{"id": first.ID, "status": kind, "timestamp": fmt.Sprint(time.Now().Unix()), "recipient_id": "16505550001", "biz_opaque_callback_data": first.Opaque}
		}
		body := a.Body(map[string]any{
			"messages": []any{text("16505550001", "on which day do i get my commissions"), map[string]any{"id": []any{"canarymalformed"}},
				text("16505550002", "hello"), text("16505550002", "for how long is the cookie valid, canaryone")},
			"statuses": []any{status("delivered"), status("sent")},
		})
		for range 2 {
			answer, err := a.Post(t.Context(), body)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, answer)
			require.Equal(t, "Commissions are paid on the 15th of every month.", heard(t, a, "16505550001", 2)[1].Text)
			require.Equal(t, "Hello! "+disclosure+"\n\nA click counts for 30 days.", heard(t, a, "16505550002", 1)[0].Text)
			require.Equal(t, 4, s.count(`SELECT COUNT(*) FROM messages WHERE author = 'customer'`))
			require.Equal(t, 3, s.count(`SELECT COUNT(*) FROM messages WHERE author = 'bot'`))
			require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM rejects`))
			require.Equal(t, 2, s.count(`SELECT COUNT(*) FROM conversations`))
			require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM messages WHERE seq = 2 AND status = 'read'`), "a status never goes back")
		}
		require.Contains(t, s.log.String(), "cannot read a part of what the network posted; it is kept")
		s.stop()
		for _, word := range []string{"canary", "16505550", "MetaToken", "app-secret", "v3rify", "cookie"} {
			require.NotContains(t, s.log.String(), word)
		}
		require.Len(t, a.Sent("16505550001"), 2)
		require.Len(t, a.Sent("16505550002"), 1)
	})
}

// The same conversation on each of Meta's networks: answer, choice by a tap, a person of ours who writes
// past us and silences the bot; in spite of shuffled, repeated and early statuses and echoes.
func TestMetaConversation(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	onMeta(t, func(t *testing.T, s *metaSite) {
		for kind, a := range s.accounts {
			a.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 2, Early: 2})
			customer := "16505550007"
			a.Say(customer, "minimum payout? canaryone")
			require.Equal(t, disclosure+"\n\nThe smallest payout is 50 euros.", heard(t, a, customer, 1)[0].Text, kind)
			a.Say(customer, "how long does approval take")
			tie := heard(t, a, customer, 2)[1]
			require.Len(t, tie.Buttons, 4, "%s: two entries, none of these and a person", kind)
			a.Tap(customer, tie.ID, tie.Buttons[1])
			require.Contains(t, []string{"Accounts are approved within two working days.", "Payouts are approved within five working days."},
				heard(t, a, customer, 3)[2].Text, kind)
			require.Positive(t, a.Typing(customer), kind)

			s.count(`UPDATE messages SET at = at - 60000 WHERE conversation_id IN (SELECT id FROM conversations WHERE channel = '` + kind + `') RETURNING 1`) // so soon it would pass for an automatic reply
			a.WriteInApp(customer, "I take care of it, canarytwo")
			require.Eventually(t, func() bool { return a.Pending() == 0 }, waittest.Hang, 10*time.Millisecond, kind)
			a.Say(customer, "minimum payout? canarythree")
			where := ` FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.channel = '` + kind + `' AND `
			require.Eventually(t, func() bool {
				return s.count(`SELECT COUNT(*)`+where+`m.body LIKE '%canarythree' AND m.turn_id <> ''`) == 1
			}, waittest.Hang, 50*time.Millisecond, kind)
			require.Equal(t, 1, s.count(`SELECT COUNT(*)`+where+`m.author = 'agent' AND m.body LIKE '%canarytwo'`), kind)
			require.Len(t, a.Sent(customer), 3, "%s: the bot is silent", kind)
			require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM conversations WHERE mode = 'person' AND channel = '`+kind+`'`), kind)
			settled := `m.status IN ('sent', 'reached', 'read')`
			if kind == "whatsapp" { // its statuses name our delivery, so that even those that overtake the answer count
				settled = `m.status = 'read'`
			}
			require.Equal(t, 3, s.count(`SELECT COUNT(*)`+where+`m.author = 'bot' AND `+settled), kind)
		}
		s.stop()
		require.NotContains(t, s.log.String(), "canary")
	})
}

// An entry's files go out natively on each of Meta's networks, though nobody can reach us from outside; what
// customers send is kept, and a voice note is not passed over.
func TestMetaFiles(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	onMeta(t, func(t *testing.T, s *metaSite) {
		s.stop()
		plans, prices := picture(64, 48), []byte("%PDF-1.7 prices")
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "plans.png"), plans, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "prices 2026.pdf"), prices, 0o600))
		faq := filepath.Join(s.dir, "faq.csv")
		require.NoError(t, os.WriteFile(faq, []byte("id,question,answer,media\nplans,Which plans are there?,There are three plans.,plans.png | prices 2026.pdf\n"+
			"pay,How do I get paid?,By transfer.,\nreturn,How do I return an item?,Print the label.,\n"), 0o600))
		require.Contains(t, s.faqbot("import", faq, "--affiliate", "shop", "--publish"), "Published: revision 2")
		s.start()
		for kind, a := range s.accounts {
			a.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 2, Early: 2})
			image, document, n := "image", "document", 2
			if kind != "whatsapp" { // words stand by themselves there
				document, n = "file", 3
			}
			a.SayFile("16505550007", graphtest.File{Kind: "image", Type: "image/png", Data: picture(20, 10), Caption: "which plans are there, canaryone"})
			list := heard(t, a, "16505550007", n)
			said := ""
			for _, m := range list {
				said += m.Text
			}
			require.Equal(t, disclosure+"\n\nThere are three plans.", said, kind)
			require.Equal(t, []any{image, plans}, []any{list[0].Type, list[0].Data}, kind)
			require.Equal(t, []any{document, "prices 2026.pdf", prices}, []any{list[n-1].Type, list[n-1].Name, list[n-1].Data}, kind)
			a.SayFile("16505550008", graphtest.File{Kind: "voice", Type: "audio/ogg", Data: voiceNote()})
			require.Contains(t, heard(t, a, "16505550008", 1)[0].Text, "can't listen to voice messages", kind)
			require.Eventually(t, func() bool {
				return s.count(`SELECT COUNT(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.channel = '`+kind+`' AND m.author = 'customer' AND m.attachments LIKE '%"kept"%'`) == 2
			}, waittest.Hang, 50*time.Millisecond, kind)
			require.Len(t, a.Sent("16505550007"), n, "%s: nothing is sent twice", kind)
		}
		s.stop()
		for _, word := range []string{"canary", "MetaToken"} {
			require.NotContains(t, s.log.String(), word)
		}
	})
}

// Meta asks whether the webhook is ours; what does not come from Meta is refused.
func TestMetaHook(t *testing.T) {
	t.Parallel()
	s := newMetaSite(t, "faqbot.db")
	ask := func(path string) (int, string) {
		res, err := http.Get("http://" + s.addr + path)
		require.NoError(t, err)
		var body bytes.Buffer
		_, err = body.ReadFrom(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode, body.String()
	}
	for kind := range s.accounts {
		status, body := ask("/hooks/" + kind + "/shop?hub.mode=subscribe&hub.challenge=11%25d84&hub.verify_token=v3rify")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "11%d84", body)
		status, body = ask("/hooks/" + kind + "/shop?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong")
		require.Equal(t, http.StatusForbidden, status)
		require.Empty(t, body)
		res, err := http.Post("http://"+s.addr+"/hooks/"+kind+"/shop", "application/json", bytes.NewReader([]byte(`{}`)))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	}
	require.NotContains(t, s.log.String(), "v3rify")
}
