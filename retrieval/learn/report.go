package learn

import (
	"context"
	"math"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A Report is what was learned of an affiliate's customers, and from what.
type Report struct {
	Offsets retrieval.Offsets
	By      map[Chosen]int // labels, by how their cases were chosen
	Best    Reliability    // of the best entry's probability
	Menus   Reliability    // of the probability that a menu holds the answer
}

// Reliability is how well probabilities say what happened, as shipped and with the offset. Each label's own probability
// with the offset goes by the other labels, or it would look better than it is.
type Reliability struct {
	Labels        int
	Right         float64 // the share of them
	Before, After Said
	Bins          []Bin // by the probability as shipped; those without a label are left out
}

// Said is what probabilities said on average, and how much they cost: the log loss.
type Said struct{ Mean, Loss float64 }

// A Bin is the labels whose probability as shipped lies From ≤ p < To.
type Bin struct {
	From, To             float64
	Labels               int
	Before, After, Right float64 // means
}

// Report is that of an affiliate.
func (l *Learner) Report(ctx context.Context, a knowledge.AffiliateID) (Report, error) {
	all, err := l.Offsets(ctx)
	if err != nil {
		return Report{}, err
	}
	labels, err := l.labels(ctx, a)
	if err != nil {
		return Report{}, err
	}
	r := Report{Offsets: all[a], By: map[Chosen]int{}}
	var best, menus []Outcome
	for _, label := range labels {
		r.By[label.Chosen]++
		best = append(best, label.ofBest(l.shipped))
		if p, ok := label.ofMenu(l.shipped, r.Offsets.Best); ok {
			menus = append(menus, p)
		}
	}
	r.Best, r.Menus = measure(best), measure(menus)
	return r, nil
}

func measure(list []Outcome) (r Reliability) {
	all := newPosterior()
	for _, o := range list {
		all.add(o, 1)
	}
	for _, bounds := range [][2]float64{{0, .3}, {.3, .5}, {.5, .7}, {.7, .9}, {.9, 1.01}} {
		b := Bin{From: bounds[0], To: min(bounds[1], 1)}
		for _, o := range list {
			before := o.Said
			if before < bounds[0] || before >= bounds[1] {
				continue
			}
			all.add(o, -1)
			after := retrieval.Shift(before, all.mean())
			all.add(o, 1)
			right := 0.0
			if o.Right {
				right = 1
			}
			b.Labels++
			b.Before, b.After, b.Right = b.Before+before, b.After+after, b.Right+right
			r.Before.Loss, r.After.Loss = r.Before.Loss+loss(before, o.Right), r.After.Loss+loss(after, o.Right)
		}
		if b.Labels == 0 {
			continue
		}
		n := float64(b.Labels)
		r.Labels += b.Labels
		r.Right, r.Before.Mean, r.After.Mean = r.Right+b.Right, r.Before.Mean+b.Before, r.After.Mean+b.After
		b.Before, b.After, b.Right = b.Before/n, b.After/n, b.Right/n
		r.Bins = append(r.Bins, b)
	}
	if n := float64(r.Labels); n > 0 {
		r.Right, r.Before, r.After = r.Right/n, Said{r.Before.Mean / n, r.Before.Loss / n}, Said{r.After.Mean / n, r.After.Loss / n}
	}
	return r
}

func loss(p float64, right bool) float64 {
	p = min(max(p, minChance), 1-minChance)
	if right {
		return -math.Log(p)
	}
	return -math.Log1p(-p)
}
