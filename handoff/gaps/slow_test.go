package gaps_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/handoff/gaps"
	"faqbot/handoff/gaps/board"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

func slow(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("make slow runs it")
	}
}

// Gaps are what was removed from an FAQ: 20 of the 77 intents of banking77 (in FAQBOT_DATA), five draws.
func TestSlowGapsOfBanking77(t *testing.T) {
	slow(t)
	file, err := os.Open(filepath.Join(os.Getenv("FAQBOT_DATA"), "banking77", "queries.jsonl"))
	if err != nil {
		t.Skip("FAQBOT_DATA names no folder with banking77")
	}
	defer func() { require.NoError(t, file.Close()) }()
	intents := map[string][]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var q struct {
			Text     string
			Relevant []string
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &q))
		intents[q.Relevant[0]] = append(intents[q.Relevant[0]], q.Text)
	}
	english, err := encoder.New()
	require.NoError(t, err)
	var agreement, covered float64
	const draws = 5
	for seed := range uint64(draws) {
		random := rand.New(rand.NewPCG(seed, seed))
		names := slices.Sorted(maps.Keys(intents))
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		removed := names[:20]
		var asked [][2]string
		for _, name := range removed {
			for _, text := range intents[name] {
				asked = append(asked, [2]string{text, name})
			}
		}
		random.Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
		w := newWorld(t, sqldbtest.Migrated(t, schemas()...))
		w.gaps = gaps.New(w.db, w.corpus, gaps.Options{Encoders: retrieval.Builtin{English: english}, Now: func() time.Time { return w.now }})
		intentOf := map[bot.TurnID]string{}
		for _, q := range asked {
			intentOf[bot.TurnID(w.talk("acme", "webchat").turn(q[0], events.HandedOff, "no_answer", ""))] = q[1]
		}
		gapOf, intent, found := map[string]int{}, []string{}, map[string]bool{}
		var gap []int
		require.NoError(t, w.gaps.Collect(t.Context()))
		rows, err := w.db.QueryContext(t.Context(), `SELECT q.turn_id, q.gap_id FROM gap_questions q JOIN gaps g ON g.id = q.gap_id ORDER BY g.cost_rank DESC, g.id`)
		require.NoError(t, err)
		most := map[int]map[string]int{}
		for rows.Next() {
			var turn bot.TurnID
			var id string
			require.NoError(t, rows.Scan(&turn, &id))
			if _, ok := gapOf[id]; !ok {
				gapOf[id] = len(gapOf)
				most[gapOf[id]] = map[string]int{}
			}
			gap, intent = append(gap, gapOf[id]), append(intent, intentOf[turn])
			most[gapOf[id]][intentOf[turn]]++
		}
		require.NoError(t, rows.Close())
		require.Len(t, gap, len(asked))
		for i := range min(20, len(gapOf)) {
			found[slices.MaxFunc(slices.Sorted(maps.Keys(most[i])), func(a, b string) int { return most[i][a] - most[i][b] })] = true
		}
		ami := adjustedMutualInformation(gap, intent)
		t.Logf("draw %d: %d questions, %d gaps, adjusted mutual information %.3f, the first 20 gaps are about %d of 20 intents", seed, len(asked), len(gapOf), ami, len(found))
		agreement, covered = agreement+ami/draws, covered+float64(len(found))/draws
	}
	t.Logf("mean: adjusted mutual information %.3f, %.1f of 20 intents", agreement, covered)
	require.GreaterOrEqual(t, agreement, 0.75)
	require.GreaterOrEqual(t, covered, 15.0)
}

// adjustedMutualInformation compares two clusterings: 1 if they are the same, 0 if they agree as chance would (Vinh,
// Epps and Bailey, 2010).
func adjustedMutualInformation(gap []int, intent []string) float64 {
	n := float64(len(gap))
	type pair struct {
		gap    int
		intent string
	}
	a, b, both := map[int]float64{}, map[string]float64{}, map[pair]float64{}
	for i := range gap {
		a[gap[i]]++
		b[intent[i]]++
		both[pair{gap[i], intent[i]}]++
	}
	var entropyA, entropyB, mutual, expected float64
	for _, x := range a {
		entropyA -= x / n * math.Log(x/n)
	}
	for _, y := range b {
		entropyB -= y / n * math.Log(y/n)
	}
	for p, z := range both {
		mutual += z / n * math.Log(n*z/a[p.gap]/b[p.intent])
	}
	factorial := func(x float64) float64 { v, _ := math.Lgamma(x + 1); return v }
	for _, x := range a {
		for _, y := range b {
			for z := max(1, x+y-n); z <= min(x, y); z++ {
				expected += z / n * math.Log(n*z/x/y) * math.Exp(factorial(x)+factorial(y)+factorial(n-x)+factorial(n-y)-
					factorial(n)-factorial(z)-factorial(x-z)-factorial(y-z)-factorial(n-x-y+z))
			}
		}
	}
	return (mutual - expected) / ((entropyA+entropyB)/2 - expected)
}

