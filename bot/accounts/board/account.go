package board

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/store"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// shown is how many dead letters and rejects a page lists.
const shown = 50

type accountView struct {
	Account row
	Admin   bool
	Dead    []deadRow
	Rejects []store.Rejected
	Test    page.Field // Options are who wrote last; none means nobody did
	OnPage  *onPage
	Done    string
	Problem *page.Problem
}

// A deadRow is a dead letter as the page shows it.
type deadRow struct {
	bot.DeadLetter
	Why string
}

func (b *Board) account(c *gin.Context, r row) {
	b.showAccount(c, http.StatusOK, r, accountView{Done: b.texts(c)["done_"+c.Query("done")]})
}

// showAccount shows the page of r with what v says already.
func (b *Board) showAccount(c *gin.Context, status int, r row, v accountView) {
	ctx := c.Request.Context()
	person, _ := b.o.Who(c.Request)
	v.Account, v.Admin = r, person.Role == people.RoleAdmin
	if v.OnPage == nil {
		v.OnPage = b.onPage(c, r)
	}
	dead, err := b.conversations.DeadLetters(ctx, r.Settings.Channel, r.Settings.ID, shown)
	for _, d := range dead {
		if person.May(d.Affiliate) {
			v.Dead = append(v.Dead, deadRow{d, accounts.DeadWords(d)})
		}
	}
	if err == nil {
		v.Rejects, err = b.store.Rejects(ctx, r.Settings.Channel, r.Settings.ID, shown)
	}
	writers, werr := b.store.RecentConversations(ctx, r.Settings.Channel, r.Settings.ID, 5)
	if err = errors.Join(err, werr); err != nil {
		b.fail(c, err)
		return
	}
	t := b.texts(c)
	v.Test = page.Field{Name: "customer", Label: t.Say("test_to"), Hint: t.Say("test_hint")}
	for _, w := range writers {
		v.Test.Options = append(v.Test.Options, page.Option{Value: w.Address.Customer, Label: t.Say("test_wrote", "who", w.Address.Customer, "when", w.HeardAt.UTC().Format("2 Jan 15:04 UTC"))})
	}
	b.show(c, status, "account", v)
}

func (b *Board) check(c *gin.Context, r row) {
	b.served.Check(c.Request.Context(), r.Settings.Key())
	c.Redirect(http.StatusSeeOther, r.Path+"?done=checked")
}

func (b *Board) hook(c *gin.Context, r row) {
	if err := b.served.Hook(c.Request.Context(), r.Settings.Key()); err != nil {
		t := b.texts(c)
		b.showAccount(c, http.StatusUnprocessableEntity, r, accountView{Problem: &page.Problem{What: t.Say("webhook_failed", "why", err),
			Safe: t.Say("nothing_changed"), Do: t.Say("webhook_failed_do")}})
		return
	}
	b.record(c, actionHook, r.Settings.Key())
	b.served.Check(c.Request.Context(), r.Settings.Key())
	c.Redirect(http.StatusSeeOther, r.Path+"?done=webhook")
}

func (b *Board) remove(c *gin.Context, r row) {
	err := b.served.Remove(c.Request.Context(), r.Settings.Key())
	switch {
	case errors.Is(err, accounts.ErrInFile):
		t := b.texts(c)
		b.showAccount(c, http.StatusUnprocessableEntity, r, accountView{Problem: &page.Problem{What: t.Say("remove_in_file"), Safe: t.Say("nothing_changed"), Do: t.Say("remove_in_file_do")}})
		return
	case err != nil && !errors.Is(err, accounts.ErrNoAccount): // gone already is as wished
		b.fail(c, err)
		return
	}
	b.record(c, actionRemove, r.Settings.Key())
	c.Redirect(http.StatusSeeOther, "/channels?done=removed")
}

// replay sends a dead letter again, if it is one of this account and of the reader's affiliates.
func (b *Board) replay(c *gin.Context, r row) {
	ctx := c.Request.Context()
	person, _ := b.o.Who(c.Request)
	letter, err := b.conversations.DeadLetter(ctx, bot.DeliveryID(c.Param("delivery")))
	if err == nil {
		conv, cerr := b.conversations.Get(ctx, letter.Conversation)
		if err = cerr; err == nil && (!person.May(letter.Affiliate) || conv.Address.Key() != r.Settings.Key()) {
			err = bot.ErrNotFound
		}
	}
	if err == nil {
		err = b.conversations.Replay(ctx, letter.Delivery)
	}
	switch {
	case err == nil:
		b.record(c, actionReplay, r.Settings.Key()+" "+string(letter.Delivery))
		c.Redirect(http.StatusSeeOther, r.Path+"?done=replayed")
	case errors.Is(err, bot.ErrNotFound), errors.Is(err, bot.ErrReplay):
		t := b.texts(c)
		what := t.Say("replay_gone")
		if letter.Refusal != "" {
			what = t.Say("replay_refused", "why", letter.Refusal)
		}
		b.showAccount(c, http.StatusConflict, r, accountView{Problem: &page.Problem{What: what, Do: t.Say("replay_do")}})
	default:
		b.fail(c, err)
	}
}

// readAgain has one reject of the account read again, or all.
func (b *Board) readAgain(c *gin.Context, r row) {
	id := c.PostForm("id")
	n, err := b.store.ReadAgain(c.Request.Context(), r.Settings.Channel, r.Settings.ID, id, time.Now())
	if err != nil {
		b.fail(c, err)
		return
	}
	if n == 0 {
		b.showAccount(c, http.StatusConflict, r, accountView{Problem: &page.Problem{What: b.texts(c).Say("reread_gone"), Do: b.texts(c).Say("reload")}})
		return
	}
	b.record(c, actionReread, r.Settings.Key()+" "+id)
	c.Redirect(http.StatusSeeOther, r.Path+"?done=reread")
}

// test sends a test message to somebody who wrote: no network lets us write first.
func (b *Board) test(c *gin.Context, r row) {
	ctx := c.Request.Context()
	conv, err := b.conversations.Find(ctx, bot.Address{Channel: r.Settings.Channel, Account: r.Settings.ID, Customer: c.PostForm("customer")})
	if err == nil {
		err = b.conversations.Notify(ctx, conv.ID, bot.Reply{Text: "This is a test message. The account works."})
	}
	t := b.texts(c)
	refused, isRefused := errors.AsType[*bot.SendError](err)
	switch {
	case err == nil:
		c.Redirect(http.StatusSeeOther, r.Path+"?done=test")
	case isRefused:
		b.showAccount(c, http.StatusConflict, r, accountView{Problem: &page.Problem{What: t.Say("test_failed", "why", refused.Code), Do: t.Say("test_failed_do")}})
	case errors.Is(err, bot.ErrNotFound):
		b.showAccount(c, http.StatusUnprocessableEntity, r, accountView{Problem: &page.Problem{What: t.Say("test_stranger"), Do: t.Say("test_stranger_do")}})
	default:
		b.fail(c, err)
	}
}

type guideView struct {
	Title string
	Text  template.HTML
}

// guide shows a channel's SETUP.md, whose headings problems link to.
func (b *Board) guide(c *gin.Context) {
	n, _ := accounts.NetworkOf(c.Param("channel"))
	if n.Guide == "" {
		b.gone(c, "no_guide", "back_to_accounts")
		return
	}
	var html bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	if err := markdown.Convert([]byte(n.Guide), &html); err != nil {
		b.fail(c, err)
		return
	}
	b.show(c, http.StatusOK, "guide", guideView{Title: b.texts(c).Say("setting_up", "network", n.Label), Text: template.HTML(html.String())}) // our own file
}
