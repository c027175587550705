package telegram

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/lenient"
)

const (
	refMost    = 64 // characters that Telegram allows in a link's start parameter
	choiceMost = 64 // bytes that Telegram allows in a button's callback_data
	localeMost = 35 // characters of a language tag

	// Digits of a phone number with its country's: E.164 allows 15, and none has fewer than 7.
	phoneLeast, phoneMost = 7, 15
)

// Decode turns one Update into at most one event: what a customer wrote, mended or tapped in a
// private chat, or in a group when it was for us, and that they blocked or unblocked us. Everything
// else is no event. Apart from the bot's name, once that is known, it depends on body alone.
func (c *Channel) Decode(body []byte) ([]bot.Event, error) {
	var u update
	err := lenient.Parse(body, &u)
	if _, odd := errors.AsType[*lenient.FieldError](err); err != nil && !odd {
		return nil, fmt.Errorf("telegram: %w", err)
	}
	var e *bot.Event
	switch {
	case u.Message != nil:
		e = c.written(u.Message, body)
	case u.Edited != nil:
		e = c.edited(u.Edited)
	case u.Callback != nil:
		e = c.tapped(u.Callback)
	case u.Member != nil:
		e = c.moved(u.Member)
	}
	switch {
	case e == nil && err != nil: // a field that could not be read could have told
		return nil, fmt.Errorf("telegram: %w", err)
	case e == nil && u.ID == 0:
		return nil, errors.New("telegram: no update_id")
	case e == nil:
		return nil, nil
	case u.ID != 0:
		e.ExternalID = "u" + strconv.FormatInt(u.ID, 10)
	default: // the same again has the same name
		sum := sha256.Sum256(body)
		e.ExternalID = "update:" + hex.EncodeToString(sum[:16])
	}
	return []bot.Event{*e}, nil
}

// written is a new message, nil if it is not a customer's to us.
func (c *Channel) written(m *message, update []byte) *bot.Event {
	text, ours := c.read(m)
	if !ours {
		return nil
	}
	in := &bot.Inbound{Text: text, Attachments: m.attachments()}
	if m.ID != 0 {
		in.NetworkID = strconv.FormatInt(m.ID, 10)
	}
	in.Text, in.Ref = startRef(text)
	if in.Text == "" && m.Gift != nil {
		in.Text = m.Gift.Text
	}
	if m.Text == "" && m.Caption == "" && len(in.Attachments) == 0 {
		if in.Attachments = unknown(update); len(in.Attachments) == 0 { // someone joined, something was pinned
			return nil
		}
	}
	in.Attachments = append(in.Attachments, m.pointedAt()...)
	return c.event(m, &bot.Event{Message: in, Phone: m.ownPhone()})
}

// ownPhone is the number of the sender's own contact, "" if they sent none: Telegram proves it then.
func (m *message) ownPhone() string {
	if m.Contact == nil || m.From == nil || m.From.ID == 0 || m.Contact.User != m.From.ID || m.Chat.Type != "private" || m.Forward != nil {
		return ""
	}
	phone := strings.TrimPrefix(strings.ReplaceAll(m.Contact.Phone, " ", ""), "+")
	if len(phone) < phoneLeast || len(phone) > phoneMost || strings.Trim(phone, "0123456789") != "" {
		return ""
	}
	return phone
}

func (c *Channel) edited(m *message) *bot.Event {
	text, ours := c.read(m)
	if !ours || m.Text == "" && m.Caption == "" {
		return nil
	}
	text, _ = startRef(text)
	return c.event(m, &bot.Event{Edit: &bot.Edit{NetworkID: strconv.FormatInt(m.ID, 10), Text: text}})
}

// event completes e with what m says of its sender, place and time.
func (c *Channel) event(m *message, e *bot.Event) *bot.Event {
	e.Address = c.address(m.place())
	e.At = at(m.Date)
	if m.From != nil {
		e.Locale, e.Name = locale(m.From.Language), m.From.name()
	}
	return e
}

// tapped is a tap on one of our buttons. One without usable data, which only a modified client
// sends, is ignored.
func (c *Channel) tapped(cb *callback) *bot.Event {
	if cb.ID == "" || cb.From == nil || cb.From.ID == 0 || cb.Data == "" || len(cb.Data) > choiceMost {
		return nil
	}
	in := &bot.Inbound{Choice: cb.Data, Tap: cb.ID}
	where := place{chat: cb.From.ID} // an inline message: the chat is not told
	if m := cb.Message; m != nil && m.Chat != nil {
		if m.Chat.Type == "channel" {
			return nil
		}
		where = m.place()
		if where.chat != cb.From.ID {
			where.member = cb.From.ID
		}
		in.Text = m.Keyboard.label(cb.Data)
	}
	// The message's date is when we sent it; when it was tapped is not told.
	return &bot.Event{Address: c.address(where), Locale: locale(cb.From.Language), Name: cb.From.name(), Message: in}
}

// label is the text of the button that carries data, "" if there is none.
func (k *inlineKeyboard) label(data string) string {
	if k == nil {
		return ""
	}
	for _, row := range k.Rows {
		for _, button := range row {
			if button.Data == data {
				return button.Text
			}
		}
	}
	return ""
}

// moved is a customer who blocked or unblocked us. That a group took us in or threw us out reaches
// nobody in particular.
func (c *Channel) moved(m *membership) *bot.Event {
	if m.Chat == nil || m.Chat.Type != "private" {
		return nil
	}
	e := &bot.Event{Address: c.address(place{chat: m.Chat.ID}), At: at(m.Date)}
	switch m.New.Status {
	case "kicked":
		e.BlockChanged = &bot.BlockChanged{Blocked: true}
	case "member":
		e.BlockChanged = &bot.BlockChanged{}
	default:
		return nil
	}
	return e
}

func (c *Channel) address(p place) bot.Address {
	return bot.Address{Channel: c.account.Channel, Account: c.account.ID, Customer: p.String()}
}

// place is where m was written. Outside forums a thread is only a chain of replies. In a group it is a place of its
// sender's alone, unless that is us.
func (m *message) place() place {
	p := place{chat: m.Chat.ID}
	if m.InTopic {
		p.thread = m.Thread
	}
	if m.Chat.Type != "private" && m.From != nil && !m.From.IsBot {
		p.member = m.From.ID
	}
	return p
}

func (u *user) name() string { return strings.TrimSpace(string(u.First + " " + u.Last)) }

// startRef takes "/start REF", what a link t.me/BOT?start=REF makes the customer send, apart.
// Anybody can type it, so a ref that no link can carry is dropped.
func startRef(text string) (rest, ref string) {
	head, param, _ := strings.Cut(text, " ")
	name, _, _ := strings.Cut(head, "@")
	if !strings.EqualFold(name, "/start") {
		return text, ""
	}
	if param = strings.TrimSpace(param); isName(param, refMost) {
		ref = param
	}
	return "/start", ref
}

// at is a time of the network's, zero if it cannot be one: Telegram began in 2013.
func at(unix int64) time.Time {
	const earliest, latest = 1375315200, 4102444800 // August 2013 and January 2100
	if unix < earliest || unix > latest {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// locale is tag if it looks like a BCP 47 tag.
func locale(tag string) string {
	if len(tag) > localeMost {
		return ""
	}
	for i, part := range strings.Split(tag, "-") {
		if !isName(part, 8) || strings.ContainsAny(part, "_") || i == 0 && strings.ContainsAny(part, "0123456789") {
			return ""
		}
	}
	return tag
}
