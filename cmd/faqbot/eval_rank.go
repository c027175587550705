package main

import (
	"io"

	"faqbot/eval/measure"
	"faqbot/eval/report"
)

// evalRankCommand puts runs of several subjects beside each other.
type evalRankCommand struct {
	Runs []string `arg:"" help:"JSON reports of runs, of one suite or several. The first of each suite is what the others are compared with." type:"existingfile"`
	Out  []string `help:"Write the tables: .md or .html. May be given several times." placeholder:"FILE" type:"path" sep:"none"`
}

func (cmd evalRankCommand) Run(term terminal) error {
	var reports []*measure.Report
	for _, path := range cmd.Runs {
		r, err := measure.Load(path)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	list := measure.Rank(reports)
	for _, path := range cmd.Out {
		write, err := report.RankingWriter(path)
		if err == nil {
			err = writeWhole(path, func(w io.Writer) error { return write(w, list) })
		}
		if err != nil {
			return err
		}
	}
	return report.RankingText(term.out, list)
}
