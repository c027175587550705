package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"faqbot/eval"
	"faqbot/knowledge/locale"
	"faqbot/retrieval/encoder"
)

// evalCommand measures.
type evalCommand struct {
	Run     evalRunCommand     `cmd:"" help:"Run a suite: ask its cases, and check its gates. Exit code 0: all gates hold; 1: one does not; 2: the suite could not be run."`
	Compare evalCompareCommand `cmd:"" help:"Compare two runs of a suite. Exit code 1: a figure is worse, and not by chance."`
	Rank    evalRankCommand    `cmd:"" help:"Put runs of several subjects beside each other: which is better, and whether that is more than chance."`
	Lint    evalLintCommand    `cmd:"" help:"Check a suite: errors, and what makes its figures say less than they seem to. Exit code 2: there are errors."`
	Convert evalConvertCommand `cmd:"" aliases:"import" help:"Write a suite in another format."`
	Export  evalExportCommand  `cmd:"" help:"Write the test cases that an affiliate keeps at /eval as a suite. Works beside a running server."`

	Explain evalExplainCommand `cmd:"" help:"Show how the engine decided a case of a suite."`
	Perturb evalPerturbCommand `cmd:"" help:"Ask a suite's questions with typing errors, in capitals, without punctuation, in shorthand, with 'not', and compare; and about other countries, networks or ways to pay than entries name, which must not be answered."`
	Curve   evalCurveCommand   `cmd:"" help:"Show what wordings are worth: the suite asked of the FAQ with 1, 3, 5, 10 wordings of each entry."`
	Fit     evalFitCommand     `cmd:"" help:"Fit the probability from which an entry is the answer, so that few enough answers are wrong."`

	Replay evalReplayCommand `cmd:"" help:"Ask again what customers asked, and show what would be treated otherwise now, or with another FAQ. Works beside a running server."`

	Label evalLabelCommand `cmd:"" help:"Make a suite of questions that two people label: how far they agree, what is to be settled. Exit code 1: something is to be settled."`

	Quality      evalQualityCommand      `cmd:"" help:"Ask the public sets' questions and compare the figures with floors and goals. Exit code 1: a floor is missed."`
	Ablate       evalAblateCommand       `cmd:"" help:"Ask the public sets' questions of the engine without some of its parts, and show what each part brings."`
	FitVotes     evalFitVotesCommand     `cmd:"" help:"Fit what the built-in encoder makes of wishes, thanks, complaints and the like."`
	FitLanguages evalFitLanguagesCommand `cmd:"" help:"Fit the weights by which the language of a message is told to lists of words."`
	FitPrior     evalFitPriorCommand     `cmd:"" help:"Fit the shipped calibration on public sets, and show how it carries over to sets it has not seen. Exit code 1: a floor is missed."`
	FitRows      evalFitRowsCommand      `cmd:"" help:"Fit the projection of the encoder's token rows to public sets."`
}

// evalQualityCommand measures the engine with its defaults.
type evalQualityCommand struct {
	Data    []string `arg:"" help:"The folder of public sets: banking77, stackfaq and the others, each with faq.jsonl and queries.jsonl. Then folders of further ones." type:"existingdir"`
	JSON    string   `name:"json" help:"Write all figures and answers to this file." placeholder:"FILE"`
	Against string   `help:"Compare with an earlier run's --json file." placeholder:"FILE" type:"existingfile"`
}

func (cmd evalQualityCommand) Run(ctx context.Context, term terminal) error {
	var earlier *eval.Report
	if cmd.Against != "" {
		raw, err := os.ReadFile(cmd.Against)
		if err == nil {
			err = json.Unmarshal(raw, &earlier)
		}
		if err != nil {
			return fmt.Errorf("read the earlier report %s: %w", cmd.Against, err)
		}
	}
	vectors, e, err := newVectors()
	if err != nil {
		return err
	}
	told := func(what string) { fmt.Fprintf(term.err, "asking %s\n", what) }
	r, err := eval.Quality(ctx, cmd.Data, vectors, told)
	if err == nil && earlier != nil {
		err = r.CompareWith(earlier)
	}
	if err == nil && cmd.JSON != "" {
		err = writeJSON(cmd.JSON, r)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "faqbot %s, %s\n\n", version, machine(e))
	if err := r.Print(term.out); err != nil {
		return err
	}
	return missed(r.Checks, term)
}

// missed ends a command whose figures are below a floor.
func missed(checks []eval.TargetCheck, term terminal) error {
	if !eval.Missed(checks) {
		return nil
	}
	fmt.Fprintln(term.err, "faqbot: a floor is missed")
	return errMissed
}

// fitted is what something is fitted to.
type fitted struct {
	Data         []string `arg:"" help:"Folders of sets, or a set's own: meta.json with its licence, faq.jsonl, queries.jsonl." type:"existingdir"`
	Multilingual bool     `help:"Fit to the multilingual encoder, not the English one."`
}

