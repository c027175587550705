package whatsapp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/lenient"
	"faqbot/knowledge/plaintext"
)

// choiceMost is the longest payload that our buttons carry, in bytes.
const choiceMost = 64

// Decode turns a webhook body, up to a thousand messages and statuses in any mixture, into events. An
// element that cannot be read is an Undecodable, and the others are events all the same. It depends on body
// alone.
func (c *Channel) Decode(body []byte) ([]bot.Event, error) {
	if events, ok := c.decodeWhole(body); ok {
		return events, nil
	}
	return c.decodeParts(body)
}

// decodeWhole reads a body of messages and statuses in which nothing is amiss, as nearly all are, at
// once. Reading its parts one by one takes four times as long: each level is scanned again.
func (c *Channel) decodeWhole(body []byte) (events []bot.Event, ok bool) {
	var e wholeEnvelope
	if lenient.Parse(body, &e) != nil || e.Object != "whatsapp_business_account" {
		return nil, false
	}
	d := newDecoding(c)
	for _, entry := range e.Entry {
		for _, change := range entry.Changes {
			v := change.Value
			if change.Field != "messages" || v.Metadata.Number != c.number || len(v.Errors) > 0 {
				return nil, false
			}
			for _, m := range v.Messages {
				if d.message(named(m, v.Contacts), false) != nil {
					return nil, false
				}
			}
			for _, s := range v.Statuses {
				if d.status(s) != nil {
					return nil, false
				}
			}
		}
	}
	return d.Events, true
}

// decodeParts reads a body part by part, so that one which cannot be read harms no other.
func (c *Channel) decodeParts(body []byte) ([]bot.Event, error) {
	var e envelope
	if err := lenient.Parse(body, &e); err != nil {
		return nil, fmt.Errorf("whatsapp: %w", err)
	}
	if e.Object != "whatsapp_business_account" {
		return nil, errors.New("whatsapp: the body is not about a WhatsApp Business Account: is the webhook of another product set to this address?")
	}
	d := newDecoding(c)
	lenient.Each(&d.Decoding, e.Entry, func(_ json.RawMessage, e entry) error {
		lenient.Each(&d.Decoding, e.Changes, d.change)
		return nil
	})
	return d.Events, nil
}

// A decoding gathers the events of one body.
type decoding struct {
	lenient.Decoding[bot.Event]
	channel *Channel
}

func newDecoding(c *Channel) *decoding {
	return &decoding{channel: c, Decoding: lenient.Decoding[bot.Event]{Undecodable: func(raw json.RawMessage, err error) bot.Event {
		return bot.Event{Undecodable: &bot.Undecodable{Body: raw, Reason: "whatsapp: " + err.Error()}}
	}}}
}

// one is do without the element as it came.
func one[T any](do func(T) error) func(json.RawMessage, T) error {
	return func(_ json.RawMessage, v T) error { return do(v) }
}

// change reads one change. Fields that tell of no customer are skipped, but for what happens to the account.
func (d *decoding) change(raw json.RawMessage, c change) error {
	switch c.Field {
	case "messages", "smb_message_echoes", "standby", "user_id_update", "messaging_handovers", "user_preferences":
	case "account_update", "account_review_update", "account_alerts":
		return accountTrouble(c.Value)
	default:
		return nil
	}
	var v value
	return d.Read(lenient.Parse(c.Value, &v), func() error { return d.value(raw, c.Field, v) })
}

