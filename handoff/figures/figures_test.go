package figures_test

import (
	"database/sql"
	"fmt"
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

// day is a Monday in Berlin, at midnight.
func day(t *testing.T) (time.Time, *time.Location) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return time.Date(2026, 11, 2, 0, 0, 0, 0, zone), zone
}

// story is what happened, by the minutes since Monday:
//
//	a (WhatsApp, acme): asked at 60, answered, helped; asked at 90, handed off, Mia replied after 10 and, to a message at
//	105, after 30; resolved at 150. Reopened on Tuesday at 1500, Mia replied after 20, resolved at 1600.
//	b (webchat, acme): asked at 1430 on Monday, asked back; handed off on Tuesday at 1445, replied by Noa after 45,
//	resolved at 1500 with one reply.
//	c (webchat, shop): asked at 1441 on Tuesday, answered, no help; handed off at 1450, given back at 1460 without a reply.
//	d (webchat, acme): handed off ten days before, replied on Monday at 100.
func story() []events.Event {
	mark := func(minute int, conversation, affiliate string, kind events.Kind, reason, agent string) events.Event {
		return events.Event{Kind: kind, At: time.Unix(int64(minute)*60, 0), Affiliate: affiliate, Conversation: conversation, Reason: reason, Agent: agent}
	}
	const before = -10 * 24 * 60
	return []events.Event{
		mark(before, "d", "acme", events.Received, "", ""), mark(before, "d", "acme", events.HandedOff, "asked_person", ""),
		mark(60, "a", "acme", events.Received, "", ""), mark(60, "a", "acme", events.Answered, "confident", ""), mark(61, "a", "acme", events.Feedback, events.ReasonHelped, ""),
		mark(90, "a", "acme", events.Received, "", ""), mark(90, "a", "acme", events.HandedOff, "asked_person", ""),
		mark(95, "a", "acme", events.Received, events.ReasonStandby, ""),
		mark(100, "a", "acme", events.Replied, "", "mia"), mark(100, "d", "acme", events.Replied, "", "mia"),
		mark(105, "a", "acme", events.Received, "", ""), mark(110, "a", "acme", events.Received, "", ""),
		mark(135, "a", "acme", events.Replied, "", "mia"), mark(150, "a", "acme", events.Closed, "resolved", "mia"),
		mark(1430, "b", "acme", events.Received, "", ""), mark(1430, "b", "acme", events.AskedBack, "unsure", ""),
		mark(1441, "c", "shop", events.Received, "", ""), mark(1441, "c", "shop", events.Answered, "confident", ""), mark(1442, "c", "shop", events.Feedback, events.ReasonNoHelp, ""),
		mark(1445, "b", "acme", events.Received, "", ""), mark(1445, "b", "acme", events.HandedOff, "missed", ""),
		mark(1450, "c", "shop", events.HandedOff, "asked_person", ""), mark(1460, "c", "shop", events.Closed, "handed_back", "noa"),
		mark(1490, "b", "acme", events.Replied, "", "noa"), mark(1500, "b", "acme", events.Closed, "resolved", "noa"),
		mark(1500, "a", "acme", events.Reopened, "", ""), mark(1520, "a", "acme", events.Replied, "", "mia"), mark(1600, "a", "acme", events.Closed, "resolved", "mia"),
		mark(2880, "a", "acme", events.Received, "", ""), // Wednesday: not in the period
	}
}

