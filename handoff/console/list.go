package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

const perPage = 100

// A place is which list somebody looks at: it goes along in every address, so that the way back leads there.
type place struct {
	Show string // mine, all, waiting, snoozed, closed, talks (all conversations)
	Of   knowledge.AffiliateID
	Q    string // words searched for in conversations
	At   string // where in the list: after the row with that cursor
}

func placeOf(g *gin.Context) place {
	p := place{Show: g.Query("show"), Of: knowledge.AffiliateID(g.Query("of")), Q: cut(g.Query("q"), 200), At: cut(g.Query("at"), 100)}
	if !slices.Contains([]string{"mine", "waiting", "snoozed", "closed", "talks"}, p.Show) {
		p.Show = "all"
	}
	return p
}

// query is the place as a part of an address, with more, pairs of names and values.
func (p place) query(more ...string) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.Show != "all" {
		set("show", p.Show)
	}
	set("of", string(p.Of))
	set("q", p.Q)
	set("at", p.At)
	for i := 0; i+1 < len(more); i += 2 {
		set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// tickets is the place beside a ticket that was found among the conversations.
func (p place) tickets() place {
	if p.Show == "talks" {
		return place{Show: "all", Of: p.Of}
	}
	return p
}

// list is the address of the list itself.
func (p place) list(more ...string) string {
	if p.Show == "talks" {
		q := p
		q.Show = "all" // the path says it
		return "/desk/conversations" + q.query(more...)
	}
	return "/desk" + p.query(more...)
}

// A queue is one of the lists there are.
type queue struct {
	Href, Label string
	Count       string // "" if it is not counted
	Hot         bool   // the count matters
	Key         string // goes there, after g
	Current     bool
}

// A listed is one row: a ticket, or a conversation.
type listed struct {
	ID, Href      string
	Who           string
	Icon, Channel string
	Words         string
	Owed          slaView
	When          time.Time // last active, instead of Owed, for conversations
	With          string    // who has it
	Waiting       bool
	Current       bool
}

// An inbox is the queues and the list beside them. It is a value: the same one is shown the same.
type inbox struct {
	Place      place
	Title      string
	Bare       string // its address without what was chosen
	Part       string // the address of the part that shows it anew
	Queues     []queue
	Affiliates []page.Option
	Of         string // the affiliate chosen
	Rows       []listed
	Older      string // the next page, "" if there is none
	Newer      string
	Empty      page.Empty
	Waiting    string   // how many customers wait
	Current    string   // the ID of the row that is open beside
	Have       string   // names this very content
	Partial    bool     // only the list is rendered
	Notices    []string // networks that are away
}

// digest names a value: another one has another name.
func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // views are plain structs
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// scope is the affiliates of p that a place asks for. One that p may not see is nobody's.
func scope(p reader, at place) []knowledge.AffiliateID {
	switch {
	case at.Of == "":
		return affiliatesOf(p)
	case p.May(at.Of):
		return []knowledge.AffiliateID{at.Of}
	}
	return nil
}

// inboxOf reads the list at a place; current is the row that is open.
func (c *Console) inboxOf(ctx context.Context, p reader, at place, current string) (in inbox, err error) {
	in = inbox{Place: at, Current: current, Of: string(at.Of), Bare: place{Show: "all"}.list()}
	if at.Show == "talks" {
		in.Bare = "/desk/conversations"
	}
	if in.Affiliates, err = c.affiliateOptions(ctx, p); err != nil {
		return in, err
	}
	incidents, err := c.conversations.Incidents(ctx, p.May)
	if err != nil {
		return in, err
	}
	for _, i := range incidents {
		in.Notices = append(in.Notices, accounts.Label(i.Channel)+" · "+i.Account+": "+i.Words())
	}
	count, err := c.desk.Count(ctx, scope(p, at), agent(p))
	if err != nil {
		return in, err
	}
	in.Waiting = counted(count.Waiting)
	q := func(show, key, label, count string) {
		to := place{Show: show, Of: at.Of}
		in.Queues = append(in.Queues, queue{Href: to.list(), Label: label, Key: key, Count: count, Hot: show == "waiting" && count != "0", Current: show == at.Show})
		if show == at.Show {
			in.Title = label
		}
	}
	q("all", "a", p.Say("queue_all"), counted(count.All))
	q("mine", "m", p.Say("queue_mine"), counted(count.Mine))
	q("waiting", "w", p.Say("queue_waiting"), counted(count.Waiting))
	q("snoozed", "s", p.Say("queue_snoozed"), "")
	q("closed", "c", p.Say("queue_closed"), "")
	q("talks", "t", p.Say("queue_talks"), "")
	if at.Show == "talks" {
		in.Part = "/desk/conversations/list"
		err = c.fillTalks(ctx, p, &in)
	} else {
		in.Part = "/desk/list"
		err = c.fillTickets(ctx, p, &in)
	}
	have := in
	have.Rows = slices.Clone(in.Rows)
	for i := range have.Rows {
		have.Rows[i].Owed.Words = "" // it runs by itself
	}
	in.Have = digest(have)
	in.Part += at.query("current", current, "have", in.Have)
	return in, err
}

// counted is a count in words: it ends where handoff.Counts do.
func counted(n int) string {
	if n > 999 {
		return "999+"
	}
	return strconv.Itoa(n)
}

// affiliateOptions is the choice of affiliates, none for whoever has but one.
func (c *Console) affiliateOptions(ctx context.Context, p reader) (list []page.Option, err error) {
	of := affiliatesOf(p)
	if p.May(knowledge.Everyone) {
		if of, err = c.desk.Affiliates(ctx); err != nil {
			return nil, err
		}
	}
	if len(of) < 2 {
		return nil, nil
	}
	list = append(list, page.Option{Value: "", Label: p.Say("all_affiliates")})
	for _, a := range of {
		list = append(list, page.Option{Value: string(a), Label: string(a)})
	}
	return list, nil
}

// filterOf is which tickets a place shows.
func filterOf(p reader, at place) handoff.Filter {
	f := handoff.Filter{Affiliates: scope(p, at), After: at.At}
	switch at.Show {
	case "mine":
		f.Assignee = agent(p)
	case "waiting":
		f.Waiting = true
	case "snoozed":
		f.Snoozed = true
	case "closed":
		f.States = []handoff.State{handoff.StateClosed}
	}
	return f
}

// next is the address of the ticket to go on with once t is done: the next below it whose customer waits, else the first;
// the list if nobody waits.
func (c *Console) next(ctx context.Context, p reader, at place, t handoff.Ticket, query ...string) (string, error) {
	if at.Show == "closed" || at.Show == "snoozed" || at.Show == "talks" {
		return at.list(query...), nil
	}
	for _, after := range []string{t.Cursor(), ""} {
		f := filterOf(p, at)
		f.Waiting, f.After, f.Limit = true, after, 2
		list, err := c.desk.List(ctx, f)
		if err != nil {
			return "", err
		}
		for _, one := range list {
			if one.ID != t.ID {
				return "/desk/tickets/" + url.PathEscape(string(one.ID)) + at.query(query...), nil
			}
		}
	}
	return at.list(query...), nil
}

// emptyOf is what a place says that shows nothing.
func emptyOf(p reader, at place) page.Empty {
	switch at.Show {
	case "mine":
		return page.Empty{Title: p.Say("empty_mine_title"), Words: p.Say("empty_mine"), Href: place{Show: "all", Of: at.Of}.list(), Action: p.Say("empty_mine_go")}
	case "waiting":
		return page.Empty{Title: p.Say("empty_open_title"), Words: p.Say("empty_waiting")}
	case "snoozed":
		return page.Empty{Title: p.Say("empty_snoozed_title"), Words: p.Say("empty_snoozed")}
	case "closed":
		return page.Empty{Title: p.Say("empty_closed_title"), Words: p.Say("empty_closed")}
	}
	return page.Empty{Title: p.Say("empty_open_title"), Words: p.Say("empty_open")}
}

// fillTickets puts the tickets of in.Place into in.
func (c *Console) fillTickets(ctx context.Context, p reader, in *inbox) error {
	at, f := in.Place, filterOf(p, in.Place)
	in.Empty, f.Limit = emptyOf(p, at), perPage+1
	tickets, err := c.desk.List(ctx, f)
	if err != nil {
		return err
	}
	if len(tickets) > perPage {
		tickets = tickets[:perPage]
		older := at
		older.At = tickets[perPage-1].Cursor()
		in.Older = older.list()
	}
	if at.At != "" {
		newest := at
		newest.At = ""
		in.Newer = newest.list()
	}
	ids := make([]bot.ConversationID, len(tickets))
	for i, t := range tickets {
		ids[i] = t.Conversation
	}
	conversations, err := c.conversations.Several(ctx, ids)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		in.Rows = append(in.Rows, c.ticketRow(p, t, conversations[t.Conversation], in))
	}
	return nil
}

