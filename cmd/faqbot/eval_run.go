package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
)

// suiteArgs is a suite and the FAQ that it is about.
type suiteArgs struct {
	Suite string `arg:"" help:"The suite: a file (.yaml, .jsonl, .csv, .tsv, .xlsx, .qrels), or the folder of a set." type:"path"`
	FAQ   string `name:"faq" help:"The FAQ, in any format that import reads. Default: the one that the suite names." placeholder:"FILE" type:"existingfile"`
}

// read reads both, and refuses cases about entries that are not there. Warnings are told apart.
func (a suiteArgs) read() (suite.Suite, []knowledge.Entry, suite.Problems, error) {
	s, err := suite.Read(a.Suite)
	if err != nil {
		return s, nil, nil, err
	}
	path := a.FAQ
	if path == "" {
		path = s.FAQ
	}
	if path == "" {
		return s, nil, nil, fmt.Errorf("%s names no FAQ: give --faq FILE", a.Suite)
	}
	entries, err := eval.ReadEntries(path)
	if err != nil {
		return s, nil, nil, err
	}
	var wrong, warnings suite.Problems
	for _, p := range s.Check(a.Suite, entries) {
		if p.Warning {
			warnings = append(warnings, p)
		} else {
			wrong = append(wrong, p)
		}
	}
	if len(wrong) > 0 {
		return s, nil, nil, wrong
	}
	return s, entries, warnings, nil
}

// subjectArgs say what is measured; by default the engine that serves.
type subjectArgs struct {
	Service  string    `help:"Ask a running faqbot over its API; the key is in FAQBOT_API_KEY." placeholder:"URL" xor:"subject"`
	APIKey   string    `name:"api-key" env:"FAQBOT_API_KEY" hidden:""`
	Command  string    `help:"Ask a command that reads questions and writes replies, a JSON object a line, as in the rows of ask --batch." placeholder:"COMMAND" xor:"subject"`
	Model    string    `help:"Ask a language model that has the FAQ in its prompt; the key is in OPENAI_API_KEY." placeholder:"NAME" xor:"subject"`
	ModelURL string    `name:"model-url" help:"Where the model is, if not at OpenAI: an address that ends in /v1." placeholder:"URL"`
	ModelKey string    `name:"model-key" env:"OPENAI_API_KEY" hidden:""`
	Prices   []float64 `help:"What a million tokens of the model cost: read, written." placeholder:"IN,OUT"`
	TREC     string    `name:"trec" help:"Judge the run file of a ranking tool." placeholder:"RUN" type:"existingfile" xor:"subject"`
}

func (a subjectArgs) open(ctx context.Context, entries []knowledge.Entry, workers int) (subject.Subject, error) {
	switch {
	case a.Service != "":
		return subject.NewService(a.Service, a.APIKey, entries), nil
	case a.Command != "":
		return subject.NewCommand(a.Command, workers, entries), nil
	case a.Model != "":
		return subject.NewModel(a.Model, a.ModelURL, a.ModelKey, entries), nil
	case a.TREC != "":
		return subject.ReadRanking(a.TREC)
	}
	vectors, e, err := newVectors()
	if err != nil {
		return nil, err
	}
	b, err := eval.NewAsker(ctx, entries, vectors)
	if err != nil {
		return nil, err
	}
	return subject.NewEngine(fmt.Sprintf("faqbot %s, %s", version, e.Space()), b), nil
}

// newVectors are the built-in encoders; the English one by itself, too, since reports name it.
func newVectors() (*eval.Vectors, *encoder.Encoder, error) {
	english, multilingual, err := newEncoders()
	if err != nil {
		return nil, nil, err
	}
	vectors := eval.NewVectors(english)
	if multilingual != nil {
		vectors = vectors.With(multilingual)
	}
	return vectors, english, nil
}

// prices are those of a model.
func (a subjectArgs) prices() (measure.Prices, error) {
	switch len(a.Prices) {
	case 0:
		return measure.Prices{}, nil
	case 2:
		return measure.Prices{In: a.Prices[0], Out: a.Prices[1]}, nil
	}
	return measure.Prices{}, errors.New("--prices is two numbers: what a million tokens cost that are read, and written")
}

// evalRunCommand runs a suite.
type evalRunCommand struct {
	Args    suiteArgs   `embed:""`
	Subject subjectArgs `embed:""`
	Gates   []string    `name:"gate" help:"A condition besides the suite's: 'passed >= 90%', 'wrong <= 5%', 'utility not worse'. May be given several times." placeholder:"GATE" sep:"none"`
	Against string      `help:"Compare with an earlier run's JSON report." placeholder:"FILE.json" type:"existingfile"`
	Out     []string    `help:"Write a report: .json, .xml (JUnit), .md, .html or .trec. May be given several times." placeholder:"FILE" type:"path" sep:"none"`
	Workers int         `help:"How many cases are asked at a time. Default: one for each core." placeholder:"N"`
}

