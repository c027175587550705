package graphtest

import (
	"maps"
	"time"
)

// Say has a customer write words, and returns the network's ID of the message.
func (a *Account) Say(customer, words string) (id string) {
	if a.o.Kind == WhatsApp {
		return a.SayMessage(customer, map[string]any{"type": "text", "text": map[string]any{"body": words}})
	}
	return a.SayMessage(customer, map[string]any{"text": words})
}

// SayMessage has a customer send a message in the network's own shape: WhatsApp's without sender, ID
// and time, Messenger's "message" without its ID.
func (a *Account) SayMessage(customer string, content map[string]any) (id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.o.Kind == WhatsApp {
		m, contact := a.messageFrom(customer, content)
		id := m["id"].(string)
		a.enqueueEvent("from "+customer, id, a.value(map[string]any{"messages": []any{m}, "contacts": []any{contact}}))
		return id
	}
	m := maps.Clone(content)
	m["mid"] = a.id("m_")
	c := a.customer(customer)
	if c.referral != nil {
		m["referral"] = c.referral
		c.referral = nil
	}
	id = m["mid"].(string)
	a.postEvent(customer, id, map[string]any{"message": m})
	return id
}

// Edit has a customer change the words of their message, for the first time, and returns the network's
// ID of that. Messenger has none: there it is "edit:MESSAGE:1".
func (a *Account) Edit(customer, message, words string) (id string) {
	if a.o.Kind == WhatsApp {
		return a.SayMessage(customer, map[string]any{"type": "edit", "edit": map[string]any{"original_message_id": message,
			"message": map[string]any{"type": "text", "text": map[string]any{"body": words}}}})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id = "edit:" + message + ":1"
	a.postEvent(customer, id, map[string]any{"message_edit": map[string]any{"mid": message, "text": words, "num_edit": 1}})
	return id
}

// Tap has a customer tap a button under a message of ours.
func (a *Account) Tap(customer, messageID string, b Button) (id string) {
	if a.o.Kind != WhatsApp {
		return a.SayMessage(customer, map[string]any{"text": b.Title, "quick_reply": map[string]any{"payload": b.Payload}})
	}
	kind := "button_reply"
	for _, m := range a.Sent(customer) {
		if m.ID == messageID && m.Type == "list" {
			kind = "list_reply"
		}
	}
	reply := map[string]any{"id": b.Payload, "title": b.Title}
	if kind == "list_reply" && b.Description != "" {
		reply["description"] = b.Description
	}
	return a.SayMessage(customer, map[string]any{"type": "interactive", "context": map[string]any{"from": "15550100", "id": messageID},
		"interactive": map[string]any{"type": kind, kind: reply}})
}

// ComeBy has a customer's next message come with a referral, in the network's own shape.
func (a *Account) ComeBy(customer string, referral map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.customer(customer).referral = referral
}

// WriteInApp has a person of ours write to a customer past us: in the phone's app, or in the page's
// inbox.
func (a *Account) WriteInApp(customer, words string) (id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.o.Kind != WhatsApp {
		id = a.id("m_")
		a.echo(customer, map[string]any{"is_echo": true, "app_id": 26390203743090, "mid": id, "text": words})
		return id
	}
	id = a.id("wamid.")
	body := a.value(map[string]any{"contacts": []any{map[string]any{"wa_id": customer, "user_id": BSUID(customer)}},
		"message_echoes": []any{map[string]any{"from": "15550100", "to": customer, "to_user_id": BSUID(customer), "id": id,
			"timestamp": unix(time.Now()), "type": "text", "text": map[string]any{"body": words}}}})
	body["entry"].([]any)[0].(map[string]any)["changes"].([]any)[0].(map[string]any)["field"] = "smb_message_echoes"
	a.enqueue("echo "+id, body)
	return id
}

// Event has a customer cause an event of Messenger or Instagram: {"referral": {…}}, {"postback": {…}}.
func (a *Account) Event(customer string, event map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.postEvent(customer, "", event)
}

func (a *Account) postEvent(customer, id string, event map[string]any) {
	c := a.customer(customer)
	c.heard, c.blocked = time.Now(), false
	e := maps.Clone(event)
	e["sender"], e["recipient"] = map[string]any{"id": customer}, map[string]any{"id": a.o.ID}
	e["timestamp"] = time.Now().UnixMilli()
	a.enqueueEvent("from "+customer, id, a.entry(e))
}
