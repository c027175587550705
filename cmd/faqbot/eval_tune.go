package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"faqbot/bot/dialogue"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// engineRun is a run of the engine over a suite, to be changed and repeated.
func engineRun(ctx context.Context, a suiteArgs) (measure.Run, *eval.Asker, error) {
	s, entries, _, err := a.read()
	if err != nil {
		return measure.Run{}, nil, err
	}
	vectors, _, err := newVectors()
	if err != nil {
		return measure.Run{}, nil, err
	}
	b, err := eval.NewAsker(ctx, entries, vectors)
	s.Gates = nil // what is tried is not judged
	return measure.Run{Suite: s, Entries: entries, Workers: runtime.GOMAXPROCS(0), Subject: subject.NewEngine("faqbot "+version, b)}, b, err
}

// evalPerturbCommand asks a suite's questions as people write them in haste.
type evalPerturbCommand struct {
	Args suiteArgs `embed:""`
	Out  string    `help:"Write the changed suites to files of this name, with the change before its end: noisy.yaml → noisy.typos.yaml." placeholder:"FILE" type:"path"`
}

func (cmd evalPerturbCommand) Run(ctx context.Context, term terminal) error {
	run, _, err := engineRun(ctx, cmd.Args)
	if err != nil {
		return err
	}
	clean, err := run.Do(ctx)
	if err != nil {
		return err
	}
	for _, how := range suite.Perturbations() {
		r, err := cmd.ask(ctx, term, run, how, run.Suite.Perturb(how))
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		c := measure.Compare(clean, r)
		c.Fixed, c.Changed = nil, nil
		if err := report.Comparison(term.out, c); err != nil {
			return err
		}
	}
	// What is asked is something else then, so it is not compared.
	r, err := cmd.ask(ctx, term, run, "swapped entities", run.Suite.SwapEntities(run.Entries))
	if err != nil || r == nil {
		return err
	}
	fmt.Fprintf(term.out, "%d of %d questions about something that no entry names are answered all the same\n", r.Failed, len(r.Cases))
	return report.FailedCases(term.out, r)
}

// ask asks changed cases; nil if none have changed.
func (cmd evalPerturbCommand) ask(ctx context.Context, term terminal, run measure.Run, how string, changed suite.Suite) (*measure.Report, error) {
	fmt.Fprintf(term.out, "\n%s\n", how)
	if len(changed.Cases) == 0 {
		fmt.Fprintln(term.out, "no question changes")
		return nil, nil
	}
	if cmd.Out != "" {
		name, end, _ := strings.Cut(cmd.Out, ".")
		if err := suite.Write(name+"."+strings.ReplaceAll(how, " ", "-")+"."+end, changed); err != nil {
			return nil, err
		}
	}
	run.Suite = changed
	r, err := run.Do(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", how, err)
	}
	return r, nil
}

// evalCurveCommand shows what wordings are worth.
type evalCurveCommand struct {
	Args suiteArgs `embed:""`
}

func (cmd evalCurveCommand) Run(ctx context.Context, term terminal) error {
	s, entries, _, err := cmd.Args.read()
	if err != nil {
		return err
	}
	vectors, _, err := newVectors()
	if err != nil {
		return err
	}
	s.Gates = nil
	shown := []string{measure.Passed, "acc", "AUROC", "wrong", "resolved", "utility"}
	t := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "wordings\tof an entry, mean\t%s\n", strings.Join(shown, "\t"))
	last := 0
	for _, most := range []int{1, 3, 5, 10, 20} {
		part, total := firstWordings(entries, most)
		if total == last { // no entry has more
			break
		}
		last = total
		b, err := eval.NewAsker(ctx, part, vectors)
		if err != nil {
			return err
		}
		r, err := measure.Run{Suite: s, Entries: part, Workers: runtime.GOMAXPROCS(0), Subject: subject.NewEngine("faqbot "+version, b)}.Do(ctx)
		if err != nil {
			return fmt.Errorf("with %d wordings: %w", most, err)
		}
		fmt.Fprintf(t, "at most %d\t%.1f", most, float64(total)/float64(len(entries)))
		for _, name := range shown {
			i := slices.IndexFunc(r.Figures, func(f measure.Figure) bool { return f.Name == name })
			if i < 0 {
				fmt.Fprint(t, "\t–")
				continue
			}
			fmt.Fprintf(t, "\t%.3f (%s)", r.Figures[i].Value, r.Figures[i].Interval)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// firstWordings are entries with their first wordings alone, and how many those are.
func firstWordings(entries []knowledge.Entry, most int) (part []knowledge.Entry, total int) {
	part = slices.Clone(entries)
	for i, e := range part {
		part[i].Variants = e.Variants[:min(len(e.Variants), most-1)]
		total += 1 + len(part[i].Variants)
	}
	return part, total
}

// evalExplainCommand shows how a case was decided.
type evalExplainCommand struct {
	Args suiteArgs `embed:""`
	Case string    `arg:"" help:"The case's id, or its question if it has none."`
}

func (cmd evalExplainCommand) Run(ctx context.Context, term terminal) error {
	run, b, err := engineRun(ctx, cmd.Args)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(run.Suite.Cases, func(c suite.Case) bool { return c.ID == cmd.Case })
	if i < 0 {
		return errors.New("the suite has no such case; --out REPORT.html shows all that failed")
	}
	c := run.Suite.Cases[i]
	run.Suite.Cases = []suite.Case{c}
	r, err := run.Do(ctx)
	if err != nil {
		return err
	}
	for _, text := range r.Cases[0].Texts {
		fmt.Fprintln(term.out, text)
	}
	fate := "\npassed"
	if len(r.Cases[0].Failures) > 0 {
		fate = "\nfailed: " + strings.Join(r.Cases[0].Failures, "; ")
	}
	fmt.Fprintln(term.out, fate)
	answer, err := subject.NewEngine("", b).Last(ctx, c)
	if err != nil {
		return err
	}
	return explain(term.out, answer.Outcome, dialogue.DefaultPolicy(), answer.Took)
}