func (c *Console) ticketRow(p reader, t handoff.Ticket, conv bot.Conversation, in *inbox) listed {
	words := cut(t.Question, 160)
	if words == "" {
		words = p.Say("no_words_yet")
	}
	return listed{ID: string(t.ID), Href: "/desk/tickets/" + url.PathEscape(string(t.ID)) + in.Place.tickets().query(), Who: p.whoOf(conv),
		Icon: channelIcon(conv.Address.Channel), Channel: accounts.Label(conv.Address.Channel), Words: words, With: string(t.Assignee),
		Owed: p.sla(t, c.o.Now()), Waiting: !t.WaitingSince.IsZero(), Current: string(t.ID) == in.Current}
}

// whoOf is what to call a customer: the name that their network tells, else its ID for them.
func (p reader) whoOf(conv bot.Conversation) string {
	if conv.Name != "" {
		return cut(conv.Name, 80)
	}
	if conv.Address.Customer == "" || strings.HasPrefix(conv.Address.Customer, store.Forgotten) {
		return p.Say("a_customer")
	}
	if visitor, ok := strings.CutPrefix(conv.Address.Customer, "v:"); ok && conv.Address.Channel == "webchat" {
		return p.Say("visitor", "name", visitor[:min(len(visitor), 4)]) // all there is to tell them apart by
	}
	if _, member, ok := conv.Address.Member(); ok {
		return member
	}
	return cut(strings.TrimPrefix(conv.Address.Customer, "u:"), 80)
}

