package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/vault"
)

// Options are what a Service needs.
type Options struct {
	Store     *store.Store
	Registry  *bot.Registry
	File      []network.Settings // accounts of the configuration file: they win over added ones
	PublicURL string             // where the world reaches us, without a path; "" if it does not
	Key       string             // where the key of the secrets is: see vault.Load
	Files     network.Files      // what files of ours are sent from; nil where nothing is sent
	Log       logrus.FieldLogger

	// What polled accounts hear goes here; needed by Run alone.
	Receive func(ctx context.Context, account bot.Account, body []byte) error
}

// A Service serves the accounts on networks, those of the file and those that were added,
// each with its channel and its loop. It is safe for concurrent use.
type Service struct {
	o    Options
	wake chan struct{}
	http *http.Client // asks whether our own address leads to us

	mu       sync.Mutex
	served   map[string]*servedAccount // by AccountKey
	versions map[string]string
}

// A servedAccount is one account. What is behind the comment is guarded by Service.mu.
type servedAccount struct {
	settings network.Settings
	added    bool
	version  string
	channel  bot.Channel // nil if broken
	broken   error

	stop      context.CancelFunc // ends its loop; nil while it has none
	standing  bot.AccountHealth
	checkedAt time.Time
}

// New opens the accounts of the file; it is an error if one cannot be. Accounts that were added come
// with Reload.
func New(o Options) (*Service, error) {
	svc := &Service{o: o, wake: make(chan struct{}, 1), served: map[string]*servedAccount{}, http: &http.Client{Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, s := range o.File {
		channel, err := open(s, o)
		if err != nil {
			return nil, err
		}
		svc.served[s.Key()] = &servedAccount{settings: s, channel: channel}
		o.Registry.Put(s.Account(), channel)
	}
	return svc, nil
}

// Reload takes up what was added, changed and removed since.
func (svc *Service) Reload(ctx context.Context) error {
	versions, err := svc.o.Store.AccountVersions(ctx)
	if err != nil {
		return err
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if svc.versions != nil && maps.Equal(versions, svc.versions) && !svc.anyBroken() {
		return nil
	}
	added, err := svc.o.Store.AddedAccounts(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, a := range added {
		seen[a.Key()] = true
		old := svc.served[a.Key()]
		if old != nil && (!old.added || old.version == a.Version && old.broken == nil) {
			continue // the file wins; or nothing changed
		}
		next := svc.open(a)
		if next.broken != nil && (old == nil || old.version != a.Version) {
			svc.o.Log.WithFields(logrus.Fields{"channel": a.Channel, "account": a.ID}).WithError(next.broken).Error("an added account cannot be served")
		}
		svc.replace(a.Key(), next)
	}
	for key, old := range svc.served {
		if old.added && !seen[key] {
			svc.replace(key, nil)
		}
	}
	svc.versions = versions
	worker.Poke(svc.wake)
	return nil
}

// anyBroken reports whether an account is broken: its key may be back. svc.mu is held.
func (svc *Service) anyBroken() bool {
	for _, n := range svc.served {
		if n.broken != nil {
			return true
		}
	}
	return false
}

// replace ends what served key and serves next, if any, instead. svc.mu is held.
func (svc *Service) replace(key string, next *servedAccount) {
	if old := svc.served[key]; old != nil && old.stop != nil {
		old.stop()
	}
	delete(svc.served, key)
	if next != nil {
		svc.served[key] = next
	}
	if next == nil || next.channel == nil {
		svc.o.Registry.Remove(key)
		return
	}
	svc.o.Registry.Put(next.settings.Account(), next.channel)
}

// open serves an added account; one whose secrets cannot be read is broken. svc.mu is held.
func (svc *Service) open(a store.AddedAccount) *servedAccount {
	n := &servedAccount{added: true, version: a.Version}
	n.broken = svc.read(a, &n.settings)
	n.settings.Channel, n.settings.ID = a.Channel, a.ID
	if n.broken == nil {
		n.channel, n.broken = open(n.settings, svc.o)
	}
	return n
}

// sealed are an account's secrets as a vault.Vault keeps them.
type sealed struct {
	Token, Secret, VerifyToken string
}

func (svc *Service) read(a store.AddedAccount, s *network.Settings) error {
	if err := json.Unmarshal(a.Settings, s); err != nil {
		return fmt.Errorf("read the account's settings: %w", err)
	}
	v, err := vault.Load(svc.o.Key) // each time: the right key may be put back, or a new one rotated in
	if err != nil {
		return err
	}
	text, err := v.Open(a.Key(), a.Sealed)
	if err != nil {
		return fmt.Errorf("%w than the one in %s", err, svc.o.Key)
	}
	var secrets sealed
	if err := json.Unmarshal(text, &secrets); err != nil {
		return errors.New("the account's secrets cannot be read")
	}
	s.Token, s.Secret, s.VerifyToken = network.Secret(secrets.Token), network.Secret(secrets.Secret), network.Secret(secrets.VerifyToken)
	return nil
}

// lookEvery is how often Run looks for accounts that another process added or removed, and checkEvery how
// often it asks the networks how the accounts stand.
const (
	lookEvery  = time.Second
	checkFirst = 30 * time.Second
	checkEvery = 15 * time.Minute
)

// Run serves the accounts until ctx ends: it polls, or keeps webhooks registered, takes up changes, and
// checks now and then.
func (svc *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	check := time.Now().Add(checkFirst)
	for ctx.Err() == nil {
		if err := guard.Run(func() error { return svc.Reload(ctx) }); err != nil && ctx.Err() == nil {
			guard.Log(svc.o.Log, "looking for added accounts", err)
			svc.o.Log.WithError(err).Error("cannot look for added accounts")
		}
		svc.start(ctx, g)
		if time.Now().After(check) {
			check = time.Now().Add(checkEvery)
			g.Go(func() error { guard.Do(svc.o.Log, "checking the accounts", func() { svc.watch(ctx) }); return nil })
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-svc.wake:
		}
	}
	return g.Wait()
}

// start begins the loops of the accounts that have none.
func (svc *Service) start(ctx context.Context, g *errgroup.Group) {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	for _, n := range svc.served {
		if n.stop != nil || n.channel == nil {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		n.stop = stop
		g.Go(func() error {
			defer stop()
			guard.Loop(ctx, svc.o.Log, n.settings.Key(), func(ctx context.Context) error { return svc.serve(ctx, n) })
			return nil
		})
	}
}

// serve keeps an account registered, or polls, until ctx ends.
func (svc *Service) serve(ctx context.Context, n *servedAccount) error {
	described, _ := NetworkOf(n.settings.Channel)
	return described.Run(ctx, n.channel, n.settings, network.RunOptions{Webhook: svc.hook(n.settings),
		Receive: func(ctx context.Context, body []byte) error { return svc.o.Receive(ctx, n.settings.Account(), body) }})
}

// watch checks all accounts and logs what has newly gone wrong.
func (svc *Service) watch(ctx context.Context) {
	before := map[string]bool{}
	for _, r := range svc.snapshot() {
		before[r.Settings.Key()] = r.Health.Critical()
	}
	for _, r := range svc.Check(ctx) {
		if r.Health.Critical() && !before[r.Settings.Key()] && ctx.Err() == nil {
			svc.o.Log.WithFields(logrus.Fields{"channel": r.Settings.Channel, "account": r.Settings.ID, "problem": r.Health.Problems[0].Kind,
				"fix": "see /channels, or faqbot channel check"}).Error("an account does not work")
		}
	}
}

// hook is where an account's network should post, "" if it cannot or need not.
func (svc *Service) hook(s network.Settings) string {
	if svc.o.PublicURL == "" || s.Mode == network.ModePoll {
		return ""
	}
	return strings.TrimRight(svc.o.PublicURL, "/") + "/hooks/" + s.Key()
}
