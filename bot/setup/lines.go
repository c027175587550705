package setup

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

// Options are what Lines need.
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

// Lines are the accounts on networks that are served now, those of the file and those that were added,
// each with its channel and its loop. It is safe for concurrent use.
type Lines struct {
	o    Options
	wake chan struct{}
	http *http.Client // asks whether our own address leads to us

	mu       sync.Mutex
	lines    map[string]*line // by AccountKey
	versions map[string]string
}

// A line is one account. What is behind the comment is guarded by Lines.mu.
type line struct {
	settings network.Settings
	added    bool
	version  string
	channel  bot.Channel // nil if broken
	broken   error

	stop      context.CancelFunc // ends its loop; nil while it has none
	standing  bot.AccountHealth
	checkedAt time.Time
}

// NewLines opens the accounts of the file; it is an error if one cannot be. Accounts that were added come
// with Reload.
func NewLines(o Options) (*Lines, error) {
	l := &Lines{o: o, wake: make(chan struct{}, 1), lines: map[string]*line{}, http: &http.Client{Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, s := range o.File {
		if n, _ := NetworkOf(s.Channel); n.Open == nil { // the chat on a page
			continue
		}
		channel, err := open(s, o)
		if err != nil {
			return nil, err
		}
		l.lines[s.Key()] = &line{settings: s, channel: channel}
		o.Registry.Put(s.Account(), channel)
	}
	return l, nil
}

// Reload takes up what was added, changed and removed since.
func (l *Lines) Reload(ctx context.Context) error {
	versions, err := l.o.Store.AccountVersions(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.versions != nil && maps.Equal(versions, l.versions) && !l.anyBroken() {
		return nil
	}
	added, err := l.o.Store.AddedAccounts(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, a := range added {
		seen[a.Key()] = true
		old := l.lines[a.Key()]
		if old != nil && (!old.added || old.version == a.Version && old.broken == nil) {
			continue // the file wins; or nothing changed
		}
		next := l.open(a)
		if next.broken != nil && (old == nil || old.version != a.Version) {
			l.o.Log.WithFields(logrus.Fields{"channel": a.Channel, "account": a.ID}).WithError(next.broken).Error("an added account cannot be served")
		}
		l.replace(a.Key(), next)
	}
	for key, old := range l.lines {
		if old.added && !seen[key] {
			l.replace(key, nil)
		}
	}
	l.versions = versions
	worker.Poke(l.wake)
	return nil
}

// anyBroken reports whether a line is broken: its key may be back. l.mu is held.
func (l *Lines) anyBroken() bool {
	for _, n := range l.lines {
		if n.broken != nil {
			return true
		}
	}
	return false
}

// replace ends what served key and serves next, if any, instead. l.mu is held.
func (l *Lines) replace(key string, next *line) {
	if old := l.lines[key]; old != nil && old.stop != nil {
		old.stop()
	}
	delete(l.lines, key)
	if next != nil {
		l.lines[key] = next
	}
	if next == nil || next.channel == nil {
		l.o.Registry.Remove(key)
		return
	}
	l.o.Registry.Put(next.settings.Account(), next.channel)
}

// open makes a line of an added account; one whose secrets cannot be read is broken. l.mu is held.
func (l *Lines) open(a store.AddedAccount) *line {
	n := &line{added: true, version: a.Version}
	n.broken = l.read(a, &n.settings)
	n.settings.Channel, n.settings.ID = a.Channel, a.ID
	if n.broken == nil {
		n.channel, n.broken = open(n.settings, l.o)
	}
	return n
}

// sealed are an account's secrets as a vault.Vault keeps them.
type sealed struct {
	Token, Secret, VerifyToken string
}

func (l *Lines) read(a store.AddedAccount, s *network.Settings) error {
	if err := json.Unmarshal(a.Settings, s); err != nil {
		return fmt.Errorf("read the account's settings: %w", err)
	}
	v, err := vault.Load(l.o.Key) // each time: the right key may be put back, or a new one rotated in
	if err != nil {
		return err
	}
	text, err := v.Open(a.Key(), a.Sealed)
	if err != nil {
		return fmt.Errorf("%w than the one in %s", err, l.o.Key)
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
func (l *Lines) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	check := time.Now().Add(checkFirst)
	for ctx.Err() == nil {
		if err := guard.Run(func() error { return l.Reload(ctx) }); err != nil && ctx.Err() == nil {
			guard.Log(l.o.Log, "looking for added accounts", err)
			l.o.Log.WithError(err).Error("cannot look for added accounts")
		}
		l.start(ctx, g)
		if time.Now().After(check) {
			check = time.Now().Add(checkEvery)
			g.Go(func() error { guard.Do(l.o.Log, "checking the accounts", func() { l.watch(ctx) }); return nil })
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-l.wake:
		}
	}
	return g.Wait()
}

// start begins the loops of the lines that have none.
func (l *Lines) start(ctx context.Context, g *errgroup.Group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.lines {
		if n.stop != nil || n.channel == nil {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		n.stop = stop
		g.Go(func() error {
			defer stop()
			err := guard.Loop(ctx, l.o.Log, n.settings.Key(), func(ctx context.Context) error { return l.serve(ctx, n) })
			if ctx.Err() != nil {
				return nil
			}
			return err
		})
	}
}

// serve keeps an account registered, or polls, until ctx ends.
func (l *Lines) serve(ctx context.Context, n *line) error {
	described, _ := NetworkOf(n.settings.Channel)
	return described.Run(ctx, n.channel, n.settings, network.RunOptions{Webhook: l.hook(n.settings),
		Receive: func(ctx context.Context, body []byte) error { return l.o.Receive(ctx, n.settings.Account(), body) }})
}

// watch checks all accounts and logs what has newly gone wrong.
func (l *Lines) watch(ctx context.Context) {
	before := map[string]bool{}
	for _, r := range l.snapshot() {
		before[r.Settings.Key()] = r.Standing.Critical()
	}
	for _, r := range l.Check(ctx) {
		if r.Standing.Critical() && !before[r.Settings.Key()] && ctx.Err() == nil {
			l.o.Log.WithFields(logrus.Fields{"channel": r.Settings.Channel, "account": r.Settings.ID, "problem": r.Standing.Problems[0].Kind,
				"mend": "see /channels, or faqbot channel check"}).Error("an account does not work")
		}
	}
}

// hook is where an account's network should post, "" if it cannot or need not.
func (l *Lines) hook(s network.Settings) string {
	if l.o.PublicURL == "" || s.Mode == network.ModePoll {
		return ""
	}
	return strings.TrimRight(l.o.PublicURL, "/") + "/hooks/" + s.Key()
}
