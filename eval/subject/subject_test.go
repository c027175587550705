package subject_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
)

func shop() []knowledge.Entry {
	return []knowledge.Entry{
		{ID: "pay", Question: "How do I get paid?", Answer: "By transfer."},
		{ID: "visa", Question: "Can I pay by Visa card?", Answer: "Yes."},
		{ID: "ship", Question: "Do you ship to France?", Answer: "Yes, in two days."},
	}
}

// Turns see each other, buttons that are on offer can be tapped, others cannot.
func TestEngine(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	b, err := eval.NewAsker(t.Context(), shop(), eval.NewVectors(e))
	require.NoError(t, err)
	s := subject.NewEngine("test", b)
	d := s.Open(suite.Case{ID: "1", Lang: "en"})
	say := func(turn suite.Turn) subject.Reply {
		r, err := d.Say(t.Context(), turn)
		require.NoError(t, err)
		return r
	}
	r := say(suite.Turn{Say: "how do I get paid"})
	require.Equal(t, bot.ActionAnswer, r.Action)
	require.Equal(t, []knowledge.EntryID{"pay"}, r.Entries)
	require.Contains(t, r.Texts[0], "By transfer.")
	require.Equal(t, knowledge.EntryID("pay"), r.Ranked[0].Entry)
	require.Contains(t, say(suite.Turn{Tap: "visa"}).Rule, `"visa" is not on offer`)

	r = say(suite.Turn{Say: "that did not help"}) // asks which other entry, or offers a person
	require.NotContains(t, r.Entries, knowledge.EntryID("pay"), "what did not help is not given again")
	r = say(suite.Turn{Tap: "person"})
	require.Equal(t, bot.ActionHandoff, r.Action)
	require.Equal(t, bot.ActionForward, say(suite.Turn{Say: "how do I get paid"}).Action, "a person has the conversation")
}

func TestService(t *testing.T) {
	var asked []map[string]any
	busy := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" || r.URL.Path != "/api/ask" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"send your API key"}`)
			return
		}
		if busy {
			busy = false
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		var q map[string]any
		_ = json.NewDecoder(r.Body).Decode(&q)
		asked = append(asked, q)
		fmt.Fprint(w, `{"id":"1","action":"clarify","entry":"","ranked":[{"entry":"K3","probability":0.4}],"choices":["K3"],"reason":"unsure","replies":["Which?"],"keys":{"K3":"ship"}}`)
	}))
	defer server.Close()
	d := subject.NewService(server.URL+"/", "key", shop()).Open(suite.Case{ID: "1", Context: []string{"hello"}})
	r, err := d.Say(t.Context(), suite.Turn{Say: "france?"})
	require.NoError(t, err)
	require.Equal(t, []knowledge.EntryID{"ship"}, r.Entries, "by the affiliate's own names")
	require.Equal(t, []subject.Ranked{{Entry: "ship", Probability: .4}}, r.Ranked)
	require.Equal(t, bot.ReasonUnsure, r.Reason)
	_, err = d.Say(t.Context(), suite.Turn{Tap: "ship"})
	require.NoError(t, err)
	require.Equal(t, "Do you ship to France?", asked[1]["text"], "a tap is said in words")
	require.Equal(t, []any{"hello", "france?"}, asked[1]["context"])

	_, err = subject.NewService(server.URL, "wrong", nil).Open(suite.Case{}).Say(t.Context(), suite.Turn{Say: "x"})
	require.ErrorContains(t, err, "401 Unauthorized send your API key")
}

func TestCommand(t *testing.T) {
	s := subject.NewCommand(`while read -r line; do case "$line" in *stop*) exit 1;; *odd*) echo '{"id":"1"}';; *other*) echo '{"id":"9","entry":"a"}';; *) echo '{"id":"1","entry":"pay","ranked":[{"entry":"pay","probability":0.8}]}';; esac; done`, 2, shop())
	ask := func(words string) (subject.Reply, error) {
		return s.Open(suite.Case{ID: "1"}).Say(t.Context(), suite.Turn{Say: words})
	}
	for range 3 {
		r, err := ask("how do I get paid")
		require.NoError(t, err)
		require.Equal(t, bot.ActionAnswer, r.Action)
		require.Equal(t, []knowledge.EntryID{"pay"}, r.Entries)
	}
	for words, says := range map[string]string{"odd": `neither "action" nor "entry" nor "choices"`, "other": "it must reply in order", "stop": "ended without a reply to case"} {
		_, err := ask(words)
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, s.Close())
}

func TestModel(t *testing.T) {
	var prompt string
	words := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Messages []struct{ Content string } }
		_ = json.NewDecoder(r.Body).Decode(&q)
		prompt = q.Messages[0].Content
		reply, _ := json.Marshal(words)
		fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s}}],"usage":{"prompt_tokens":100,"completion_tokens":7}}`, reply)
	}))
	defer server.Close()
	m := subject.NewModel("tiny", server.URL+"/v1", "", shop())
	for _, c := range []struct {
		words   string
		action  bot.Action
		entries []knowledge.EntryID
	}{
		{`{"action":"answer","entries":["ship"],"confidence":0.9}`, bot.ActionAnswer, []knowledge.EntryID{"ship"}},
		{`{"action":"answer","entries":["invented"],"confidence":0.9}`, bot.ActionClarify, nil},
		{`{"action":"clarify","entries":["pay","visa"],"confidence":0.5}`, bot.ActionClarify, []knowledge.EntryID{"pay", "visa"}},
		{`{"action":"smalltalk"}`, bot.ActionAnswer, nil},
		{`{"action":"handoff"}`, bot.ActionHandoff, nil},
		{`I think it is shipping.`, bot.ActionClarify, nil},
	} {
		words = c.words
		r, err := m.Open(suite.Case{ID: "1"}).Say(t.Context(), suite.Turn{Say: "france?"})
		require.NoError(t, err)
		require.Equal(t, c.action, r.Action, c.words)
		require.Equal(t, c.entries, r.Entries, c.words)
		require.Equal(t, subject.Tokens{In: 100, Out: 7}, r.Tokens)
	}
	require.Contains(t, prompt, `"questions":["Do you ship to France?"]`)
}

func TestRanking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.trec")
	require.NoError(t, os.WriteFile(path, []byte("1 Q0 pay 2 3.5 bm25\n1 Q0 ship 1 7 bm25\n"), 0o600))
	r, err := subject.ReadRanking(path)
	require.NoError(t, err)
	require.Equal(t, "bm25", r.Name())
	reply, err := r.Open(suite.Case{ID: "1"}).Say(t.Context(), suite.Turn{})
	require.NoError(t, err)
	require.Equal(t, []subject.Ranked{{Entry: "ship", Probability: 1}, {Entry: "pay", Probability: .5}}, reply.Ranked, "scores are scaled")
	require.NoError(t, os.WriteFile(path, []byte("1 Q0 pay 2 high bm25\n"), 0o600))
	_, err = subject.ReadRanking(path)
	require.ErrorContains(t, err, `line 1: the score "high" is no number`)
}