func (cmd evalRunCommand) Run(ctx context.Context, term terminal) error {
	for _, path := range cmd.Out { // before the long work
		if _, err := report.Writer(path); err != nil {
			return err
		}
	}
	s, entries, warnings, err := cmd.Args.read()
	if err != nil {
		return err
	}
	if len(warnings) > 0 {
		fmt.Fprintf(term.err, "%d warnings about the suite: faqbot eval lint %s\n", len(warnings), cmd.Args.Suite)
	}
	run := measure.Run{Suite: s, Entries: entries, Workers: cmd.Workers, Gates: cmd.Gates}
	if run.Workers < 1 {
		run.Workers = runtime.GOMAXPROCS(0)
	}
	if cmd.Against != "" {
		if run.Against, err = measure.Load(cmd.Against); err != nil {
			return err
		}
	}
	if run.Prices, err = cmd.Subject.prices(); err != nil {
		return err
	}
	if run.Subject, err = cmd.Subject.open(ctx, entries, run.Workers); err != nil {
		return err
	}
	progress := newProgress(term.err, "asking")
	run.Asked = func(done int) { progress.set(done, len(s.Cases)) }
	r, err := cmd.do(ctx, run)
	if err == nil {
		err = report.Text(term.out, r)
	}
	if err == nil && !r.Passed() {
		err = errMissed
	}
	return err
}

// do runs the suite and writes the reports. Finished cases are kept beside the first report until then.
func (cmd evalRunCommand) do(ctx context.Context, run measure.Run) (*measure.Report, error) {
	if len(cmd.Out) == 0 {
		r, err := run.Do(ctx)
		return r, errors.Join(err, run.Subject.Close())
	}
	journal := measure.NewFileJournal(cmd.Out[0] + ".partial")
	run.Journal = journal
	r, err := run.Do(ctx)
	if err = errors.Join(err, run.Subject.Close()); err != nil {
		if kept := journal.Kept(); kept != "" {
			err = fmt.Errorf("%w\n%s", err, kept)
		}
		return nil, err
	}
	return r, errors.Join(writeReports(cmd.Out, r), journal.Remove())
}

func writeReports(paths []string, r *measure.Report) error {
	for _, path := range paths {
		write, err := report.Writer(path)
		if err == nil {
			err = writeWhole(path, func(w io.Writer) error { return write(w, r) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// evalCompareCommand compares two runs.
type evalCompareCommand struct {
	Before string   `arg:"" help:"The earlier run's JSON report." type:"existingfile"`
	After  string   `arg:"" help:"The later run's JSON report." type:"existingfile"`
	Out    []string `help:"Write the later run's report with the comparison: .json, .xml (JUnit), .md or .html." placeholder:"FILE" type:"path" sep:"none"`
}

func (cmd evalCompareCommand) Run(term terminal) error {
	before, err := measure.Load(cmd.Before)
	if err != nil {
		return err
	}
	after, err := measure.Load(cmd.After)
	if err != nil {
		return err
	}
	c := measure.Compare(before, after)
	after.Against = &c
	if err := errors.Join(writeReports(cmd.Out, after), report.Comparison(term.out, c)); err != nil {
		return err
	}
	if worse := c.Worse(); len(worse) > 0 {
		fmt.Fprintf(term.err, "faqbot: worse: %s\n", strings.Join(worse, ", "))
		return errMissed
	}
	return nil
}

// evalLintCommand checks a suite.
type evalLintCommand struct {
	Args suiteArgs `embed:""`
}

func (cmd evalLintCommand) Run(term terminal) error {
	s, entries, warnings, err := cmd.Args.read()
	if err != nil {
		return err
	}
	for _, p := range warnings {
		fmt.Fprintln(term.out, p)
	}
	fmt.Fprintf(term.out, "The suite can be used: %d cases about %d entries, %d warnings.\n", len(s.Cases), len(entries), len(warnings))
	return nil
}

// evalConvertCommand writes a suite in another format.
type evalConvertCommand struct {
	From string `arg:"" help:"The suite to read: a file (.yaml, .jsonl, .csv, .tsv, .xlsx, .qrels), or the folder of a set." type:"path"`
	To   string `arg:"" help:"The file to write; the end of its name says the format. TREC qrels have their questions beside them, in a file .topics.tsv." type:"path"`
}

func (cmd evalConvertCommand) Run(term terminal) error {
	s, err := suite.Read(cmd.From)
	if err != nil {
		return err
	}
	if err := suite.Write(cmd.To, s); err != nil {
		return err
	}
	fmt.Fprintf(term.out, "%d cases are in %s.\n", len(s.Cases), cmd.To)
	return nil
}
