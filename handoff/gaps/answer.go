package gaps

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// ErrNothing means that an answer changes nothing: the entry has those wordings already.
var ErrNothing = errors.New("nothing is changed")

// Draft makes the upload that answers a gap with e: a new entry, or a published one that was changed. It is an edit like
// any on the affiliate's pages: it can be looked at, published and taken back. The gap is answered once it is published.
// The error may be ErrNothing, or knowledge.ErrConflict if somebody edits the entry or has published it meanwhile.
func (s *Service) Draft(ctx context.Context, a knowledge.AffiliateID, id ID, by string, e knowledge.Entry) (knowledge.Upload, error) {
	g, err := openGap(ctx, s.db, a, id)
	if err == nil {
		err = s.dropDraft(ctx, *g)
	}
	if err != nil {
		return knowledge.Upload{}, err
	}
	edit := knowledge.Edit{Entry: e, Base: e.Revision, By: by}
	if e.ID == "" {
		edit.Entry.ID = knowledge.EntryID(rand.Text())
	}
	saved, err := s.corpus.SaveEdit(ctx, a, edit)
	if errors.Is(err, knowledge.ErrIDTaken) { // by a draft, or by an entry that was removed
		edit.Entry.Key += "-" + strings.ToLower(rand.Text()[:6])
		saved, err = s.corpus.SaveEdit(ctx, a, edit)
	}
	if err != nil {
		return knowledge.Upload{}, err
	}
	if saved.Version == "" {
		return knowledge.Upload{}, ErrNothing
	}
	u, err := s.corpus.ProposeEdits(ctx, a, by, edit.Entry.ID)
	if err != nil {
		return u, err
	}
	return u, s.change(ctx, a, id, func(g *Gap) { g.Draft, g.DecidedBy = u.ID, by })
}

// dropDraft drops a gap's draft, in whose place another comes. What somebody saved since stays.
func (s *Service) dropDraft(ctx context.Context, g Gap) error {
	if g.Draft == "" {
		return nil
	}
	u, err := s.corpus.Upload(ctx, g.Draft)
	if errors.Is(err, knowledge.ErrNotFound) || err == nil && u.Published != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for _, ref := range u.Edits {
		if err := s.corpus.DropEdit(ctx, g.Affiliate, ref); err != nil && !errors.Is(err, knowledge.ErrConflict) {
			return err
		}
	}
	return s.corpus.SetAside(ctx, u.ID, true)
}

// Publish publishes a gap's draft. Its errors are those of knowledge.Corpus.Publish.
func (s *Service) Publish(ctx context.Context, a knowledge.AffiliateID, u knowledge.Upload, by string) (knowledge.Revision, error) {
	if err := knowledge.PrepareChanges(ctx, s.o.Prepare, u.Changes); err != nil {
		return 0, err
	}
	revision, err := s.corpus.Publish(ctx, u.ID, by)
	if err != nil {
		return 0, err
	}
	s.o.Published()
	return revision, s.settle(ctx, a)
}

// Fresh is a new entry of an affiliate that has these published: its key is made of the question.
func Fresh(published []knowledge.Entry, question string) knowledge.Entry {
	key := faqfile.KeyOf(question)
	taken := func(key string) bool {
		return slices.ContainsFunc(published, func(e knowledge.Entry) bool { return strings.EqualFold(e.Key, key) })
	}
	e := knowledge.Entry{Key: key, Question: question}
	for n := 2; taken(e.Key); n++ {
		e.Key = fmt.Sprintf("%s-%d", key, n)
	}
	return e
}
