package retrieval

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
)

// Attempts counts attempts at work before they begin, so that one which ends the process is known at the next start;
// *attempts.Counter does.
type Attempts interface {
	// Begin counts an attempt and returns its number, or 0 and how long to wait if it is too soon after the last one.
	Begin(ctx context.Context, kind, id string) (n int, wait time.Duration, err error)
	// End forgets the work if failure is nil, else it keeps the failure as its reason.
	End(ctx context.Context, kind, id string, failure error) error
}

// maxBuilds is how often an index is built for one revision. After that the affiliate keeps the index it has until the
// next revision; with none, people answer its customers.
const maxBuilds = 5

// firstRest is the wait after the first failure to build an index, which doubles up to maxRest.
const firstRest = time.Second

var (
	errSetAside = errors.New("building it failed, or ended the service, too often; it is set aside until the next publish")
	errTooSoon  = errors.New("the last attempts failed or ended the service; the next one waits")
	errSoon     = fmt.Errorf("%w a moment", errTooSoon)
)

// worthWaiting is how long the first answers wait for an index whose next attempt waits. Others' customers need not
// wait longer.
const worthWaiting = 10 * time.Second

// rests are the affiliates of which nothing is built for a while.
type rests struct {
	mu     sync.Mutex
	byName map[knowledge.AffiliateID]resting
}

type resting struct {
	of       knowledge.Revision
	until    time.Time
	failures int
	why      error // of the last failure, nil if nothing needs to wait for the next try
}

// rested reports whether a revision may be built now.
func (r *rests) rested(a knowledge.AffiliateID, of knowledge.Revision) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.byName[a]
	return !known || last.of != of || !time.Now().Before(last.until)
}

// why is why nothing is built for a, nil if nobody needs to wait for it.
func (r *rests) why(a knowledge.AffiliateID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[a].why
}

// note notes how building a revision went.
func (r *rests) note(a knowledge.AffiliateID, of knowledge.Revision, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.byName, a)
		return
	}
	if r.byName == nil {
		r.byName = map[knowledge.AffiliateID]resting{}
	}
	n := 1
	if last := r.byName[a]; last.of == of {
		n = last.failures + 1
	}
	wait := min(firstRest<<min(n-1, 10), maxRest)
	if errors.Is(err, errSetAside) {
		wait = time.Hour // a new revision is built all the same
	}
	if errors.Is(err, errSetAside) || errors.Is(err, errTooSoon) && !errors.Is(err, errSoon) {
		r.byName[a] = resting{of: of, until: time.Now().Add(wait), failures: n}
		return
	}
	r.byName[a] = resting{of: of, until: time.Now().Add(wait), failures: n, why: err}
}

// attempt builds a's index of a revision, unless that failed or ended the service too often. A panic is a failure.
func (s *Searcher) attempt(ctx context.Context, a knowledge.AffiliateID, newest knowledge.Revision) error {
	err := s.counted(ctx, "index", a, newest, func() error { return s.rebuild(ctx, a, newest) })
	s.rests.note(a, newest, err)
	if errors.Is(err, errSetAside) || errors.Is(err, errTooSoon) && !errors.Is(err, errSoon) {
		s.opts.Observe(StageIndex, 0, fmt.Errorf("refresh %s: %w", a, err))
		return nil // everything else can be found
	}
	return err
}

// counted does work on an affiliate's revision and counts the attempt, if attempts are counted.
func (s *Searcher) counted(ctx context.Context, kind string, a knowledge.AffiliateID, of knowledge.Revision, work func() error) error {
	counter := s.opts.Attempts
	if counter == nil {
		return guard.Run(work)
	}
	id := fmt.Sprintf("%s@%d", a, of)
	n, wait, err := counter.Begin(ctx, kind, id)
	switch {
	case err != nil:
		return err
	case n == 0 && wait <= worthWaiting:
		return errSoon
	case n == 0:
		return errTooSoon
	case n > maxBuilds:
		return errSetAside
	}
	err = guard.Run(work)
	failure := err
	if ctx.Err() != nil { // the service stops
		failure = nil
	}
	return errors.Join(err, counter.End(context.WithoutCancel(ctx), kind, id, failure))
}
