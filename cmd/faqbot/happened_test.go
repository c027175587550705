package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// happened are the events of script, by hand: the number of the matter, what happened, why, the entry, the agent.
func happened(channel string) []string {
	list := []string{
		"1 received", "1 answered confident minimum",
		"1 received", "1 asked_back close_call account",
		"1 received", "1 tapped entry account", "1 answered chosen account",
		"1 received", "1 answered confident spain",
		"1 received", "1 answered confident germany",
		"1 received", "1 answered confident payday",
		"1 received", "1 asked_back unreadable",
		"1 received", "1 answered confident plans",
		"1 received", "1 handed_off asked_person",
		"1 received",
		"1 taken by ann", "1 replied by ann",
		"1 closed resolved by ann",
		"2 received", "2 answered confident minimum",
	}
	if ordered(channel) != nil {
		list = append(list, "2 received", "2 handed_off filled_in")
	}
	return list
}

// checkEvents checks what is recorded of the conversation on a channel, when script is over.
func (e *everyChannel) checkEvents(channel string) {
	e.t.Helper()
	db := e.service.db
	keys := map[string]string{"": ""}
	require.NoError(e.t, sqldb.Each(e.t.Context(), db, func(rows *sql.Rows) error {
		var id, key string
		err := rows.Scan(&id, &key)
		keys[id] = key
		return err
	}, `SELECT id, key FROM entries`))
	var conversation string
	require.NoError(e.t, db.QueryRowContext(e.t.Context(), `SELECT id FROM conversations WHERE channel = $1`, channel).Scan(&conversation))
	list, err := events.List(e.t.Context(), db)
	require.NoError(e.t, err)
	var got, episodes []string
	for _, one := range list {
		if one.Conversation != conversation {
			continue
		}
		if !slices.Contains(episodes, one.Episode) {
			episodes = append(episodes, one.Episode)
		}
		text := fmt.Sprint(len(episodes), " ", one.Kind, " ", one.Reason, " ", keys[one.Entry])
		if one.Agent != "" {
			text += " by " + one.Agent
		}
		got = append(got, strings.Join(strings.Fields(text), " "))
		require.Equal(e.t, "shop", one.Affiliate)
		require.Equal(e.t, one.Reason == "confident" || one.Reason == "close_call", one.Probability > 0 && one.Probability <= 1, text)
	}
	require.Equal(e.t, happened(channel), got, channel)
}

// checkWordless checks that no event has anything of what customers and agents said.
func (e *everyChannel) checkWordless() {
	e.t.Helper()
	rows, err := e.service.db.QueryContext(e.t.Context(), `SELECT * FROM events`)
	require.NoError(e.t, err)
	defer func() { require.NoError(e.t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(e.t, err)
	typed := strings.Fields(strings.Join(happened("whatsapp"), " "))
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(e.t, rows.Scan(values...))
		for i, v := range values {
			text := fmt.Sprint(*v.(*any))
			require.NotContains(e.t, text, " ", "%s holds one word at most", columns[i])
			if columns[i] == "kind" || columns[i] == "reason" {
				require.Contains(e.t, append(typed, "", string(events.Published)), text)
				continue
			}
			for _, s := range script("webchat") {
				for _, word := range strings.FieldsFunc(s.does, func(r rune) bool { return strings.ContainsRune(" ?", r) }) {
					require.False(e.t, len(word) > 4 && strings.Contains(text, word), "%s holds %s", columns[i], word)
				}
			}
		}
	}
	require.NoError(e.t, rows.Err())
}

// What an affiliate publishes is recorded with who did it.
func (e *everyChannel) checkPublished() {
	e.t.Helper()
	list, err := events.List(e.t.Context(), e.service.db)
	require.NoError(e.t, err)
	require.Equal(e.t, []any{events.Published, "shop", "1"}, []any{list[0].Kind, list[0].Affiliate, list[0].Cause})
	require.Equal(e.t, 1, len(slices.DeleteFunc(list, func(one events.Event) bool { return one.Kind != events.Published })))
}
