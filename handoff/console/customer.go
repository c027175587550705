package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/knowledge/people"
)

// An identity is one of the customer's channels, as it is shown.
type identity struct {
	Icon, Channel, Who string
	Href               string // of its conversation
	Why                string // it is theirs
	Since              time.Time
	Here               bool   // replies go there
	AnswerIn           string // its conversation's ID, if replies may go there instead
	Separate           string // the address that asks whether to separate it, "" if the reader may not
}

// A way is another channel on which the customer may go on.
type way struct{ Key, Name string }

// readElsewhere reads who the customer is and what they said in their other conversations.
func (c *Console) readElsewhere(ctx context.Context, t *talk) (err error) {
	if t.conversation.Customer == "" {
		if t.conversation, err = c.conversations.Get(ctx, t.conversation.ID); err != nil {
			return err
		}
	}
	if t.identities, err = c.conversations.Identities(ctx, t.conversation); err != nil {
		return err
	}
	for _, i := range t.identities {
		if i.ID == t.conversation.ID {
			continue
		}
		said, err := c.conversations.Transcript(ctx, i.ID, 0)
		if err != nil {
			return err
		}
		t.elsewhere = append(t.elsewhere, said...)
	}
	return nil
}

// lookCustomer fills in what is the customer's: their channels, and what may be offered to them.
func (c *Console) lookCustomer(ctx context.Context, v *caseView, t talk, p reader) error {
	if isLead(p) {
		v.Forget = "/desk/conversations/" + url.PathEscape(string(t.conversation.ID)) + "/forget"
	}
	if a := t.conversation.Affiliate; p.Role == people.RoleAdmin && a != "" {
		v.Answer = "/partners/" + url.PathEscape(string(a)) + "/gaps/asked/" + url.PathEscape(string(t.conversation.ID))
	}
	if isLead(p) && inChat(t.conversation) {
		v.SignOut = "/desk/conversations/" + url.PathEscape(string(t.conversation.ID)) + "/sign-out"
	}
	for _, i := range t.identities {
		if len(t.identities) == 1 {
			break
		}
		one := identity{Icon: channelIcon(i.Address.Channel), Channel: p.channel(i.Address), Who: p.whoOf(i.Conversation), Why: p.proof(i),
			Since: i.Since, Here: i.ID == t.conversation.ID, Href: "/desk/conversations/" + url.PathEscape(string(i.ID))}
		if isLead(p) {
			one.Separate = one.Href + "/separate"
		}
		if v.Ticket != "" && v.MayWrite && !one.Here {
			one.AnswerIn = string(i.ID)
		}
		v.Identities = append(v.Identities, one)
	}
	if len(v.Identities) > 0 {
		v.Via = v.Channel
	}
	if v.Ticket == "" || !v.MayWrite {
		return nil
	}
	v.WindowClosed = v.Cannot != "" && !t.conversation.Unreachable
	if v.WindowClosed {
		return nil
	}
	where, err := c.conversations.Destinations(ctx, t.conversation)
	for _, d := range where {
		v.Ways = append(v.Ways, way{Key: d.Key, Name: accounts.Label(d.Channel)})
	}
	return err
}

// proof says why a conversation is the customer's.
func (p reader) proof(i bot.Identity) string {
	switch i.Proof {
	case bot.ProofLink:
		if i.Agent != "" {
			return p.Say("proof_link_of", "agent", i.Agent)
		}
		return p.Say("proof_link")
	case bot.ProofPhone:
		return p.Say("proof_phone")
	case bot.ProofSame:
		return p.Say("proof_same")
	case bot.ProofApart:
		return p.Say("proof_apart", "agent", i.Agent)
	}
	return p.Say("proof_none")
}

// optOut says what the customer wants to hear no more of, "" if they said nothing.
func (p reader) optOut(conv bot.Conversation) string {
	switch conv.OptOut {
	case bot.OptOutAll:
		return p.Say("opted_out_all")
	case bot.OptOutMarketing:
		return p.Say("opted_out_marketing")
	}
	return ""
}

// refWords is a referral in words.
func refWords(name string, r bot.Referral) string {
	words := cut(name, 120)
	if r.Title != "" {
		words += ", “" + cut(r.Title, 80) + "”"
	}
	if r.Source != "" && r.Source != name {
		words += ", " + cut(r.Source, 40)
	}
	return words
}

