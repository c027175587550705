package main

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
	"faqbot/retrieval/embed"
)

const sweepEvery = time.Hour

// A sweeper removes what nothing refers to any more.
type sweeper struct {
	db     *sqldb.DB
	corpus *knowledge.Corpus
	media  *media.Store
	log    logrus.FieldLogger
	now    func() time.Time
}

func (s *service) sweep(ctx context.Context) error {
	return sweeper{s.db, s.corpus, s.media, s.log, time.Now}.run(ctx)
}

// run sweeps at start and then every hour, until ctx ends.
func (s sweeper) run(ctx context.Context) error {
	s.once(ctx)
	guard.Every(ctx, sweepEvery, s.once)
	return nil
}

func (s sweeper) once(ctx context.Context) {
	for what, sweep := range map[string]func(context.Context) (int64, error){
		"uploads": s.corpus.Sweep, "files": s.media.Sweep, "vectors": s.sweepVectors,
	} {
		n, err := sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.WithError(err).WithField("what", what).Error("cannot remove what nothing refers to; it is tried again in an hour")
		}
		if n > 0 {
			s.log.WithField("what", what).WithField("removed", n).Info("removed what nothing refers to")
		}
	}
}

// sweepVectors removes the vectors of texts that nobody has published. Those younger than a draft may be
// are left alone.
func (s sweeper) sweepVectors(ctx context.Context) (int64, error) {
	affiliates, err := s.corpus.Affiliates(ctx)
	if err != nil {
		return 0, err
	}
	needed := embed.Needed{}
	for _, a := range affiliates {
		entries, _, err := s.corpus.Published(ctx, a)
		if err != nil {
			return 0, err
		}
		needed.Add(retrieval.Texts(entries))
	}
	return embed.Sweep(ctx, s.db, needed, s.now().Add(-limits.DraftsFor))
}