func TestReport(t *testing.T) {
	monday, zone := day(t)
	sqldbtest.Run(t, []sqldb.Schema{attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), store.Schema(), handoff.Schema()}, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			for id, channel := range map[string]string{"a": "whatsapp", "b": "webchat", "c": "webchat", "d": "webchat"} {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO conversations (id, channel, account, customer, customer_id, affiliate, opened_at) VALUES ($1, $2, 'x', $1, $1, '', 0)`, id, channel); err != nil {
					return err
				}
			}
			for i, ago := range []time.Duration{time.Minute, 2 * time.Hour, 30 * time.Hour} {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO queues (name, affiliate, answer_ms) VALUES ($1, 'acme', 0)`, fmt.Sprint("q", i)); err != nil {
					return err
				}
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO tickets (id, escalation, conversation_id, affiliate, queue, state, reason, topic, question, locale, tried, opened_at, due_at, waiting_since)
					VALUES ($1, $1, $1, 'acme', $2, 'open', '', '', '', '', '[]', $3, 0, 0)`, []string{"a", "b", "c"}[i], fmt.Sprint("q", i), monday.AddDate(0, 0, 2).Add(-ago).UnixMilli()); err != nil {
					return err
				}
			}
			list := story()
			for i := range list {
				list[i].At = monday.Add(time.Duration(list[i].At.Unix()) * time.Second)
			}
			return events.Append(t.Context(), tx, list...)
		}))
		s := figures.New(db, func() time.Time { return monday.AddDate(0, 0, 2) })
		q := figures.Question{Period: figures.Period{From: monday, To: monday.AddDate(0, 0, 2)}, Zone: zone, Rows: true}
		r, err := s.Report(t.Context(), q)
		require.NoError(t, err)
		f := &r.All
		require.Equal(t, []int{3, 2, 1, 3, 1, 1}, []int{f.Conversations, f.Answered, f.AskedBack, f.Tickets, f.Helped, f.NotHelped})
		require.Equal(t, []int{5, 3, 1, 0, 1, 1}, []int{f.Replies, f.Resolved, f.HandedBack, f.Abandoned, f.Reopened, f.OneTouch})
		share, ok := f.Contained()
		require.True(t, ok)
		require.Equal(t, .5, share) // 3 of 6
		// First replies: 10 (a), 45 (b), and d's, ten days and 100 minutes.
		require.Equal(t, 3, f.First.N())
		require.Equal(t, 45*time.Minute, f.First.Median())
		// The others: 30, to the older of two messages, and 20 after the reopening.
		require.Equal(t, 2, f.Next.N())
		require.Equal(t, 25*time.Minute, f.Next.Mean())
		require.Equal(t, 20*time.Minute, f.Next.Median())
		require.Equal(t, 30*time.Minute, f.Next.P90())
		require.Equal(t, 5, f.All.N())
		// Resolutions: 60 and, from the first handoff, 1510 minutes (a), 55 (b).
		require.Equal(t, 60*time.Minute, f.Resolution.Median())
		require.Equal(t, (60+1510+55)*time.Minute/3, f.Resolution.Mean())
		require.Equal(t, figures.Backlog{Hour: 1, Hours: 1, Older: 1, Oldest: 30 * time.Hour}, r.Open)

		require.Len(t, r.Days, 2)
		require.Equal(t, "2026-11-02", r.Days[0].Name)
		require.Equal(t, []int{3, 1}, []int{r.Days[0].Questions(), r.Days[0].Tickets})
		require.Equal(t, []int{3, 2}, []int{r.Days[1].Questions(), r.Days[1].Tickets})
		require.Equal(t, "webchat", r.Channels[0].Name)
		require.Equal(t, []string{"acme", "shop"}, []string{r.Affiliates[0].Name, r.Affiliates[1].Name})
		require.Equal(t, "mia", r.Agents[0].Name)
		require.Equal(t, 4, r.Agents[0].Replies)
		require.Len(t, r.Rows, 4)
		require.Equal(t, "a", r.Rows[0].Conversation)
		require.Equal(t, "resolved", r.Rows[0].Outcome)

		q.May = func(a knowledge.AffiliateID) bool { return a == "shop" }
		r, err = s.Report(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 0}, []int{r.All.Conversations, r.All.Questions(), r.Open.All()})
		q.May, q.Channel = nil, "whatsapp"
		r, err = s.Report(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 1}, []int{r.All.Conversations, r.All.Questions(), r.Open.All()})
		next := figures.Period{From: q.Period.To, To: q.Period.To.AddDate(0, 0, 2)}
		both, err := s.Report(t.Context(), figures.Question{Period: next, Zone: zone, Before: true})
		require.NoError(t, err)
		require.Equal(t, 1, both.All.Conversations, "Wednesday's")
		whole, err := s.Report(t.Context(), figures.Question{Period: q.Period, Zone: zone})
		require.NoError(t, err)
		require.Equal(t, whole.All, both.Before, "the period before is counted as if it were asked for")

		q.Channel, q.Period = "", q.Period.Before()
		r, err = s.Report(t.Context(), q)
		require.NoError(t, err)
		require.Zero(t, r.All.Questions())
		_, ok = r.All.Contained()
		require.False(t, ok)
	})
}
