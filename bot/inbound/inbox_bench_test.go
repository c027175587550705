package inbound_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/bot/whatsapp"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// BenchmarkInbox receives what WhatsApp posts, from 256 calls at once, and takes it in: messages of customers
// who wrote before. Taking in begins when all is received.
func BenchmarkInbox(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := sqldbtest.Open(b, dsn(b), events.Schema(), store.Schema())
			log := logrus.New()
			log.SetOutput(io.Discard)
			account := bot.Account{Channel: "whatsapp", ID: "one"}
			channel, err := whatsapp.New(account, whatsapp.Options{Number: "1", Token: "t", Secrets: []string{"s"}, VerifyToken: "v", Log: log})
			require.NoError(b, err)
			accounts := bot.NewRegistry()
			accounts.Put(account, channel)
			intake := inbound.NewIntake(store.New(db), accounts, log, inbound.IntakeOptions{})
			network := graphtest.New().Add(graphtest.AccountOptions{Kind: graphtest.WhatsApp, ID: "1", Business: "2", Token: "t", Secret: "s"})
			message, contact := network.Message("15550000000", map[string]any{"type": "text", "text": map[string]any{"body": "When do I get paid?"}})
			message["id"] = "wamid.MESSAGE"
			body := network.Body(map[string]any{"messages": []any{message}, "contacts": []any{contact}})
			said := 0
			receive := func(count int) {
				var g errgroup.Group
				g.SetLimit(256)
				for range count {
					said++
					one := bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("15550000000"), []byte(strconv.Itoa(15550000000+said%1000))),
						[]byte("MESSAGE"), fmt.Append(nil, said))
					g.Go(func() error { return intake.Receive(b.Context(), account, one) })
				}
				require.NoError(b, g.Wait())
			}
			receiveAll := func() {
				ctx, stop := context.WithCancel(b.Context())
				var g errgroup.Group
				g.Go(func() error { return intake.Run(ctx) })
				for n := 1; n > 0; {
					require.NoError(b, db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM inbox LIMIT 1) AS x`).Scan(&n))
				}
				stop()
				require.NoError(b, g.Wait())
			}
			receive(1000)
			receiveAll()
			b.ResetTimer()
			receive(b.N)
			received := b.Elapsed()
			receiveAll()
			b.ReportMetric(float64(received.Nanoseconds())/float64(b.N), "receive-ns/op")
			b.ReportMetric(float64((b.Elapsed()-received).Nanoseconds())/float64(b.N), "take-ns/op")
		})
	}
}
