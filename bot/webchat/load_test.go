package webchat

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/knowledge/limits"
)

// 500 open pages of 25 customers: what is said to each customer reaches all their pages within a second.
func TestManyStreams(t *testing.T) {
	const customers, each = 25, limits.MaxVisitorStreams
	s := openShop(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	feeds := make([][]*feed, customers)
	convs := make([]bot.ConversationID, customers)
	names := make([]string, customers)
	for i := range customers {
		b := s.browse("shop")
		b.ip = fmt.Sprintf("192.0.2.%d", i+1)
		b.say(1, "how do I join")
		for range each {
			f := b.open(0)
			require.Equal(t, http.StatusOK, f.status)
			feeds[i] = append(feeds[i], f)
		}
		feeds[i][0].until("taken in", func(e event) bool { return e.Data.Own })
		names[i] = visitorName(t, s, b)
		conv, err := s.conversations.Find(t.Context(), s.channels["shop"].address(names[i]))
		require.NoError(t, err)
		convs[i] = conv.ID
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	n := customers * each
	t.Logf("%d streams, test client's side included: %d kB of heap and stacks each", n,
		int64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/int64(n)/1024)

	slowest := make([]time.Duration, customers)
	var g errgroup.Group
	for i := range customers {
		said := time.Now()
		require.NoError(t, s.conversations.Say(t.Context(), convs[i], "k", bot.Reply{Text: "Hello all pages."}))
		for _, f := range feeds[i] {
			g.Go(func() error { f.until("told", says("Hello all pages.")); return nil })
		}
		require.NoError(t, g.Wait())
		slowest[i] = time.Since(said)
	}
	var worst time.Duration
	for _, d := range slowest {
		worst = max(worst, d)
	}
	t.Logf("slowest of %d streams: %s after it was said", n, worst)
}
