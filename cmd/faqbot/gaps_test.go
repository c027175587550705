package main

import (
	"database/sql"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/handoff/gaps"
	"faqbot/knowledge/events"
)

// missed notes that a turn of the house's conversation could not answer some words.
func (h *house) missed(turn, words string) {
	h.t.Helper()
	trace, err := json.Marshal(bot.Trace{Query: words})
	require.NoError(h.t, err)
	id := h.params.Replace(":conversation")
	require.NoError(h.t, h.service.db.InTx(h.t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(h.t.Context(), `INSERT INTO turns (id, conversation_id, episode_id, affiliate, action, reason, score, entries, trace, at)
			VALUES ($1, $2, $1, 'acme', 'handoff', 'no_answer', 0, '', $3, 1)`, turn, id, string(trace)); err != nil {
			return err
		}
		return events.Append(h.t.Context(), tx, events.Event{Kind: events.HandedOff, At: time.Now(), Affiliate: "acme", Conversation: id, Episode: turn, Cause: turn, Reason: "no_answer"})
	}))
	require.NoError(h.t, h.service.gaps.Collect(h.t.Context()))
}

// The pages of gaps without JavaScript: only the affiliate's people see them, secrets in questions are masked, and
// what is wrong with an answer is told without losing what was typed.
func TestGapsOnPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.missed("turn1", "is my card 4111 1111 1111 1111 charged twice")
	h.missed("turn2", "how do you pay me")
	list, err := h.service.gaps.List(t.Context(), "acme", gaps.Open, 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 2)
	const at = "/partners/acme/gaps"
	_, _, body := h.send("affiliate", at, nil)
	require.Contains(t, body, "charged twice")
	require.Contains(t, body, "how do you pay me")
	require.NotContains(t, body, "4111 1111")
	path := map[string]string{}
	for _, g := range list {
		path[strings.Fields(g.Question)[0]] = at + "/" + string(g.ID)
	}
	for _, who := range []string{"other affiliate"} {
		for _, address := range []string{at, path["is"]} {
			status, _, _ := h.send(who, address, nil)
			require.Equal(t, 404, status)
		}
		status, _, _ := h.send(who, path["is"]+"/decide", url.Values{"state": {"ignored"}})
		require.Equal(t, 404, status)
		status, _, _ = h.send(who, strings.Replace(path["is"], "acme", "other", 1), nil)
		require.Equal(t, 404, status, "it is not the other affiliate's by naming them")
	}

	status, _, body := h.send("affiliate", path["is"]+"/answer", url.Values{"question": {"Am I charged twice?"}, "answer": {" "}, "do": {"publish"}})
	require.Equal(t, 422, status)
	require.Contains(t, body, "Am I charged twice?")
	require.Contains(t, body, "Write something here.")
	status, to, _ := h.send("affiliate", path["is"]+"/answer", url.Values{"question": {"Am I charged twice?"}, "answer": {"No, one of the two vanishes."}, "wordings": {"charged twice\r\n\r\nCharged  twice"}, "do": {"draft"}})
	require.Equal(t, 303, status)
	_, _, body = h.send("affiliate", to, nil)
	require.Contains(t, body, "No, one of the two vanishes.", "the draft is like any")
	_, _, body = h.send("affiliate", at, nil)
	require.Contains(t, body, "A draft waits")
	h.send("affiliate", to+"/publish", url.Values{})
	require.NoError(t, h.service.gaps.Collect(t.Context()))
	_, _, body = h.send("affiliate", at+"?state=answered", nil)
	require.Contains(t, body, "Am I charged twice?")

	entries, _, err := h.service.corpus.Published(t.Context(), "acme")
	require.NoError(t, err)
	for _, e := range entries {
		if e.Key == "a" {
			status, to, _ = h.send("affiliate", path["how"]+"/wording", url.Values{"entry": {string(e.ID)}, "wording": {"how do you pay me"}, "do": {"publish"}})
		} else {
			require.Equal(t, []string{"charged twice"}, e.Variants)
		}
	}
	require.Equal(t, 303, status)
	_, _, body = h.send("affiliate", to, nil)
	require.Contains(t, body, "Published. Customers get the answer now.")
	entries, _, err = h.service.corpus.Published(t.Context(), "acme")
	require.NoError(t, err)
	require.Len(t, entries, 2)
	for _, e := range entries {
		if e.Key == "a" {
			require.Equal(t, []string{"how do you pay me"}, e.Variants)
		}
	}
	status, to, _ = h.send("admin", at+"/asked/"+h.params.Replace(":conversation"), nil)
	require.Equal(t, 303, status)
	require.Contains(t, to, path["how"], "from the desk to the last question of a conversation")
	_, _, body = h.send("admin", "/desk/conversations/"+h.params.Replace(":conversation"), nil)
	require.Contains(t, body, "/gaps/asked/")
	_, _, body = h.send("agent", "/desk/conversations/"+h.params.Replace(":conversation"), nil)
	require.NotContains(t, body, "/gaps/asked/", "agents publish nothing")
}
