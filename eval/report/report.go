// Package report shows a run of a suite: as JSON, JUnit, Markdown, one HTML file, a TREC run, and text.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/measure"
)

// Writer is how to write the kind of report that a file's name ends with.
func Writer(path string) (func(io.Writer, *measure.Report) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return JSON, nil
	case ".xml":
		return JUnit, nil
	case ".md":
		return Markdown, nil
	case ".html":
		return HTML, nil
	case ".trec":
		return TREC, nil
	}
	return nil, fmt.Errorf("%s: the name of a report ends in .json, .xml (JUnit), .md, .html or .trec", path)
}

// JSON writes the canonical form: one line for each case, so that versions of a report can be compared as text.
func JSON(w io.Writer, r *measure.Report) error {
	short := *r
	short.Cases = nil
	var head bytes.Buffer
	e := json.NewEncoder(&head)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(short); err != nil {
		return err
	}
	before, after, _ := strings.Cut(head.String(), `"cases": null`)
	if _, err := io.WriteString(w, before+`"cases": [`); err != nil {
		return err
	}
	for i, row := range r.Cases {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(row); err != nil {
			return err
		}
		separator := ",\n    "
		if i == 0 {
			separator = "\n    "
		}
		if _, err := fmt.Fprint(w, separator, strings.TrimSpace(line.String())); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, "\n  ]", after)
	return err
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string    `xml:"classname,attr"`
	Name    string    `xml:"name,attr"`
	Failure *junitWhy `xml:"failure"`
	Skipped *junitWhy `xml:"skipped"`
}

type junitWhy struct {
	Message string `xml:"message,attr"`
}

