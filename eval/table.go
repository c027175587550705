package eval

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print shows r as tables.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printChecks(t, r.Checks)
	r.printNoted(t)
	printLearning(t, r.Learned)
	r.printSets(t)
	r.Languages.print(t)
	printComparisons(t, "with typing errors against without: treated well", r.Typos)
	printComparisons(t, "this run against the earlier one: treated well", r.Against)
	for _, name := range r.Skipped {
		fmt.Fprintf(t, "skipped: %s is not there\n", name)
	}
	return t.Flush()
}

func printChecks(w io.Writer, list []TargetCheck) {
	fmt.Fprintf(w, "set\tfigure\tvalue\t95 %%\tfloor\tgoal\treached\n")
	for _, c := range list {
		interval := ""
		if c.Interval != nil {
			interval = c.Interval.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Set, c.Figure, three(c.Value), interval, three(c.Floor), three(c.Goal), c.Reached)
	}
	fmt.Fprintln(w)
}

func (r *Report) printNoted(w io.Writer) {
	fmt.Fprintf(w, "set, without a target\tfigure\tvalue\t95 %%\tceiling\n")
	for _, n := range r.Noted {
		ceiling := ""
		if n.Ceiling > 0 {
			ceiling = three(n.Ceiling)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", n.Set, n.Name, three(n.Value), n.Interval, ceiling)
	}
	fmt.Fprintln(w)
}

// printSets shows all figures: those of every set in one table, the rest by kind below it.
func (r *Report) printSets(w io.Writer) {
	columns := []string{"acc", unseen, "r@3", "MRR", "nDCG@10", "AUROC", "FPR95", "AUPR", "AURC", "excess AURC", "joint", "hindsight", "ECE", "coverage", "selective acc", "menu hit", "utility"}
	fmt.Fprintf(w, "set\tn\tout\t%s\tp50/95/99 ms\n", strings.Join(columns, "\t"))
	for _, s := range r.Sets {
		fmt.Fprintf(w, "%s\t%d\t%d", s.Name, s.Queries, s.OutOfScope)
		s.printFigures(w, columns)
		fmt.Fprintf(w, "\t%.1f/%.1f/%.1f\n", s.Took.P50, s.Took.P95, s.Took.P99)
	}
	fmt.Fprintln(w)
	r.printDecisions(w)
	fmt.Fprintf(w, "out of scope, by kind\tfigure\tvalue\t95 %%\n")
	for _, s := range r.Sets {
		for _, m := range s.Figures {
			name, kind, is := strings.Cut(m.Name, " ")
			if is && slices.ContainsFunc(kindFigures(), func(f Named) bool { return f.Name == name }) {
				fmt.Fprintf(w, "%s, %s\t%s\t%s\t%s\n", s.Name, kind, name, three(m.Value), m.Interval)
			}
		}
	}
	fmt.Fprintln(w)
}

// printFigures goes on in a line with figures; a dash stands for those that mean nothing on this set.
func (r SetReport) printFigures(w io.Writer, names []string) {
	for _, name := range names {
		m, ok := r.Figure(name)
		if !ok {
			m.Value = math.NaN()
		}
		fmt.Fprintf(w, "\t%s", three(m.Value))
	}
}

// printDecisions shows what customers got, in shares and in numbers.
func (r *Report) printDecisions(w io.Writer) {
	shares := []string{"right", "menu right", "wasted", "wrong", "net", figureReached, figureOveranswered}
	fmt.Fprintf(w, "decisions, in scope + out of it\t%s", strings.Join(shares, "\t"))
	for _, v := range Verdicts() {
		fmt.Fprintf(w, "\t%s", v)
	}
	fmt.Fprintln(w)
	for _, s := range r.Sets {
		fmt.Fprint(w, s.Name)
		s.printFigures(w, shares)
		for _, v := range Verdicts() {
			fmt.Fprintf(w, "\t%d + %d", s.Decisions.InScope[v], s.Decisions.OutOfScope[v])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

func printComparisons(w io.Writer, title string, list []Comparison) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "%s\tcases\tdifference\t95 %%\tp (Holm)\tdetectable\t\n", title)
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%.4f\t%s\t%s\n", c.Name, c.Cases, signed(c.Difference), c.Interval, c.P, three(c.Detectable), c.Verdict())
	}
	fmt.Fprintln(w)
}

func (i Interval) String() string { return fmt.Sprintf("%s–%s", three(i.Low), three(i.High)) }

// signed is three, with a plus where it is not negative.
func signed(v float64) string {
	if v < 0 {
		return three(v)
	}
	return "+" + three(v)
}

// three is v to three digits, without a leading zero; a dash if it means nothing.
func three(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	text := fmt.Sprintf("%.3f", v)
	if rest, ok := strings.CutPrefix(text, "-0."); ok {
		return "-." + rest
	}
	return strings.TrimPrefix(text, "0")
}
