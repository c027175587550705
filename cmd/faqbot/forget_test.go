package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/store"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// notOfCustomers are the tables that hold nothing of customers: affiliates' entries, people of ours, what counts
// attempts and outages. A table that is in neither this list nor reached by Forget fails the test below.
func notOfCustomers() []string {
	return []string{"probe", "attempts", "affiliates", "brands", "slugs", "entries", "versions", "uploads", "edits", "ignored_findings", "publishes", "files", "entry_files", "embeddings",
		"people", "people_gate", "people_sessions", "people_invitations", "people_api_keys", "people_attempts", "people_audit", "people_secrets", "people_browsers",
		"accounts", "pauses", "incidents", "queues", "inbox", "erasures", "gap_progress", "label_versions", "start_steps", "case_runs", "mailboxes",
		"message_docs", "message_words", "message_words_data", "message_words_idx", "message_words_docsize", "message_words_config"} // SQLite's text index: triggers fill it
}

// given are the columns that must name another row, or have a form of their own. All others are filled with the
// customer's words.
func given() map[string]any {
	return map[string]any{
		"conversation_id": "CONV1", "conversations.id": "CONV1", "customer_id": "CUST1", "customers.id": "CUST1", "messages.id": "MSG1", "message_id": "MSG1",
		"tickets.id": "TICKET1", "ticket_id": "TICKET1", "queue": "q", "mode": "bot", "blobs.id": "FILE1", "blob_owners.blob": "FILE1", "contacts.picture": "FILE1", "pinned": false,
		"first_referral": "", "last_referral": "", "choices": "", "messages.attachments": `[{"kind":"photo","name":"Canary","kept":"FILE1"}]`, "trace": `{"query":"Canary"}`, "entries": "",
		"tried": "[]", "conversations.account": "shop", "aliases.account": "shop", "rejects.account": "shop", "visitor_revocations.account": "shop",
		"conversations.channel": "webchat", "rejects.channel": "webchat", "turns.score": 0.5,
	}
}

type column struct{ table, name, kind string }

// columnsOf lists all columns of a database's tables.
func columnsOf(t *testing.T, db *sqldb.DB) (list []column) {
	t.Helper()
	query := `SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if db.Postgres() {
		query = `SELECT table_name, column_name, UPPER(data_type) FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	require.NoError(t, sqldb.Each(t.Context(), db, func(rows *sql.Rows) error {
		var c column
		err := rows.Scan(&c.table, &c.name, &c.kind)
		if !strings.HasPrefix(c.table, "migrations_") {
			list = append(list, c)
		}
		return err
	}, query))
	return list
}

