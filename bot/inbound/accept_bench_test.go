package inbound_test

import (
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// BenchmarkAccept takes in messages of customers who wrote before, from 256 webhook calls at once, as
// WhatsApp tells of them.
func BenchmarkAccept(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := sqldbtest.Open(b, dsn(b), events.Schema(), store.Schema())
			account, log := bot.Account{Channel: "test", ID: "one"}, logrus.New()
			log.SetOutput(io.Discard)
			accounts := bot.NewRegistry()
			accounts.Put(account, &bottest.Recorder{Capacity: bot.Limits{Window: 24 * time.Hour}})
			intake := inbound.NewIntake(store.New(db), accounts, log, inbound.IntakeOptions{})
			var next atomic.Int64
			accept := func(count int64) {
				var g errgroup.Group
				last := next.Load() + count
				for range 256 {
					g.Go(func() error {
						for n := next.Add(1); n <= last; n = next.Add(1) {
							e := bottest.Message(strconv.FormatInt(15550000000+n%1000, 10), fmt.Sprintf("wamid.%d", n), "When do I get paid?")
							e.Stable = "US." + e.Address.Customer
							if err := intake.Accept(b.Context(), account, []bot.Event{e}); err != nil {
								return err
							}
						}
						return nil
					})
				}
				require.NoError(b, g.Wait())
				next.Store(last)
			}
			accept(1000)
			b.ResetTimer()
			accept(int64(b.N))
		})
	}
}
