package figures_test

import (
	"database/sql"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/handoff/figures"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// The figures of four weeks take at most a small multiple of the time with 25 times as many conversations in the database,
// a year of them.
func TestSlowFigures(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("FAQBOT_SLOW is not set")
	}
	const conversations = 200_000
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	sqldbtest.Run(t, []sqldb.Schema{attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), store.Schema(), handoff.Schema()}, func(t *testing.T, db *sqldb.DB) {
		s := figures.New(db, func() time.Time { return now })
		q := figures.Question{Period: figures.Period{From: now.AddDate(0, 0, -28), To: now}}
		add := func(from, to int) {
			for i := from; i < to; i += 10_000 {
				require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
					var list []events.Event
					for n := i; n < min(i+10_000, to); n++ {
						at := now.Add(-time.Duration(conversations-n) * (365 * 24 * time.Hour / conversations))
						id := strconv.Itoa(n)
						if _, err := tx.ExecContext(t.Context(), `INSERT INTO conversations (id, channel, account, customer, customer_id, affiliate, opened_at) VALUES ($1, 'webchat', 'x', $1, $1, 'acme', 0)`, id); err != nil {
							return err
						}
						e := events.Event{Affiliate: "acme", Conversation: id, At: at}
						for _, kind := range []events.Kind{events.Received, events.Answered} {
							e.Kind = kind
							list = append(list, e)
						}
						if n%10 == 0 {
							for k, kind := range []events.Kind{events.HandedOff, events.Replied, events.Closed} {
								e.Kind, e.At, e.Agent = kind, at.Add(time.Duration(k)*time.Second), "mia"
								list = append(list, e)
							}
						}
					}
					return events.Append(t.Context(), tx, list...)
				}))
			}
		}
		measure := func() time.Duration {
			best := time.Hour
			for range 3 {
				began := time.Now()
				r, err := s.Report(t.Context(), q)
				require.NoError(t, err)
				require.Greater(t, r.All.Answered, conversations/14)
				best = min(best, time.Since(began))
			}
			return best
		}
		add(conversations*11/12-20_000, conversations)
		few := measure()
		add(0, conversations*11/12-20_000)
		many := measure()
		t.Logf("28 days: %s with a month in the database, %s with a year", few, many)
		require.Less(t, many, 3*few)
	})
}
