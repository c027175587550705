package console

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb/sqldbtest"
)

// Opening a ticket, the list and a search take at most twice as long with 10,000 open tickets as with 100: the log says
// how long. The two take turns, so that what else the machine does falls on both; the bound leaves room for the rest of
// it, and would be missed by far if a list were loaded whole.
func TestSlowManyTickets(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("set FAQBOT_SLOW=1")
	}
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			few, many := openOn(t, sqldbtest.Open(t, dsn(t), schemas()...)), openOn(t, sqldbtest.Open(t, dsn(t), schemas()...))
			few.crowd(100)
			many.crowd(10_000)
			for what, path := range map[string]string{"open": "/desk/tickets/T50", "list": "/desk", "page": "/desk?at=0.1.0.T", "waiting": "/desk?show=waiting", "of one affiliate": "/desk?of=acme",
				"search for a word of twenty": "/desk/conversations?q=zanzib", "search for a word of all": "/desk/conversations?q=missing", "search for a visitor": "/desk/conversations?q=ana77"} {
				for _, who := range []string{"lea", "bob"} {
					var took [2][]time.Duration
					for range 60 {
						for i, o := range []*office{few, many} {
							began := time.Now()
							require.Equal(t, http.StatusOK, o.get(who, path).status)
							took[i] = append(took[i], time.Since(began))
						}
					}
					slices.Sort(took[0])
					slices.Sort(took[1])
					a, b := took[0][30], took[1][30]
					t.Logf("%s, %s: %v with 100, %v with 10,000: %.2f times", what, who, a.Round(10*time.Microsecond), b.Round(10*time.Microsecond), float64(b)/float64(a))
					assert.LessOrEqual(t, float64(b)/float64(a), 5.0, what)
				}
			}
		})
	}
}

// crowd opens n tickets, each like the first but of a customer of their own.
func (o *office) crowd(n int) {
	o.t.Helper()
	o.say("acme", "ana", "ana-0", "my money is missing")
	o.ticket("acme", "ana")
	for _, table := range []struct{ name, where string }{{"customers", ""}, {"conversations", ""}, {"contacts", ""}, {"turn_queue", ""}, {"episodes", ""}, {"messages", " AND body <> '' "}, {"tickets", ""}} {
		columns, values := o.columns(table.name), []string{}
		for _, c := range columns {
			value := table.name + "." + c
			switch {
			case table.name == "tickets" && c == "id":
				value = `'T' || i`
			case c == "id" || c == "conversation_id" || c == "customer_id" || c == "customer" || c == "escalation" || c == "episode_id":
				value += ` || i`
			case c == "body":
				value += ` || CASE WHEN i <= 20 THEN ' zanzibar' ELSE '' END`
			case table.name == "tickets" && c == "due_at" || c == "active_at":
				value += ` + i`
			}
			values = append(values, value)
		}
		o.exec(fmt.Sprintf(`INSERT INTO %[1]s (%[2]s) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[3]d) SELECT %[4]s FROM %[1]s, n WHERE 1 = 1 %[5]s`,
			table.name, strings.Join(columns, ", "), n, strings.Join(values, ", "), table.where))
	}
	o.exec(`ANALYZE`) // Postgres does so by itself within a minute
}

func (o *office) columns(table string) []string {
	o.t.Helper()
	rows, err := o.db.QueryContext(o.t.Context(), `SELECT * FROM `+table+` WHERE 1 = 0`)
	require.NoError(o.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(o.t, err)
	require.NoError(o.t, rows.Err())
	return columns
}
