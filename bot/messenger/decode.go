package messenger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/lenient"
	"faqbot/knowledge/plaintext"
)

const (
	// startPayload is what the Get Started button says: payloads that begin with a slash are commands.
	startPayload = "/start"
	// choiceMost is the longest payload that our quick replies carry, in bytes.
	choiceMost = 64
	// maxWords is how much is kept of what Meta itself says, in characters.
	maxWords = 200
)

// Decode turns a webhook body into events. An element that cannot be read is an Undecodable, and the others
// are events all the same. It depends on body alone.
func (c *Channel) Decode(body []byte) ([]bot.Event, error) {
	var e envelope
	if err := lenient.Parse(body, &e); err != nil {
		return nil, c.errorf("%v", err)
	}
	want := "page"
	if c.instagram {
		want = "instagram"
	}
	if e.Object != want {
		return nil, c.errorf("the body is not about a %s: is the webhook of another product set to this address?", want)
	}
	d := decoding{channel: c, Decoding: lenient.Decoding[bot.Event]{Undecodable: func(raw json.RawMessage, err error) bot.Event {
		return bot.Event{Undecodable: &bot.Undecodable{Body: raw, Reason: c.errorf("%v", err).Error()}}
	}}}
	lenient.Each(&d.Decoding, e.Entry, func(_ json.RawMessage, e entry) error {
		lenient.Each(&d.Decoding, e.Messaging, d.event)
		lenient.Each(&d.Decoding, e.Standby, d.standby)
		return nil
	})
	return d.Events, nil
}

func (c *Channel) errorf(format string, args ...any) error {
	return fmt.Errorf(c.account.Channel+": "+format, args...)
}

// A decoding gathers the events of one body.
type decoding struct {
	lenient.Decoding[bot.Event]
	channel *Channel
}

// standby reads what happens while another program has the customer: it is kept and not answered.
func (d *decoding) standby(raw json.RawMessage, e event) error {
	if e.Message == nil {
		return nil
	}
	from := len(d.Events)
	err := d.event(raw, e)
	for i := range d.Events[from:] {
		d.Events[from+i].Standby = true
		d.Events[from+i].ExternalID = "standby:" + d.Events[from+i].ExternalID
	}
	return err
}

func (d *decoding) event(raw json.RawMessage, e event) error {
	if e.Message != nil && e.Message.Echo {
		return d.echo(e)
	}
	if e.Policy != nil {
		return fmt.Errorf("a policy is enforced on this account (%s): see the page's support inbox", plaintext.Cut(strings.TrimSpace(e.Policy.Action+": "+e.Policy.Reason), maxWords))
	}
	if to := e.Recipient.id(); e.Message != nil && to != d.channel.page {
		return fmt.Errorf("a message to %s, which is another than this account's page_id", safe(to))
	}
	from := e.Sender.id()
	if !isID(from) { // a website's plugin, or the platform itself
		if e.Message == nil {
			return nil
		}
		return errors.New("a message without a sender")
	}
	out := bot.Event{Address: d.address(from), At: e.At.Time, ExternalID: digest(raw)}
	return d.dispatch(e, out)
}

func (d *decoding) dispatch(e event, out bot.Event) error {
	switch {
	case e.Message != nil:
		return d.message(e.Message, out)
	case e.Postback != nil:
		d.postback(e.Postback, out)
	case e.Referral != nil:
		out.Interaction, out.Referral = &bot.Interaction{}, e.Referral.referral()
		if e.Referral.Source != "ADS" { // a click on an ad counts once they write
			out.Opens = bot.WindowReferral
		}
		d.add(out)
	case e.Optin != nil:
		out.Interaction, out.Opens = &bot.Interaction{}, bot.WindowReferral
		if e.Optin.Ref != "" {
			out.Referral = &bot.Referral{Ref: e.Optin.Ref, Source: "optin"}
		}
		d.add(out)
	case e.Reaction != nil:
		out.Interaction = &bot.Interaction{}
		if e.Reaction.Action == "react" {
			out.Opens = bot.WindowReaction
		}
		d.add(out)
	case e.Edit != nil && e.Edit.ID != "" && e.Edit.Text != "" && e.Edit.Count != "0":
		out.ExternalID = fmt.Sprintf("edit:%s:%s", e.Edit.ID, e.Edit.Count)
		out.Edit = &bot.Edit{NetworkID: e.Edit.ID, Text: e.Edit.Text}
		d.add(out)
	case e.PassThreadControl != nil && (d.channel.app == "" || string(e.PassThreadControl.To) == d.channel.app):
		out.ControlPassed = &bot.ControlPassed{}
		d.add(out)
	case e.Delivery != nil:
		d.receipt(e.Delivery, bot.StatusReached, out)
	case e.Read != nil:
		d.receipt(e.Read, bot.StatusRead, out)
	}
	return nil
}

