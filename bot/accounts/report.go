package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/bot/store"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/vault"
)

// A Report is how one account stands.
type Report struct {
	Settings  network.Settings // without secrets
	Added     bool             // by a person; else it stands in the file and can only be changed there
	Hook      string           // where the network should post, "" if it cannot or need not
	Health    bot.AccountHealth
	CheckedAt time.Time // when the network was asked, zero if it was not yet
	Traffic   store.Traffic
}

// Account is the account the report is about.
func (r Report) Account() bot.Account { return r.Settings.Account() }

// ErrNoAccount means that there is no account of that name.
var ErrNoAccount = errors.New("there is no such account")

// snapshot is all accounts now, in order, without traffic.
func (svc *Service) snapshot() (list []Report) {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	for _, n := range svc.served {
		list = append(list, svc.reportOn(n))
	}
	slices.SortFunc(list, func(a, b Report) int { return cmp.Compare(a.Settings.Key(), b.Settings.Key()) })
	return list
}

// reportOn is n without secrets. svc.mu is held.
func (svc *Service) reportOn(n *servedAccount) Report {
	r := Report{Settings: n.settings, Added: n.added, Hook: svc.hook(n.settings), Health: n.standing, CheckedAt: n.checkedAt}
	r.Settings.Token, r.Settings.Secret, r.Settings.VerifyToken = "", "", ""
	if n.broken != nil {
		r.Health.Problems = []bot.Problem{brokenProblem(n.settings.Channel, n.broken)}
	}
	return r
}

func brokenProblem(channel string, err error) bot.Problem {
	n, _ := NetworkOf(channel)
	p := bot.Problem{Kind: bot.ProblemOther, Critical: true, What: "The account cannot be served: " + err.Error() + ".", Fix: "Add it again.", Section: n.SettingsSection}
	switch {
	case errors.Is(err, vault.ErrNoKey):
		p.What = "The account's secrets cannot be read: " + err.Error() + "."
		p.Fix = "Put the key file back where it was. If it is lost, remove the account and add it again."
	case errors.Is(err, vault.ErrSealed):
		p.What = "The account's secrets cannot be read: " + err.Error() + "."
		p.Fix = "Put back the key file that belongs to this database. If it is lost, remove the account and add it again."
	}
	return p
}

// Reports tells how all accounts stand, by what is known now, with their traffic.
func (svc *Service) Reports(ctx context.Context) ([]Report, error) {
	list := svc.snapshot()
	for i := range list {
		if err := svc.addTraffic(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Report tells how one account stands, by its AccountKey, or ErrNoAccount.
func (svc *Service) Report(ctx context.Context, key string) (Report, error) {
	n := svc.find(key)
	if n == nil {
		return Report{}, fmt.Errorf("%s: %w", key, ErrNoAccount)
	}
	svc.mu.Lock()
	r := svc.reportOn(n)
	svc.mu.Unlock()
	return r, svc.addTraffic(ctx, &r)
}

func (svc *Service) find(key string) *servedAccount {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	return svc.served[key]
}

func (svc *Service) addTraffic(ctx context.Context, r *Report) (err error) {
	r.Traffic, err = svc.o.Store.Traffic(ctx, r.Settings.Channel, r.Settings.ID, time.Now())
	return err
}

// Check asks the networks how the accounts of some AccountKeys stand, all if none is named, and returns
// that without traffic. An account that was stopped as misconfigured and stands well may try again.
func (svc *Service) Check(ctx context.Context, keys ...string) []Report {
	named := func(r Report) bool { return len(keys) == 0 || slices.Contains(keys, r.Settings.Key()) }
	svc.checkThose(ctx, named)
	return slices.DeleteFunc(svc.snapshot(), func(r Report) bool { return !named(r) })
}

// checkThose checks the wanted accounts, all at once.
func (svc *Service) checkThose(ctx context.Context, wanted func(Report) bool) {
	var g sync.WaitGroup
	for _, r := range svc.snapshot() {
		if wanted(r) {
			g.Go(func() { guard.Do(svc.o.Log, "checking an account", func() { svc.checkAccount(ctx, r.Settings.Key()) }) })
		}
	}
	g.Wait()
}

// Freshen checks the accounts that were not checked for a minute, for as long as within lasts; what comes
// later is known then.
func (svc *Service) Freshen(ctx context.Context, within time.Duration) {
	ctx = context.WithoutCancel(ctx) // the answers are of use to the next who asks
	done := make(chan struct{})
	go func() {
		defer close(done)
		svc.checkThose(ctx, func(r Report) bool { return time.Since(r.CheckedAt) > time.Minute })
	}()
	select {
	case <-done:
	case <-time.After(within):
	}
}

// checkWithin bounds the check of one account.
const checkWithin = 20 * time.Second

func (svc *Service) checkAccount(ctx context.Context, key string) {
	n := svc.find(key)
	if n == nil {
		return
	}
	checker, ok := n.channel.(bot.Checker)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	described, _ := NetworkOf(n.settings.Channel)
	hook := svc.hook(n.settings)
	standing := checker.Check(ctx, hook)
	if ctx.Err() != nil {
		return
	}
	if hook != "" && !standing.Critical() {
		if err := svc.ask(ctx, n.settings); err != nil {
			standing.Problems = append(standing.Problems, bot.Problem{Kind: bot.ProblemTrouble, What: "This machine does not reach its own address " + hook + ": " + err.Error() + ".",
				Fix: "If the internet reaches it, all is well. If not, look at the DNS entry, the proxy and the certificate.", Section: described.WebhookSection})
		}
	}
	if hook == "" && n.settings.Mode != network.ModePoll {
		standing.Problems = append(standing.Problems, bot.Problem{Kind: bot.ProblemWebhook, Critical: true, What: "faqbot has no public address, so that the network cannot post to it.",
			Fix: "Set [server] public_url to the https address that leads here, and start again.", Section: described.WebhookSection})
	}
	if len(n.settings.Affiliates) == 0 {
		standing.Problems = append(standing.Problems, bot.Problem{Kind: bot.ProblemLimits, What: "The account names no affiliate: nobody's entries answer, so people must.",
			Fix: "Name the affiliates whose entries answer.", Section: described.SettingsSection})
	}
	svc.mu.Lock()
	n.standing, n.checkedAt = standing, time.Now()
	svc.mu.Unlock()
	if standing.Critical() {
		return
	}
	if err := svc.o.Store.UnpauseAccount(ctx, n.settings.Channel, n.settings.ID); err != nil {
		svc.o.Log.WithError(err).Error("cannot let an account try again")
	}
}

// ask makes sure that our public address leads to a service that serves the account s, with these very
// settings.
func (svc *Service) ask(ctx context.Context, s network.Settings) error {
	query := ""
	if n, _ := NetworkOf(s.Channel); n.Proof != nil {
		query = "?" + n.Proof(s).Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, svc.hook(s)+query, nil)
	if err != nil {
		return errors.New("it is no address")
	}
	resp, err := svc.http.Do(req)
	if err != nil {
		return errors.New("nothing answers there")
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // only the status counts
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusMethodNotAllowed:
		return nil
	case http.StatusForbidden:
		return errors.New("what answers there has another verify token")
	case http.StatusNotFound:
		return errors.New("what answers there does not serve this account")
	}
	return fmt.Errorf("what answers there says %d", resp.StatusCode)
}
