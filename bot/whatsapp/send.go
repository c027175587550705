package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/graphapi"
)

// What one message may hold: UTF-16 units, which are never fewer than the characters Meta counts.
const (
	maxText        = 4096
	maxCaption     = 1024
	maxButtonText  = 1024 // of the message above buttons
	maxButtons     = 3
	maxButton      = 20
	maxRows        = 10
	maxTitle       = 24 // of a row
	maxDescription = 72 // of a row
)

// An outgoing is a message as the Cloud API takes it.
type outgoing struct {
	Product   string `json:"messaging_product"`
	Recipient string `json:"recipient_type"`
	address
	Context *quoted `json:"context,omitempty"`
	Opaque  string  `json:"biz_opaque_callback_data,omitempty"`
	Type    string  `json:"type"`

	Text        *body           `json:"text,omitempty"`
	Interactive *interactiveOut `json:"interactive,omitempty"`
	Image       *fileOut        `json:"image,omitempty"`
	Video       *fileOut        `json:"video,omitempty"`
	Audio       *fileOut        `json:"audio,omitempty"`
	Document    *fileOut        `json:"document,omitempty"`
	Template    *templateOut    `json:"template,omitempty"`
}

// An address is To, a phone number with a leading plus, or UserID, a business-scoped user ID.
type address struct {
	To     string `json:"to,omitempty"`
	UserID string `json:"recipient,omitempty"`
}

type quoted struct {
	ID string `json:"message_id"`
}

type body struct {
	Preview bool   `json:"preview_url"`
	Body    string `json:"body"`
}

type interactiveOut struct {
	Type   string `json:"type"` // button, list
	Body   words  `json:"body"`
	Action action `json:"action"`
}

type words struct {
	Text string `json:"text"`
}

type action struct {
	Buttons  []button  `json:"buttons,omitempty"`
	Button   string    `json:"button,omitempty"` // opens the list
	Sections []section `json:"sections,omitempty"`
}

type button struct {
	Type  string      `json:"type"`
	Reply buttonReply `json:"reply"`
}

type buttonReply struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type section struct {
	Rows []row `json:"rows"`
}

type row struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// Send sends r as one message and returns its wamid.
func (c *Channel) Send(ctx context.Context, to bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	at, err := addressOf(to.Customer)
	if err != nil {
		return "", err
	}
	m := outgoing{Product: "whatsapp", Recipient: "individual", address: at, Opaque: string(id)}
	if r.Quote != "" {
		m.Context = &quoted{ID: r.Quote}
	}
	within := bot.SendTimeout
	if r.Media != nil {
		within = bot.MediaTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if r.Media != nil && r.Template == nil {
		return c.sendFile(ctx, m, r)
	}
	c.fill(&m, r)
	return c.post(ctx, m)
}

// post carries m out and returns its wamid. Its error is a *bot.SendError.
func (c *Channel) post(ctx context.Context, m outgoing) (string, error) {
	var answer struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := c.api.Call(ctx, http.MethodPost, c.number+"/messages", nil, m, &answer); err != nil {
		return "", graphapi.SendError(err)
	}
	if len(answer.Messages) == 0 || answer.Messages[0].ID == "" {
		return "", graphapi.SendError(&graphapi.OddError{Status: http.StatusOK})
	}
	return answer.Messages[0].ID, nil
}

// fill makes m say r, which has no file.
func (c *Channel) fill(m *outgoing, r bot.Reply) {
	switch {
	case r.Template != nil:
		m.Type, m.Template = "template", templateOf(*r.Template)
	case len(r.Choices) > 0:
		m.Type, m.Interactive = "interactive", c.offer(r)
	default:
		m.Type, m.Text = "text", &body{Body: r.Text}
	}
}

// addressOf is whom to write to. Without the plus the number would be taken for one of our country.
func addressOf(customer string) (address, error) {
	switch {
	case isPhone(customer):
		return address{To: "+" + customer}, nil
	case isUserID(customer):
		return address{UserID: customer}, nil
	}
	return address{}, &bot.SendError{Kind: bot.SendRefused, Code: "address"}
}

// offer shows choices as buttons where all fit on one, and as a list, which has room for long labels
// and long texts, where they do not.
func (c *Channel) offer(r bot.Reply) *interactiveOut {
	fits := len(r.Choices) <= maxButtons && fit.UTF16Len(r.Text) <= maxButtonText
	seen := map[string]bool{}
	for _, choice := range r.Choices {
		fits = fits && fit.UTF16Len(choice.Label) <= maxButton && !seen[choice.Label]
		seen[choice.Label] = true
	}
	o := &interactiveOut{Type: "button", Body: words{r.Text}}
	if fits {
		for _, choice := range r.Choices {
			o.Action.Buttons = append(o.Action.Buttons, button{Type: "reply", Reply: buttonReply{ID: choice.Payload, Title: choice.Label}})
		}
		return o
	}
	o.Type = "list"
	o.Action = action{Button: c.chooseWord(), Sections: []section{{}}}
	for i, choice := range r.Choices {
		line := row{ID: choice.Payload, Title: choice.Label}
		if title := fit.Shorten(choice.Label, maxTitle); title != choice.Label || taken(o.Action.Sections[0].Rows, title) {
			// Two titles must not be alike, and cut ones may be: the number tells them apart.
			line.Title = fit.Shorten(fmt.Sprintf("%d. %s", i+1, choice.Label), maxTitle)
			line.Description = fit.Shorten(choice.Label, maxDescription)
		}
		o.Action.Sections[0].Rows = append(o.Action.Sections[0].Rows, line)
	}
	return o
}

func taken(rows []row, title string) bool {
	for _, r := range rows {
		if r.Title == title {
			return true
		}
	}
	return false
}

// chooseWord is on the button that opens a list.
func (c *Channel) chooseWord() string {
	switch language, _, _ := strings.Cut(strings.ToLower(c.account.Locale), "-"); language {
	case "es":
		return "Elegir"
	case "pt":
		return "Escolher"
	}
	return "Choose"
}

// Read marks a message as read and shows "typing…" for 25 s or until the next message. Its error is a
// *bot.SendError.
func (c *Channel) Read(ctx context.Context, _ bot.Address, message string) error {
	type typing struct {
		Type string `json:"type"`
	}
	err := c.api.Call(ctx, http.MethodPost, c.number+"/messages", nil, struct {
		Product string `json:"messaging_product"`
		Status  string `json:"status"`
		ID      string `json:"message_id"`
		Typing  typing `json:"typing_indicator"`
	}{"whatsapp", "read", message, typing{"text"}}, nil)
	if err != nil {
		return graphapi.SendError(err)
	}
	return nil
}