func (d *decoding) value(raw json.RawMessage, field string, v value) error {
	if n := v.Metadata.Number; n != "" && n != d.channel.number {
		if len(v.Messages) > 0 {
			return fmt.Errorf("messages to the phone number ID %s, which is another than this account's: give that number a webhook of its own", digits(n))
		}
		return nil
	}
	for _, p := range v.Errors {
		if len(v.Messages) == 0 {
			d.Events = append(d.Events, d.Undecodable(raw, fmt.Errorf("the error %d is reported for this number", p.Code)))
		}
	}
	overheard := field == "standby"
	if overheard && v.Standby != nil { // another program has the customer: its statuses are not ours
		v.Contacts, v.Messages, v.Echoes, v.Statuses = v.Standby.Contacts, v.Standby.Messages, v.Standby.Echoes, nil
	}
	lenient.Each(&d.Decoding, v.Messages, func(raw json.RawMessage, m message) error {
		if m.ID == "" { // its words are worth more than its name
			m.digest = digest(raw)
		}
		return d.message(named(m, v.Contacts), overheard)
	})
	lenient.Each(&d.Decoding, v.Echoes, func(_ json.RawMessage, e echo) error { return d.echo(e, overheard) })
	lenient.Each(&d.Decoding, v.Statuses, one(d.status))
	switch field {
	case "user_id_update":
		d.moves(v.Moves)
	case "messaging_handovers":
		d.handover(v)
	case "user_preferences":
		lenient.Each(&d.Decoding, v.Preferences, one(d.preference))
	}
	return nil
}

// digest names a message that has no name: the same again has the same.
func digest(raw json.RawMessage) string {
	sum := sha256.Sum256(raw)
	return "message:" + hex.EncodeToString(sum[:16])
}

// named is m with its sender's name, and with a sender, if the contacts beside it can only mean them.
func named(m message, contacts []profile) message {
	if m.From == "" && m.UserID == "" && len(contacts) == 1 {
		m.From, m.UserID = contacts[0].Phone, contacts[0].UserID
	}
	for _, c := range contacts {
		if c.Phone != "" && c.Phone == m.From || c.UserID != "" && c.UserID == m.UserID {
			m.sender = string(c.Profile.Name)
		}
	}
	return m
}

// accountTrouble is what WhatsApp says against our account, nil if that is nothing to act on.
func accountTrouble(raw json.RawMessage) error {
	var a account
	_ = lenient.Parse(raw, &a) // what cannot be read of it is not told
	var said []string
	for _, r := range a.Restrictions {
		words := r.Type
		if !r.Expires.IsZero() {
			words += " until " + r.Expires.Format(time.DateOnly)
		}
		said = append(said, words)
	}
	said = append(said, a.Violation.Type, strings.TrimSpace(a.Ban.State+" "+a.Ban.At), a.Alert.Type, a.Alert.Description)
	said = slices.DeleteFunc(said, func(s string) bool { return s == "" })
	what := cmp.Or(a.Event, a.Alert.Severity)
	if a.Decision != "" && a.Decision != "APPROVED" {
		what = "ACCOUNT_REVIEW " + a.Decision
	}
	harmless := []string{"", "INFO", "INFORMATIONAL", "VERIFIED_ACCOUNT", "PHONE_NUMBER_ADDED", "PARTNER_ADDED", "PARTNER_APP_INSTALLED", "ACCOUNT_OFFBOARDED_CLEARED", "REINSTATE"}
	if slices.Contains(harmless, what) && len(said) == 0 || a.Ban.State == "REINSTATE" || what == "INFO" {
		return nil
	}
	const longest = 250
	text := what
	if len(said) > 0 {
		text += ": " + strings.Join(said, "; ")
	}
	return fmt.Errorf("WhatsApp acts against this account (%s): see WhatsApp Manager", plaintext.Cut(text, longest))
}

// digits is n if it is an ID, so that nothing else is quoted.
func digits(n string) string {
	if len(n) > 32 || strings.Trim(n, "0123456789") != "" {
		return "(malformed)"
	}
	return n
}

// who is a customer's address and stable ID, by the names that a message has for them.
func (d *decoding) who(phone, userID string) (a bot.Address, stable string, ok bool) {
	if isUserID(phone) { // some senders put it there
		userID, phone = phone, ""
	}
	a = bot.Address{Channel: d.channel.account.Channel, Account: d.channel.account.ID, Customer: phone}
	if isUserID(userID) {
		stable = userID
	}
	if !isPhone(phone) {
		a.Customer = stable
	}
	return a, stable, a.Customer != ""
}