// JUnit writes gates and cases as test cases. It fails if and only if the command's exit code says so: a failed case
// that no gate needs counts as skipped.
func JUnit(w io.Writer, r *measure.Report) error {
	gates := junitSuite{Name: r.Suite + " gates"}
	all := false
	for _, g := range r.Gates {
		c := junitCase{Class: r.Suite + ".gates", Name: g.Gate}
		if !g.Passed {
			c.Failure = &junitWhy{g.Why}
		}
		all = all || g.Gate == "all cases pass"
		gates.Cases = append(gates.Cases, c)
	}
	cases := junitSuite{Name: r.Suite}
	for _, row := range r.Cases {
		c := junitCase{Class: r.Suite, Name: row.ID}
		why := &junitWhy{strings.Join(row.Failures, "; ")}
		switch {
		case row.Passed:
		case row.Must || all:
			c.Failure = why
		default:
			c.Skipped = why
		}
		cases.Cases = append(cases.Cases, c)
	}
	out := junitSuites{}
	for _, s := range []junitSuite{gates, cases} {
		s.Tests = len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// TREC writes what was ranked, as ranking tools read it.
func TREC(w io.Writer, r *measure.Report) error {
	name := strings.Join(strings.Fields(r.Subject), "_")
	for _, row := range r.Cases {
		for i, ranked := range row.Ranked {
			if _, err := fmt.Fprintf(w, "%s Q0 %s %d %g %s\n", strings.Join(strings.Fields(row.ID), "_"), ranked.Entry, i+1, ranked.Probability, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Text writes figures, gates and failed cases for a terminal.
func Text(w io.Writer, r *measure.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %d cases, %d entries, asked of %s\n\nfigure\tvalue\t95 %% interval\n", r.Suite, len(r.Cases), r.Entries, r.Subject)
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, number(f.Value), f.Interval)
	}
	fmt.Fprintf(t, "time of a turn, ms\t%.1f\t95 %% within %.1f, 99 %% within %.1f\n", r.Timings.Took.P50, r.Timings.Took.P95, r.Timings.Took.P99)
	if r.Tokens != nil {
		fmt.Fprintf(t, "tokens\t%d in, %d out\tcost %.4f\n", r.Tokens.In, r.Tokens.Out, r.Cost)
	}
	if r.Against != nil {
		if err := textComparison(t, *r.Against); err != nil {
			return err
		}
	}
	if r.Failed > 0 {
		fmt.Fprintf(t, "\nfailed cases: %d of %d\n", r.Failed, len(r.Cases))
	}
	textFailed(t, r)
	fmt.Fprintln(t)
	for _, g := range r.Gates {
		fmt.Fprintf(t, "%s\t%s\t%s\n", verdict(g.Passed), g.Gate, g.Why)
	}
	return t.Flush()
}

// FailedCases writes the failed cases for a terminal.
func FailedCases(w io.Writer, r *measure.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	textFailed(t, r)
	return t.Flush()
}

func textFailed(w io.Writer, r *measure.Report) {
	for i, row := range failed(r) {
		if i == mostShown {
			fmt.Fprintf(w, "… and %d more; --out REPORT.html shows all\n", r.Failed-i)
			break
		}
		fmt.Fprintf(w, "%s\t%s\n", called(row.ID, row.Question), strings.Join(row.Failures, "; "))
	}
}

// called is a case's ID with its question, which may be the same.
func called(id, question string) string {
	if id == question {
		return oneLine(question)
	}
	return id + ": " + oneLine(question)
}

// mostShown is how many cases a list in a terminal or a pull request has.
const mostShown = 20

// Comparison writes what changed between two runs for a terminal.
func Comparison(w io.Writer, c measure.Comparison) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if err := textComparison(t, c); err != nil {
		return err
	}
	return t.Flush()
}

func textComparison(w io.Writer, c measure.Comparison) error {
	fmt.Fprintf(w, "\nagainst %s: %d cases in both, %d in one only\nfigure\tbefore\tafter\tdifference\t95 %% interval\tp (Holm)\tdetectable\t\n", c.Before, c.Cases, c.Unpaired)
	for _, f := range c.Figures {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.4f\t%s\t%s\n", f.Name, number(f.Before), number(f.After), signed(f.Difference), f.Interval, f.P, number(f.Detectable), f.Verdict)
	}
	for _, part := range parts(c) {
		fmt.Fprintf(w, "\n%s: %d\n", part.Name, len(part.Changes))
		for i, change := range part.Changes {
			if i == mostShown {
				fmt.Fprintf(w, "… and %d more\n", len(part.Changes)-i)
				break
			}
			fmt.Fprintf(w, "%s\t%s → %s\n", called(change.ID, change.Question), change.Before, change.After)
		}
	}
	return nil
}

// A part is the cases that changed in one way.
type part struct {
	Name    string
	Changes []measure.Change
}

func parts(c measure.Comparison) []part {
	return []part{{"fixed", c.Fixed}, {"broken", c.Broken}, {"changed, neither fixed nor broken", c.Changed}}
}

// Markdown writes what a pull request needs: gates, figures, and the cases that changed or failed.
func Markdown(w io.Writer, r *measure.Report) error {
	var b strings.Builder
	state := "passed"
	if !r.Passed() {
		state = "failed"
	}
	fmt.Fprintf(&b, "## %s: %s\n\n%d of %d cases pass, asked of %s.\n\n| gate | | |\n|---|---|---|\n", escape(r.Suite), state, len(r.Cases)-r.Failed, len(r.Cases), escape(r.Subject))
	for _, g := range r.Gates {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", escape(g.Gate), verdict(g.Passed), escape(g.Why))
	}
	if c := r.Against; c != nil {
		fmt.Fprintf(&b, "\n### Against the earlier run\n\n| figure | before | after | difference | 95 %% | p | |\n|---|---|---|---|---|---|---|\n")
		for _, f := range c.Figures {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.4f | %s |\n", f.Name, number(f.Before), number(f.After), signed(f.Difference), f.Interval, f.P, f.Verdict)
		}
		for _, part := range parts(*c) {
			fmt.Fprintf(&b, "\n<details><summary>%s: %d</summary>\n\n| case | question | before | after |\n|---|---|---|---|\n", part.Name, len(part.Changes))
			for _, change := range part.Changes[:min(len(part.Changes), 5*mostShown)] {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", escape(change.ID), escape(oneLine(change.Question)), escape(change.Before), escape(change.After))
			}
			b.WriteString("\n</details>\n")
		}
	}
	fmt.Fprintf(&b, "\n<details><summary>all figures</summary>\n\n| figure | value | 95 %% |\n|---|---|---|\n")
	for _, f := range r.Figures {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Name, number(f.Value), f.Interval)
	}
	fmt.Fprintf(&b, "\n</details>\n\n<details><summary>failed cases: %d</summary>\n\n| case | question | |\n|---|---|---|\n", r.Failed)
	for i, row := range failed(r) {
		if i == 5*mostShown {
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", escape(row.ID), escape(oneLine(row.Question)), escape(strings.Join(row.Failures, "; ")))
	}
	b.WriteString("\n</details>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// failed are the cases that failed, those that must pass first, then the most confident.
func failed(r *measure.Report) []measure.Row {
	var list []measure.Row
	for _, row := range r.Cases {
		if !row.Passed {
			list = append(list, row)
		}
	}
	slices.SortStableFunc(list, func(a, b measure.Row) int {
		if a.Must != b.Must {
			return cmp.Compare(rank(b.Must), rank(a.Must))
		}
		return cmp.Compare(confidence(b), confidence(a))
	})
	return list
}

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// confidence is the probability of the best entry if it was given as the answer.
func confidence(r measure.Row) float64 {
	if r.Action != bot.ActionAnswer || len(r.Ranked) == 0 {
		return 0
	}
	return r.Ranked[0].Probability
}

// worst are the wrong answers, the most confident first.
func worst(r *measure.Report) []measure.Row {
	return slices.DeleteFunc(failed(r), func(row measure.Row) bool { return row.Verdict != eval.AnsweredWrong })
}

func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "'").Replace(s)
}

// oneLine is s on one line that fits a table.
func oneLine(s string) string {
	const most = 70
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func verdict(passed bool) string {
	if passed {
		return "passed"
	}
	return "FAILED"
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%.3f", v), "0.", ".", 1)
}

func signed(v float64) string { return strings.Replace(fmt.Sprintf("%+.3f", v), "0.", ".", 1) }
