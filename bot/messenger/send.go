package messenger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/graphapi"
)

const (
	maxText        = 2000 // UTF-16 units, which are never fewer than the characters Meta counts
	maxOnInstagram = 1000 // bytes
	maxReplies     = 13   // quick replies
	maxTitle       = 20   // of a quick reply; more is cut off
	maxLabel       = 80   // longer than a title: see offer
)

// An outgoing is a message as the Send API takes it.
type outgoing struct {
	Recipient person      `json:"recipient"`
	Type      string      `json:"messaging_type,omitempty"`
	Tag       string      `json:"tag,omitempty"`
	Message   *messageOut `json:"message,omitempty"`
	ReplyTo   *quoted     `json:"reply_to,omitempty"`
	Action    string      `json:"sender_action,omitempty"`
}

type person struct {
	ID string `json:"id"`
}

type quoted struct {
	ID string `json:"mid"`
}

type messageOut struct {
	Text       string       `json:"text,omitempty"`
	Attachment *fileOut     `json:"attachment,omitempty"`
	Replies    []quickReply `json:"quick_replies,omitempty"`
	Metadata   string       `json:"metadata,omitempty"`
}

type quickReply struct {
	Type    string `json:"content_type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// Send sends r as one message and returns its mid. What a person of ours writes after a day goes out
// under the tag for it: only a refusal tells here that the day is over.
func (c *Channel) Send(ctx context.Context, to bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	if !isID(to.Customer) {
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "address"}
	}
	within := bot.SendTimeout
	if r.Media != nil {
		within = bot.MediaTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	send := func(m *messageOut) (string, error) { return c.sendOne(ctx, to, id, r, m) }
	if r.Media != nil {
		return c.sendFile(ctx, *r.Media, send)
	}
	m := &messageOut{Text: r.Text}
	if len(r.Choices) > 0 {
		c.offer(m, r.Choices)
	}
	return send(m)
}

// sendOne sends m, which says r.
func (c *Channel) sendOne(ctx context.Context, to bot.Address, id bot.DeliveryID, r bot.Reply, message *messageOut) (string, error) {
	m := outgoing{Recipient: person{to.Customer}, Type: "RESPONSE", Message: message}
	if !c.instagram {
		m.Message.Metadata = string(id)
	}
	if r.Quote != "" {
		m.ReplyTo = &quoted{r.Quote}
	}
	mid, err := c.post(ctx, m)
	if refused, ok := errors.AsType[*bot.SendError](err); ok && refused.Kind == bot.SendWindowClosed && r.Agent != "" {
		m.Type, m.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
		if mid, err = c.post(ctx, m); isPermission(err) { // the app lacks the feature: that is no reason to stop the account
			err = refused
		}
	}
	return mid, err
}

func isPermission(err error) bool {
	refused, ok := errors.AsType[*bot.SendError](err)
	return ok && (refused.Kind == bot.SendMisconfigured || refused.Kind == bot.SendRefused)
}

// post carries m out. Its error is a *bot.SendError.
func (c *Channel) post(ctx context.Context, m outgoing) (string, error) {
	var answer struct {
		ID string `json:"message_id"`
	}
	if err := c.api.Call(ctx, http.MethodPost, "me/messages", nil, m, &answer); err != nil {
		return "", graphapi.SendError(err)
	}
	if answer.ID == "" && m.Message != nil {
		return "", graphapi.SendError(&graphapi.OddError{Status: http.StatusOK})
	}
	return answer.ID, nil
}

// offer puts choices under m. Labels that no button has room for are listed in the text, by number,
// if there is room for them; the buttons say as much as they can either way.
func (c *Channel) offer(m *messageOut, choices []bot.Choice) {
	long := false
	for _, choice := range choices {
		long = long || fit.UTF16Len(choice.Label) > maxTitle
	}
	text := m.Text
	for i, choice := range choices {
		title := choice.Label
		if long {
			title = fmt.Sprintf("%d. %s", i+1, choice.Label)
			text += "\n" + title
		}
		m.Replies = append(m.Replies, quickReply{Type: "text", Title: fit.Shorten(title, maxTitle), Payload: choice.Payload})
	}
	if l := c.Limits(); fit.UTF16Len(text) <= l.Text && (l.Bytes == 0 || len(text) <= l.Bytes) {
		m.Text = text
	}
}

// Typing shows "typing…" for some 20 s or until the next message. Its error is a *bot.SendError.
func (c *Channel) Typing(ctx context.Context, to bot.Address) error {
	return c.act(ctx, to, "typing_on")
}

// Read marks all that the customer wrote as seen, and shows "typing…". Its error is a *bot.SendError.
func (c *Channel) Read(ctx context.Context, to bot.Address, _ string) error {
	if err := c.act(ctx, to, "mark_seen"); err != nil {
		return err
	}
	return c.Typing(ctx, to)
}

// Profile asks what Meta calls a customer, and for their picture. It answers once they have written to us, and only
// where the app may know.
func (c *Channel) Profile(ctx context.Context, customer string) (bot.Profile, error) {
	fields := "first_name,last_name,profile_pic"
	if c.instagram {
		fields = "name,username,profile_pic"
	}
	var profile struct {
		First    string `json:"first_name"`
		Last     string `json:"last_name"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Picture  string `json:"profile_pic"`
	}
	err := c.api.Call(ctx, http.MethodGet, url.PathEscape(customer), url.Values{"fields": {fields}}, nil, &profile)
	return bot.Profile{Name: cmp.Or(strings.TrimSpace(profile.First+" "+profile.Last), profile.Name, profile.Username),
		Picture: bot.Attachment{Kind: "photo", File: profile.Picture}}, err
}

func (c *Channel) act(ctx context.Context, to bot.Address, action string) error {
	_, err := c.post(ctx, outgoing{Recipient: person{to.Customer}, Action: action})
	return err
}
