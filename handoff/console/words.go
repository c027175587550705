package console

import (
	"strings"
	"time"
	"unicode/utf8"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/people"
)

// A reader is a person at the desk, with the texts in their language.
type reader struct {
	people.Person
	locale.Texts
}

// opened is the line that says how a ticket began.
func (p reader) opened(t handoff.Ticket) string {
	switch t.Reason {
	case handoff.ReasonSteppedIn:
		return p.Say("opened_stepped_in")
	case bot.ReasonPersonHasIt:
		return p.Say("opened_waited")
	}
	return p.Say("opened_by_bot", "why", p.One("reason_", string(t.Reason)))
}

// present says who else has a ticket open.
func (p reader) present(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return p.Say("present_one", "who", names[0])
	}
	return p.Say("present_many", "who", strings.Join(names, ", "))
}

// done says what an action did, by the name that stands in the address after it.
func (p reader) done(name string) string { return p.Texts["done_"+strings.ReplaceAll(name, "-", "_")] }

// slaView is what somebody owes a customer, and when.
type slaView struct {
	Words string
	Class string // soon, late or ""
	Due   string // RFC 3339, "" if nothing is owed
	Of    int64  // seconds from the question to the promise's end
}

// sla is what is sla on a ticket at now. The last fifth of a promise is soon.
func (p reader) sla(t handoff.Ticket, now time.Time) slaView {
	switch {
	case t.State == handoff.StateClosed:
		return slaView{Words: p.Say("owed_closed")}
	case t.WaitingSince.IsZero():
		return slaView{Words: p.Say("owed_theirs")}
	}
	of, left := t.DueAt.Sub(t.WaitingSince), t.DueAt.Sub(now)
	o := slaView{Words: p.Say("owed_in", "span", p.span(left)), Due: t.DueAt.UTC().Format(time.RFC3339), Of: int64(of.Seconds())}
	switch {
	case left < 0:
		o.Words, o.Class = p.Say("owed_late", "span", p.span(-left)), "late"
	case left <= of/5:
		o.Class = "soon"
	}
	return o
}

// thing says what an attachment is and what stands in it: "Order: 2 × shirt".
func (p reader) thing(a bot.Attachment) string {
	kind := p.One("kind_", a.Kind)
	if a.Name == "" {
		return kind
	}
	return kind + ": " + a.Name
}

// span is a length of time in its two largest units.
func (p reader) span(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	switch {
	case minutes >= 24*60:
		return p.Say("span_days", "d", minutes/(24*60), "h", minutes/60%24)
	case minutes >= 60:
		return p.Say("span_hours", "h", minutes/60, "m", minutes%60)
	}
	return p.Say("span_minutes", "m", minutes)
}

// channelIcon is the icon of a channel by its name.
func channelIcon(channel string) string {
	n, _ := accounts.NetworkOf(channel)
	return n.Icon
}

// cut is s in at most most characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
