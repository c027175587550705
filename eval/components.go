package eval

import (
	"context"
	"fmt"
	"math"

	"faqbot/retrieval"
)

// A component is one of the similarities that a probability is made of.
type component struct {
	name string
	of   func(retrieval.Hit) float64
}

// components are the similarities that could be a confidence by themselves.
func components() []component {
	return []component{
		{"cosine", func(h retrieval.Hit) float64 { return h.Parts.Cosine }},
		{"logistic head", func(h retrieval.Hit) float64 { return h.Parts.Chance }},
		{"ridge head", func(h retrieval.Hit) float64 { return h.Parts.Ridge }},
		{"n-grams", func(h retrieval.Hit) float64 { return h.Parts.Ngrams }},
		{"BM25", func(h retrieval.Hit) float64 { return h.Parts.Words }},
	}
}

// hitsForComponents is how many hits are looked at for a component's best; a hit's rank is the
// whole's, not the component's.
const hitsForComponents = 100

// gains checks, for each component, that whole, which has cases' results in order, tells in scope
// from out of it better than the component by itself, whose confidence in a question is its largest
// value of all hits: the difference of the AUROCs must be above zero with its interval.
func gains(ctx context.Context, b *Asker, cases []Case, set string, whole *Sample) ([]TargetCheck, error) {
	list := components()
	best, err := inParallel(ctx, cases, func(ctx context.Context, c Case) ([]float64, error) {
		found, err := b.search(ctx, c, hitsForComponents)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", c.ID, err)
		}
		values := make([]float64, len(list))
		for k, component := range list {
			values[k] = math.Inf(-1) // cosines may be negative
			for _, h := range found {
				values[k] = max(values[k], component.of(h))
			}
		}
		return values, nil
	})
	if err != nil {
		return nil, err
	}
	var checks []TargetCheck
	for k, component := range list {
		confidence := make([]float64, len(cases))
		for i := range cases {
			confidence[i] = best[i][k]
		}
		t := Target{Figure: "AUROC above " + component.name, Floor: 0, Goal: .02}
		difference, interval := whole.Difference(whole.By(confidence), AUROC)
		c := TargetCheck{Set: set, Target: t, Value: difference, Interval: &interval, Reached: standingOf(difference, t, false)}
		if !(interval.Low > 0) {
			c.Reached = Missing
		}
		checks = append(checks, c)
	}
	return checks, nil
}
