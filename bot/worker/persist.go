package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge/backoff"
	"faqbot/knowledge/sqldb"
)

const (
	// storeTimeout bounds one try to store what has been done. It is longer than SQLite's busy_timeout of 10 s,
	// so that the error says what is wrong.
	storeTimeout = 15 * time.Second
	// lastStoreTimeout bounds the last try once the service stops.
	lastStoreTimeout = 5 * time.Second
)

// DatabaseBackoff is the wait after the n-th failure in a row of an unavailable database: 0.1, 0.2, … s, at most 2 s.
func DatabaseBackoff(n int) time.Duration {
	return backoff.Doubling(100*time.Millisecond, 2*time.Second).After(n)
}

// Persist stores what has been done, however long the database is unavailable: what was sent must not be forgotten
// for a lock that lasts minutes. It gives up when store fails for another reason, or after one more try when ctx
// has ended.
func Persist(ctx context.Context, log logrus.FieldLogger, what string, store func(context.Context) error) error {
	for n := 1; ; n++ {
		ended := ctx.Err() != nil
		within := storeTimeout
		if ended {
			within = lastStoreTimeout
		}
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		err := store(try)
		cancel()
		if err == nil || ended || !sqldb.Unavailable(err) {
			return err
		}
		if n == 1 {
			log.WithError(err).Warn(fmt.Sprintf("cannot %s: the database is unavailable; it is tried until it works", what))
		}
		Rest(ctx, DatabaseBackoff(n))
	}
}
