package store_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// Words are found by their beginnings in any script; who wrote is found too; and what is emptied or erased is neither
// found nor in the index.
func TestSearch(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		find := func(words string) (customers []string) {
			t.Helper()
			list, err := w.Store.List(t.Context(), bot.Search{Affiliates: []knowledge.AffiliateID{"acme"}, Words: words})
			require.NoError(t, err)
			for _, l := range list {
				customers = append(customers, l.Address.Customer)
			}
			return customers
		}
		w.Accept(bottest.Message("ana", "1", "Где мои деньги? Order/Payout 77-zanzibar"), bottest.Message("ben", "2", "我的钱在哪里"),
			bottest.Message("v:Q7XK9PLM", "3", "l'été dernier"), bottest.Message("4915112345", "4", "o'clock \"quoted\" AND (this OR that)"))
		_, err := w.Db.Change(t.Context(), `UPDATE conversations SET channel = 'webchat' WHERE customer = 'v:Q7XK9PLM'`)
		require.NoError(t, err)
		for words, want := range map[string]string{"деньг": "ana", "ДЕНЬГИ где": "ana", "payout": "ana", "order/pay": "ana", "77-zan": "ana", "钱在": "ben",
			"été": "v:Q7XK9PLM", "Visitor Q7XK": "v:Q7XK9PLM", "q7xk": "v:Q7XK9PLM", "4915112345": "4915112345", `"quoted" and`: "4915112345", `(this or`: "4915112345", "o'clock": "4915112345"} {
			require.Equal(t, []string{want}, find(words), words)
		}
		for _, words := range []string{"eldorado", "order-payout", "' OR 1=1", "*", "NEAR(", "\\", "деньги 钱"} {
			require.Empty(t, find(words), words)
		}
		require.Len(t, find(""), 4)

		_, err = w.Db.Change(t.Context(), `UPDATE messages SET body = 'Madagascar' WHERE external_id = '4'`)
		require.NoError(t, err)
		require.Empty(t, find("quoted"))
		require.Equal(t, []string{"4915112345"}, find("madag"))
		_, err = w.Db.Change(t.Context(), `UPDATE messages SET body = '' WHERE external_id = '4'`)
		require.NoError(t, err)
		require.Empty(t, find("madag"))

		none := func(string) []sqldb.Selection { return nil }
		require.NoError(t, w.Store.Erase(t.Context(), w.Conversation("ana").Customer, none, time.Now()))
		require.Empty(t, find("zanzibar"))
		if w.Db.Postgres() { // the index is made anew, see Scrub: its pages cannot be read without an extension
			return
		}
		require.NoError(t, sqldb.Each(t.Context(), w.Db, func(rows *sql.Rows) error {
			var block []byte
			err := rows.Scan(&block)
			require.NotContains(t, strings.ToLower(string(block)), "anzibar")
			require.NotContains(t, string(block), "adagasc")
			return err
		}, `SELECT block FROM message_words_data`))
	})
}
