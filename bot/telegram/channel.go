// Package telegram is the Telegram network for one bot account: it decodes what Telegram posts or is
// polled for, sends replies, and keeps the account registered. It stores nothing, answers nothing
// and serves no HTTP; the webhook itself is bot/webhook.
//
// # Why so little of the library
//
// go-telegram/bot gives us the Bot API's parameters and their encoding. Its webhook acknowledges
// before anything is stored, its polling loop moves the offset before anything is handled, and its
// decoder fails on the whole update for one kind it does not know; so those three are ours. So is
// the reading of answers: its errors hold bodies, and a send needs to know whether a request that
// failed had been written.
package telegram

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/network"
	kept "faqbot/knowledge/media"
)

const (
	defaultAPIBase = "https://api.telegram.org"
	secretHeader   = "X-Telegram-Bot-Api-Secret-Token"

	maxText, maxCaption = 4096, 1024 // UTF-16 units
)

// Options are what a Channel needs besides its account.
type Options struct {
	Token   string             // of the bot, as @BotFather gave it: "ID:SECRET"
	Secret  string             // Telegram shows it with every webhook call: 1–256 of A-Z a-z 0-9 _ -; "" refuses all calls
	APIBase string             // https://api.telegram.org if ""
	Files   network.Files      // what files of ours are sent from; nil: only links are sent
	Log     logrus.FieldLogger // required
}

// A Channel is one Telegram bot. It is safe for concurrent use.
type Channel struct {
	account  bot.Account
	id       int64 // the bot's own user ID
	token    string
	secret   string
	base     string
	username atomic.Pointer[string] // without @; nil until getMe told
	client   *client
	files    network.Files
	known    *fileIDs
	download *kept.Downloader
	api      *tg.Bot
	log      logrus.FieldLogger
	retry    pacing
	watch    time.Duration // between two looks at the webhook's state
}

var (
	_ bot.Channel      = (*Channel)(nil)
	_ bot.Typist       = (*Channel)(nil)
	_ bot.Acknowledger = (*Channel)(nil)
	_ bot.Receiver     = (*Channel)(nil)
	_ bot.SenderFinder = (*Channel)(nil)
	_ bot.Linker       = (*Channel)(nil)
	_ bot.Fetcher      = (*Channel)(nil)
	_ bot.Profiler     = (*Channel)(nil)
)

// New returns the Channel of account. It calls nobody.
func New(account bot.Account, o Options) (*Channel, error) {
	id, err := botID(o.Token)
	if err != nil {
		return nil, fmt.Errorf("telegram account %s: %w", account.ID, err)
	}
	if o.Secret != "" && !isName(o.Secret, 256) {
		return nil, fmt.Errorf("telegram account %s: the secret must be 1 to 256 of A-Z a-z 0-9 _ -", account.ID)
	}
	base, err := baseURL(o.APIBase)
	if err != nil {
		return nil, fmt.Errorf("telegram account %s: %w", account.ID, err)
	}
	c := &Channel{account: account, id: id, token: o.Token, secret: o.Secret, base: base, client: newClient(),
		files: o.Files, known: &fileIDs{byFile: map[string]string{}}, download: kept.NewDownloader(kept.DownloaderOptions{Base: base}),
		log:   o.Log.WithFields(logrus.Fields{"channel": account.Channel, "account": account.ID}),
		retry: pacing{first: time.Second, most: time.Minute}, watch: 5 * time.Minute}
	c.api, err = tg.New(o.Token, tg.WithSkipGetMe(), tg.WithServerURL(base), tg.WithHTTPClient(time.Minute, c.client),
		tg.WithErrorsHandler(func(error) {})) // it would print to the standard logger
	if err != nil {
		return nil, fmt.Errorf("telegram account %s: the token is not usable", account.ID)
	}
	return c, nil
}

// Limits is what Telegram documents, and a label's length that phones show in full.
func (c *Channel) Limits() bot.Limits {
	return bot.Limits{Text: maxText, Media: true, Caption: maxCaption, Choices: 10, Label: 60, Pace: time.Second, Resend: true}
}

// Verify compares the secret that setWebhook registered. Telegram signs nothing.
func (c *Channel) Verify(h http.Header, _ []byte) error {
	if c.secret == "" {
		return errors.New("telegram: no secret is set for this account")
	}
	if subtle.ConstantTimeCompare([]byte(h.Get(secretHeader)), []byte(c.secret)) != 1 {
		return errors.New("telegram: wrong or missing secret")
	}
	return nil
}

// botID is the number before the colon of token.
func botID(token string) (int64, error) {
	number, secret, ok := strings.Cut(token, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || id <= 0 || !isName(secret, 256) {
		return 0, errors.New("the token has not the shape that @BotFather gives, NUMBER:LETTERS")
	}
	return id, nil
}

// isName reports whether s is 1 to most of A-Z a-z 0-9 _ -.
func isName(s string, most int) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

func baseURL(base string) (string, error) {
	if base == "" {
		return defaultAPIBase, nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("api_base is not an http or https URL")
	}
	return strings.TrimRight(base, "/"), nil
}

// A place is an address within Telegram: a chat, in a forum a topic of it, and in a group one of its members.
// Earlier builds had no members.
type place struct {
	chat   int64
	thread int64 // 0 outside forums
	member int64 // 0 outside groups
}

func (p place) String() string {
	where := strconv.FormatInt(p.chat, 10)
	if p.thread != 0 {
		where = fmt.Sprintf("%d/%d", p.chat, p.thread)
	}
	if p.member == 0 {
		return where
	}
	return bot.InGroup(where, strconv.FormatInt(p.member, 10))
}

// private is the chat of the bot with the customer alone.
func (p place) private() place {
	if p.member == 0 {
		return place{chat: p.chat}
	}
	return place{chat: p.member}
}

func parsePlace(customer string) (p place, err error) {
	where, member, inGroup := bot.Address{Customer: customer}.Member()
	if inGroup {
		p.member, err = strconv.ParseInt(member, 10, 64)
	} else {
		where = customer
	}
	chat, thread, topic := strings.Cut(where, "/")
	if err == nil {
		p.chat, err = strconv.ParseInt(chat, 10, 64)
	}
	if err == nil && topic {
		p.thread, err = strconv.ParseInt(thread, 10, 64)
	}
	if err != nil {
		return place{}, errors.New("not a Telegram address")
	}
	return p, nil
}