// fill inserts a row into a table in which every text is the customer's.
func fill(t *testing.T, db *sqldb.DB, table string, columns []column) {
	t.Helper()
	var names, marks []string
	var args []any
	for _, c := range columns {
		if c.table != table {
			continue
		}
		value, ok := given()[c.table+"."+c.name]
		if !ok {
			value, ok = given()[c.name]
		}
		switch {
		case ok:
		case c.kind == "TEXT":
			value = "Canary"
		case c.kind == "BYTEA":
			value = []byte("Canary")
		case c.kind == "BOOLEAN":
			value = false
		default:
			value = 1
		}
		names, args = append(names, c.name), append(args, value)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	_, err := db.Change(t.Context(), `INSERT INTO `+table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, args...)
	require.NoError(t, err, table)
}

// stillIn lists the tables and columns in which the customer's words or IDs stand.
func stillIn(t *testing.T, db *sqldb.DB, columns []column) (list []string) {
	t.Helper()
	for _, c := range columns {
		if c.kind != "TEXT" && c.kind != "BYTEA" || c.table == "erasures" {
			continue
		}
		require.NoError(t, sqldb.Each(t.Context(), db, func(rows *sql.Rows) error {
			var value []byte
			err := rows.Scan(&value)
			for _, name := range []string{"Canary", "CONV1", "CUST1", "MSG1", "TICKET1", "FILE1"} {
				if bytes.Contains(value, []byte(name)) {
					list = append(list, c.table+"."+c.name)
				}
			}
			return err
		}, `SELECT `+c.name+` FROM `+c.table))
	}
	return list
}

// Every column of every table that may hold something of a customer is emptied by erasing them, a new column or table
// as well: it fails here until Forget reaches it.
func TestForgetReachesEveryColumn(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		columns := columnsOf(t, db)
		fill(t, db, "queues", []column{{"queues", "name", "TEXT"}, {"queues", "affiliate", "TEXT"}, {"queues", "answer_ms", "BIGINT"}})
		_, err := db.Change(t.Context(), `UPDATE queues SET name = 'q', affiliate = 'acme'`)
		require.NoError(t, err)
		first := []string{"customers", "conversations", "blobs", "messages", "tickets"} // others refer to them
		var tables []string
		for _, c := range columns {
			tables = append(tables, c.table)
		}
		done := map[string]bool{}
		for _, name := range notOfCustomers() {
			done[name] = true
		}
		for _, table := range append(first, tables...) {
			if !done[table] {
				fill(t, db, table, columns)
				done[table] = true
			}
		}
		require.NotEmpty(t, stillIn(t, db, columns))
		desk, err := bareDesk(db, terminal{out: io.Discard, err: io.Discard})
		require.NoError(t, err)

		_, err = db.Change(t.Context(), `INSERT INTO inbox (id, channel, account, body, at) VALUES ('1', 'webchat', 'shop', $1, 1)`, []byte(`{"from":"Canary"}`))
		require.NoError(t, err)
		require.ErrorIs(t, desk.Forget(t.Context(), "CUST1"), store.ErrUnread, "what waits may have words of others")
		require.NotEmpty(t, stillIn(t, db, columns))
		_, err = db.Change(t.Context(), `DELETE FROM inbox`)
		require.NoError(t, err)

		require.NoError(t, desk.Forget(t.Context(), "CUST1"))
		require.Empty(t, stillIn(t, db, columns))
		list, err := store.New(db).Erasures(t.Context())
		require.NoError(t, err)
		require.Equal(t, []bot.ConversationID{"CONV1"}, list)
		require.NoError(t, desk.Forget(t.Context(), "CUST1"), "again changes nothing")
	})
}

const canaryWords = "Zanzibar-canary-words"

// openShop is a service with a WhatsApp account, in a folder of its own.
func openShop(t *testing.T, dsn string) (*gallery, *graphtest.Account, string) {
	t.Helper()
	graph := graphtest.New()
	require.NoError(t, graph.Start())
	t.Cleanup(func() { require.NoError(t, graph.Close()) })
	meta, accounts := metaAccounts(graph)
	dir := t.TempDir()
	faq, err := os.ReadFile("testdata/webhooks/faq.csv")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), faq, 0o600))
	g, _ := openGallery(t, dsn, "", dir, meta)
	a := accounts[graphtest.WhatsApp]
	a.Hook(g.base + "/hooks/whatsapp/shop")
	return g, a, dir
}

// A customer who said a lot, has a ticket with notes and was written to, is erased from the command line, beside the
// running service: no byte of what they said stands in the database's file, its log or the service's log.
func TestForgetLeavesNoByte(t *testing.T) {
	t.Parallel()
	dsn := sqldbtest.SQLite(t)
	g, a, dir := openShop(t, dsn)
	talkMuch(t, g, a, func(i int) string { return strings.Repeat(fmt.Sprint(canaryWords, i, " "), 1+i*40) })
	require.NotEmpty(t, filesWith(t, dsn, canaryWords))

	out := &bytes.Buffer{}
	forget := func(args ...string) string {
		out.Reset()
		require.Equal(t, exitDone, run(t.Context(), append([]string{"--config", filepath.Join(dir, "faqbot.toml"), "forget"}, args...), terminal{out: out, err: out}), out.String())
		return out.String()
	}
	who := "whatsapp/shop/" + ana
	require.Contains(t, forget(who), "Nothing was erased")
	export := filepath.Join(dir, "ana.zip")
	require.Contains(t, forget(who, "--export", export), "All there is of the customer")
	requireExported(t, export, canaryWords, ana)
	require.Contains(t, forget(who, "--yes"), "The customer is erased")

	require.Empty(t, filesWith(t, dsn, canaryWords))
	require.Empty(t, filesWith(t, dsn, ana))
	require.NotEmpty(t, filesWith(t, dsn, bea), "others stay")
	require.NotContains(t, g.log.String(), canaryWords)
	require.NotContains(t, g.log.String(), ana)
	require.NotEmpty(t, forget("--list"))

	a.Say(ana, "hello again")
	require.Eventually(t, func() bool {
		return countIn(t, g.service.db, `SELECT COUNT(*) FROM conversations WHERE customer LIKE $1`, "%"+ana) == 1
	}, waittest.Hang, 20*time.Millisecond)
}

