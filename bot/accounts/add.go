package accounts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/bot/store"
	"faqbot/knowledge/vault"
)

// A RefusedError means that an account was not added, because its network says that it cannot work.
type RefusedError struct{ Problem bot.Problem }

func (e *RefusedError) Error() string { return e.Problem.What + " " + e.Problem.Fix }

// ErrInFile means that the account stands in the configuration file and can only be changed there.
var ErrInFile = errors.New("the account stands in the configuration file: change it there")

// fill makes what a person need not think of. What the account had before stays, so that nothing need be
// entered anew.
func (svc *Service) fill(s *network.Settings) {
	if n := svc.find(s.Key()); n != nil && n.broken == nil && n.settings.APIBase == s.APIBase { // no secret goes to another address
		s.Token = cmp.Or(s.Token, n.settings.Token)
		s.Secret = cmp.Or(s.Secret, n.settings.Secret)
		s.VerifyToken = cmp.Or(s.VerifyToken, n.settings.VerifyToken)
	}
	if n, _ := NetworkOf(s.Channel); n.Fill != nil {
		n.Fill(s, svc.o.PublicURL != "")
	}
}

// An Added is what adding an account led to.
type Added struct {
	Report
	VerifyToken string // to be entered in Meta's console, "" on Telegram
	Served      bool   // a service serves the account and our public address leads to it
	Hooked      bool   // the network was told to post here
	HookErr     error  // why it was not
}

// Add verifies an account with its network, keeps it, has it served, and has the network post to us. A
// *RefusedError or *network.FieldError means that nothing was kept. Adding an account again replaces its settings.
func (svc *Service) Add(ctx context.Context, s network.Settings, dir string) (Added, error) {
	svc.fill(&s)
	if err := Complete(&s, dir); err != nil {
		return Added{}, err
	}
	if n := svc.find(s.Key()); n != nil && !n.added {
		return Added{}, ErrInFile
	}
	if err := svc.verify(ctx, s); err != nil {
		return Added{}, err
	}
	if err := svc.keep(ctx, s); err != nil {
		return Added{}, err
	}
	if err := svc.Reload(ctx); err != nil {
		return Added{}, err
	}
	a := Added{VerifyToken: string(s.VerifyToken)}
	if svc.hook(s) != "" {
		a.Served = svc.awaitServed(ctx, s) == nil
	}
	if a.Served {
		a.HookErr = svc.Hook(ctx, s.Key())
		a.Hooked = a.HookErr == nil
	}
	svc.checkAccount(ctx, s.Key())
	var err error
	a.Report, err = svc.Report(ctx, s.Key())
	return a, err
}

// verify asks the network about an account that is not served yet.
func (svc *Service) verify(ctx context.Context, s network.Settings) error {
	channel, err := open(s, svc.o)
	if err != nil {
		return &network.FieldError{Field: "", Text: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	standing := channel.(bot.Checker).Check(ctx, "")
	for _, p := range standing.Problems {
		// A webhook that is not set yet is what adding is for.
		if p.Critical && p.Kind != bot.ProblemWebhook && p.Kind != bot.ProblemElsewhere {
			return &RefusedError{Problem: p}
		}
	}
	return nil
}

// keep writes the account with its secrets sealed.
func (svc *Service) keep(ctx context.Context, s network.Settings) error {
	kept, err := svc.o.Store.AddedAccounts(ctx)
	if err != nil {
		return err
	}
	v, err := vault.Load(svc.o.Key)
	if errors.Is(err, vault.ErrNoKey) && len(kept) > 0 {
		return fmt.Errorf("%w, and the secrets of %d added accounts were sealed with it: put it back, or remove those accounts", err, len(kept))
	}
	if err != nil {
		return err
	}
	for _, other := range kept { // a second key beside the first would hide the mistake
		if _, err := v.Open(other.Key(), other.Sealed); err != nil {
			return fmt.Errorf("%w: the key in %s does not fit account %s: put the right one back, or remove that account", err, svc.o.Key, other.Key())
		}
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep account %s: %w", s.Key(), err)
	}
	secrets, err := json.Marshal(sealed{string(s.Token), string(s.Secret), string(s.VerifyToken)})
	if err != nil {
		return fmt.Errorf("keep account %s: %w", s.Key(), err)
	}
	return svc.o.Store.PutAccount(ctx, store.AddedAccount{Channel: s.Channel, ID: s.ID, Settings: settings, Sealed: v.Seal(s.Key(), secrets)}, time.Now())
}

// servedWithin is how long a running service may take to take up an added account.
const servedWithin = 5 * time.Second

// awaitServed waits until a service, this process or another, serves the account at its address.
func (svc *Service) awaitServed(ctx context.Context, s network.Settings) error {
	ctx, cancel := context.WithTimeout(ctx, servedWithin)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := svc.ask(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// Hook has the network of an account post to us from now on.
func (svc *Service) Hook(ctx context.Context, key string) error {
	n := svc.find(key)
	if n == nil {
		return fmt.Errorf("%s: %w", key, ErrNoAccount)
	}
	hooker, ok := n.channel.(bot.WebhookSetter)
	hook := svc.hook(n.settings)
	switch {
	case !ok:
		return errors.New("the account cannot be served; check it first")
	case n.settings.Mode == network.ModePoll:
		return errors.New("the account is polled and needs no webhook")
	case hook == "":
		return errors.New("[server] public_url is not set: there is no address to post to")
	}
	return hooker.SetWebhook(ctx, hook)
}

// Remove forgets an added account with its secrets; the service stops serving it. What was said on it
// stays.
func (svc *Service) Remove(ctx context.Context, key string) error {
	channel, id, _ := strings.Cut(key, "/")
	if n := svc.find(key); n != nil && !n.added {
		return ErrInFile
	}
	dropped, err := svc.o.Store.DropAccount(ctx, channel, id)
	if err == nil && !dropped {
		return fmt.Errorf("%s: %w", key, ErrNoAccount)
	}
	if err != nil {
		return err
	}
	return svc.Reload(ctx)
}
