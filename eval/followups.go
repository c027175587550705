package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/jsonl"
)

// followUpSets are questions that may need what was said before them.
func followUpSets() []string { return []string{"canard_dev", "cast", "mtrag_rewrite"} }

// A followUpRow is a question, what was said before it, and what it means by itself.
type followUpRow struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Lang    string   `json:"lang"`
	Context []string `json:"context"` // oldest first
	Rewrite string   `json:"rewrite"`
}

// readFollowUps reads queries with rewrites as a set: the entries are the rewrites, each once, and a
// case's answer is its own. An ID ends in the number of the turn; the rest of it is the dialogue's.
func readFollowUps(name, path string) (Set, error) {
	s := Set{Name: name}
	entries := make(map[string]knowledge.EntryID)
	err := jsonl.Read(path, func(_ int, r followUpRow) error {
		if r.Text == "" || r.Rewrite == "" {
			return fmt.Errorf(`%q has no "text" or no "rewrite"`, r.ID)
		}
		id, known := entries[r.Rewrite]
		if !known {
			id = knowledge.EntryID(fmt.Sprintf("r%d", len(entries)))
			entries[r.Rewrite] = id
			s.Entries = append(s.Entries, knowledge.Entry{ID: id, Key: string(id), Question: r.Rewrite})
		}
		s.Cases = append(s.Cases, Case{ID: r.ID, Text: r.Text, Lang: r.Lang, Context: r.Context,
			Relevant: []knowledge.EntryID{id}, Dialog: strings.TrimRight(r.ID, "0123456789")})
		return nil
	})
	return s, err
}

// followUps asks each follow-up with what was said before it and without. What counts is how much of
// the way from what is right alone to all the context goes.
func (r *Report) followUps(ctx context.Context, data, name string, e *Vectors) error {
	set, err := readFollowUps(name, filepath.Join(data, name, "queries.jsonl"))
	if err != nil {
		return err
	}
	bot, err := NewAsker(ctx, set.Entries, e)
	if err != nil {
		return err
	}
	bare := slices.Clone(set.Cases)
	for i := range bare {
		bare[i].Context = nil
	}
	before, err := bot.AskAll(ctx, bare, nil)
	if err != nil {
		return err
	}
	after, err := bot.AskAll(ctx, set.Cases, nil)
	if err != nil {
		return err
	}
	alone, inContext := NewSample(before), NewSample(after)
	way := func(weights []int) float64 {
		start := Accuracy(alone, weights)
		return ratio(Accuracy(inContext, weights)-start, 1-start)
	}
	r.note(name, figureOf("acc alone", alone, Accuracy), figureOf("acc in context", inContext, Accuracy))
	m := Measured{"way from alone to 1", way(nil), bootstrap(inContext.Len(), inContext.cluster, way)}
	r.Checks = append(r.Checks, checkTarget(name, m, Target{m.Name, .33, .50}, false))
	return nil
}

// others is how many questions are asked before one that has nothing to do with them.
const others = 2

// topicChange asks the cases of alone again, after others drawn from them at random, which must not
// change the answers: what is noted is the difference in accuracy.
func (r *Report) topicChange(ctx context.Context, b *Asker, set Set, alone *Sample) error {
	random := rand.New(rand.NewPCG(seed, others))
	cases := slices.Clone(set.Cases)
	for i := range cases {
		cases[i].Context = nil
		for range others {
			cases[i].Context = append(cases[i].Context, cases[random.IntN(len(cases))].Text)
		}
	}
	results, err := b.AskAll(ctx, cases, nil)
	if err != nil {
		return err
	}
	difference, interval := NewSample(results).Difference(alone, Accuracy)
	r.note(set.Name, Measured{fmt.Sprintf("acc after %d other questions, difference", others), difference, interval})
	return nil
}
