package graphtest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
)

// BSUID is the business-scoped user ID that stands for a customer on WhatsApp.
func BSUID(phone string) string { return "US." + strings.TrimPrefix(phone, "US.") }

// recipient is the customer that a call writes to, "" if it writes to nobody.
func (a *Account) recipient(p map[string]any) string {
	if a.o.Kind != WhatsApp {
		if p["message"] == nil {
			return ""
		}
		return text(p, "recipient", "id")
	}
	if to := text(p, "to"); to != "" {
		return strings.TrimPrefix(to, "+")
	}
	id := text(p, "recipient")
	for phone := range a.customers {
		if BSUID(phone) == id {
			return phone
		}
	}
	return id
}

// text is the text at a path of objects, "" if there is none.
func text(v any, path ...string) string {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

func object(v any, name string) map[string]any {
	m, _ := v.(map[string]any)
	o, _ := m[name].(map[string]any)
	return o
}

func list(v any, name string) []any {
	m, _ := v.(map[string]any)
	l, _ := m[name].([]any)
	return l
}

// units is the length of s in UTF-16 units: what is not documented is counted in the strictest way.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// whatsapp carries out POST /{number}/messages.
func (a *Account) whatsapp(ctx context.Context, p map[string]any) (any, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.announce()
	if text(p, "messaging_product") != "whatsapp" {
		return nil, bad(100, "The parameter messaging_product is required.")
	}
	if text(p, "status") == "read" {
		return a.markRead(p)
	}
	id := a.recipient(p)
	if id == "" {
		return nil, bad(131009, "Parameter value is not valid")
	}
	m := &Sent{Customer: id, Context: text(p, "context", "message_id"), Opaque: text(p, "biz_opaque_callback_data"), At: time.Now()}
	if failed := a.content(p, m); failed != nil {
		return nil, failed
	}
	if len(m.Opaque) > 512 {
		return nil, bad(131009, "biz_opaque_callback_data is too long")
	}
	c := a.customer(id)
	if a.moods.Paced && m.At.Sub(c.last) < 6*time.Second {
		return nil, bad(131056, "Pair rate limit hit")
	}
	closed := m.Type != "template" && m.At.Sub(c.heard) > 24*time.Hour
	if closed && !a.moods.Async {
		return nil, bad(131047, "Re-engagement message")
	}
	m.ID = a.id("wamid.HBg/+")
	c.last = m.At
	answer := map[string]any{"messaging_product": "whatsapp", "contacts": []any{map[string]any{"input": text(p, "to"), "wa_id": id}},
		"messages": []any{map[string]any{"id": m.ID}}}
	late := a.matchFault("messages", id, true)
	switch {
	case late != nil:
		a.fails(m, late.Code, "Failed")
	case strings.HasPrefix(text(p, "to"), "US."): // reported to be dropped without a word
	case closed:
		a.fails(m, 131047, "Re-engagement message")
	case a.unusable(m):
		a.fails(m, 131053, "Media upload error")
	case c.blocked || c.heard.IsZero() && m.Type != "template":
		a.fails(m, 131026, "Message undeliverable")
	default:
		c.sent = append(c.sent, m)
		close(c.changed)
		c.changed = make(chan struct{})
		a.tell(ctx, m, c)
	}
	return answer, nil
}

func (a *Account) markRead(p map[string]any) (any, *refusal) {
	id := text(p, "message_id")
	if !a.seen[id] {
		return nil, bad(131009, "Parameter value is not valid")
	}
	if object(p, "typing_indicator") != nil {
		for _, c := range a.customers {
			if strings.Contains(id, "."+c.id+".") {
				c.typing++
			}
		}
	}
	return map[string]any{"success": true}, nil
}

// content checks what is to be sent and fills m with it.
func (a *Account) content(p map[string]any, m *Sent) *refusal {
	if to := text(p, "to"); to != "" && !regexp.MustCompile(`^(\+[0-9]{5,20}|US\..*)$`).MatchString(to) {
		return bad(131009, "Parameter value is not valid: to needs a leading +")
	}
	m.Type = text(p, "type")
	o := object(p, m.Type)
	if o == nil {
		return bad(131008, "Required parameter is missing")
	}
	switch m.Type {
	case "text":
		m.Text = text(o, "body")
		return within(4096, m.Text)
	case "interactive":
		return interactive(o, m)
	case "image", "video", "audio", "document", "sticker":
		return a.fileContent(o, m)
	case "template":
		return a.template(o, m)
	}
	return bad(131009, "Parameter value is not valid: type")
}

func within(most int, s string) *refusal {
	if strings.TrimSpace(s) == "" || units(s) > most {
		return bad(131009, "Parameter value is not valid: 1 to %d characters", most)
	}
	return nil
}

func interactive(o map[string]any, m *Sent) *refusal {
	m.Text = text(o, "body", "text")
	action := object(o, "action")
	switch text(o, "type") {
	case "button":
		m.Type = "buttons"
		for _, b := range list(action, "buttons") {
			m.Buttons = append(m.Buttons, Button{Title: text(b, "reply", "title"), Payload: text(b, "reply", "id")})
		}
		if failed := within(1024, m.Text); failed != nil {
			return failed
		}
		return choices(m.Buttons, 3, 20, 256)
	case "list":
		m.Type = "list"
		sections := list(action, "sections")
		for _, s := range sections {
			if len(sections) > 1 && text(s, "title") == "" || units(text(s, "title")) > 24 {
				return bad(131009, "section title")
			}
			for _, row := range list(s, "rows") {
				m.Buttons = append(m.Buttons, Button{Title: text(row, "title"), Payload: text(row, "id"), Description: text(row, "description")})
			}
		}
		if failed := within(20, text(action, "button")); failed != nil {
			return failed
		}
		if failed := within(4096, m.Text); failed != nil {
			return failed
		}
		return choices(m.Buttons, 10, 24, 200)
	}
	return bad(131009, "interactive type")
}

// choices checks buttons or rows: how many, how long their titles and IDs, and that no two are alike.
func choices(buttons []Button, most, title, id int) *refusal {
	if len(buttons) == 0 || len(buttons) > most {
		return bad(131009, "1 to %d choices", most)
	}
	titles, ids := map[string]bool{}, map[string]bool{}
	for _, b := range buttons {
		if strings.TrimSpace(b.Title) == "" || units(b.Title) > title || b.Payload == "" || len(b.Payload) > id || units(b.Description) > 72 {
			return bad(131009, "a choice's title, id or description is missing or too long")
		}
		if titles[b.Title] || ids[b.Payload] {
			return bad(131009, "two choices are alike")
		}
		titles[b.Title], ids[b.Payload] = true, true
	}
	return nil
}

func (a *Account) template(o map[string]any, m *Sent) *refusal {
	for _, t := range a.templates {
		if t.Name != text(o, "name") || t.Language != text(o, "language", "code") {
			continue
		}
		if t.Status != "APPROVED" {
			return bad(132015, "Template is paused")
		}
		m.Text = t.Body
		n := 0
		for _, c := range list(o, "components") {
			for i, v := range list(c, "parameters") {
				name := text(v, "parameter_name")
				if t.Named == (name == "") {
					return bad(132012, "Template parameter format mismatch")
				}
				if name == "" {
					name = fmt.Sprint(i + 1)
				}
				m.Text = strings.ReplaceAll(m.Text, "{{"+name+"}}", text(v, "text"))
				n++
			}
		}
		if strings.Contains(m.Text, "{{") || n != strings.Count(t.Body, "{{") {
			return bad(132000, "Template parameter count mismatch")
		}
		return nil
	}
	return &refusal{status: http.StatusNotFound, code: 132001, message: "(#132001) Template name does not exist in the translation"}
}

// tell posts sent, delivered and read for m, in the account's moods. a.mu is held.
func (a *Account) tell(ctx context.Context, m *Sent, c *customer) {
	kinds := []string{"sent", "delivered", "read"}
	if a.moods.Shuffle {
		rand.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	}
	for i, kind := range kinds {
		s := map[string]any{"id": m.ID, "status": kind, "timestamp": fmt.Sprint(m.At.Unix()), "recipient_id": c.id,
			"recipient_user_id": BSUID(c.id), "pricing": map[string]any{"billable": false, "category": "service"}}
		if m.Opaque != "" {
			s["biz_opaque_callback_data"] = m.Opaque
		}
		body := a.value(map[string]any{"statuses": []any{s}})
		if i == 0 && a.moods.Early > 0 && len(c.sent)%a.moods.Early == 0 {
			a.first(ctx, body)
			continue
		}
		a.enqueue("status "+m.ID+kind, body)
	}
}

// first posts v before the call in hand is answered. a.mu is held, and not meanwhile.
func (a *Account) first(ctx context.Context, v any) {
	hook := a.hook
	a.mu.Unlock()
	status := 0
	if hook != "" {
		status, _ = a.postBody(ctx, hook, Encode(v))
	}
	a.mu.Lock()
	if status != http.StatusOK {
		a.enqueue(fmt.Sprint("late ", a.id("")), v)
	}
}

func (a *Account) fails(m *Sent, code int, title string) {
	s := map[string]any{"id": m.ID, "status": "failed", "timestamp": fmt.Sprint(m.At.Unix()), "recipient_id": m.Customer,
		"errors": []any{map[string]any{"code": code, "title": title, "message": title, "error_data": map[string]any{"details": title}}}}
	if m.Opaque != "" {
		s["biz_opaque_callback_data"] = m.Opaque
	}
	a.enqueue("status "+m.ID, a.value(map[string]any{"statuses": []any{s}}))
}

// value is a webhook body with one change of field messages.
func (a *Account) value(v map[string]any) map[string]any {
	v["messaging_product"] = "whatsapp"
	v["metadata"] = map[string]any{"display_phone_number": "15550100", "phone_number_id": a.o.ID}
	return map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": a.o.Business,
		"changes": []any{map[string]any{"field": "messages", "value": v}}}}}
}

// Body is a webhook body of WhatsApp with one change of field messages that holds v.
func (a *Account) Body(v map[string]any) []byte { return Encode(a.value(maps.Clone(v))) }

// Message is a customer's message as WhatsApp writes it, with its contact. content is the part that
// its type names: {"type": "text", "text": {…}}.
func (a *Account) Message(phone string, content map[string]any) (message, contact map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.messageFrom(phone, content)
}

func (a *Account) messageFrom(phone string, content map[string]any) (message, contact map[string]any) {
	c := a.customer(phone)
	c.heard, c.blocked = time.Now(), false
	m := maps.Clone(content)
	m["id"] = a.id("wamid." + phone + ".")
	a.seen[m["id"].(string)] = true
	m["timestamp"] = fmt.Sprint(time.Now().Unix())
	m["from_user_id"] = BSUID(phone)
	contact = map[string]any{"profile": map[string]any{"name": "Customer"}, "user_id": BSUID(phone)}
	if !c.hidden && !strings.HasPrefix(phone, "US.") {
		m["from"], contact["wa_id"] = phone, phone
	}
	if c.referral != nil {
		m["referral"] = c.referral
		c.referral = nil
	}
	return m, contact
}
