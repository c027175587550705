package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
)

// templatesWithin bounds how long a page waits for the network's list of templates.
const templatesWithin = 4 * time.Second

// templates is the picker: what may be written once the window has closed.
type templates struct {
	Names   []templateName
	Chosen  string // the name and language that was picked, "" if none is
	Raw     string // what it reads like before anything is filled in
	Text    string // what the customer will read, with what is filled in so far
	Fields  []templateField
	Ready   bool   // everything is filled in: Text is what they will read
	Problem string // why there is nothing to pick, or what is wrong with what was filled in
}

type templateName struct {
	Value, Label string
	Chosen       bool
}

type templateField struct{ Name, Value string }

// templateSep stands between name and language; neither can hold it.
const templateSep = "|"

// pick fills in the picker for the ticket's conversation. Those that cannot be used are left out.
func (c *Console) pick(ctx context.Context, reads reader, v *caseView, conv bot.Conversation, chosen string, values []string) {
	ctx, cancel := context.WithTimeout(ctx, templatesWithin)
	defer cancel()
	p := &v.Templates
	list, err := c.conversations.Templates(ctx, conv.ID)
	if err != nil {
		c.o.Log.WithError(err).Warn("cannot read the templates")
		p.Problem = reads.Say("templates_unknown", "channel", accounts.Label(conv.Address.Channel))
		return
	}
	for _, t := range list {
		if t.Problem != "" || conv.OptOut == bot.OptOutAll || conv.OptOut == bot.OptOutMarketing && t.Marketing {
			continue
		}
		value := t.Name + templateSep + t.Language
		p.Names = append(p.Names, templateName{Value: value, Label: strings.ReplaceAll(t.Name, "_", " ") + " (" + t.Language + ")", Chosen: value == chosen})
		if value != chosen {
			continue
		}
		p.Chosen, p.Raw, p.Text = value, t.Text, t.Text
		for i, name := range t.Variables {
			f := templateField{Name: name}
			if i < len(values) {
				f.Value = cut(values[i], 1000)
			}
			if filled := strings.TrimSpace(f.Value); filled != "" {
				p.Text = strings.ReplaceAll(p.Text, "{{"+name+"}}", filled)
			}
			p.Fields = append(p.Fields, f)
		}
		if len(t.Variables) == 0 {
			p.Ready = true
		} else if len(values) > 0 {
			_, text, err := t.Fill(values)
			if p.Ready = err == nil; p.Ready {
				p.Text = text
			} else {
				p.Problem = reads.Say("template_fields")
			}
		}
	}
	if len(p.Names) == 0 {
		p.Problem = reads.noTemplates(conv)
	}
}

func (p reader) noTemplates(conv bot.Conversation) string {
	n, _ := accounts.NetworkOf(conv.Address.Channel)
	switch {
	case conv.OptOut == bot.OptOutAll:
		return p.Say("templates_opted_out")
	case n.Templates == "":
		return p.Say("templates_none", "channel", n.Label)
	}
	return p.Say("templates_unapproved") + " " + n.Templates
}

// sendTemplate sends the template that was filled in, or shows what it will read like.
func (c *Console) sendTemplate(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	w := draftReply{Template: g.PostForm("template"), Values: g.PostFormArray("value")}
	name, language, ok := strings.Cut(w.Template, templateSep)
	if !ok || g.PostForm("send") == "" {
		return c.renderTicket(g, p, t, http.StatusOK, w)
	}
	if wentOn(g, t) {
		w.What, w.Do = p.Say("went_on"), p.Say("went_on_do")
		return c.renderTicket(g, p, t, http.StatusConflict, w)
	}
	key := cut(g.PostForm("key"), 80)
	if key == "" {
		w.What, w.Do = p.Say("form_incomplete"), p.Say("send_again_here")
		return c.renderTicket(g, p, t, http.StatusUnprocessableEntity, w)
	}
	err = c.desk.ReplyTemplate(g.Request.Context(), t.ID, agent(p), key, name, language, w.Values)
	refused, is := errors.AsType[*bot.SendError](err)
	switch {
	case err == nil:
		c.Poke()
		return done(g, address+placeOf(g).query("done", "replied"))
	case is && refused.Kind == bot.SendRefused: // the picker says what is missing
		return c.renderTicket(g, p, t, http.StatusUnprocessableEntity, w)
	case isTaken(err), errors.Is(err, handoff.ErrClosed), is:
		return c.notSent(g, p, t, w, err)
	}
	c.o.Log.WithError(err).Warn("cannot send a template")
	w.What, w.Do = "The template could not be sent.", "Nothing was sent. Try again in a moment."
	return c.renderTicket(g, p, t, http.StatusBadGateway, w)
}

func isTaken(err error) bool { return errors.Is(err, handoff.ErrTaken) }