const ana, bea = "4915199900011", "4915199900022"

func countIn(t *testing.T, db *sqldb.DB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// talkMuch has two customers talk to the shop until all is answered; the first says words, and gets a ticket.
func talkMuch(t *testing.T, g *gallery, a *graphtest.Account, words func(i int) string) {
	t.Helper()
	for i := range 12 {
		a.Say(ana, words(i))
		a.Say(bea, fmt.Sprint("something else ", i))
	}
	a.Say(ana, "/human")
	require.Eventually(t, func() bool { return a.SentTo(ana) > 0 && a.SentTo(bea) > 0 && a.Pending() == 0 }, waittest.Hang, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		for _, left := range []string{`messages WHERE author = 'customer' AND turn_id = ''`, `deliveries WHERE state = 'queued'`, `inbox`} {
			if countIn(t, g.service.db, `SELECT COUNT(*) FROM `+left) > 0 {
				return false
			}
		}
		return countIn(t, g.service.db, `SELECT COUNT(*) FROM tickets`) > 0
	}, waittest.Hang, 20*time.Millisecond)
}

// On Postgres no row, dead or alive, no index and no TOAST table holds anything of an erased customer once it was
// vacuumed, however long their words were.
func TestForgetOnPostgres(t *testing.T) {
	t.Parallel()
	g, a, dir := openShop(t, sqldbtest.Postgres(t))
	talkMuch(t, g, a, func(i int) string { // random, so that it is not compressed
		words := canaryWords
		for len(words) < 1+i*500 {
			words += " " + rand.Text()
		}
		return words
	})
	db := g.service.db
	_, err := db.ExecContext(t.Context(), `CREATE EXTENSION pageinspect`)
	require.NoError(t, err)
	held := func(words string) string { return strings.Join(relationsWith(t, db, words), " ") }
	require.Contains(t, held(canaryWords), "messages:t", "long words are toasted")
	require.Contains(t, held(canaryWords), "messages:r")
	require.Contains(t, held(ana), "conversations:i")
	require.Contains(t, held(canaryWords), "messages:g")
	out := &bytes.Buffer{}
	require.Equal(t, exitDone, run(t.Context(), []string{"--config", filepath.Join(dir, "faqbot.toml"), "forget", "whatsapp/shop/" + ana, "--yes"}, terminal{out: out, err: out}), out.String())
	var left string
	require.Eventually(t, func() bool { // the service beside it may still have seen the rows while they were vacuumed
		_, err := db.ExecContext(t.Context(), `VACUUM`)
		left = held(canaryWords) + held(ana)
		return err == nil && left == ""
	}, waittest.Hang, 100*time.Millisecond, "%s", &left)
	require.NotEmpty(t, held(bea), "others stay")
}

// relationsWith lists what of a Postgres database holds words, by the table's name and a letter: r for its rows, t for its
// TOAST table, i for an index, g for a text index, which has the words one by one and in small letters. Rows that nobody sees any more count until they are vacuumed.
func relationsWith(t *testing.T, db *sqldb.DB, words string) (list []string) {
	t.Helper()
	require.NoError(t, sqldb.Each(t.Context(), db, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		list = append(list, name)
		return err
	}, `WITH own AS (SELECT oid, relname, reltoastrelid AS toast FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace),
		heaps AS (SELECT oid, relname, 'r' AS kind FROM own UNION ALL SELECT toast, relname, 't' FROM own WHERE toast > 0),
		indexes AS (SELECT i.indexrelid AS oid, h.relname, a.amname FROM heaps h JOIN pg_index i ON i.indrelid = h.oid
			JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam)
		SELECT DISTINCT h.relname || ':' || h.kind FROM heaps h, generate_series(0, pg_relation_size(h.oid) / 8192 - 1) page,
			heap_page_items(get_raw_page(h.oid::regclass::text, CAST(page AS INT))) item WHERE position($1 IN item.t_data) > 0
		UNION SELECT DISTINCT x.relname || ':i' FROM indexes x, generate_series(1, pg_relation_size(x.oid) / 8192 - 1) page,
			bt_page_items(x.oid::regclass::text, CAST(page AS INT)) item WHERE x.amname = 'btree' AND position($1 IN decode(replace(item.data, ' ', ''), 'hex')) > 0
		UNION SELECT DISTINCT x.relname || ':g' FROM indexes x, generate_series(0, pg_relation_size(x.oid) / 8192 - 1) page
			WHERE x.amname = 'gin' AND position($2 IN get_raw_page(x.oid::regclass::text, CAST(page AS INT))) > 0`,
		[]byte(words), []byte(strings.ToLower(strings.Split(words, "-")[0]))))
	return list
}

