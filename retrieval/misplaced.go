package retrieval

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"faqbot/knowledge"
	"faqbot/knowledge/lint"
	"faqbot/retrieval/vector"
)

const (
	// maxChecked bounds the wordings of a language that Misplaced compares, each with each: 20,000 take half a minute.
	maxChecked = 20_000
	// nearWordings is how many wordings of an entry tell how near it is. One alone may be as odd as the wording itself.
	nearWordings = 3
	// Of the other entry, the nearest wording must be minAlike or more, in cosine, and minGap nearer than the nearest
	// of the own entry; its nearest few, on average, minNearer. Of the demo's 235 variants that finds 4; of the 9,999 of
	// banking77 60. Of the first 30 of those 19 belong elsewhere, 6 may be meant either way, 5 are right where they are.
	minAlike, minGap, minNearer = .75, .15, .1
)

// Misplaced finds other wordings that are nearer to another entry of their language than to their own, the worst first.
// It leaves out questions, which name their entry, and entries with no more than two wordings, which tell too little.
func Misplaced(ctx context.Context, e Embedder, entries []knowledge.Entry) (found []lint.Finding, err error) {
	byLocale := map[string][]knowledge.Entry{}
	for _, entry := range entries {
		byLocale[entry.Locale] = append(byLocale[entry.Locale], entry)
	}
	var all []misplacedWording
	for _, list := range byLocale {
		some, err := misplacedAmong(ctx, e, list)
		if err != nil {
			return nil, fmt.Errorf("compare wordings: %w", err)
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b misplacedWording) int {
		return cmp.Or(cmp.Compare(b.gap, a.gap), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Words, b.Words))
	})
	for _, m := range all[:min(len(all), lint.Most)] {
		found = append(found, m.Finding)
	}
	return found, nil
}

// A misplacedWording is a finding with how much nearer the other entry is.
type misplacedWording struct {
	lint.Finding
	gap float32
}

func misplacedAmong(ctx context.Context, e Embedder, entries []knowledge.Entry) (found []misplacedWording, err error) {
	var texts []string
	var owner []int // of each text, its entry's place
	for i, entry := range entries {
		for _, w := range wordings(entry) {
			texts, owner = append(texts, w), append(owner, i)
		}
	}
	if len(texts) > maxChecked {
		return nil, nil
	}
	rows, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if rows[i], err = vector.Unit(row); err != nil {
			return nil, err
		}
	}
	cosines := make([]float32, len(rows))
	for i, own := range owner {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i == 0 || owner[i-1] != own { // the question
			continue
		}
		vector.Dots(cosines, rows[i], rows)
		if other, gap, ok := nearerEntry(cosines, owner, i, len(entries)); ok {
			found = append(found, misplacedWording{lint.Finding{Kind: lint.Nearer, Entry: entries[own].ID, Other: entries[other].ID, Words: texts[i]}, gap})
		}
	}
	return found, nil
}

// nearerEntry returns the entry that text i is nearest to besides its own, and by how much that is nearer, given the
// text's cosines with all texts. ok is false if it is not surely nearer. Of each entry the nearest few texts count, as
// many as its own has.
func nearerEntry(cosines []float32, owner []int, i, entries int) (other int, gap float32, ok bool) {
	nearest := make([][nearWordings]float32, entries) // the nearest first
	count := make([]int, entries)
	for j, c := range cosines {
		if j == i {
			continue
		}
		of := owner[j]
		count[of]++
		for k := range nearest[of] {
			if c > nearest[of][k] {
				c, nearest[of][k] = nearest[of][k], c
			}
		}
	}
	own := owner[i]
	n := min(nearWordings, count[own])
	if n < 2 {
		return 0, 0, false
	}
	mean := func(of int) (sum float32) {
		k := min(n, count[of])
		for _, c := range nearest[of][:k] {
			sum += c
		}
		return sum / float32(k)
	}
	margin := float32(-1)
	for of := range entries {
		if of == own || count[of] < 2 {
			continue
		}
		if m := mean(of) - mean(own); m > margin {
			other, margin = of, m
		}
	}
	gap = nearest[other][0] - nearest[own][0]
	return other, gap, margin >= minNearer && nearest[other][0] >= minAlike && gap >= minGap
}
