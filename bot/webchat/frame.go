package webchat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/plaintext"
)

// shownMost is how many messages a page shows before "earlier messages" is asked for.
const shownMost = 200

// A frameView is what the frame's template sees.
type frameView struct {
	Form      form // of the composer
	W         locale.Texts
	Name      string
	Initial   string
	Lang, Dir string
	OwnLang   string // of the widget's words
	Account   string
	Origins   string // JSON, who may talk to the frame
	Words     string // JSON, for the script
	Last      int64
	Bubbles   []bubble
	Earlier   bool
	Welcome   string
	Brand     Brand
	Suggested []string
	Suggest   form
	Person    bool // a person has the conversation
	Email     form
	EmailAsk  bool  // nobody is at the desk: ask for an address
	EmailSaid bool  // an address was left just now
	Mails     bool  // answers are mailed, too
	Ways      []way // other channels on which the visitor may go on
	GoOn      form
	Way       way    // the one they asked for
	WayTo     string // and where it is
	Files     bool
	Problem   string // what went wrong
	Text      string // what was typed and not sent
}

// A saying is what a page tells besides the conversation.
type saying struct {
	problem string
	text    string
	emailed bool
	way     way
	wayTo   string
}

// frame shows the conversation. Whoever comes without a name gets one.
func (s *Site) frame(v *visit) {
	who, r := s.visitorOf(v, cookieToken(v))
	switch {
	case r == nil:
		who = s.renewed(v.channel, who)
	case r.status == http.StatusUnauthorized:
		who = s.newVisitor(v.channel)
	default:
		v.String(r.status, "%s\n", r.say(v.words))
		return
	}
	s.show(v, who, http.StatusOK, saying{text: plaintext.Cut(strings.ToValidUTF8(v.Query("ask"), ""), maxAsk)})
}

// maxAsk is how many characters of a question a link may bring along. It waits in the composer: the visitor sends it.
const maxAsk = 1000

// show writes the page of who.
func (s *Site) show(v *visit, who visitor, status int, say saying) {
	p, err := s.viewOf(v, who, say)
	var out bytes.Buffer
	if err == nil {
		err = s.pages.ExecuteTemplate(&out, "frame", p)
	}
	if err != nil {
		r := s.broken(v, "cannot show the chat", err)
		v.String(r.status, "%s\n", r.say(v.words))
		return
	}
	s.remember(v, who)
	v.Data(status, "text/html; charset=utf-8", out.Bytes())
}

func (s *Site) viewOf(v *visit, who visitor, say saying) (frameView, error) {
	ctx, c := v.Request.Context(), v.channel
	conv, list, err := s.transcript(ctx, c, who)
	if err != nil {
		return frameView{}, err
	}
	p := frameView{Form: s.newForm(v, who), W: v.words, Lang: v.language.locale, Dir: v.language.dir(), OwnLang: v.language.own,
		Account: c.account.ID, Suggest: s.newForm(v, who), Email: s.newForm(v, who), GoOn: s.newForm(v, who), Way: say.way, WayTo: say.wayTo,
		Welcome: c.o.Welcome, Files: s.o.Media != nil, Problem: say.problem, Text: say.text, EmailSaid: say.emailed,
		Mails: s.o.Mail != nil, Person: conv.Mode == bot.ModePerson, EmailAsk: s.asksEmail(c, conv) && !say.emailed}
	if p.Brand, err = s.o.Brand(ctx, c.account, p.OwnLang); err != nil {
		return frameView{}, err
	}
	p.Name = c.calledBy(p.Brand)
	for _, r := range strings.ToUpper(p.Name) {
		p.Initial = string(r)
		break
	}
	p.Welcome = cmp.Or(p.Welcome, p.Brand.Welcome, v.words["welcome"])
	if extra := len(list) - shownMost; extra > 0 && v.Query("all") == "" {
		list, p.Earlier = list[extra:], true
	}
	if len(list) == 0 {
		if p.Suggested = c.o.Suggested; len(p.Suggested) == 0 {
			p.Suggested = s.o.Suggest(ctx, c.account, v.language.locale)
		}
	} else {
		p.Last = list[len(list)-1].Seq
	}
	p.Bubbles = s.bubbles(v, who, list)
	s.seen(v, conv.ID)
	if p.Ways, err = s.ways(ctx, c, conv); err != nil {
		return frameView{}, err
	}
	origins, err := json.Marshal(append([]string{}, c.o.Origins...))
	if err != nil {
		return frameView{}, err
	}
	words, err := json.Marshal(v.words)
	p.Origins, p.Words = string(origins), string(words)
	return p, err
}

// transcript is all that was said with who, nothing if nothing was.
func (s *Site) transcript(ctx context.Context, c *Channel, who visitor) (bot.Conversation, []bot.Message, error) {
	conv, err := s.o.Conversations.Find(ctx, c.address(who.customer))
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Conversation{}, nil, nil
	}
	if err != nil {
		return conv, nil, fmt.Errorf("find the conversation: %w", err)
	}
	list, err := s.o.Conversations.Transcript(ctx, conv.ID, 0)
	return conv, list, err
}

// asksEmail reports whether a person was promised and none is there.
func (s *Site) asksEmail(c *Channel, conv bot.Conversation) bool {
	return conv.Mode == bot.ModePerson && (s.o.Contact != nil || s.o.Mail != nil) && !s.o.Staffed(c.account)
}
