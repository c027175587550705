package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/messenger"
	"faqbot/bot/telegram"
	"faqbot/bot/webchat"
	"faqbot/bot/webhook"
	"faqbot/bot/whatsapp"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/media"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
	"faqbot/retrieval/embed"
	"faqbot/retrieval/encoder"
)

// schemas are every folder's migrations, in the order of the arrow.
func schemas() []sqldb.Schema {
	return []sqldb.Schema{knowledge.Schema(), people.Schema(), media.Schema(), embed.Schema(), bot.Schema(), handoff.Schema()}
}

// newLogger logs JSON lines to w. Only loops and the HTTP edge log; never a customer's words.
func newLogger(w io.Writer) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(w)
	log.SetFormatter(&logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano})
	return log
}

// openDB opens the configured database at this version's schema.
func openDB(ctx context.Context, c config) (*sqldb.DB, error) {
	db, err := sqldb.Open(ctx, string(c.Database.DSN))
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, schemas()...); err != nil {
		_ = db.Close() // the first error says more
		return nil, err
	}
	return db, nil
}

// embedders are what turns texts into vectors, with the database as their memory.
type embedders struct {
	builtin *embed.Cached
	primary *embed.Cached // nil unless a service is configured
}

func newEmbedders(c config, db *sqldb.DB, progress func(done, total int)) (embedders, error) {
	e, err := encoder.New()
	if err != nil {
		return embedders{}, fmt.Errorf("built-in encoder: %w", err)
	}
	list := embedders{builtin: embed.NewCached(e, db, embed.CachedOptions{Progress: progress})}
	if c.Embeddings.Model == "" {
		return list, nil
	}
	service, err := embed.NewOpenAI(embed.OpenAIOptions{BaseURL: c.Embeddings.BaseURL, Key: string(c.Embeddings.Key), Model: c.Embeddings.Model})
	if err != nil {
		return embedders{}, err
	}
	list.primary = embed.NewCached(service, db, embed.CachedOptions{Progress: progress})
	return list, nil
}

// searcher returns a Searcher over corpus.
func (e embedders) searcher(corpus retrieval.Corpus, observe func(string, time.Duration, error)) *retrieval.Searcher {
	o := retrieval.SearcherOptions{Observe: observe}
	if e.primary != nil { // a nil *Cached must not become a non-nil Embedder
		o.Primary = e.primary
	}
	return retrieval.NewSearcher(corpus, e.builtin, o)
}

// networks are the configured accounts and the channels that serve them, by bot.AccountKey.
type networks struct {
	accounts map[string]bot.Account
	channels map[string]bot.Channel
	hooks    []webhook.Endpoint // what networks post to
	telegram []telegramAccount
	webchat  []*webchat.Channel
	meta     []func(context.Context) error // keep WhatsApp, Messenger and Instagram accounts subscribed
}

// A telegramAccount is one bot and how it was configured.
type telegramAccount struct {
	config  accountConfig
	channel *telegram.Channel
}

func newNetworks(c config, log logrus.FieldLogger) (networks, error) {
	n := networks{accounts: map[string]bot.Account{}, channels: map[string]bot.Channel{}}
	for _, a := range c.Accounts {
		key, account := bot.AccountKey(a.Channel, a.ID), a.account()
		n.accounts[key] = account
		switch a.Channel {
		case "telegram":
			channel, err := telegram.New(account, telegram.Options{Token: string(a.Token), Secret: string(a.Secret), APIBase: a.APIBase, Log: log})
			if err != nil {
				return n, err
			}
			n.channels[key] = channel
			n.hooks = append(n.hooks, webhook.Endpoint{Account: account, Receiver: channel})
			n.telegram = append(n.telegram, telegramAccount{a, channel})
		case "whatsapp":
			channel, err := whatsapp.New(account, whatsapp.Options{Number: a.NumberID, Business: a.BusinessID, Token: string(a.Token),
				Secrets: strings.Fields(string(a.Secret)), VerifyToken: string(a.VerifyToken), APIBase: a.APIBase, APIVersion: a.APIVersion, Log: log})
			if err != nil {
				return n, err
			}
			n.channels[key] = channel
			n.hooks = append(n.hooks, webhook.Endpoint{Account: account, Receiver: channel})
			n.meta = append(n.meta, channel.Run)
		case "messenger", "instagram":
			channel, err := messenger.New(account, messenger.Options{Page: a.PageID, App: a.AppID, Token: string(a.Token),
				Secrets: strings.Fields(string(a.Secret)), VerifyToken: string(a.VerifyToken), APIBase: a.APIBase, APIVersion: a.APIVersion, Log: log})
			if err != nil {
				return n, err
			}
			n.channels[key] = channel
			n.hooks = append(n.hooks, webhook.Endpoint{Account: account, Receiver: channel})
			n.meta = append(n.meta, channel.Run)
		case "webchat":
			channel, err := webchat.New(account, webchat.Options{Name: a.Name, Origins: a.Origins, IdentitySecret: string(a.Secret), Welcome: a.Welcome})
			if err != nil {
				return n, fmt.Errorf("webchat account %s: %w", a.ID, err)
			}
			n.channels[key] = channel
			n.webchat = append(n.webchat, channel)
		}
	}
	return n, nil
}

// newConversations is how people read and speak. poke is called when they said something; linkKey signs the
// links by which customers go on elsewhere.
func newConversations(db *sqldb.DB, n networks, linkKey []byte, poke func()) *bot.Conversations {
	return bot.NewConversations(bot.NewStore(db), n.channels, bot.ConversationsOptions{Poke: poke, Accounts: n.accounts, LinkKey: linkKey})
}
