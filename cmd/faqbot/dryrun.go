package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// readFileCommand reads one file in a process of its own: see faqfile.Pool.
type readFileCommand struct{}

func (readFileCommand) Run(term terminal) error { return faqfile.Serve(os.Stdin, term.out) }

// newFilePool is how this program reads files.
func newFilePool() *faqfile.Pool { return faqfile.NewPool("read-file") }

// A dryRow and a dryProblem are what --dry-run --json prints: other programs read it.
type dryRow struct {
	Question string            `json:"question"`
	Answer   string            `json:"answer"`
	Topic    string            `json:"topic"`
	Locale   string            `json:"locale"`
	ID       string            `json:"id"`
	Variants []string          `json:"variants"`
	Media    []knowledge.Media `json:"media"`
}

type dryProblem struct {
	Line  int    `json:"line"`
	Fatal bool   `json:"fatal"`
	Text  string `json:"text"`
}

// dryRun shows what can be read of the file, and nothing else.
func (cmd importCommand) dryRun(ctx context.Context, cli *commands, term terminal) error {
	var c config
	var err error
	if cmd.isURL() { // a file is read without a configuration
		c, err = loadConfig(cli.Config)
	}
	if err != nil {
		return err
	}
	faq, err := cmd.read(ctx, c)
	if err != nil {
		return err
	}
	if cmd.JSON {
		err = printDry(term.out, faq.Rows, faq.Problems)
	} else {
		fmt.Fprintf(term.out, "%d entries can be read.\n", len(faq.Rows))
		printProblems(term.out, faq.Problems)
	}
	if err == nil && slices.ContainsFunc(faq.Problems, func(p knowledge.Problem) bool { return p.Fatal }) {
		return errMissed
	}
	return err
}

func printDry(w io.Writer, rows []knowledge.Row, problems []knowledge.Problem) error {
	var out struct {
		Rows     []dryRow     `json:"rows"`
		Problems []dryProblem `json:"problems"`
	}
	out.Rows, out.Problems = []dryRow{}, []dryProblem{}
	for _, r := range rows {
		out.Rows = append(out.Rows, dryRow{r.Question, r.Answer, r.Topic, r.Locale, r.Key,
			append([]string{}, r.Variants...), append([]knowledge.Media{}, r.Media...)})
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, dryProblem{p.Line, p.Fatal, p.Text})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
