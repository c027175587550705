package graphtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// AccountOptions are who an account is.
type AccountOptions struct {
	Kind     string // WhatsApp, Messenger, Instagram
	ID       string // phone number ID, page ID, Instagram account ID
	Business string // WhatsApp Business Account ID
	Token    string
	Secret   string // of the app; signs webhooks
	AppID    string // of the app that sends with the token
}

// An Account is one number, page or Instagram account, with everything that its customers said to it
// and heard from it.
type Account struct {
	o      AccountOptions
	server *Server

	mu        sync.Mutex
	changed   chan struct{} // closed, and replaced, at every change
	customers map[string]*customer
	faults    []*Fault
	calls     map[string]int // by edge
	usage     map[string]string
	templates []Template
	files     map[string]File   // of customers
	uploads   map[string]upload // of ours
	lost      map[string]bool   // links that lead nowhere
	seen      map[string]bool   // IDs of customers' messages
	apps      bool              // subscribed
	fields    []string          // subscribed on a page
	override  string            // webhook of this number alone
	expires   time.Time         // of the token, zero if it does not
	scopes    []string          // of the token
	next      int
	moods     Moods

	hook      string
	queues    map[string][]posting // what waits, by order
	pending   int
	accepted  []Accepted
	posts     int
	delivered int // bodies that were answered with 200
	refused   int // answers that were not
}

// Moods are the ways in which the real Graph API is unreliable.
type Moods struct {
	Shuffle   bool // statuses come in any order
	Duplicate int  // every how many webhook bodies one is posted twice at once; 0 never
	Early     int  // before every how many answers the status or echo comes first; 0 never
	Async     bool // WhatsApp: a closed window shows as a failed status after a 200
	Paced     bool // WhatsApp: more than one message in six seconds to one customer is refused
	NoEcho    bool // Messenger: echoes are not subscribed
	NoAgent   bool // Messenger: the human agent feature is not approved
	Bare      bool // Instagram: echoes come without metadata and app
}

// A customer is one person as the account sees them.
type customer struct {
	id       string // phone digits, or the ID on the network
	hidden   bool   // WhatsApp: their phone is not shown
	blocked  bool
	heard    time.Time // when they wrote last
	referral map[string]any
	sent     []*Sent
	typing   int
	last     time.Time
	changed  chan struct{}
}

// A Sent is a message of the account's as a customer reads it.
type Sent struct {
	ID       string
	Customer string
	Type     string // text, buttons, list, quick_replies, image, …, template
	Text     string // with the caption of a file and the words of a template
	Buttons  []Button
	Link     string // of a file that was fetched from there
	Name     string // of a file
	Data     []byte // of a file that was uploaded
	Context  string // the message it quotes
	Tag      string // Messenger: the tag it was sent with
	Opaque   string // what is given back in statuses and echoes
	At       time.Time
}

// A Button is one choice under a message.
type Button struct {
	Title, Payload, Description string
}

// A Template is one message template of a WhatsApp Business Account.
type Template struct {
	Name, Language, Category, Status, Body string
	Named                                  bool   // parameter_format NAMED
	Header                                 string // TEXT, IMAGE, "" for none
}

func newAccount(s *Server, o AccountOptions) *Account {
	return &Account{o: o, server: s, changed: make(chan struct{}), customers: map[string]*customer{}, calls: map[string]int{},
		usage: map[string]string{}, files: map[string]File{}, uploads: map[string]upload{}, lost: map[string]bool{}, seen: map[string]bool{},
		queues: map[string][]posting{}}
}

// Hook sets where webhooks are posted. What waits goes there.
func (a *Account) Hook(url string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	waited := a.hook == ""
	a.hook = url
	for key := range a.queues {
		if waited {
			a.kick(key)
		}
	}
}

// SetMoods sets how unreliable the account is from now on.
func (a *Account) SetMoods(m Moods) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moods = m
}

// SetTemplates replaces the account's message templates.
func (a *Account) SetTemplates(list ...Template) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.templates = list
}

// SetUsage sets a header, "X-App-Usage", that all answers have from now on.
func (a *Account) SetUsage(header, value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.usage[header] = value
}

// announce wakes whoever waits for a change. a.mu is held.
func (a *Account) announce() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// customer is the customer of id. a.mu is held.
func (a *Account) customer(id string) *customer {
	c := a.customers[id]
	if c == nil {
		c = &customer{id: id, changed: make(chan struct{})}
		a.customers[id] = c
	}
	return c
}

