package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"faqbot/bot"
	"faqbot/bot/exchange"
	"faqbot/bot/fit"
)

// Send sends r as one message and returns Telegram's message ID, unique within the chat. Telegram
// has no idempotency key: the delivery's ID goes nowhere, and a repeat is a second message.
//
// What a person writes to somebody in a group is for them alone: it goes to their private chat, and to the group only if
// they never opened that, or have blocked us there.
func (c *Channel) Send(ctx context.Context, to bot.Address, _ bot.DeliveryID, r bot.Reply) (string, error) {
	at, err := parsePlace(to.Customer)
	if err != nil {
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "address", Err: err}
	}
	within := bot.SendTimeout
	if r.Media != nil {
		within = bot.MediaTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if at.member != 0 && r.Agent != "" {
		alone := r
		alone.Quote, alone.To = "", ""
		id, err := c.sendTo(ctx, at.private(), alone)
		if !noPrivateChat(err) {
			return id, err
		}
	}
	return c.sendTo(ctx, at, r)
}

// noPrivateChat reports whether a message was refused because there is no chat of the bot with the customer alone.
func noPrivateChat(err error) bool {
	refusal, ok := errors.AsType[*apiError](err)
	return ok && (refusal.code == http.StatusForbidden || refusal.says("chat not found"))
}

func (c *Channel) sendTo(ctx context.Context, at place, r bot.Reply) (string, error) {
	send := c.sendMessage
	if r.Media != nil {
		send = c.sendMedia
	}
	m, err := send(ctx, at, r, models.ParseModeHTML)
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.migrateTo != 0 {
		// The group became a supergroup. Topics, if there were any, are new there, and messages have other names.
		at.chat, at.thread, r.Quote = refusal.migrateTo, 0, ""
		m, err = send(ctx, at, r, models.ParseModeHTML)
	}
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.code == http.StatusBadRequest && refusal.says(phraseEntities) {
		m, err = send(ctx, at, r, "")
	}
	if err != nil {
		return "", sendError(err)
	}
	return strconv.Itoa(m.ID), nil
}

func (c *Channel) sendMessage(ctx context.Context, at place, r bot.Reply, mode models.ParseMode) (*models.Message, error) {
	p := &tg.SendMessageParams{ChatID: at.chat, MessageThreadID: int(at.thread), Text: words(at, r, mode, maxText), ParseMode: mode,
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: tg.True()}, ReplyParameters: quoting(r)}
	if len(r.Choices) > 0 {
		p.ReplyMarkup = keyboard(r.Choices)
	}
	return c.api.SendMessage(ctx, p)
}

func keyboard(choices []bot.Choice) *models.InlineKeyboardMarkup {
	var rows [][]models.InlineKeyboardButton
	for _, choice := range choices {
		rows = append(rows, []models.InlineKeyboardButton{{Text: choice.Label, CallbackData: choice.Payload}})
	}
	return &models.InlineKeyboardMarkup{InlineKeyboard: rows}
}

// words are r's as they are sent. In a group they name the member whom a person writes to, or whose message they cannot
// show, if there is room.
func words(at place, r bot.Reply, mode models.ParseMode, most int) string {
	text, name := r.Text, r.To
	if mode == models.ParseModeHTML {
		text, name = escape(text), fmt.Sprintf(`<a href="tg://user?id=%d">%s</a>`, at.member, escape(name))
	}
	if at.member == 0 || r.To == "" || r.Text == "" || r.Agent == "" && r.Quote != "" || fit.UTF16Len(r.To+",\n"+r.Text) > most {
		return text
	}
	return name + ",\n" + text
}

// quoting has r shown as a reply to the message that it answers, if that is still there.
func quoting(r bot.Reply) *models.ReplyParameters {
	id, err := strconv.Atoi(r.Quote)
	if err != nil {
		return nil
	}
	return &models.ReplyParameters{MessageID: id, AllowSendingWithoutReply: true}
}

// escape is text as HTML that shows text.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// Typing shows "typing…" for 5 s or until the next message. Its error is a *bot.SendError.
func (c *Channel) Typing(ctx context.Context, to bot.Address) error {
	at, err := parsePlace(to.Customer)
	if err != nil {
		return &bot.SendError{Kind: bot.SendRefused, Code: "address", Err: err}
	}
	_, err = c.api.SendChatAction(ctx, &tg.SendChatActionParams{ChatID: at.chat, MessageThreadID: int(at.thread),
		Action: models.ChatActionTyping})
	if err != nil {
		return sendError(err)
	}
	return nil
}

// Acknowledge stops the spinner on a button. That it comes too late is no error. Its error is a
// *bot.SendError.
func (c *Channel) Acknowledge(ctx context.Context, tap string) error {
	_, err := c.api.AnswerCallbackQuery(ctx, &tg.AnswerCallbackQueryParams{CallbackQueryID: tap})
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.says(phraseTooOld) {
		return nil
	}
	if err != nil {
		return sendError(err)
	}
	return nil
}

// sendError says what a failed call means for what was to be sent.
func sendError(err error) *bot.SendError {
	if refusal, ok := errors.AsType[*apiError](err); ok {
		e := &bot.SendError{Kind: bot.SendUnknown, Code: refusal.name(), Err: refusal}
		switch {
		case refusal.code == http.StatusTooManyRequests:
			e.Kind, e.After = bot.SendThrottled, refusal.retryAfter
		case refusal.code == http.StatusForbidden:
			e.Kind = bot.SendBlocked
		case refusal.code == http.StatusUnauthorized, refusal.code == http.StatusNotFound, refusal.code == http.StatusConflict:
			e.Kind = bot.SendMisconfigured
		case refusal.code >= 400 && refusal.code < 500 && refusal.code != http.StatusMisdirectedRequest:
			e.Kind = bot.SendRefused
		}
		return e
	}
	if cut, ok := errors.AsType[*exchange.LostError](err); ok {
		if cut.Unsent {
			return &bot.SendError{Kind: bot.SendTransient, Code: "unreachable", Err: cut}
		}
		return &bot.SendError{Kind: bot.SendUnknown, Code: "no answer", Err: cut}
	}
	if odd, ok := errors.AsType[*oddError](err); ok {
		return &bot.SendError{Kind: bot.SendUnknown, Code: "not the Bot API", Err: odd}
	}
	// The library's own: the text may hold what it could not decode.
	return &bot.SendError{Kind: bot.SendUnknown, Code: "unreadable", Err: errors.New("telegram's answer could not be read")}
}