// open reads the sets and loads the encoder. Folders that are no sets are named.
func (f fitted) open(term terminal) ([]eval.Source, *encoder.Encoder, error) {
	sources, skipped, err := eval.ReadSources(f.Data)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range skipped {
		fmt.Fprintf(term.err, "skipped: %s has no faq.jsonl or no queries.jsonl\n", name)
	}
	e, multilingual, err := newEncoders()
	if err == nil && f.Multilingual {
		if e = multilingual; e == nil {
			err = errors.New("this build has no multilingual encoder")
		}
	}
	return sources, e, err
}

// evalFitPriorCommand fits what the search ships with.
type evalFitPriorCommand struct {
	Fitted fitted `embed:""`
	Out    string `help:"Write the fit with its provenance to this file." placeholder:"FILE.json"`
	Rows   string `help:"Write what was fitted on to this file, a row for each question asked, to try other fits." placeholder:"FILE.jsonl"`
}

func (cmd evalFitPriorCommand) Run(ctx context.Context, term terminal) error {
	sources, e, err := cmd.Fitted.open(term)
	if err != nil {
		return err
	}
	rows, err := eval.Collect(ctx, sources, eval.NewVectors(e), func(what string) { fmt.Fprintf(term.err, "asking %s\n", what) })
	if err == nil && cmd.Rows != "" {
		err = writeWhole(cmd.Rows, func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			for _, r := range rows {
				if err := encoder.Encode(r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	prior, err := eval.FitPrior(sources, rows, e.Space())
	if err == nil && cmd.Out != "" {
		err = writeJSON(cmd.Out, prior)
	}
	if err == nil {
		err = prior.Print(term.out)
	}
	if err != nil {
		return err
	}
	return missed(prior.Checks(), term)
}

// evalFitVotesCommand fits how the encoder tells the signals of a message.
type evalFitVotesCommand struct {
	Fitted   fitted `embed:""`
	Language string `help:"Fit to sentences in this language, and to their words. If empty, to those in all languages." placeholder:"LOCALE"`
	Out      string `required:"" help:"Write the votes to this file: bot/dialogue/votes/en.json." placeholder:"FILE.json"`
}

func (cmd evalFitVotesCommand) Run(ctx context.Context, term terminal) error {
	sources, e, err := cmd.Fitted.open(term)
	if err != nil {
		return err
	}
	languages := locale.Shipped()
	if cmd.Language != "" {
		languages = []string{cmd.Language}
	}
	votes, err := eval.FitVotes(ctx, sources, eval.NewVectors(e), languages, func(what string) { fmt.Fprintf(term.err, "fitting %s\n", what) })
	if err != nil {
		return err
	}
	return writeWhole(cmd.Out, func(w io.Writer) error { return json.NewEncoder(w).Encode(votes) })
}

// evalFitLanguagesCommand fits what words show of their language.
type evalFitLanguagesCommand struct {
	Folder string `arg:"" help:"The folder with words and lists: eval/languages." type:"existingdir"`
	Out    string `required:"" help:"Write the weights to this file: knowledge/language/profiles.bin." placeholder:"FILE.bin"`
}

func (cmd evalFitLanguagesCommand) Run() error {
	packed, err := eval.FitLanguages(cmd.Folder)
	if err != nil {
		return err
	}
	return writeWhole(cmd.Out, func(w io.Writer) error {
		_, err := w.Write(packed)
		return err
	})
}

// evalFitRowsCommand fits the projection that the encoder ships with.
type evalFitRowsCommand struct {
	Fitted fitted `embed:""`
	Out    string `required:"" help:"Write the projection to this file: retrieval/encoder/model/projection.bin." placeholder:"FILE.bin"`
}

func (cmd evalFitRowsCommand) Run(_ context.Context, term terminal) error {
	sources, e, err := cmd.Fitted.open(term)
	if err != nil {
		return err
	}
	packed := eval.PackProjection(eval.FitProjection(sources, e, encoder.RowDim))
	return writeWhole(cmd.Out, func(w io.Writer) error {
		_, err := w.Write(packed)
		return err
	})
}

// machine says what figures of speed, and the encoder's last bits, depend on.
func machine(e *encoder.Encoder) string {
	model, features := processor("/proc/cpuinfo")
	return fmt.Sprintf("%s/%s, %d cores, %s%s; encoder %s on %s", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), model, features, e.Space(), e.Kernel())
}

// processor is the processor's name and those of its features that matter here, where a system says.
func processor(path string) (model, features string) {
	f, err := os.Open(path)
	if err != nil {
		return "unknown processor", ""
	}
	defer func() { _ = f.Close() }()
	model = "unknown processor"
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "model name":
			model = strings.TrimSpace(value)
		case "flags":
			for _, flag := range []string{"avx2", "avx_vnni", "avx512f", "avx512_vnni"} {
				if slices.Contains(strings.Fields(value), flag) {
					features += " " + flag
				}
			}
			return model, features
		}
	}
	return model, features
}

// writeJSON writes v to a file that appears whole or not at all.
func writeJSON(path string, v any) error {
	return writeWhole(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	})
}

// writeWhole writes a file that appears whole or not at all.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".faqbot-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	buffered := bufio.NewWriter(f)
	err = errors.Join(write(buffered), buffered.Flush(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