// message reads one message. Those to groups are not for us.
func (d *decoding) message(m message, overheard bool) error {
	if m.Group != "" {
		return nil
	}
	if m.System != nil && m.From == "" && m.UserID == "" {
		m.UserID = m.System.Previous
	}
	address, stable, ok := d.who(m.From, m.UserID)
	if !ok {
		return errors.New("a message without a sender")
	}
	id := cmp.Or(m.ID, m.digest)
	if id == "" {
		return errors.New("a message without an ID")
	}
	e := bot.Event{Address: address, Stable: stable, ExternalID: id, At: m.At.Time, Standby: overheard, Name: m.sender, Referral: m.Referral.referral()}
	if isPhone(m.From) {
		e.Phone = m.From
	}
	if overheard { // the same message may come as ours later
		e.ExternalID = "standby:" + id
	}
	if e.Referral != nil && e.Referral.Source == "ad" {
		e.Opens = bot.WindowEntry
	}
	switch {
	case m.Edit != nil:
		if m.Edit.Message == nil {
			return errors.New("an edit without a message")
		}
		e.Edit = &bot.Edit{NetworkID: m.Edit.Original, Text: m.Edit.Message.inbound().Text}
		if e.Edit.Text == "" { // it takes no words away
			return nil
		}
	case m.Revoke != nil:
		e.Edit = &bot.Edit{NetworkID: m.Revoke.Original, Gone: true}
	case m.System != nil:
		return d.system(e, m)
	case m.Type == "reaction" || m.Reaction != nil:
		e.Interaction = &bot.Interaction{}
		if m.Reaction != nil && m.Reaction.Emoji != "" { // taken back, it opens nothing
			e.Opens = bot.WindowReaction
		}
	case m.Interactive != nil && m.Interactive.Call != nil:
		e.Interaction = &bot.Interaction{}
	case m.Text != nil && m.Text.Body == "":
		return errors.New("a text without words")
	default:
		m.said(&e)
	}
	d.Events = append(d.Events, e)
	return nil
}

// said makes e what the customer said, and what that is about.
func (m *message) said(e *bot.Event) {
	e.Message = m.inbound()
	e.Message.NetworkID = m.ID
	if e.Message.Choice == "" && m.Button == nil { // a tap says by itself what it is about
		e.Message.Attachments = append(e.Message.Attachments, m.Context.attachments()...)
	}
	if e.Referral == nil {
		e.Message.Text, e.Referral = linkRef(e.Message.Text)
		if e.Referral != nil && e.Message.Text == "" { // the link and nothing else: they begin
			e.Message.Text = "/start"
		}
	}
}

// system reads what WhatsApp says of a customer by itself: that they have another number or user ID.
func (d *decoding) system(e bot.Event, m message) error {
	to := bot.AddressChanged{}
	if phone := cmp.Or(m.System.Phone, m.System.OldPhone); isPhone(phone) {
		to.Customer = phone
	}
	if isUserID(m.System.UserID) {
		to.Stable = m.System.UserID
	}
	if m.System.Type != "user_changed_number" && m.System.Type != "user_changed_user_id" || to == (bot.AddressChanged{}) {
		return nil
	}
	e.AddressChanged, e.Referral = &to, nil
	d.Events = append(d.Events, e)
	return nil
}

// moves reads the field user_id_update, which is a list, or one.
func (d *decoding) moves(raw json.RawMessage) {
	var list []json.RawMessage
	if len(raw) == 0 {
		return
	}
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	lenient.Each(&d.Decoding, list, func(_ json.RawMessage, m move) error {
		if !isUserID(m.UserID.Previous) || !isUserID(m.UserID.Current) {
			return errors.New("a change of a user ID without both IDs")
		}
		address, _, _ := d.who(m.Phone, m.UserID.Previous)
		d.Events = append(d.Events, bot.Event{Address: address, Stable: m.UserID.Previous, AddressChanged: &bot.AddressChanged{Stable: m.UserID.Current}})
		return nil
	})
}

// handover reads that another program left a customer to us. That one takes them shows by itself: what
// they write comes on the field standby then.
func (d *decoding) handover(v value) {
	address, stable, ok := d.who(v.Sender.Phone, v.Sender.UserID)
	if v.Type != "control_passed" || v.Recipient.Number != d.channel.number || !ok {
		return
	}
	d.Events = append(d.Events, bot.Event{Address: address, Stable: stable, At: v.At.Time, ControlPassed: &bot.ControlPassed{}})
}

