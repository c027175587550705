package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A file that WhatsApp takes, and minutes later says it cannot use, reaches the customer as its link, once. If
// that fails too, the desk is told, once.
func TestAFileThatWhatsAppCannotUse(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			graph := graphtest.New()
			require.NoError(t, graph.Start())
			t.Cleanup(func() { require.NoError(t, graph.Close()) })
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "plans.png"), picture(64, 48), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), []byte("id,question,answer,media\nplans,Which plans are there?,There are three plans.,plans.png\n"+
				"pay,How do I get paid?,By transfer.,\n"), 0o600))
			config, accounts := metaAccounts(graph)
			g, _ := openGallery(t, dsn(t), "", dir, config)
			a := accounts[graphtest.WhatsApp]
			a.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 1})
			a.Hook(g.base + "/hooks/whatsapp/shop")
			const customer, unlucky = "16505550007", "16505550008"
			a.Inject(graphtest.Fault{Edge: "messages", Customer: customer, Code: 131053, Late: true})
			a.Inject(graphtest.Fault{Edge: "messages", Customer: unlucky, Code: 131053, Late: true, Times: 2})

			a.Say(customer, "which plans are there")
			got := heard(t, a, customer, 1)[0]
			require.Equal(t, "text", got.Type)
			lines := strings.Split(got.Text, "\n")
			require.Equal(t, []string{disclosure, "", "There are three plans.", "plans.png"}, lines[:len(lines)-1])
			status, _, body := g.do("", http.MethodGet, strings.TrimPrefix(lines[len(lines)-1], g.base), nil)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, string(picture(64, 48)), body)
			at := g.conversation()
			require.Eventually(t, func() bool {
				_, _, body := g.do("ann", http.MethodGet, at, nil)
				return a.Pending() == 0 && strings.Contains(body, "There are three plans.") && !strings.Contains(body, "On its way")
			}, waittest.Hang, 20*time.Millisecond, "settled by a status")
			_, _, body = g.do("ann", http.MethodGet, at, nil)
			require.NotContains(t, body, "A reply did not arrive")
			require.Len(t, a.Sent(customer), 1, "nothing is sent twice")

			a.Say(unlucky, "which plans are there")
			ticket := g.shown("ann", "/desk", `href="(/desk/tickets/[A-Z0-9]+)`)[1]
			require.Eventually(t, func() bool { return a.Pending() == 0 }, waittest.Hang, 10*time.Millisecond)
			_, _, body = g.do("ann", http.MethodGet, ticket, nil)
			require.Equal(t, 1, strings.Count(body, "Did not arrive"))
			require.NotContains(t, body, "A reply did not arrive", "the ticket tells it, and nothing else does")
			require.Empty(t, a.Sent(unlucky))
		})
	}
}
