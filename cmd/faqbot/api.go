package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/people"
)

// Limits of POST /api/ask.
const (
	apiBody   = 64 << 10 // bytes of one request
	apiRate   = 20       // requests a second for one affiliate, over all its keys
	apiBurst  = 40
	apiLonger = 50 // earlier messages in "context"

	apiWrongKeys      = 10  // requests a minute from one network address with a key that is not good
	apiWrongKeysBurst = 100 // also how many requests from one address may be checked at once
)

// An apiAnswer is a batch row with the words that a customer would read.
type apiAnswer struct {
	batchRow
	Reason  bot.Reason `json:"reason"`
	Replies []string   `json:"replies"`
	Media   []apiMedia `json:"media,omitempty"`

	Keys map[knowledge.EntryID]string `json:"keys,omitempty"` // the affiliate's own names of the entries above
}

// apiMedia is a file that goes with the replies.
type apiMedia struct {
	Kind string `json:"kind"` // photo, video, audio, document
	Name string `json:"name,omitempty"`
	Link string `json:"link,omitempty"` // good for a week, if it is to us; "" if public_url is not set
}

// An api answers programs: the engine behind an API key, which is one affiliate's.
type api struct {
	service *service
	wrong   *limits.Rate // by network address
	rate    *limits.Rate // by affiliate
}

func newAPI(s *service, now func() time.Time) *api {
	return &api{service: s, wrong: limits.NewRate(apiWrongKeys, apiWrongKeysBurst, now), rate: limits.NewRate(apiRate*60, apiBurst, now)}
}

// ask answers POST /api/ask.
func (a *api) ask(c *gin.Context) {
	affiliate, ok := a.affiliate(c)
	if !ok {
		return
	}
	if a.rate.Take(string(affiliate)) > 0 {
		c.Header("Retry-After", "1")
		refuse(c, http.StatusTooManyRequests, "too many requests: at most 20 a second for one affiliate")
		return
	}
	var q query
	body := http.MaxBytesReader(c.Writer, c.Request.Body, apiBody)
	if err := json.NewDecoder(body).Decode(&q); err != nil {
		if _, long := errors.AsType[*http.MaxBytesError](err); long {
			refuse(c, http.StatusRequestEntityTooLarge, "the request is longer than 64 kB")
			return
		}
		refuse(c, http.StatusBadRequest, `send JSON like {"id":"1","text":"how do I get paid?"}, optionally "lang" and "context":["earlier customer words"]`)
		return
	}
	if len(q.Context) > apiLonger {
		refuse(c, http.StatusBadRequest, "context holds more than 50 earlier messages: send the last ones")
		return
	}
	if !a.service.searcher.Ready() {
		c.Header("Retry-After", "2")
		refuse(c, http.StatusServiceUnavailable, "starting: what is published is being read")
		return
	}
	engine := dialogue.NewAsker(a.service.engine, bot.Account{Affiliates: []knowledge.AffiliateID{affiliate}})
	r, err := engine.Ask(c.Request.Context(), q.question())
	if err != nil {
		a.service.log.WithError(err).Error("the API could not answer")
		refuse(c, http.StatusInternalServerError, "the question could not be answered now: try again")
		return
	}
	answer := apiAnswer{batchRow: rowOf(r, nil), Reason: r.Outcome.Decision.Reason, Replies: []string{}}
	for _, reply := range r.Outcome.Replies {
		if reply.Text != "" {
			answer.Replies = append(answer.Replies, reply.Text)
		}
		if m := reply.Media; m != nil {
			link := m.Link
			if m.File != "" {
				link = a.service.links.link(*m)
			}
			answer.Media = append(answer.Media, apiMedia{m.Kind, m.Name, link})
		}
	}
	answer.Keys = a.keys(affiliate, answer.batchRow)
	c.JSON(http.StatusOK, answer)
}

// keys are the affiliate's own names of a row's entries.
func (a *api) keys(affiliate knowledge.AffiliateID, row batchRow) map[knowledge.EntryID]string {
	list := append([]knowledge.EntryID{row.Entry}, row.Choices...)
	for _, r := range row.Ranked {
		list = append(list, r.Entry)
	}
	keys := map[knowledge.EntryID]string{}
	for _, id := range list {
		if e, ok := a.service.searcher.Entry([]knowledge.AffiliateID{affiliate}, id); ok && e.Key != "" {
			keys[id] = e.Key
		}
	}
	return keys
}

// affiliate is whose key the request carries; otherwise it is refused.
func (a *api) affiliate(c *gin.Context) (knowledge.AffiliateID, bool) {
	key, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	address := limits.Network(c.ClientIP())
	if wait := a.wrong.Take(address); wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		refuse(c, http.StatusTooManyRequests, "too many requests from this address with a wrong API key: wait, then send the right one")
		return "", false
	}
	if ok {
		affiliate, err := a.service.directory.Key(c.Request.Context(), strings.TrimSpace(key))
		if !errors.Is(err, people.ErrKey) { // a key that could not be looked up is not a wrong one
			a.wrong.GiveBack(address)
		}
		if err == nil {
			return affiliate, true
		}
		if !errors.Is(err, people.ErrKey) {
			a.service.log.WithError(err).Error("cannot check an API key")
			refuse(c, http.StatusInternalServerError, "the key could not be checked now: try again")
			return "", false
		}
	}
	c.Header("WWW-Authenticate", "Bearer")
	refuse(c, http.StatusUnauthorized, "send your API key as: Authorization: Bearer KEY")
	return "", false
}

func refuse(c *gin.Context, status int, why string) {
	c.AbortWithStatusJSON(status, gin.H{"error": why})
}