// spread is an encoder that puts texts "topic N" into as many directions.
type spread struct{}

func (spread) Space() string { return "spread" }

func (spread) Embed(_ context.Context, texts []string) (list [][]float32, err error) {
	for _, text := range texts {
		var n uint64
		if _, err := fmt.Sscanf(text, "topic %d", &n); err != nil {
			return nil, err
		}
		random := rand.New(rand.NewPCG(n, 1))
		v := make([]float32, 48)
		for i := range v {
			v[i] = float32(random.NormFloat64())
		}
		list = append(list, v)
	}
	return list, nil
}

// What the page reads takes at most three times as long at 100,000 questions as at 1,000.
func TestSlowGapsAtScale(t *testing.T) {
	slow(t)
	w := newWorld(t, sqldbtest.Migrated(t, schemas()...))
	w.gaps = gaps.New(w.db, w.corpus, gaps.Options{Encoders: retrieval.Builtin{English: spread{}}, Now: func() time.Time { return w.now }})
	log := logrus.New()
	log.SetOutput(io.Discard)
	b, err := board.New(w.gaps, w.corpus, board.Options{Log: log, Now: func() time.Time { return w.now }, Chrome: func(*http.Request) page.Chrome { return page.Chrome{} },
		Who: func(*http.Request) (people.Person, bool) {
			return people.Person{Affiliates: []knowledge.AffiliateID{"acme"}}, true
		}})
	require.NoError(t, err)
	gin.SetMode(gin.ReleaseMode)
	pages := gin.New()
	b.Register(pages)
	topic := rand.NewZipf(rand.New(rand.NewPCG(1, 1)), 1.1, 5, 20_000)
	asked := 0
	ask := func(upTo int) {
		require.NoError(t, w.db.InTx(t.Context(), func(tx *sql.Tx) error {
			for ; asked < upTo; asked++ {
				id, at := fmt.Sprintf("scale%d", asked), w.now.Add(time.Duration(asked)*time.Millisecond)
				for _, query := range []string{
					`INSERT INTO conversations (id, channel, account, customer, customer_id, affiliate, locale, episode_id, opened_at) VALUES ($1, 'webchat', 'shop', $1, $1, 'acme', 'en', $1, 1)`,
					`INSERT INTO turns (id, conversation_id, episode_id, affiliate, action, reason, score, entries, trace, at)
						VALUES ($1, $1, $1, 'acme', '', '', 0, '', '{"query":"topic ` + fmt.Sprint(topic.Uint64()) + `"}', 1)`} {
					if _, err := tx.ExecContext(t.Context(), query, id); err != nil {
						return err
					}
				}
				if err := events.Append(t.Context(), tx, events.Event{Kind: events.HandedOff, At: at, Affiliate: "acme", Conversation: id, Episode: id, Cause: id,
					Entry: fmt.Sprint(asked % 20), Probability: 0.3, Reason: "no_answer"}); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, w.gaps.Collect(t.Context()))
	}
	open := func() time.Duration {
		var took []time.Duration
		for range 51 {
			began := time.Now()
			answer := httptest.NewRecorder()
			pages.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/partners/acme/gaps", nil))
			took = append(took, time.Since(began))
			require.Equal(t, http.StatusOK, answer.Code)
			require.Equal(t, 25, strings.Count(answer.Body.String(), `<li class="card`))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	ask(1000)
	few := open()
	ask(100_000)
	many := open()
	counts, err := w.gaps.Counts(t.Context(), "acme")
	require.NoError(t, err)
	t.Logf("1,000 questions: %s; 100,000 questions, %d gaps: %s", few, counts[gaps.Open], many)
	require.LessOrEqual(t, many, 3*few)
}