// preference reads whether a customer wants advertising. What else they may choose is not known yet.
func (d *decoding) preference(p preference) error {
	address, stable, ok := d.who(p.Phone, p.UserID)
	if !ok {
		return errors.New("a preference without a customer")
	}
	if p.Category != "marketing_messages" || p.Value == "" {
		return nil
	}
	d.Events = append(d.Events, bot.Event{Address: address, Stable: stable, ExternalID: "preference:" + address.Customer + ":" + p.Value, At: p.At.Time,
		Consent: &bot.Consent{Marketing: p.Value != "stop"}})
	return nil
}

// echo reads what somebody else wrote to a customer.
func (d *decoding) echo(e echo, overheard bool) error {
	to, userID, said := e.To, e.UserID, e.content
	if e.Message != nil {
		to, userID, said = e.Message.To, e.Message.UserID, e.Message.content
	}
	address, stable, ok := d.who(to, userID)
	if !ok || e.ID == "" {
		return errors.New("an echo without an ID or a recipient")
	}
	if said.Type == "edit" || said.Type == "revoke" {
		return nil
	}
	in := said.inbound()
	event := bot.Event{Address: address, Stable: stable, ExternalID: "echo:" + e.ID, At: e.At.Time, Standby: overheard,
		Echo: &bot.Echo{NetworkID: e.ID, Text: in.Text, Attachments: in.Attachments}}
	if isPhone(to) {
		event.Phone = to
	}
	d.Events = append(d.Events, event)
	return nil
}

// status reads what became of a message of ours. Kinds that are not known change nothing.
func (d *decoding) status(s status) error {
	if s.ID == "" {
		return errors.New("a status without an ID")
	}
	u := &bot.StatusUpdate{NetworkID: s.ID, Delivery: graphapi.DeliveryID(s.Opaque)}
	switch s.Status {
	case "sent":
		u.Status = bot.StatusSent
	case "delivered":
		u.Status = bot.StatusReached
	case "read", "played":
		u.Status = bot.StatusRead
	case "failed":
		u.Status, u.Failure = bot.StatusFailed, bot.SendRefused
		if len(s.Errors) > 0 {
			refusal := &graphapi.Error{Code: s.Errors[0].Code}
			u.Failure, u.Code = refusal.Kind(), fmt.Sprint(refusal.Code)
		}
	default:
		return nil
	}
	if s.Kind == "group" {
		return nil
	}
	address, stable, _ := d.who(s.To, s.UserID)
	d.Events = append(d.Events, bot.Event{Address: address, Stable: stable, ExternalID: s.ID + ":" + s.Status, At: s.At.Time, Status: u})
	return nil
}

// attachments are what a message is about.
func (a *about) attachments() (list []bot.Attachment) {
	if a == nil {
		return nil
	}
	if a.Product != nil && a.Product.Retailer != "" {
		list = append(list, bot.Attachment{Kind: bot.KindProduct, Name: a.Product.Retailer})
	} else if a.ID != "" {
		list = append(list, bot.Attachment{Kind: bot.KindReply, Of: a.ID})
	}
	return list
}

func (r *referral) referral() *bot.Referral {
	if r == nil {
		return nil
	}
	return &bot.Referral{Source: r.Source, ID: r.ID, Click: r.Click, URL: r.URL, Title: r.Title}
}

// linkRef takes "(ref: CODE)" out of a text. Links to WhatsApp carry no parameter, so the code stands
// in the text that they fill in, where customers may change it.
func linkRef(text string) (rest string, came *bot.Referral) {
	if !strings.ContainsAny(text, "([") {
		return text, nil
	}
	mark := regexp.MustCompile(`(?i)\s*[(\[]\s*ref\s*[:=.]?\s*([A-Za-z0-9_-]{1,32})\s*[)\]]\s*`)
	m := mark.FindStringSubmatchIndex(text)
	if m == nil {
		return text, nil
	}
	return strings.TrimSpace(text[:m[0]] + " " + text[m[1]:]), &bot.Referral{Ref: text[m[2]:m[3]], Source: "link"}
}
