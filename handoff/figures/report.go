package figures

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// A Question says what to count.
type Question struct {
	Period  Period
	Zone    *time.Location                   // whose days are counted; UTC if nil
	May     func(knowledge.AffiliateID) bool // whose events count; everybody's if nil
	Channel string                           // of one network alone; of all if ""
	Rows    bool                             // with a row for each conversation
	Before  bool                             // with the figures of the period before
}

// A Part is the figures of a day, a network, an affiliate or an agent.
type Part struct {
	Name string
	Figures
}

// A Backlog is the tickets that are open now, by how long they have been.
type Backlog struct {
	Hour, Hours, Day, Older int // less than one hour, than 4, than 24, and the rest
	Oldest                  time.Duration
}

// All is how many there are.
func (b Backlog) All() int { return b.Hour + b.Hours + b.Day + b.Older }

// A Report is the figures of a period and its parts.
type Report struct {
	Period                       Period
	All                          Figures
	Before                       Figures // of the period before this one, if they were asked for
	Days                         []Part  // every day of the period, in order
	Channels, Affiliates, Agents []Part  // the busiest first
	Rows                         []Row   // in the order in which they began
	Open                         Backlog
}

// A Service counts.
type Service struct {
	db  *sqldb.DB
	now func() time.Time
}

// New returns the service over db, to which the schemas of events, bot/store and handoff were applied. now is time.Now
// if nil.
func New(db *sqldb.DB, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{db: db, now: now}
}

// slack is more than the ID of an event, which is made in the order of writing, is ahead of its time.
const slack = time.Second

// A happening is an event with the network that it came by.
type happening struct {
	events.Event
	channel string
}

// counter collects a report.
type counter struct {
	q          Question
	report     Report
	days       map[string]*Part
	channels   map[string]*Part
	affiliates map[string]*Part
	agents     map[string]*Part
	rows       map[string]*Row
	matters    map[string]*matter
}

// Report counts what q asks for.
func (s *Service) Report(ctx context.Context, q Question) (Report, error) {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	c := &counter{q: q, report: Report{Period: q.Period}, days: map[string]*Part{}, channels: map[string]*Part{}, affiliates: map[string]*Part{},
		agents: map[string]*Part{}, rows: map[string]*Row{}, matters: map[string]*matter{}}
	from := q.Period.From
	if q.Before {
		from = q.Period.Before().From
	}
	// IDs are in the order of time.
	err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var h happening
		var at int64
		err := rows.Scan(&h.Kind, &at, &h.Affiliate, &h.Conversation, &h.Reason, &h.Agent, &h.channel)
		h.At = sqldb.Time(at)
		if err == nil {
			c.take(h)
		}
		return err
	}, `SELECT e.kind, e.at, e.affiliate, e.conversation_id, e.reason, e.agent, COALESCE(c.channel, '') FROM events e
		LEFT JOIN conversations c ON c.id = e.conversation_id WHERE e.id >= $1 AND e.id < $2 AND e.conversation_id <> '' ORDER BY e.id`,
		sqldb.FirstID(from.Add(-lookBack)), sqldb.FirstID(q.Period.To.Add(slack)))
	if err != nil {
		return Report{}, fmt.Errorf("count events: %w", err)
	}
	if c.report.Open, err = s.openTickets(ctx, q); err != nil {
		return Report{}, err
	}
	return c.done(), nil
}

func (c *counter) take(h happening) {
	if c.q.May != nil && !c.q.May(knowledge.AffiliateID(h.Affiliate)) || c.q.Channel != "" && h.channel != c.q.Channel {
		return
	}
	m := c.matters[h.Conversation]
	if m == nil {
		m = &matter{}
		c.matters[h.Conversation] = m
	}
	var to []*Figures
	switch {
	case c.q.Before && c.q.Period.Before().Has(h.At):
		to = []*Figures{&c.report.Before}
	case c.q.Period.Has(h.At):
		to = []*Figures{&c.report.All, figuresOf(c.days, h.At.In(c.q.Zone).Format(time.DateOnly)), figuresOf(c.channels, h.channel), figuresOf(c.affiliates, h.Affiliate)}
		if h.Agent != "" {
			to = append(to, figuresOf(c.agents, h.Agent))
		}
		if c.q.Rows {
			to = append(to, c.row(h))
		}
	}
	m.take(h.Event, to)
}

func figuresOf(of map[string]*Part, name string) *Figures {
	p := of[name]
	if p == nil {
		p = &Part{Name: name}
		of[name] = p
	}
	return &p.Figures
}

// row notes what of h only a row has.
func (c *counter) row(h happening) *Figures {
	r := c.rows[h.Conversation]
	if r == nil {
		r = &Row{Conversation: h.Conversation, Channel: h.channel, Affiliate: h.Affiliate, Began: h.At}
		c.rows[h.Conversation] = r
	}
	switch h.Kind {
	case events.HandedOff:
		r.HandedOff = h.At
	case events.Replied:
		r.Replied, r.Agent = h.At, h.Agent
	case events.Closed:
		r.Closed, r.Outcome = h.At, h.Reason
	}
	return &r.Figures
}

func (c *counter) done() Report {
	r := c.report
	for day := c.q.Period.From.In(c.q.Zone); day.Before(c.q.Period.To); day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		figuresOf(c.days, name)
		r.Days = append(r.Days, *c.days[name])
	}
	r.Channels, r.Affiliates, r.Agents = busiest(c.channels), busiest(c.affiliates), busiest(c.agents)
	for _, row := range c.rows {
		r.Rows = append(r.Rows, *row)
	}
	slices.SortFunc(r.Rows, func(a, b Row) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Conversation, b.Conversation))
	})
	return r
}

func busiest(of map[string]*Part) (list []Part) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if name != "" {
			list = append(list, *of[name])
		}
	}
	slices.SortStableFunc(list, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Questions(), a.Questions()), cmp.Compare(b.Replies, a.Replies))
	})
	return list
}

// backlog is the tickets that are open now.
func (s *Service) openTickets(ctx context.Context, q Question) (b Backlog, err error) {
	now := s.now()
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var affiliate, channel string
		var opened int64
		if err := rows.Scan(&affiliate, &channel, &opened); err != nil {
			return err
		}
		if q.May != nil && !q.May(knowledge.AffiliateID(affiliate)) || q.Channel != "" && channel != q.Channel {
			return nil
		}
		age := now.Sub(sqldb.Time(opened))
		switch {
		case age < time.Hour:
			b.Hour++
		case age < 4*time.Hour:
			b.Hours++
		case age < 24*time.Hour:
			b.Day++
		default:
			b.Older++
		}
		b.Oldest = max(b.Oldest, age)
		return nil
	}, `SELECT t.affiliate, COALESCE(c.channel, ''), t.opened_at FROM tickets t LEFT JOIN conversations c ON c.id = t.conversation_id WHERE t.state <> 'closed'`)
	if err != nil {
		return b, fmt.Errorf("count open tickets: %w", err)
	}
	return b, nil
}
