package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"faqbot/bot/dialogue"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/subject"
)

// evalFitCommand fits the threshold of answers.
type evalFitCommand struct {
	Suite []string `arg:"" optional:"" help:"The suite. Without one, wordings and entries are left out of the FAQ in turn, and asked. With several, what is fitted on each is tried on all." type:"path"`
	FAQ   string   `name:"faq" help:"The FAQ, in any format that import reads. Default: the one that the suite names." placeholder:"FILE" type:"existingfile"`
	Wrong string   `required:"" help:"The most that may be wrong among the answers given, like 5%." placeholder:"SHARE"`
}

func (cmd evalFitCommand) Run(ctx context.Context, term terminal) error {
	most, err := share(cmd.Wrong)
	if err != nil {
		return err
	}
	if len(cmd.Suite) > 1 {
		return cmd.transfer(ctx, term, most)
	}
	trials, err := cmd.trials(ctx)
	if err != nil {
		return err
	}
	steps, err := stepsOf(ctx, trials, newProgress(term.err, "fitting"))
	if err != nil {
		return err
	}
	best := measure.Fit(steps, most, func(measure.Row) bool { return true })
	t := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "answer_at\twrong among answered\t90 % interval\tanswered\tresolved\tutility\t")
	for i, s := range steps {
		chosen := ""
		if i == best {
			chosen = "← fits"
		}
		fmt.Fprintf(t, "%.2f\t%.3f\t%s\t%.3f\t%.3f\t%.3f\t%s\n", s.AnswerAt, s.Wrong.Value, s.Wrong.Interval, s.Coverage, s.Resolved, s.Utility, chosen)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if best < 0 {
		fmt.Fprintf(term.out, "\nNo threshold keeps the share of wrong answers below %s on these cases, with the whole 90 %% interval: mend the FAQ, or add cases.\n", cmd.Wrong)
		return errMissed
	}
	fmt.Fprintf(term.out, "\nIn faqbot.toml:\n\n[answers]\nanswer_at = %.2f\n", steps[best].AnswerAt)
	return nil
}

// A fitTrial is a run that is repeated with other thresholds.
type fitTrial struct {
	run measure.Run
	bot *eval.Asker
}

// stepsOf carries out trials with all thresholds.
func stepsOf(ctx context.Context, trials []fitTrial, p *progress) ([]measure.Step, error) {
	return measure.Steps(ctx, func(answerAt float64) (list []measure.Run) {
		policy := dialogue.DefaultPolicy()
		policy.AnswerAt = answerAt
		for _, one := range trials {
			one.run.Subject = subject.NewEngine("faqbot "+version, one.bot.With(policy))
			list = append(list, one.run)
		}
		return list
	}, p.set)
}

// maxTransferred is how many cases of a suite are asked for a table of several.
const maxTransferred = 600

// transfer shows what the threshold that is fitted on each suite does on all of them.
func (cmd evalFitCommand) transfer(ctx context.Context, term terminal, most float64) error {
	every := func(measure.Row) bool { return true }
	steps := make([][]measure.Step, len(cmd.Suite))
	fitted := make([]int, len(cmd.Suite))
	names := make([]string, len(cmd.Suite))
	for i, path := range cmd.Suite {
		run, b, err := engineRun(ctx, suiteArgs{Suite: path})
		if err != nil {
			return err
		}
		random := rand.New(rand.NewPCG(uint64(len(run.Suite.Cases)), 1))
		random.Shuffle(len(run.Suite.Cases), func(a, b int) { run.Suite.Cases[a], run.Suite.Cases[b] = run.Suite.Cases[b], run.Suite.Cases[a] })
		run.Suite.Cases = run.Suite.Cases[:min(len(run.Suite.Cases), maxTransferred)]
		if steps[i], err = stepsOf(ctx, []fitTrial{{run, b}}, newProgress(term.err, "fitting "+run.Suite.Name)); err != nil {
			return err
		}
		names[i], fitted[i] = run.Suite.Name, measure.Fit(steps[i], most, every)
	}
	t := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "fitted on\tanswer_at\twrong among answered, and share answered, on\n\t\t%s\n", strings.Join(names, "\t"))
	for i, at := range fitted {
		if at < 0 {
			fmt.Fprintf(t, "%s\tnone\n", names[i])
			continue
		}
		fmt.Fprintf(t, "%s\t%.2f", names[i], steps[i][at].AnswerAt)
		for _, of := range steps {
			mark := ""
			if of[at].Wrong.Value > most {
				mark = " !"
			}
			fmt.Fprintf(t, "\t%.3f %.2f%s", of[at].Wrong.Value, of[at].Coverage, mark)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "\n! more than %s\n", cmd.Wrong)
	return t.Flush()
}

// draws is how often something is left out of the FAQ.
const draws = 5

// trials are the suite's run, or runs over what is left out of the FAQ.
func (cmd evalFitCommand) trials(ctx context.Context) (list []fitTrial, err error) {
	if len(cmd.Suite) == 1 {
		run, b, err := engineRun(ctx, suiteArgs{Suite: cmd.Suite[0], FAQ: cmd.FAQ})
		return []fitTrial{{run, b}}, err
	}
	if cmd.FAQ == "" {
		return nil, errors.New("name a suite, or an FAQ with --faq FILE")
	}
	entries, err := eval.ReadEntries(cmd.FAQ)
	if err != nil {
		return nil, err
	}
	vectors, _, err := newVectors()
	if err != nil {
		return nil, err
	}
	for draw := range draws {
		kept, s := measure.LeaveOut(entries, draw)
		if len(s.Cases) == 0 {
			return nil, errors.New("no entry has a second wording that could be left out: collect questions, as with faqbot eval label")
		}
		b, err := eval.NewAsker(ctx, kept, vectors)
		if err != nil {
			return nil, err
		}
		list = append(list, fitTrial{measure.Run{Suite: s, Entries: kept, Workers: runtime.GOMAXPROCS(0)}, b})
	}
	return list, nil
}

// share reads 5%, 5 % or 0.05.
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || v <= 0 || v >= 1 {
		return 0, fmt.Errorf("%q is no share: write 5%% or 0.05", text)
	}
	return v, nil
}
