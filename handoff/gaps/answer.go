package gaps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
)

// ErrNothing means that an answer changes nothing: the entry has those wordings already.
var ErrNothing = errors.New("nothing is changed")

// draftFile is what the upload of an answer to a gap is called.
const draftFile = "answer.jsonl"

// Draft makes the upload that answers a gap with e, a new entry or a published one that was changed. It is like any
// upload: it can be looked at, published and taken back. The gap is answered once it is published.
func (s *Service) Draft(ctx context.Context, a knowledge.AffiliateID, id ID, by string, e knowledge.Entry) (knowledge.Upload, error) {
	g, err := openGap(ctx, s.db, a, id)
	if err != nil {
		return knowledge.Upload{}, err
	}
	data, err := faqfile.JSONLines([]knowledge.Entry{e})
	if err != nil {
		return knowledge.Upload{}, fmt.Errorf("answer a gap: %w", err)
	}
	digest, err := s.corpus.KeepFile(ctx, a, data)
	if err != nil {
		return knowledge.Upload{}, err
	}
	u, err := s.corpus.Preview(ctx, knowledge.Upload{Affiliate: a, File: draftFile, Digest: digest, By: by,
		Reading: knowledge.Reading{Absent: knowledge.AbsentStay}}, []knowledge.Row{{Line: 1, Entry: e}})
	if err != nil {
		return u, err
	}
	if len(u.Changes) == 0 {
		return u, errors.Join(ErrNothing, s.corpus.SetAside(ctx, u.ID, true))
	}
	if g.Draft != "" && g.Draft != u.ID {
		if err := s.corpus.SetAside(ctx, g.Draft, true); err != nil && !errors.Is(err, knowledge.ErrNotFound) {
			return u, err
		}
	}
	return u, s.change(ctx, a, id, func(g *Gap) { g.Draft, g.DecidedBy = u.ID, by })
}

// Publish publishes a gap's draft. Its errors are those of knowledge.Corpus.Publish.
func (s *Service) Publish(ctx context.Context, a knowledge.AffiliateID, u knowledge.Upload, by string) (knowledge.Revision, error) {
	if s.o.Prepare != nil {
		var list []knowledge.Entry
		for _, c := range u.Changes {
			list = append(list, c.After)
		}
		short, cancel := context.WithTimeout(ctx, limits.MaxPreparing)
		defer cancel()
		if err := s.o.Prepare(short, list); err != nil && short.Err() == nil { // what is not ready in time is made after
			return 0, err
		}
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
	key := slug(question)
	taken := func(key string) bool {
		return slices.ContainsFunc(published, func(e knowledge.Entry) bool { return strings.EqualFold(e.Key, key) })
	}
	e := knowledge.Entry{Key: key, Question: question}
	for n := 2; taken(e.Key); n++ {
		e.Key = fmt.Sprintf("%s-%d", key, n)
	}
	return e
}

const maxSlug = 40 // characters

// slug is a text's words with dashes between them.
func slug(text string) string {
	var out []rune
	for _, r := range strings.ToLower(text) {
		switch {
		case len(out) == maxSlug:
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out = append(out, r)
		case len(out) > 0 && out[len(out)-1] != '-' && r != '\'' && r != '’':
			out = append(out, '-')
		}
	}
	if key := strings.Trim(string(out), "-"); key != "" {
		return key
	}
	return "question"
}
