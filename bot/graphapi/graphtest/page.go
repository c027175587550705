package graphtest

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// entry is a webhook body of Messenger or Instagram with one event.
func (a *Account) entry(events ...any) map[string]any {
	kind := "page"
	if a.o.Kind == Instagram {
		kind = "instagram"
	}
	return map[string]any{"object": kind, "entry": []any{map[string]any{"id": a.o.ID, "time": time.Now().UnixMilli(), "messaging": events}}}
}

// page carries out POST /{page}/messages.
func (a *Account) page(ctx context.Context, p map[string]any) (any, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.announce()
	id := text(p, "recipient", "id")
	c := a.customers[id]
	switch {
	case id == "":
		return nil, bad(100, "The parameter recipient is required")
	case c == nil || c.heard.IsZero():
		return nil, &refusal{status: 400, code: 100, subcode: 2018001, message: "(#100) No matching user found"}
	case c.blocked:
		return nil, &refusal{status: 400, code: 551, subcode: 1545041, message: "(#551) This person isn't available right now."}
	case p["message"] != nil && p["sender_action"] != nil:
		return nil, bad(100, "message and sender_action cannot be sent together")
	case p["sender_action"] != nil:
		if text(p, "sender_action") == "typing_on" {
			c.typing++
		}
		return map[string]any{"recipient_id": id}, nil
	}
	m := &Sent{Customer: id, Opaque: text(p, "message", "metadata"), Tag: text(p, "tag"), At: time.Now()}
	if failed := a.pageContent(object(p, "message"), m); failed != nil {
		return nil, failed
	}
	if failed := a.pageWindow(p, c, m); failed != nil {
		return nil, failed
	}
	m.ID = a.id("m_")
	c.sent, c.last = append(c.sent, m), m.At
	close(c.changed)
	c.changed = make(chan struct{})
	a.tellPage(ctx, p, m, c)
	return map[string]any{"recipient_id": id, "message_id": m.ID}, nil
}

// pageWindow checks the window and what a message says to be within it.
func (a *Account) pageWindow(p map[string]any, c *customer, m *Sent) *refusal {
	age := m.At.Sub(c.heard)
	switch kind := text(p, "messaging_type"); {
	case kind == "MESSAGE_TAG" && m.Tag != "HUMAN_AGENT":
		return bad(100, "Invalid tag")
	case kind == "MESSAGE_TAG" && a.moods.NoAgent:
		return &refusal{status: 403, code: 10, subcode: 2018336, message: "(#10) Human Agent is not approved"}
	case kind == "MESSAGE_TAG" && age <= 7*24*time.Hour:
		return nil
	case kind != "RESPONSE" && kind != "UPDATE" && kind != "MESSAGE_TAG":
		return bad(100, "messaging_type")
	case age <= 24*time.Hour:
		return nil
	}
	subcode := 2018278
	if a.o.Kind == Instagram {
		subcode = 2534022
	}
	return &refusal{status: 400, code: 10, subcode: subcode, message: "(#10) This message is sent outside of allowed window."}
}

func (a *Account) pageContent(o map[string]any, m *Sent) *refusal {
	m.Type, m.Text = "text", text(o, "text")
	attachment := object(o, "attachment")
	if (m.Text == "") == (attachment == nil) {
		return bad(100, "either text or attachment")
	}
	if attachment != nil {
		if failed := a.attached(attachment, m); failed != nil {
			return failed
		}
	}
	if len(m.Opaque) > 1000 {
		return bad(100, "metadata is too long")
	}
	if a.o.Kind == Instagram && len(m.Text) > 1000 || units(m.Text) > 2000 {
		return bad(100, "Length of param message[text] must be less than or equal to the limit")
	}
	if replies := list(o, "quick_replies"); len(replies) > 0 {
		m.Type = "quick_replies"
		for _, r := range replies {
			b := Button{Title: text(r, "title"), Payload: text(r, "payload")}
			if text(r, "content_type") != "text" || b.Title == "" || units(b.Title) > 20 || b.Payload == "" || len(b.Payload) > 1000 {
				return bad(100, "quick reply")
			}
			m.Buttons = append(m.Buttons, b)
		}
		if len(replies) > 13 {
			return bad(100, "too many quick replies")
		}
	}
	return nil
}

// tellPage posts the echo and the receipts of m, in the account's moods. a.mu is held.
func (a *Account) tellPage(ctx context.Context, p map[string]any, m *Sent, c *customer) {
	if !a.moods.NoEcho {
		message := map[string]any{"is_echo": true, "mid": m.ID}
		if !a.moods.Bare {
			app, _ := strconv.ParseInt(a.o.AppID, 10, 64)
			message["app_id"] = app
			if m.Opaque != "" {
				message["metadata"] = m.Opaque
			}
		}
		if m.Text != "" {
			message["text"] = m.Text
		}
		if o := object(object(p, "message"), "attachment"); o != nil {
			message["attachments"] = []any{o}
		}
		if a.moods.Early > 0 && len(c.sent)%a.moods.Early == 0 {
			a.first(ctx, a.entry(a.echoOf(c.id, message)))
		} else {
			a.echo(c.id, message)
		}
	}
	from := map[string]any{"sender": map[string]any{"id": c.id}, "recipient": map[string]any{"id": a.o.ID}, "timestamp": m.At.UnixMilli()}
	delivery, read := map[string]any{"delivery": map[string]any{"mids": []any{m.ID}, "watermark": m.At.UnixMilli()}}, map[string]any{"read": map[string]any{"watermark": m.At.UnixMilli()}}
	if a.o.Kind == Instagram {
		read = map[string]any{"read": map[string]any{"mid": m.ID}}
	}
	for name, v := range from {
		delivery[name], read[name] = v, v
	}
	if a.o.Kind != Instagram {
		a.enqueue("delivery "+m.ID, a.entry(delivery))
	}
	a.enqueue("read "+m.ID, a.entry(read))
}

func (a *Account) echoOf(customer string, message map[string]any) map[string]any {
	return map[string]any{"sender": map[string]any{"id": a.o.ID}, "recipient": map[string]any{"id": customer},
		"timestamp": time.Now().UnixMilli(), "message": message}
}

func (a *Account) echo(customer string, message map[string]any) {
	a.enqueue(fmt.Sprint("echo ", message["mid"]), a.entry(a.echoOf(customer, message)))
}