// filesWith lists the files of a SQLite database in which words stand.
func filesWith(t *testing.T, dsn, words string) (list []string) {
	t.Helper()
	for _, file := range sqldb.Files(dsn) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if bytes.Contains(data, []byte(words)) {
			list = append(list, filepath.Base(file))
		}
	}
	return list
}

func requireExported(t *testing.T, path string, words ...string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	f, err := z.Open("customer.json")
	require.NoError(t, err)
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for _, w := range words {
		require.Contains(t, string(text), w)
	}
	var tables map[string][]map[string]any
	require.NoError(t, json.Unmarshal(text, &tables))
	for _, name := range []string{"messages", "conversations", "contacts", "tickets", "events"} {
		require.NotEmpty(t, tables[name], name)
	}
}

// Who was erased after a backup is erased again when it is restored: as the database that it replaces knows, or as a
// list says where there is none.
func TestRestoreErasesAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "faqbot.toml")
	dsn := filepath.Join(dir, "faqbot.db")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "[database]\ndsn = %q\n", dsn), 0o600))
	faqbot := func(args ...string) string {
		out := &bytes.Buffer{}
		require.Equal(t, exitDone, run(t.Context(), append([]string{"--config", config}, args...), terminal{out: out, err: out}), out.String())
		return out.String()
	}
	faqbot("migrate")
	open := func(do func(ctx context.Context, db *sqldb.DB)) {
		db, err := sqldb.Open(t.Context(), dsn)
		require.NoError(t, err)
		do(t.Context(), db)
		require.NoError(t, db.Close())
	}
	open(func(ctx context.Context, db *sqldb.DB) {
		a := bot.Account{Channel: "test", ID: "shop"}
		w := store.EventWriter{Store: store.New(db), Senders: func(bot.Account, []byte) []string { return nil }}
		for _, who := range []string{"ana", "bea"} {
			e := bot.Event{Address: bot.Address{Channel: "test", Account: "shop", Customer: who}, ExternalID: who, At: time.Now(), Message: &bot.Inbound{Text: canaryWords + who}}
			require.NoError(t, w.StoreEvents(ctx, []store.Arrival{{Event: e, Account: a, At: time.Now()}}))
		}
	})
	backup := filepath.Join(dir, "backup.zip")
	faqbot("backup", backup)
	faqbot("forget", "test/shop/ana", "--yes")
	list := filepath.Join(dir, "erased.txt")
	require.NoError(t, os.WriteFile(list, []byte(faqbot("forget", "--list")), 0o600))
	gone := func() {
		require.Empty(t, filesWith(t, dsn, canaryWords+"ana"))
		require.NotEmpty(t, filesWith(t, dsn, canaryWords+"bea"))
	}
	gone()
	require.Contains(t, faqbot("restore", backup, "--replace"), "Erased again: 1 conversations")
	gone()
	for _, file := range sqldb.Files(dsn) {
		require.NoError(t, os.Remove(file))
	}
	require.Contains(t, faqbot("restore", backup, "--erasures", list), "Erased again: 1 conversations")
	gone()
	for _, file := range sqldb.Files(dsn) {
		require.NoError(t, os.Remove(file))
	}
	require.NotContains(t, faqbot("restore", backup), "Erased again")
	require.NotEmpty(t, filesWith(t, dsn, canaryWords+"ana"))
}
