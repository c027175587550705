package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
	"faqbot/retrieval"
)

// poison names the customer, file or affiliate at which some part of the service panics.
const poison = "poison"

// A poisoned service is one of which one part panics.
type poisoned struct {
	t     *testing.T
	where string
	db    *sqldb.DB
	desk  *handoff.Desk

	intake   *inbound.Intake
	account  bot.Account
	skipped  atomic.Int64 // nanoseconds by which its clock is ahead
	pokes    []func()
	mu       sync.Mutex
	sent     map[string][]string
	searcher *retrieval.Searcher
}

// at panics if it is here that the service does.
func (p *poisoned) at(where, whose string) {
	if p.where == where && whose == poison {
		panic("planted")
	}
}

func (p *poisoned) Limits() bot.Limits { return bot.Limits{Text: 1000, Resend: true} }

func (p *poisoned) Send(_ context.Context, to bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	p.at("send", to.Customer)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[to.Customer] = append(p.sent[to.Customer], r.Text)
	return "x" + string(id), nil
}

func (p *poisoned) Verify(http.Header, []byte) error { return nil }

// Decode reads "CUSTOMER WORDS"; "nothing" is an event that cannot be stored, "photo" and "voice" bring a file.
func (p *poisoned) Decode(body []byte) ([]bot.Event, error) {
	customer, words, _ := strings.Cut(string(body), " ")
	p.at("decode", customer)
	e := bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: customer}, ExternalID: words, At: time.Now()}
	if words != "nothing" {
		e.Message = &bot.Inbound{Text: words}
	}
	if words == "photo" || words == "voice" {
		e.Message.Text = ""
		e.Message.Attachments = []bot.Attachment{{Kind: words, File: customer}}
	}
	return []bot.Event{e}, nil
}

func (p *poisoned) Senders(body []byte) []string {
	customer, _, _ := strings.Cut(string(body), " ")
	return []string{customer}
}

func (p *poisoned) Fetch(_ context.Context, a bot.Attachment) (io.ReadCloser, error) {
	p.at("fetch", a.File)
	return io.NopCloser(strings.NewReader("\x89PNG\r\n\x1a\n of " + a.File)), nil
}

func (p *poisoned) Transcribe(_ context.Context, _ media.Blob, data []byte) (string, error) {
	p.at("listen", strings.TrimPrefix(string(data), "\x89PNG\r\n\x1a\n of "))
	return "spoken words", nil
}

func (p *poisoned) Turn(_ context.Context, t bot.Turn) (bot.Outcome, error) {
	p.at("turn", t.Conversation.Address.Customer)
	p.at("turn and handover", t.Conversation.Address.Customer)
	o := bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonConfident}, Next: t.Conversation}
	if t.Conversation.Mode == bot.ModePerson {
		o.Decision = bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt}
		return o, nil
	}
	if t.Waiting[0].Text == "person" {
		return p.Broken(t), nil
	}
	o.Replies = []bot.Reply{{Text: "re: " + t.Waiting[0].Text}}
	return o, nil
}

func (p *poisoned) Broken(t bot.Turn) bot.Outcome {
	p.at("turn and handover", t.Conversation.Address.Customer)
	next := t.Conversation
	next.Mode = bot.ModePerson
	return bot.Outcome{Decision: bot.Decision{Action: bot.ActionHandoff, Reason: bot.ReasonBroken}, Next: next, Replies: []bot.Reply{{Text: "a person comes"}},
		Escalate: &bot.Escalation{ID: string(t.ID), Affiliate: "acme", Reason: bot.ReasonBroken, Question: "q"}}
}

func (p *poisoned) Tell(ctx context.Context, n bot.DeskEvent) error {
	var customer string
	if err := p.db.QueryRowContext(ctx, `SELECT customer FROM conversations WHERE id = $1`, n.Conversation).Scan(&customer); err != nil {
		return err
	}
	p.at("tell", customer)
	return p.desk.Tell(ctx, n)
}

func (p *poisoned) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{"acme": 1, poison: 1}, nil
}

func (p *poisoned) Published(_ context.Context, a knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	p.at("index", string(a))
	return []knowledge.Entry{{ID: "E", Affiliate: a, Question: "hello", Answer: "answer"}}, 1, nil
}

func (p *poisoned) Space() string { return "test" }