// isLead reports whether somebody may say that two are not one customer, sign a visitor out, or erase a customer.
func isLead(p reader) bool {
	return p.Role == people.RoleLead || p.Role == people.RoleAdmin
}

// forLead is the conversation with which p asks to do what only leads may.
func (c *Console) forLead(g *gin.Context, p reader) (bot.Conversation, error) {
	conv, err := c.conversationOf(g.Request.Context(), p, bot.ConversationID(g.Param("conversation")))
	if err == nil && !isLead(p) {
		err = errNotAllowed
	}
	return conv, err
}

func (c *Console) askSeparate(g *gin.Context, p reader) error {
	conv, err := c.forLead(g, p)
	if err != nil {
		return err
	}
	address := "/desk/conversations/" + url.PathEscape(string(conv.ID))
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "confirm", confirmView{Keep: p.Say("separate_keep"),
		Title:  p.Say("separate_title", "who", cut(p.whoOf(conv), 60), "channel", accounts.Label(conv.Address.Channel)),
		Words:  p.Say("separate_words"),
		Action: address + "/separate", Button: p.Say("separate_button"), Back: address})
}

func (c *Console) separate(g *gin.Context, p reader) error {
	conv, err := c.forLead(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	if err := c.conversations.Separate(ctx, conv.ID, p.Name); err != nil {
		return err
	}
	if err := c.o.Record(ctx, p.ID, ActionSeparate, "conversation "+string(conv.ID)); err != nil {
		return err
	}
	c.Poke()
	return done(g, "/desk/conversations/"+url.PathEscape(string(conv.ID))+"?done=separated")
}

// invite puts a link to another channel into the reply box, for the agent to send.
func (c *Console) invite(g *gin.Context, p reader) error {
	defer closeForm(g.Request)
	t, _, err := c.acted(g, p)
	if err != nil {
		return err
	}
	ctx, key := g.Request.Context(), g.PostForm("to")
	conv, err := c.conversations.Get(ctx, t.Conversation)
	if err != nil {
		return err
	}
	where, err := c.conversations.Destinations(ctx, conv)
	if err != nil {
		return err
	}
	for _, d := range where {
		if d.Key != key {
			continue
		}
		words, err := c.desk.Invite(ctx, t.ID, agent(p), key, accounts.Label(d.Channel))
		if err != nil {
			c.o.Log.WithError(err).Warn("cannot make a link to another channel")
			return c.renderTicket(g, p, t, http.StatusBadGateway, draftReply{What: p.Say("no_link", "channel", accounts.Label(d.Channel)), Do: p.Say("try_again")})
		}
		if typed := g.PostForm("text"); typed != "" {
			words = typed + "\n\n" + words
		}
		w := draftReply{Text: words}
		if w.Files, err = c.filesOf(g, p, t); err != nil {
			wrong, refused := errors.AsType[*errFile](err)
			if !refused {
				return err
			}
			w.What, w.Do = wrong.words, p.Say("other_file")
		}
		return c.renderTicket(g, p, t, http.StatusOK, w)
	}
	return c.renderTicket(g, p, t, http.StatusConflict, draftReply{What: p.Say("no_way"), Do: p.Say("no_way_do")})
}

// answerIn makes replies go to another of the customer's channels.
func (c *Console) answerIn(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	switch err := c.desk.AnswerIn(g.Request.Context(), t.ID, agent(p), bot.ConversationID(g.PostForm("in"))); {
	case isTaken(err):
		return c.taken(g, p, t.ID, draftReply{})
	case errors.Is(err, bot.ErrNotFound):
		return c.renderTicket(g, p, t, http.StatusConflict, draftReply{What: p.Say("channel_gone"), Do: p.Say("channel_gone_do")})
	case errors.Is(err, handoff.ErrClosed):
		return c.closedMeanwhile(g, p, t.ID, draftReply{})
	case err != nil:
		return err
	}
	c.Poke()
	return done(g, address+placeOf(g).query("done", "moved"))
}

// wentOn reports whether the ticket is about another conversation by now than the form in hand.
func wentOn(g *gin.Context, t handoff.Ticket) bool {
	in := g.PostForm("in")
	return in != "" && in != string(t.Conversation)
}