// serve carries out one call, or the fault that is laid in its way.
func (a *Account) serve(w http.ResponseWriter, r *http.Request, edge string, b body) {
	p := b.fields
	if len(b.json) > 0 && json.Unmarshal(b.json, &p) != nil {
		refuse(w, bad(100, "the body is not JSON"))
		return
	}
	a.mu.Lock()
	a.calls[edge]++
	for name, value := range a.usage {
		w.Header().Set(name, value)
	}
	f := a.matchFault(edge, a.recipient(p), false)
	a.announce()
	a.mu.Unlock()
	if f != nil && !f.Accept {
		f.play(w, r)
		return
	}
	answer, failed := a.carryOut(r, edge, p, b.file)
	switch {
	case f != nil:
		f.play(w, r)
	case failed != nil:
		refuse(w, failed)
	default:
		write(w, http.StatusOK, answer)
	}
}

func (a *Account) carryOut(r *http.Request, edge string, p map[string]any, file *upload) (any, *refusal) {
	switch {
	case edge == "media" && r.Method == http.MethodPost && a.o.Kind == WhatsApp:
		return a.takeMedia(p, file)
	case edge == "message_attachments" && r.Method == http.MethodPost && a.o.Kind != WhatsApp:
		return a.takeAttachment(p, file)
	case edge == "messages" && r.Method == http.MethodPost && a.o.Kind == WhatsApp:
		return a.whatsapp(r.Context(), p)
	case edge == "messages" && r.Method == http.MethodPost:
		return a.page(r.Context(), p)
	case edge == "message_templates" && r.Method == http.MethodGet:
		return a.listTemplates(r), nil
	case edge == "subscribed_apps" && r.Method == http.MethodPost:
		return a.subscribe(strings.Split(r.URL.Query().Get("subscribed_fields"), ","))
	case edge == "subscribed_apps" && r.Method == http.MethodGet:
		return a.listApps(), nil
	case edge == "messenger_profile" && r.Method == http.MethodPost:
		return map[string]any{"result": "success"}, nil
	case strings.HasSuffix(edge, "_thread_control") && r.Method == http.MethodPost:
		return map[string]any{"success": true}, nil
	case edge == "" && r.Method == http.MethodGet:
		return a.describe(), nil
	case edge == "" && r.Method == http.MethodPost:
		return a.configure(r, p)
	}
	return nil, &refusal{status: http.StatusBadRequest, code: 100, message: "(#100) Tried accessing nonexisting field (" + edge + ")"}
}

// subscribe has the app hear of fields. An Instagram account is subscribed through its page, which refuses what it
// does not know.
func (a *Account) subscribe(fields []string) (any, *refusal) {
	known := []string{"messages", "messaging_postbacks", "messaging_referrals", "messaging_optins", "message_deliveries", "message_reads", "message_reactions",
		"message_edits", "message_echoes", "messaging_policy_enforcement", "standby", "messaging_handovers", "feed", "mention"}
	for i, field := range fields {
		if a.o.Kind != WhatsApp && !slices.Contains(known, field) {
			return nil, &refusal{status: http.StatusBadRequest, code: 100,
				message: fmt.Sprintf("(#100) Param subscribed_fields[%d] must be one of {%s}", i, strings.Join(known, ", "))}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apps, a.fields = true, fields
	return map[string]any{"success": true}, nil
}

func (a *Account) listApps() map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []any{}
	if a.apps {
		list = append(list, map[string]any{"id": a.o.AppID, "subscribed_fields": a.fields,
			"whatsapp_business_api_data": map[string]any{"id": a.o.AppID, "name": "App"}})
	}
	return map[string]any{"data": list}
}

// listTemplates shows two templates to a page, so that nobody forgets to turn it.
func (a *Account) listTemplates(r *http.Request) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	from := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &from)
	to := min(from+2, len(a.templates))
	list := []any{}
	for _, t := range a.templates[min(from, to):to] {
		components := []any{map[string]any{"type": "BODY", "text": t.Body}}
		if t.Header != "" {
			components = append(components, map[string]any{"type": "HEADER", "format": t.Header, "text": "Head"})
		}
		format := "POSITIONAL"
		if t.Named {
			format = "NAMED"
		}
		list = append(list, map[string]any{"name": t.Name, "language": t.Language, "category": t.Category, "status": t.Status,
			"parameter_format": format, "components": components})
	}
	answer := map[string]any{"data": list}
	if to < len(a.templates) {
		answer["paging"] = map[string]any{"cursors": map[string]any{"after": fmt.Sprint(to)}, "next": "http://" + r.Host + "/next"}
	}
	return answer
}