func (p *poisoned) Embed(_ context.Context, texts []string) (list [][]float32, err error) {
	for range texts {
		list = append(list, []float32{1, 0, 0, 0})
	}
	return list, nil
}

func (p *poisoned) now() time.Time { return time.Now().Add(time.Duration(p.skipped.Load())) }

// hasten skips time towards what is due next, unless something is in hand.
func (p *poisoned) hasten() {
	var due, lease sql.NullInt64
	err := p.db.QueryRowContext(p.t.Context(), `SELECT MIN(due), MAX(lease) FROM (
		SELECT due_at AS due, lease_until AS lease FROM deliveries WHERE state = 'queued'
		UNION ALL SELECT due_at, lease_until FROM fetches WHERE state = 'queued'
		UNION ALL SELECT due_at, 0 FROM inbox
		UNION ALL SELECT due_at, lease_until FROM turn_queue WHERE due_at > 0) AS work`).Scan(&due, &lease)
	if err == nil && due.Valid && lease.Int64 == 0 {
		p.skipped.Add(max(0, int64(time.UnixMilli(due.Int64).Sub(p.now()))))
		for _, poke := range p.pokes {
			poke()
		}
	}
}

func (p *poisoned) count(query string, args ...any) (n int) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRowContext(p.t.Context(), query, args...).Scan(&n))
	return n
}

func (p *poisoned) soon(what string, done func() bool) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		if done() {
			return true
		}
		p.hasten()
		return false
	}, waittest.Hang, 10*time.Millisecond, what)
}

// heard reports whether a customer was told something.
func (p *poisoned) heard(customer, words string) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(strings.Join(p.sent[customer], "|"), words)
	}
}

// hasTicket reports whether a person has a customer.
func (p *poisoned) hasTicket(customer string) func() bool {
	return func() bool {
		return p.count(`SELECT COUNT(*) FROM tickets t JOIN conversations c ON c.id = t.conversation_id WHERE c.customer = $1 AND c.mode = 'person' AND t.state = 'open'`, customer) == 1
	}
}

func newPoisoned(t *testing.T, db *sqldb.DB, where string) *poisoned {
	log := logrus.New()
	log.SetOutput(t.Output())
	p := &poisoned{t: t, where: where, db: db, sent: map[string][]string{}, account: bot.Account{Channel: "test", ID: "one", Affiliates: []knowledge.AffiliateID{"acme"}}}
	accounts, store := bot.NewRegistry(), store.New(db)
	accounts.Put(p.account, p)
	phrases, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	p.desk = handoff.NewDesk(db, conversations.New(store, accounts, conversations.Options{}), phrases, log, p.now)
	p.intake = inbound.NewIntake(store, accounts, log, inbound.IntakeOptions{Now: p.now, Transcribes: true})
	runner := turns.NewRunner(store, p, accounts, log, turns.RunnerOptions{Now: p.now})
	courier := outbound.NewCourier(store, accounts, p, log, outbound.CourierOptions{Now: p.now})
	collector := inbound.NewCollector(store, accounts, media.NewStore(db, media.Options{}), log, inbound.CollectorOptions{Now: p.now, Speech: p})
	p.searcher = retrieval.NewSearcher(p, p, retrieval.SearcherOptions{Attempts: attempts.NewCounter(db, nil), Every: 10 * time.Millisecond})
	p.pokes = []func(){runner.Poke, courier.Poke, collector.Poke}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	for _, loop := range []func(context.Context) error{p.intake.Run, runner.Run, courier.Run, collector.Run, p.searcher.Run} {
		g.Go(func() error { return loop(ctx) })
	}
	t.Cleanup(func() {
		stop()
		if err := g.Wait(); !errors.Is(err, context.Canceled) {
			require.NoError(t, err)
		}
	})
	return p
}

// say has the poisonous customer say something, and then another.
func (p *poisoned) say(words string) {
	for _, customer := range []string{poison, "other"} {
		require.NoError(p.t, p.intake.Receive(p.t.Context(), p.account, []byte(customer+" "+words)))
	}
}

