package main

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/handoff/bymail"
	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
	"faqbot/retrieval/embed"
)

const sweepEvery = time.Hour

// A sweeper removes what nothing refers to any more, and what was kept for long enough.
type sweeper struct {
	db     *sqldb.DB
	corpus *knowledge.Corpus
	media  *media.Store
	desk   *handoff.Desk
	store  *store.Store
	keep   func(knowledge.AffiliateID) time.Duration // how long customers' words are kept
	log    logrus.FieldLogger
	now    func() time.Time
}

func (s *service) sweep(ctx context.Context) error {
	return sweeper{s.db, s.corpus, s.media, s.desk, s.store, s.config.keep, s.log, time.Now}.run(ctx)
}

// run sweeps at start and then every hour, until ctx ends.
func (s sweeper) run(ctx context.Context) error {
	s.once(ctx)
	guard.Every(ctx, sweepEvery, s.once)
	return nil
}

func (s sweeper) once(ctx context.Context) {
	for what, sweep := range map[string]func(context.Context) (int64, error){
		"uploads": s.corpus.Sweep, "files": s.media.Sweep, "vectors": s.sweepVectors, "erased customers": s.forgetAgain, "words": s.emptyWords, "rejects": s.sweepRejects, "mails": s.sweepMails, "notices": s.sweepNotices,
	} {
		n, err := sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.WithError(err).WithField("what", what).Error("cannot remove what is not needed any more; it is tried again in an hour")
		}
		if n > 0 {
			s.log.WithField("what", what).WithField("removed", n).Info("removed what is not needed any more")
		}
	}
}

func (s sweeper) sweepMails(ctx context.Context) (int64, error) {
	return mail.Sweep(ctx, s.db, s.now())
}

func (s sweeper) sweepNotices(ctx context.Context) (int64, error) {
	return bymail.SweepNotices(ctx, s.db, s.now())
}

// forgetAgain erases customers whom a restored backup has brought back.
func (s sweeper) forgetAgain(ctx context.Context) (int64, error) {
	n, err := s.desk.ForgetAgain(ctx)
	return int64(n), err
}

// emptyWords empties what was kept for long enough.
func (s sweeper) emptyWords(ctx context.Context) (int64, error) { return s.desk.Retain(ctx, s.keep) }

// sweepRejects removes bodies that could not be read: whose they are is not known, so the default counts.
func (s sweeper) sweepRejects(ctx context.Context) (int64, error) {
	return s.store.SweepRejects(ctx, s.now().Add(-s.keep("")))
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