// A deskView is a page with a list and nothing open.
type deskView struct {
	Inbox inbox
	Toast page.Toast
}

// toastOf says what was done, by the address, and offers to undo it.
func toastOf(g *gin.Context, p reader) (t page.Toast) {
	t.Words = p.done(g.Query("done"))
	if undo := g.Query("undo"); undo != "" && t.Words != "" {
		t.Undo, t.Action = "/desk/tickets/"+url.PathEscape(undo)+"/reopen"+placeOf(g).query(), p.Say("reopen")
	}
	return t
}

func (c *Console) showList(g *gin.Context, p reader) error {
	at := placeOf(g)
	if at.Show == "talks" {
		at.Show = "all" // has an address of its own
	}
	return c.showInbox(g, p, at)
}

func (c *Console) showInbox(g *gin.Context, p reader, at place) error {
	in, err := c.inboxOf(g.Request.Context(), p, at, "")
	if err != nil {
		return err
	}
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "desk", deskView{Inbox: in, Toast: toastOf(g, p)})
}

func (c *Console) partList(g *gin.Context, p reader) error {
	return c.renderInbox(g, p, placeOf(g))
}

// renderInbox renders the list alone: nothing if it is what the page has.
func (c *Console) renderInbox(g *gin.Context, p reader, at place) error {
	c.presence.polledBy(p.Person)
	in, err := c.inboxOf(g.Request.Context(), p, at, g.Query("current"))
	if err != nil {
		return err
	}
	if in.Have == g.Query("have") {
		g.Status(http.StatusNoContent)
		return nil
	}
	in.Partial = true
	return c.pages.Part(g.Writer, g.Request, "desk", "list", in)
}

// ticketOf is a ticket that p may see, or ErrNotFound.
func (c *Console) ticketOf(ctx context.Context, p reader, id handoff.TicketID) (handoff.Ticket, error) {
	t, err := c.desk.Ticket(ctx, id)
	if err != nil {
		return t, err
	}
	if !p.May(t.Affiliate) {
		return handoff.Ticket{}, fmt.Errorf("ticket of another affiliate: %w", handoff.ErrNotFound)
	}
	return t, nil
}

// conversationOf is a conversation that p may see, or ErrNotFound.
func (c *Console) conversationOf(ctx context.Context, p reader, id bot.ConversationID) (bot.Conversation, error) {
	conv, err := c.conversations.Get(ctx, id)
	if err != nil {
		return conv, err
	}
	if !p.May(conv.Affiliate) {
		return bot.Conversation{}, fmt.Errorf("conversation of another affiliate: %w", bot.ErrNotFound)
	}
	return conv, nil
}