// serveObject answers GET /{id}: a file's description, or a customer's profile.
func (a *Account) serveObject(w http.ResponseWriter, r *http.Request, id string) {
	a.mu.Lock()
	f, file := a.files[id]
	c := a.customers[id]
	told := map[string]string{"first_name": "Ana", "last_name": "Lima", "name": "Ana Lima", "username": "ana.lima"}
	if _, ok := a.files[faceID(id)]; ok {
		told["profile_pic"] = a.address(faceID(id))
	}
	a.mu.Unlock()
	switch {
	case file && r.URL.Query().Get("phone_number_id") != "": // the file was not uploaded by the number
		refuse(w, bad(100, "Param phone_number_id is not a valid whatsapp business phone number id ID"))
	case file:
		write(w, http.StatusOK, map[string]any{"messaging_product": "whatsapp", "url": "http://" + r.Host + "/media/" + id,
			"mime_type": f.Type, "sha256": hash(f.Data), "file_size": fmt.Sprint(len(f.Data)), "id": id})
	case c != nil && a.o.Kind != WhatsApp:
		profile := map[string]any{"id": id}
		for name, words := range told {
			if slices.Contains(strings.Split(r.URL.Query().Get("fields"), ","), name) {
				profile[name] = words
			}
		}
		write(w, http.StatusOK, profile)
	default:
		refuse(w, &refusal{status: http.StatusBadRequest, code: 100, subcode: 33, message: "Unsupported get request."})
	}
}

// SetFace gives a customer a profile picture.
func (a *Account) SetFace(customer string, data []byte) {
	a.Put(faceID(customer), File{Kind: "image", Name: "face.png", Type: "image/png", Data: data})
}

// faceID is the media ID of a customer's profile picture.
func faceID(customer string) string { return "face_" + customer }

// Kind is the network: WhatsApp, Messenger, Instagram.
func (a *Account) Kind() string { return a.o.Kind }

// Sent lists what the account sent to a customer, oldest first.
func (a *Account) Sent(id string) []Sent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.customer(id).list()
}

func (c *customer) list() []Sent {
	list := make([]Sent, len(c.sent))
	for i, m := range c.sent {
		list[i] = *m
		list[i].Buttons = slices.Clone(m.Buttons)
	}
	return list
}

// Customers lists who was ever heard or written to.
func (a *Account) Customers() (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.customers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// WaitSent waits until the account has sent n messages to a customer, and lists what it sent. It does
// not cost more with many customers.
func (a *Account) WaitSent(ctx context.Context, id string, n int) ([]Sent, error) {
	if err := a.WaitCount(ctx, id, n); err != nil {
		return nil, err
	}
	return a.Sent(id), nil
}

// WaitCount is WaitSent for those who do not read what was sent.
func (a *Account) WaitCount(ctx context.Context, id string, n int) error {
	for {
		a.mu.Lock()
		c := a.customer(id)
		changed, count := c.changed, len(c.sent)
		a.mu.Unlock()
		if count >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d messages were sent to %s: %w", count, n, id, ctx.Err())
		}
	}
}

// SentTo is the number of messages that the account sent to a customer.
func (a *Account) SentTo(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.customer(id).sent)
}

// Wait waits until done is true. It asks again after every change, and holds no lock meanwhile.
func (a *Account) Wait(ctx context.Context, done func() bool) error {
	for {
		a.mu.Lock()
		changed := a.changed
		a.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the fake Graph API: %w", ctx.Err())
		}
	}
}

// Pending is the number of webhook bodies that were not taken yet.
func (a *Account) Pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pending
}

// Accepted lists what customers did and the webhook took, in the order in which it did.
func (a *Account) Accepted() []Accepted {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.accepted)
}

// Delivered is the number of webhook bodies that were answered with 200; Refused, of other answers.
func (a *Account) Delivered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.delivered
}

// Refused is the number of posts of webhook bodies that were not answered with 200.
func (a *Account) Refused() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}

// SentCount is the number of messages that the account sent to all customers.
func (a *Account) SentCount() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, c := range a.customers {
		n += len(c.sent)
	}
	return n
}

// Calls is the number of calls of an edge, "messages", failed ones included.
func (a *Account) Calls(edge string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[edge]
}

// Typing is how often the account showed a customer that it is typing.
func (a *Account) Typing(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.customer(id).typing
}

// Block has a customer block the account; Say unblocks it.
func (a *Account) Block(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.customer(id).blocked = true
}

// Hide has WhatsApp keep a customer's phone number from us.
func (a *Account) Hide(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.customer(id).hidden = true
}

// CloseWindow makes a customer's last word as old as age.
func (a *Account) CloseWindow(id string, age time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.customer(id).heard = time.Now().Add(-age)
}

// Know makes a customer known who writes nothing through the webhook.
func (a *Account) Know(ids ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		a.customer(id).heard = time.Now()
	}
}
