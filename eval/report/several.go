package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"faqbot/eval/measure"
)

// RankingText shows runs of several subjects. Behind a figure stands "+" if the subject is better than the first, "-" if it is
// worse, nothing if there is no evidence.
func RankingText(w io.Writer, list []measure.Ranking) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range list {
		fmt.Fprintf(t, "%s: %d cases\n\t%s\tms\n", k.Suite, k.Cases, strings.Join(k.Names, "\t"))
		for _, e := range k.Entrant {
			fmt.Fprintf(t, "%s\t%s\t%.1f\n", e.Subject, strings.Join(cells(e), "\t"), e.Took.P50)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t, "+ better than the first, - worse: p < .05 in a paired randomisation test, corrected for all comparisons (Holm)")
	return t.Flush()
}

func cells(e measure.Entrant) (list []string) {
	for _, f := range e.Figures {
		cell := "–"
		if f.Known {
			cell = fmt.Sprintf("%s (%s) %s", number(f.Value), f.Interval, sign(f))
		}
		list = append(list, strings.TrimSpace(cell))
	}
	return list
}

// sign is "+", "-", or "" if there is no evidence.
func sign(s measure.Standing) string {
	return map[string]string{"better": "+", "worse": "-"}[s.Verdict]
}

// RankingMarkdown shows runs of several subjects for a pull request.
func RankingMarkdown(w io.Writer, list []measure.Ranking) error {
	var b strings.Builder
	for _, k := range list {
		fmt.Fprintf(&b, "## %s: %d cases\n\n| | %s | ms |\n|---|%s---|\n", escape(k.Suite), k.Cases, strings.Join(k.Names, " | "), strings.Repeat("---|", len(k.Names)))
		for _, e := range k.Entrant {
			fmt.Fprintf(&b, "| %s | %s | %.1f |\n", escape(e.Subject), strings.Join(cells(e), " | "), e.Took.P50)
		}
		b.WriteString("\n")
	}
	b.WriteString("\\+ better than the first, \\- worse: p < .05 in a paired randomisation test, corrected for all comparisons (Holm)\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// RankingHTML writes one file that needs no network, no script and no other file.
func RankingHTML(w io.Writer, list []measure.Ranking) error {
	t, err := parsed("several.html")
	if err != nil {
		return err
	}
	return t.Execute(w, list)
}

// RankingWriter is how to write the kind of file that a name ends with.
func RankingWriter(path string) (func(io.Writer, []measure.Ranking) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".md":
		return RankingMarkdown, nil
	case ".html":
		return RankingHTML, nil
	}
	return nil, fmt.Errorf("%s: runs of several subjects are shown in a file that ends in .md or .html", path)
}