// A panic, wherever it comes, ends one unit of work of one customer or affiliate: it is tried again, counted, and
// then given to a person or set aside with its reason, while everybody else is served.
func TestPoisonStopsNobody(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	for where, prove := range map[string]func(p *poisoned){
		"turn": func(p *poisoned) {
			p.say("hello")
			p.soon("the other is answered", p.heard("other", "re: hello"))
			p.soon("a person has it", p.hasTicket(poison))
			p.soon("the customer knows", p.heard(poison, "a person comes"))
		},
		"turn and handover": func(p *poisoned) {
			p.say("hello")
			p.soon("the other is answered", p.heard("other", "re: hello"))
			p.soon("a person has it", p.hasTicket(poison))
		},
		"send": func(p *poisoned) {
			p.say("hello")
			p.soon("the other is answered", p.heard("other", "re: hello"))
			p.soon("a person has it", p.hasTicket(poison))
		},
		"tell": func(p *poisoned) {
			p.say("person")
			p.soon("the other has a ticket", p.hasTicket("other"))
			p.soon("set aside", func() bool {
				return p.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk' AND state = 'failed' AND code = 'panic'`) == 1
			})
			p.skipped.Add(int64(2 * time.Minute))
			require.NoError(p.t, p.desk.Sweep(p.t.Context()))
			require.True(p.t, p.hasTicket(poison)())
		},
		"fetch": func(p *poisoned) {
			p.say("photo")
			p.soon("the other's is kept", func() bool { return p.count(`SELECT COUNT(*) FROM fetches WHERE state = 'kept'`) == 1 })
			p.soon("lost", func() bool {
				return p.count(`SELECT COUNT(*) FROM messages WHERE attachments LIKE '%"lost":"unreachable"%'`) == 1
			})
		},
		"listen": func(p *poisoned) {
			p.say("voice")
			p.soon("the other is answered", p.heard("other", "re: spoken words"))
			p.soon("answered without the words", p.heard(poison, "re: "))
		},
		"decode": func(p *poisoned) {
			p.say("hello")
			p.soon("the other is answered", p.heard("other", "re: hello"))
			p.soon("a person has it", p.hasTicket(poison))
			require.Equal(p.t, 1, p.count(`SELECT COUNT(*) FROM rejects WHERE reason = 'panic with a value of type string'`))
			require.Zero(p.t, p.count(`SELECT COUNT(*) FROM rejects WHERE reason LIKE '%planted%'`), "what is panicked with may hold a customer's words")
		},
		"index": func(p *poisoned) {
			p.soon("the other is found", func() bool {
				r, err := p.searcher.Search(p.t.Context(), retrieval.Query{Text: "hello", Affiliates: []knowledge.AffiliateID{"acme"}})
				return err == nil && len(r.Hits) == 1
			})
			p.soon("noted", func() bool {
				return p.count(`SELECT COUNT(*) FROM attempts WHERE kind = 'index' AND id = 'poison@1' AND reason LIKE '%panic with a value of type string%'`) == 1
			})
			p.soon("ready", p.searcher.Ready)
		},
		"sweep": func(p *poisoned) { // what is said in the conversation cannot be read
			p.say("person")
			p.soon("tickets", func() bool { return p.hasTicket(poison)() && p.hasTicket("other")() })
			for _, change := range []string{`DELETE FROM tickets`, `UPDATE messages SET attachments = '{' WHERE conversation_id = (SELECT id FROM conversations WHERE customer = 'poison')`} {
				_, err := p.db.ExecContext(p.t.Context(), change)
				require.NoError(p.t, err)
			}
			for range 6 {
				p.skipped.Add(int64(3 * time.Minute))
				_ = p.desk.Sweep(p.t.Context()) // logged
				require.True(p.t, p.hasTicket("other")(), "at the first sweep")
			}
			require.True(p.t, p.hasTicket(poison)())
		},
	} {
		t.Run(strings.ReplaceAll(where, " ", "_"), func(t *testing.T) {
			sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) { prove(newPoisoned(t, db, where)) })
		})
	}
}

// What cannot be stored for its own fault is set aside, after four tries, while others are served.
func TestPostThatCannotBeStored(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		p := newPoisoned(t, db, "")
		require.NoError(t, p.intake.Receive(t.Context(), p.account, []byte(poison+" nothing")))
		for i := range 50 {
			require.NoError(t, p.intake.Receive(t.Context(), p.account, fmt.Appendf(nil, "other%d hello", i)))
		}
		for i := range 50 {
			p.soon("answered", p.heard(fmt.Sprint("other", i), "re: hello"))
		}
		p.soon("a person has it", p.hasTicket(poison))
		require.Equal(t, 1, p.count(`SELECT COUNT(*) FROM rejects`))
	})
}
