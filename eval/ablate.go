package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/late"
)

// An ablated engine is one without some part.
type ablated struct {
	name  string
	asker func(ctx context.Context, entries []knowledge.Entry, e *Vectors) (*Asker, error)
}

// ablations leave out one part each. The calibration is the shipped one; without token rows it is the one for spaces that
// have none.
func ablations() []ablated {
	return []ablated{
		{"what answers say", func(ctx context.Context, entries []knowledge.Entry, e *Vectors) (*Asker, error) {
			bare := slices.Clone(entries)
			for i := range bare {
				bare[i].Answer = ""
			}
			return NewAsker(ctx, bare, e)
		}},
		{"late interaction", func(ctx context.Context, entries []knowledge.Entry, e *Vectors) (*Asker, error) {
			o := retrieval.SearcherOptions{}
			if e.multilingual != nil {
				o.Multilingual = withoutRows{e.multilingual}
			}
			return openAsker(ctx, entries, withoutRows{e}, o)
		}},
		{"siblings", func(ctx context.Context, entries []knowledge.Entry, e *Vectors) (*Asker, error) {
			b, err := NewAsker(ctx, entries, e)
			if err != nil {
				return nil, err
			}
			b.asker = dialogue.NewAsker(dialogue.NewEngine(withoutContrast{b.searcher}, b.phrases, dialogue.DefaultPolicy()), b.account)
			return b, nil
		}},
	}
}

// withoutRows is an embedder without token rows.
type withoutRows struct{ *Vectors }

func (w withoutRows) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	list, err := w.Vectors.EmbedTokens(ctx, texts)
	list = slices.Clone(list)
	for i := range list {
		list[i] = late.Tokens{Vector: list[i].Vector}
	}
	return list, err
}

func (w withoutRows) EmbedQuery(ctx context.Context, text string) (late.Tokens, error) {
	t, err := w.Vectors.EmbedQuery(ctx, text)
	return late.Tokens{Vector: t.Vector}, err
}

// withoutContrast finds entries without noticing that they are about another member of a kind.
type withoutContrast struct{ dialogue.Retriever }

func (w withoutContrast) Search(ctx context.Context, q retrieval.Query) (retrieval.Result, error) {
	found, err := w.Retriever.Search(ctx, q)
	for i := range found.Hits {
		found.Hits[i].Contrast = nil
	}
	return found, err
}

// ablatedFigures are those that a part may earn something in.
func ablatedFigures() []Named {
	return []Named{{Name: "acc", Of: Accuracy}, {Name: "right", Of: AnswersRight()}, {Name: "wrong", Of: AnswersWrong(), Low: true},
		{Name: "net", Of: Net()}, {Name: figureOveranswered, Of: Overanswered(), Low: true}, {Name: "ECE", Of: ECE, Low: true}}
}

// An Ablation is what a part is worth on one set: the figures with it and without.
type Ablation struct {
	Part, Set     string
	with, without *Sample
}

// Ablate asks at most 600 questions of each benchmark, of the engine as it is and without each part.
func Ablate(ctx context.Context, folders []string, e *Vectors, told func(string)) (list []Ablation, err error) {
	for _, b := range append(benchmarks(), variants()...) {
		data := holding(folders, b.folder)
		set, err := ReadSet(b.name, filepath.Join(data, b.folder, b.faq), filepath.Join(data, b.folder, b.queries))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		told(b.name)
		draw := plan{}
		if b.draw != nil {
			draw = *b.draw
		}
		set = set.variant(draw)
		asked := func(asker func(context.Context, []knowledge.Entry, *Vectors) (*Asker, error)) (*Sample, error) {
			bot, err := asker(ctx, set.Entries, e)
			if err != nil {
				return nil, err
			}
			results, err := bot.AskAll(ctx, set.Cases, nil)
			return NewSample(results), err
		}
		with, err := asked(NewAsker)
		if err != nil {
			return nil, err
		}
		for _, a := range ablations() {
			without, err := asked(a.asker)
			if err != nil {
				return nil, fmt.Errorf("%s without %s: %w", b.name, a.name, err)
			}
			list = append(list, Ablation{a.name, b.name, with, without})
		}
	}
	return list, nil
}

// meanDifference is the mean over sets of what a figure is with a part less what it is without, with the interval of the
// paired bootstrap. Sets of which the figure says nothing are left out.
func meanDifference(list []Ablation, f Figure) (d difference) {
	list = slices.DeleteFunc(slices.Clone(list), func(a Ablation) bool { return math.IsNaN(f(a.with, nil)) || math.IsNaN(f(a.without, nil)) })
	values := make([]float64, draws)
	for _, a := range list {
		d.mean += (f(a.with, nil) - f(a.without, nil)) / float64(len(list))
		n, clusters := a.with.Len(), countOf(a.with.Len(), a.with.cluster)
		parallel(draws, func(draw int) {
			counts := drawOf(draw, n, clusters, a.with.cluster)
			values[draw] += (f(a.with, counts) - f(a.without, counts)) / float64(len(list))
		})
	}
	values = slices.DeleteFunc(values, math.IsNaN)
	slices.Sort(values)
	if d.interval = quantileInterval(values); len(list) == 0 {
		d.interval = quantileInterval(nil)
	}
	return d
}

// A difference has its interval.
type difference struct {
	mean     float64
	interval Interval
}

func printDifference(w io.Writer, d difference) {
	if math.IsNaN(d.interval.Low) {
		fmt.Fprint(w, "\t–\t")
		return
	}
	fmt.Fprintf(w, "\t%s\t%s", signed(d.mean), d.interval)
}

// PrintAblations shows what each part brings: the figure with it less the figure without it, over all sets and by set.
func PrintAblations(w io.Writer, list []Ablation) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "what it brings\tset\tcases")
	for _, f := range ablatedFigures() {
		fmt.Fprintf(t, "\t%s\t95 %%", f.Name)
	}
	fmt.Fprintln(t)
	for _, a := range ablations() {
		own := slices.DeleteFunc(slices.Clone(list), func(x Ablation) bool { return x.Part != a.name })
		cases := 0
		for _, x := range own {
			cases += x.with.Len()
		}
		fmt.Fprintf(t, "%s\tmean of %d sets\t%d", a.name, len(own), cases)
		for _, f := range ablatedFigures() {
			printDifference(t, meanDifference(own, f.Of))
		}
		fmt.Fprintln(t)
		for _, x := range own {
			fmt.Fprintf(t, "%s\t%s\t%d", x.Part, x.Set, x.with.Len())
			for _, f := range ablatedFigures() {
				printDifference(t, meanDifference([]Ablation{x}, f.Of))
			}
			fmt.Fprintln(t)
		}
	}
	return t.Flush()
}
