// Package webhook is the door at which messaging networks leave their news: one gin handler for all
// of them. It limits, verifies and stores, in that order, and answers once the news is durable. It knows no
// network by name, reads nothing of what was said, and sends nothing.
package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
)

// bodyMost is the largest body taken, in bytes: WhatsApp documents payloads of up to 3 MB.
const bodyMost = 3 << 20

// An Inbox keeps what was posted; *inbound.Intake has one.
type Inbox interface {
	// Receive stores a verified body durably. After an error the network must post it again.
	Receive(ctx context.Context, account bot.Account, body []byte) error
}

// An Endpoint is one account and what reads its posts.
type Endpoint struct {
	Account  bot.Account
	Receiver bot.Receiver
}

// Hooks serves the webhooks of all accounts.
type Hooks struct {
	find  Find
	inbox Inbox
	log   logrus.FieldLogger
}

// A Find returns the endpoint of a bot.AccountKey, if the account is served now.
type Find func(key string) (Endpoint, bool)

// Served finds the accounts of r whose channel is a Receiver.
func Served(r *bot.Registry) Find {
	return func(key string) (Endpoint, bool) {
		account, _ := r.Account(key)
		receiver, ok := r.Channel(key).(bot.Receiver)
		return Endpoint{account, receiver}, ok
	}
}

// NewHooks returns the hooks of what find finds, which leave what they hear in inbox.
func NewHooks(find Find, inbox Inbox, log logrus.FieldLogger) *Hooks {
	return &Hooks{find: find, inbox: inbox, log: log}
}

// Register mounts /hooks/:channel/:account: POST for what happened, GET for the networks that make sure
// that the address is ours. Reading a slow body is bounded by the server's ReadTimeout, not here.
func (h *Hooks) Register(r gin.IRouter) {
	r.POST("/hooks/:channel/:account", h.post)
	r.GET("/hooks/:channel/:account", h.challenge)
}

// challenge answers with the network's own words and nothing else. That an account which is served is
// never 404 tells whoever sets it up that its address leads here.
func (h *Hooks) challenge(c *gin.Context) {
	e, known := h.find(bot.AccountKey(c.Param("channel"), c.Param("account")))
	if !known {
		c.Status(http.StatusNotFound)
		return
	}
	receiver, ok := e.Receiver.(bot.Challenger)
	if !ok {
		c.Status(http.StatusMethodNotAllowed)
		return
	}
	answer, ok := receiver.Challenge(c.Request.URL.Query())
	if !ok {
		c.Status(http.StatusForbidden)
		return
	}
	c.Writer.Header().Set("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(answer))
}

// post answers with a status and no body: Telegram would carry out a body that looks like a call.
func (h *Hooks) post(c *gin.Context) {
	e, known := h.find(bot.AccountKey(c.Param("channel"), c.Param("account")))
	if !known {
		c.Status(http.StatusNotFound)
		return
	}
	body, status := read(c)
	if status == 0 {
		status = h.take(c.Request.Context(), e, c.Request.Header, body)
	}
	c.Status(status)
}

// read returns the body, or the status that refuses it.
func read(c *gin.Context) (body []byte, refused int) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodyMost))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return nil, http.StatusBadRequest
	}
	return body, 0
}

// take verifies and stores one body and returns the status to answer with.
func (h *Hooks) take(ctx context.Context, e Endpoint, header http.Header, body []byte) int {
	if err := e.Receiver.Verify(header, body); err != nil {
		h.logger(e).WithError(err).Warn("a webhook call does not prove that it comes from the network")
		return http.StatusUnauthorized
	}
	if err := h.inbox.Receive(ctx, e.Account, body); err != nil {
		h.logger(e).WithError(err).Error("cannot store what the network posted; it will post it again")
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func (h *Hooks) logger(e Endpoint) logrus.FieldLogger {
	return h.log.WithFields(logrus.Fields{"channel": e.Account.Channel, "account": e.Account.ID})
}
