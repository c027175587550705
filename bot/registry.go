package bot

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A Registry is the accounts that are served now, each with its channel. Accounts come and go while
// the service runs. It is safe for concurrent use; looking up locks nothing. A nil Registry is empty.
type Registry struct {
	mu      sync.Mutex // of those who change it
	entries atomic.Pointer[map[string]Served]
}

// A Served is an account with its channel.
type Served struct {
	Account Account
	Channel Channel
}

// NewRegistry returns a Registry without accounts.
func NewRegistry() *Registry { return &Registry{} }

// Put serves account a through c from now on, in place of what was served under its key.
func (r *Registry) Put(a Account, c Channel) {
	r.change(func(m map[string]Served) { m[a.Key()] = Served{a, c} })
}

// Remove serves the account of an AccountKey no more.
func (r *Registry) Remove(key string) {
	r.change(func(m map[string]Served) { delete(m, key) })
}

func (r *Registry) change(do func(map[string]Served)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := maps.Clone(r.All())
	if next == nil {
		next = map[string]Served{}
	}
	do(next)
	r.entries.Store(&next)
}

// All is what is served, by AccountKey. It is not to be changed.
func (r *Registry) All() map[string]Served {
	if r == nil {
		return nil
	}
	if m := r.entries.Load(); m != nil {
		return *m
	}
	return nil
}

// Limits are those of the channel of an AccountKey, zero if it is not served.
func (r *Registry) Limits(key string) Limits {
	if c := r.All()[key].Channel; c != nil {
		return c.Limits()
	}
	return Limits{}
}

// Account is the account of an AccountKey, if it is served.
func (r *Registry) Account(key string) (Account, bool) {
	e, ok := r.All()[key]
	return e.Account, ok
}

// Channel is the channel of an AccountKey, nil if the account is not served.
func (r *Registry) Channel(key string) Channel { return r.All()[key].Channel }

// AccountKey names an account in maps and paths: "telegram/ID".
func AccountKey(channel, account string) string { return channel + "/" + account }

// Key is the account's AccountKey.
func (a Account) Key() string { return AccountKey(a.Channel, a.ID) }

// Key is the AccountKey of the account that the address belongs to.
func (a Address) Key() string { return AccountKey(a.Channel, a.Account) }
