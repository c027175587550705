package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	golog "log"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/bot/webhook"
	"faqbot/bot/worker"
	"faqbot/handoff"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/deadlinks"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// serveCommand runs the service.
type serveCommand struct{}

// stopWithin bounds a graceful stop: what is in hand then is taken up again at the next start.
const stopWithin = 25 * time.Second

func (serveCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	log := newLogger(os.Stderr)
	s, err := newService(ctx, c, log, nil)
	if err != nil {
		return err
	}
	if err := s.welcomeFirstAdmin(ctx, term); err != nil {
		return errors.Join(err, s.close())
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Server.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen on %s: %w; set another [server] listen", c.Server.Listen, err), s.close())
	}
	log.WithFields(logrus.Fields{"listen": listener.Addr().String(), "accounts": len(c.Accounts)}).Info("serving")
	return errors.Join(s.runUntil(ctx, listener), s.close())
}

// welcomeFirstAdmin prints the link with which the first admin makes an account, while there is none.
// It goes to the terminal, never to the log: whoever reads it can become admin.
func (s *service) welcomeFirstAdmin(ctx context.Context, term terminal) error {
	token, ends, err := s.directory.FirstAdmin(ctx, s.keys.Signer(people.FirstAdminLink))
	if err != nil || token == "" {
		return err
	}
	fmt.Fprintf(term.out, "There is no admin yet. Open this link before %s to become one:\n%s\n", ends.Local().Format("2 January 15:04"), s.config.welcome(token))
	return nil
}

// A service is the whole of faqbot, wired.
type service struct {
	config        config
	log           *logrus.Logger
	db            *sqldb.DB
	unlock        func() error
	store         *store.Store
	keys          *people.Keyring
	directory     *people.Directory
	corpus        *knowledge.Corpus
	embedders     embedders
	learner       *learn.Learner
	searcher      *retrieval.Searcher
	phrases       *dialogue.Phrases
	brands        *brand.Store
	engine        *dialogue.Engine
	networks      networks
	intake        *inbound.Intake
	runner        *turns.Runner
	courier       *outbound.Courier
	collector     *inbound.Collector
	media         *media.Store
	links         *mediaLinks
	deadLinks     *deadlinks.Checker
	conversations *conversations.Service
	desk          *handoff.Desk
	gaps          *gaps.Service
	mail          mailing
	pages         *pages
	trials        *trials
	rebuilt       chan struct{} // told when what is searched has changed, or a file was read
	forwarded     forwarded
	stopping      atomic.Bool
	readiness     readiness
}

// newEngine is the engine that serves, answers the API, and is tried out: there is one.
func newEngine(s *retrieval.Searcher, p *dialogue.Phrases, policy dialogue.Policy) *dialogue.Engine {
	return dialogue.NewEngine(s, p, policy)
}

