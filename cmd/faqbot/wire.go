package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/accounts/start"
	"faqbot/bot/conversations"
	"faqbot/bot/inbound"
	"faqbot/bot/speech"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/handoff/bymail"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/events"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/media"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
	"faqbot/retrieval"
	"faqbot/retrieval/embed"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/learn"
)

// schemas are every folder's migrations, in the order of the arrow.
func schemas() []sqldb.Schema {
	return []sqldb.Schema{sqldb.OwnSchema(), attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), cases.Schema(), people.Schema(), media.Schema(), mail.Schema(), embed.Schema(), learn.Schema(), store.Schema(), handoff.Schema(), gaps.Schema(), bymail.Schema(), start.Schema()}
}

// newLogger logs JSON lines to w. Only loops and the HTTP edge log; never a customer's words.
func newLogger(w io.Writer) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(w)
	log.SetFormatter(&logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano})
	return log
}

// openRaw opens the configured database as it is, unless a newer build has used it.
func openRaw(ctx context.Context, c config) (*sqldb.DB, error) {
	db, err := sqldb.OpenWith(ctx, string(c.Database.DSN), sqldb.Options{MaxConns: c.Database.Pool})
	if err != nil {
		return nil, err
	}
	if err := db.RefuseNewer(ctx, schemas()...); err != nil {
		_ = db.Close() // the first error says more
		return nil, err
	}
	return db, nil
}

// withDB opens the configured database for one command.
func withDB(ctx context.Context, cli *commands, do func(config, *sqldb.DB) error) (err error) {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	db, err := openDB(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(c, db)
}

// openDB opens the configured database at this version's schema.
func openDB(ctx context.Context, c config) (*sqldb.DB, error) {
	db, err := openRaw(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, schemas()...); err != nil {
		_ = db.Close() // the first error says more
		return nil, err
	}
	return db, nil
}

// newKeyring is the service's signing keys. Reload reads them, and the first time makes them and the key file.
func newKeyring(c config, db *sqldb.DB) *people.Keyring {
	store := store.New(db)
	return people.NewKeyring(db, people.KeyringOptions{Key: c.keyFile(), Others: func(ctx context.Context) (map[string][]byte, error) {
		list, err := store.AddedAccounts(ctx)
		sealed := map[string][]byte{}
		for _, a := range list {
			sealed[a.Key()] = a.Sealed
		}
		return sealed, err
	}})
}

// embedders are what turns texts into vectors, with the database as their memory.
type embedders struct {
	builtin retrieval.Builtin
	raw     retrieval.Builtin // without that memory, for customers' texts
	primary *embed.Cached     // nil unless a service is configured
}

func newEmbedders(c config, db *sqldb.DB, progress func(done, total int)) (embedders, error) {
	english, multilingual, err := newEncoders()
	if err != nil {
		return embedders{}, err
	}
	list := embedders{builtin: retrieval.Builtin{English: embed.NewCached(english, db, embed.CachedOptions{Progress: progress})}, raw: retrieval.Builtin{English: english}}
	if multilingual != nil {
		list.raw.Multilingual = multilingual
		list.builtin.Multilingual = embed.NewCached(multilingual, db, embed.CachedOptions{Progress: progress})
	}
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

// newEncoders loads the built-in encoders; multilingual is nil in a build for English alone.
func newEncoders() (english, multilingual *encoder.Encoder, err error) {
	if english, err = encoder.New(); err == nil {
		multilingual, err = encoder.NewMultilingual()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("built-in encoder: %w", err)
	}
	return english, multilingual, nil
}

// searcher returns a Searcher over corpus.
func (e embedders) searcher(corpus retrieval.Corpus, learned retrieval.Learned, counter retrieval.Attempts, observe func(string, time.Duration, error)) *retrieval.Searcher {
	o := retrieval.SearcherOptions{Multilingual: e.builtin.Multilingual, Observe: observe, Learned: learned, Attempts: counter}
	if e.primary != nil { // a nil *Cached must not become a non-nil Embedder
		o.Primary = e.primary
	}
	return retrieval.NewSearcher(corpus, e.builtin.English, o)
}

// networks are the accounts that are served, and the channels that serve them.
type networks struct {
	accounts *bot.Registry
	served   *accounts.Service
}

// newNetworks opens the configured accounts; what was added comes with lines.Reload.
func newNetworks(c config, o accounts.Options) (networks, error) {
	n := networks{accounts: bot.NewRegistry()}
	o.Registry, o.File, o.PublicURL, o.Key = n.accounts, c.Accounts, c.Server.PublicURL, c.keyFile()
	var err error
	if n.served, err = accounts.New(o); err != nil {
		return n, err
	}
	return n, nil
}

// newCollector fetches what customers send, and listens if a speech service is configured.
func newCollector(c config, s *service, log logrus.FieldLogger) (*inbound.Collector, error) {
	o := inbound.CollectorOptions{Poke: s.poke, Observe: s.observe}
	if c.Speech.Model != "" {
		client, err := speech.New(speech.Options{BaseURL: c.Speech.BaseURL, Key: string(c.Speech.Key), Model: c.Speech.Model})
		if err != nil {
			return nil, err
		}
		o.Speech = client
	}
	return inbound.NewCollector(s.store, s.networks.accounts, s.media, log, o), nil
}

// newConversations is how people read and speak. poke is called when they said something; linkKey signs the
// links by which customers go on elsewhere.
func newConversations(db *sqldb.DB, n networks, linkKey vault.Signer, poke func()) *conversations.Service {
	return conversations.New(store.New(db), n.accounts, conversations.Options{Poke: poke, LinkKey: linkKey})
}
