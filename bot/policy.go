package bot

import "time"

// SendRefusal is nil when the network lets us write to the customer at now; with the network's limits,
// when it lets a person of ours.
func (c Conversation) SendRefusal(now time.Time, l Limits) *SendError {
	until := c.WindowFor(l)
	switch {
	case c.Unreachable:
		return &SendError{Kind: SendBlocked, Code: "the customer has blocked this account"}
	case !until.IsZero() && now.After(until):
		return &SendError{Kind: SendWindowClosed, Code: "until the customer writes again"}
	}
	return nil
}

// WindowFor is when the window closes for people of ours, zero if it never does.
func (c Conversation) WindowFor(l Limits) time.Time {
	if c.WindowUntil.IsZero() || l.Person <= l.Window {
		return c.WindowUntil
	}
	return c.WindowUntil.Add(l.Person - l.Window)
}

// TemplateRefusal is why a template may not be sent to a customer who opted out, nil if it may.
func (c Conversation) TemplateRefusal(t *Filled) *SendError {
	if t != nil && (c.OptOut == OptOutAll || c.OptOut == OptOutMarketing && t.Marketing) {
		return &SendError{Kind: SendUnwanted, Code: string(c.OptOut)}
	}
	return nil
}