func newService(ctx context.Context, c config, log *logrus.Logger, d *demo) (_ *service, err error) {
	s := &service{config: c, log: log, unlock: func() error { return nil }, rebuilt: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	s.forwarded = forwarded{log: log, trusted: len(c.Server.TrustedProxies) > 0}
	if c.behindProxy() {
		log.Warn(forwardedWords)
	}
	if _, err = newNetworks(c, accounts.Options{Log: log}); err != nil { // before anything is made
		return nil, err
	}
	if s.db, err = openDB(ctx, c); err != nil {
		return nil, err
	}
	s.keys = newKeyring(c, s.db)
	s.reloadKeys(ctx)
	s.media = media.NewStore(s.db, media.Options{})
	if s.embedders, err = newEmbedders(c, s.db, logProgress(log)); err != nil {
		return nil, err
	}
	if s.phrases, err = dialogue.LoadPhrases(); err != nil {
		return nil, err
	}
	s.store = store.New(s.db)
	if s.networks, err = newNetworks(c, s.lineOptions()); err != nil {
		return nil, err
	}
	if err := s.networks.served.Reload(ctx); err != nil {
		return nil, err
	}
	if err := s.recoverLeases(ctx); err != nil {
		return nil, err
	}
	s.directory = people.NewDirectory(s.db, people.Options{})
	s.corpus = knowledge.NewCorpus(s.db, time.Now)
	s.learner = learn.New(s.db)
	s.searcher = s.embedders.searcher(s.corpus, s.learner, attempts.NewCounter(s.db, nil), s.observe)
	s.brands = brand.NewStore(s.db, time.Now)
	s.engine = newEngine(s.searcher, s.phrases, c.policy()).WithBrands(s.brands)
	s.trials = newTrials(func(c dialogue.Unpublished) *retrieval.Searcher { return s.embedders.searcher(c, s.learner, nil, nil) }, s.changed)
	if err := s.wireTalk(); err != nil {
		return nil, err
	}
	if s.pages, err = newPages(s, d); err != nil {
		return nil, err
	}
	if loose := looseWords(c); loose != "" {
		log.Warn(loose)
	}
	for _, a := range c.Accounts {
		if len(a.Affiliates) == 0 {
			log.WithFields(logrus.Fields{"channel": a.Channel, "account": a.ID}).
				Warn(`the account names no affiliates: nobody's entries answer, so people must; set affiliates = ["NAME"]`)
		}
	}
	return s, nil
}

// wireTalk wires those who hear, decide, carry out and speak.
func (s *service) wireTalk() (err error) {
	linkKey := s.keys.Signer(people.ChannelLinks)
	s.conversations = newConversations(s.db, s.networks, linkKey, s.poke)
	s.desk = handoff.NewDesk(s.db, s.conversations, s.phrases, s.log, nil)
	s.gaps = gaps.New(s.db, s.corpus, gaps.Options{Encoders: s.embedders.raw, Prepare: s.prepare, Published: s.searcher.Poke, Log: s.log})
	s.links = newMediaLinks(s)
	s.deadLinks = deadlinks.New(deadlinks.Options{})
	s.courier = outbound.NewCourier(s.store, s.networks.accounts, s.desk, s.log, outbound.CourierOptions{Link: s.links.link, Observe: s.observe,
		ReceivingSince: func() time.Time { return s.intake.ReceivingSince() }})
	s.runner = turns.NewRunner(s.store, s.engine, s.networks.accounts, s.log, turns.RunnerOptions{Poke: s.poke, Observe: s.observe})
	s.intake = inbound.NewIntake(s.store, s.networks.accounts, s.log, inbound.IntakeOptions{Poke: s.poke, Transcribes: s.config.Speech.Model != "", LinkKey: linkKey, Shelf: s.media})
	if s.collector, err = newCollector(s.config, s, s.log); err != nil {
		return err
	}
	s.mail, err = newMailing(s)
	return err
}

// lineOptions say what accounts on networks need of the service.
func (s *service) lineOptions() accounts.Options {
	return accounts.Options{Store: s.store, Files: s.media, Log: s.log,
		Receive: func(ctx context.Context, a bot.Account, body []byte) error { return s.intake.Receive(ctx, a, body) }}
}

// poke makes everybody look for work, or for news to show, now: something was written.
func (s *service) poke() {
	s.runner.Poke()
	s.courier.Poke()
	s.collector.Poke()
	s.pages.console.Poke()
}

// recoverLeases takes up what a predecessor held when it died. On SQLite the file's lock says that it is
// dead; on Postgres other processes may live, and leases end by themselves.
func (s *service) recoverLeases(ctx context.Context) error {
	if err := s.store.Unpause(ctx); err != nil {
		return err
	}
	if s.db.Postgres() {
		return nil
	}
	unlock, err := lockFile(string(s.config.Database.DSN) + ".lock")
	if err != nil {
		return fmt.Errorf("another faqbot serves %s: stop it, or use Postgres to run several: %w", string(s.config.Database.DSN), err)
	}
	s.unlock = unlock
	return errors.Join(s.store.ReleaseLeases(ctx, time.Now()), cases.NewStore(s.db).Interrupt(ctx))
}

func (s *service) close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	return errors.Join(err, s.unlock())
}

