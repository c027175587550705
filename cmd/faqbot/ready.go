package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// readyFor is how long one answer of readyz serves all who ask: asking often must not load the database.
const readyFor = time.Second

// readiness keeps what readyz found out last.
type readiness struct {
	mu      sync.Mutex
	until   time.Time // what why says is good until then
	why     []string
	pending <-chan struct{} // closed when the last probe has ended; nil before the first
}

// readyz says whether the service can do its work, and if not, why.
func (s *service) readyz(c *gin.Context) {
	why := s.unready(context.WithoutCancel(c.Request.Context())) // the answer is for others, too
	if s.stopping.Load() {
		why = append(why, "stopping")
	}
	if len(why) > 0 {
		c.String(http.StatusServiceUnavailable, "%s\n", strings.Join(why, "\n"))
		return
	}
	c.String(http.StatusOK, "ready\n")
}

// unready returns why the service cannot do its work, at most readyFor ago. Whoever asks meanwhile waits for
// the same answer, which takes some 2 seconds at most.
func (s *service) unready(ctx context.Context) []string {
	r := &s.readiness
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.searcher.Ready() {
		return []string{"reading what is published"}
	}
	if now := time.Now(); now.Before(r.until) {
		return append([]string(nil), r.why...)
	}
	r.why = s.findUnready(ctx)
	r.until = time.Now().Add(readyFor)
	return append([]string(nil), r.why...)
}

func (s *service) findUnready(ctx context.Context) (why []string) {
	if problem := keyWords(s.keys.Problem()); problem != "" {
		why = append(why, problem)
	}
	if reason := s.probe(ctx); reason != "" {
		return append(why, reason)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	keys, err := s.store.Misconfigured(ctx)
	if err != nil {
		s.log.WithError(err).Error("cannot read the database")
		return append(why, sqldb.Reason(err))
	}
	for _, key := range keys {
		why = append(why, key+": the network refuses our token or permissions; see /channels, or faqbot channel check")
	}
	return why
}

// probe writes to the database and returns why that failed, "" if it did not.
func (s *service) probe(ctx context.Context) string {
	r := &s.readiness
	if r.pending != nil {
		select {
		case <-r.pending:
		default: // the last one still waits for the database
			return sqldb.Reason(context.DeadlineExceeded)
		}
	}
	var err error
	r.pending, err = s.db.Probe(ctx)
	if err == nil {
		return ""
	}
	s.log.WithError(err).Error("cannot write to the database")
	return sqldb.Reason(err)
}

// keyWords says what is wrong with the key, without where it is: strangers may ask.
func keyWords(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, vault.ErrNoKey):
		return "the key of the secrets is missing: put the key file back; faqbot check says where it should be"
	case errors.Is(err, vault.ErrSealed):
		return "the key of the secrets is another than the one that sealed them: put the right key file back"
	}
	return "the key of the secrets cannot be read; the log says why"
}

// reloadKeys reads the signing keys, and logs what has newly gone wrong with them. The service goes on
// without them: only the web chat, and links to files and to other channels, need them.
func (s *service) reloadKeys(ctx context.Context) {
	before := s.keys.Problem()
	err := s.keys.Reload(ctx)
	if err != nil && ctx.Err() == nil && (before == nil || before.Error() != err.Error()) {
		s.log.WithError(err).Error("cannot read the signing keys: the chat on pages is closed until the key is back")
	}
}

// followKeys takes up keys that were rotated, or put back, until ctx ends.
func (s *service) followKeys(ctx context.Context) error {
	guard.Every(ctx, people.KeysReloadEvery, s.reloadKeys)
	return nil
}