func (d *decoding) add(e bot.Event) { d.Events = append(d.Events, e) }

func (d *decoding) address(customer string) bot.Address {
	return bot.Address{Channel: d.channel.account.Channel, Account: d.channel.account.ID, Customer: customer}
}

// digest names an event that has no name: the same again has the same.
func digest(raw json.RawMessage) string {
	sum := sha256.Sum256(raw)
	return "event:" + hex.EncodeToString(sum[:16])
}

// safe is id if it is one, so that nothing else is quoted.
func safe(id string) string {
	if !isID(id) {
		return "(malformed)"
	}
	return id
}

func (d *decoding) message(m *message, out bot.Event) error {
	if m.ID != "" { // else the digest of all of it is its name
		out.ExternalID = m.ID
	}
	out.Referral = m.Referral.referral()
	if m.Deleted {
		out.ExternalID = "deleted:" + m.ID
		out.Edit = &bot.Edit{NetworkID: m.ID, Gone: true}
		d.add(out)
		return nil
	}
	in := m.inbound()
	if in.Text == "" && in.Choice == "" && len(in.Attachments) == 0 && out.Referral == nil {
		return nil // as documented: nothing was said
	}
	in.NetworkID = m.ID
	out.Message = in
	if out.Referral != nil && m.Referral.Source == "ADS" {
		out.Opens = bot.WindowEntry
	}
	d.add(out)
	return nil
}

// postback is a tap on a button that is not under a message of ours: Get Started, an ice breaker, the
// menu. Its title is what the customer means to say.
func (d *decoding) postback(p *postback, out bot.Event) {
	if p.ID != "" {
		out.ExternalID = p.ID
	}
	out.Referral = p.Referral.referral()
	out.Message = &bot.Inbound{Text: strings.TrimSpace(p.Title), NetworkID: p.ID}
	if strings.HasPrefix(p.Payload, "/") {
		out.Message.Text = p.Payload
	}
	if out.Message.Text == "" { // "SHIPPING_COSTS" means to say something
		out.Message.Text = strings.ToLower(strings.Join(strings.FieldsFunc(plaintext.Cut(p.Payload, maxWords), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " "))
	}
	if p.Payload == "GET_STARTED" || out.Message.Text == "" && out.Referral == nil { // what Meta's examples have pages set; a tap without words
		out.Message.Text = startPayload
	}
	d.add(out)
}

// echo is a message of the account's own: ours come back, or what a person wrote in the inbox.
func (d *decoding) echo(e event) error {
	m, to := e.Message, e.Recipient.id()
	if !isID(to) || m.ID == "" {
		return errors.New("an echo without an ID or a recipient")
	}
	out := bot.Event{Address: d.address(to), At: e.At.Time, ExternalID: "echo:" + m.ID}
	id := graphapi.DeliveryID(m.Metadata)
	in := m.inbound()
	switch {
	case m.App != "" && string(m.App) == d.channel.app:
		out.Status = &bot.StatusUpdate{Delivery: id, NetworkID: m.ID, Status: bot.StatusSent}
	case in.Text == "" && len(in.Attachments) == 0 && id == "": // nobody said anything
		return nil
	default:
		out.Echo = &bot.Echo{Delivery: id, NetworkID: m.ID, Text: in.Text, Attachments: in.Attachments}
	}
	d.add(out)
	return nil
}

// receipt says how far messages of ours got, by their IDs, or all until a time.
func (d *decoding) receipt(r *receipt, status bot.SendStatus, out bot.Event) {
	ids := r.IDs
	if len(ids) == 0 && r.ID != "" {
		ids = []string{r.ID}
	}
	if len(ids) == 0 && !r.Watermark.IsZero() {
		out.Status = &bot.StatusUpdate{Before: r.Watermark.Time, Status: status}
		d.add(out)
		return
	}
	for _, id := range ids {
		out.ExternalID = id + ":" + string(status)
		out.Status = &bot.StatusUpdate{NetworkID: id, Status: status}
		d.add(out)
	}
}

func (r *referral) referral() *bot.Referral {
	if r == nil {
		return nil
	}
	came := &bot.Referral{Ref: r.Ref, Source: strings.ToLower(r.Source), ID: r.Ad, URL: r.URL}
	if r.About != nil {
		came.Title = r.About.Title
		if came.ID == "" {
			came.ID = r.About.Post
		}
	}
	return came
}