// observe logs what took unusually long or failed, stage by stage.
func (s *service) observe(stage string, took time.Duration, err error) {
	log := s.log.WithFields(logrus.Fields{"stage": stage, "took": took.String()})
	switch {
	case err != nil:
		log.WithError(err).Warn("stage failed")
	case took > 3*time.Second:
		log.Info("slow stage")
	}
	if stage == retrieval.StageIndex {
		s.changed()
	}
}

// changed says that something large is garbage now: see giveBack.
func (s *service) changed() {
	worker.Poke(s.rebuilt)
}

// giveBack returns memory to the system once a publish is digested. What was searched before is then
// garbage, as large as what is searched now, and a service at rest would keep it for minutes.
func (s *service) giveBack(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.rebuilt:
		}
		select { // others may publish, too
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		debug.FreeOSMemory()
	}
}

// runUntil serves until ctx ends, then stops in order: no new work, then what is in hand.
func (s *service) runUntil(ctx context.Context, listener net.Listener) error {
	server, err := s.server() // gin's handlers have their request's context
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	loops := map[string]func(context.Context) error{"searcher": s.searcher.Run, "runner": s.answer, "intake": s.intake.Run, "courier": s.courier.Run, "collector": s.collector.Run,
		"desk": s.desk.Run, "console": s.pages.console.Run, "checks": s.pages.portal.Run, "links": s.deadLinks.Run, "sweep": s.sweep, "memory": s.giveBack, "trials": s.trials.Run, "accounts": s.networks.served.Run, "keys": s.followKeys, "gaps": s.gaps.Run, "tests": s.pages.tests.Run}
	maps.Copy(loops, s.mail.loops())
	for name, loop := range loops {
		g.Go(func() error { guard.Loop(ctx, s.log, name, loop); return nil })
	}
	g.Go(func() error {
		if err := serveOn(server, listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		s.stopping.Store(true)
		s.log.Info("stopping")
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		return server.Shutdown(ctx)
	})
	err = g.Wait()
	s.log.Info("stopped")
	return err
}

// answer runs the runner once there is something to answer from: with nothing read yet, every
// question would be one without an answer. What customers write meanwhile is stored, and waits.
func (s *service) answer(ctx context.Context) error {
	for !s.searcher.Ready() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
	return s.runner.Run(ctx)
}

// server is the HTTP server with limits of its own: gin's has none.
func (s *service) server() (*http.Server, error) {
	certificates, err := s.config.certificates()
	if err != nil {
		return nil, err
	}
	handler := page.Secure(http.NewCrossOriginProtection().Handler(s.routes()))
	if s.config.https() {
		handler = strictTransport(handler)
	}
	server := &http.Server{
		Handler:           handler,
		TLSConfig:         certificates,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      maxRequest + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          golog.New(io.Discard, "", 0), // it tells what strangers got wrong, with their addresses
	}
	server.RegisterOnShutdown(s.pages.chat.Close) // streams never end by themselves
	return server, nil
}

// serveOn serves by TLS if the server has certificates.
func serveOn(server *http.Server, l net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// maxRequest bounds the work for one request, so that the error still arrives before the server's WriteTimeout
// ends the connection.
const maxRequest = 50 * time.Second

// boundRequest gives a request a deadline, which ends its waiting for the database. Streams last as long as
// their readers stay; the affiliates' pages publish, which may take longer and is theirs to bound.
func boundRequest(c *gin.Context) {
	if path := c.FullPath(); strings.HasSuffix(path, "/events") || strings.HasPrefix(path, "/partners") {
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), maxRequest)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

func (s *service) routes() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.RedirectTrailingSlash = false // Telegram takes a redirect for a failure
	r.Use(gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, cause any) {
		s.log.WithField("route", c.FullPath()).WithField("stack", string(debug.Stack())).Error(guard.Describe(cause))
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	r.Use(boundRequest)
	if err := r.SetTrustedProxies(s.config.Server.TrustedProxies); err != nil {
		panic(err) // they were checked with the configuration
	}
	r.Use(s.forwarded.watch)
	r.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	r.GET("/readyz", s.readyz)
	webhook.NewHooks(webhook.Served(s.networks.accounts), s.intake, s.log).Register(r)
	s.pages.register(r)
	return r
}
