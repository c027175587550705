// Package measure runs a suite on a subject: it carries out the conversations, judges what came of them,
// computes figures with intervals, checks gates, and compares two runs. The figures and tests are those of
// package eval, which make quality uses too.
//
// It shows nothing: see eval/report.
package measure

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Version is that of a Report's form.
const Version = 1

// A Report is a whole run. But for Timings, the same suite, FAQ and subject give the same report, byte for byte,
// however many workers there were and however often the run was interrupted.
type Report struct {
	Version   int              `json:"version"`
	Suite     string           `json:"suite"`
	Digest    string           `json:"digest"` // of the suite's cases
	Subject   string           `json:"subject"`
	Entries   int              `json:"entries"`
	Figures   []Figure         `json:"figures"` // those that mean something on this suite
	Decisions eval.Decisions   `json:"decisions"`
	Failed    int              `json:"failed"`           // cases
	Tokens    *subject.Tokens  `json:"tokens,omitempty"` // if a language model was asked
	Cost      float64          `json:"cost,omitempty"`
	Gates     []Gate           `json:"gates"`
	Slices    []eval.Part      `json:"slices"`
	Curve     []eval.RiskPoint `json:"risk_coverage"`
	Bins      []eval.Bin       `json:"reliability"`
	Findings  Findings         `json:"findings"`
	Against   *Comparison      `json:"against,omitempty"`
	Cases     []Row            `json:"cases"`
	Timings   Timings          `json:"timings"`
}

// A Figure is a number about the run, with its 95 % interval.
type Figure struct {
	eval.Measured
	Low bool `json:"low,omitempty"` // the lower the better
}

// Timings are all that differs from run to run.
type Timings struct {
	Started time.Time         `json:"started"`
	Seconds float64           `json:"seconds"` // of this run; an interrupted one counts from its resumption
	Took    eval.Milliseconds `json:"took_ms"` // of the turns that are measured
}

// A Row is one case and what came of it.
type Row struct {
	ID       string              `json:"id"`
	Question string              `json:"question"`
	Lang     string              `json:"lang,omitempty"`
	Topic    string              `json:"topic,omitempty"`
	Tags     []string            `json:"tags,omitempty"`
	Kind     string              `json:"kind,omitempty"`
	Group    string              `json:"group,omitempty"`
	Weight   int                 `json:"weight"`
	Must     bool                `json:"must,omitempty"`
	Relevant []knowledge.EntryID `json:"relevant,omitempty"`
	NoSearch bool                `json:"aside,omitempty"`

	Passed   bool                `json:"passed"`
	Failures []string            `json:"failures,omitempty"`
	Verdict  eval.Verdict        `json:"verdict"`
	Effort   int                 `json:"effort"` // eval.NoAnswer if the right answer was not reached
	Action   bot.Action          `json:"action"`
	Reason   bot.Reason          `json:"reason,omitempty"`
	Rule     string              `json:"rule,omitempty"`
	Entries  []knowledge.EntryID `json:"entries,omitempty"`
	Ranked   []subject.Ranked    `json:"ranked,omitempty"`
	Signals  []string            `json:"signals,omitempty"`
	Texts    []string            `json:"texts,omitempty"`
	Tokens   subject.Tokens      `json:"tokens,omitzero"`
}

// result is the row as package eval judges it.
func (r Row) result() eval.Result {
	out := eval.Result{Topic: r.Topic, Passed: r.Passed, Effort: r.Effort,
		Case: eval.Case{ID: r.ID, Text: r.Question, Lang: r.Lang, Relevant: r.Relevant, Kind: r.Kind, Tags: r.Tags, Dialog: r.Group, Weight: r.Weight, NoSearch: r.NoSearch}}
	out.Outcome.Decision = bot.Decision{Action: r.Action, Reason: r.Reason, Entries: r.Entries}
	for _, one := range r.Ranked {
		out.Ranked = append(out.Ranked, ranked(one))
	}
	return out
}

// sample is the rows, ready for figures.
func sample(rows []Row) *eval.Sample {
	results := make([]eval.Result, len(rows))
	for i, r := range rows {
		results[i] = r.result()
	}
	return eval.NewSample(results)
}

// about are the cases about answers, which the figures of search look at.
func about(s *eval.Sample) *eval.Sample {
	return s.Only(func(r eval.Result) bool { return !r.Case.NoSearch })
}

// Load reads a report that was written as JSON.
func Load(path string) (*Report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	var r Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%s is no report of faqbot eval run: %w", path, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%s has version %d, not %d: run the suite again with this build", path, r.Version, Version)
	}
	return &r, nil
}

// rowOf is the case before it was asked.
func rowOf(c suite.Case, topics map[knowledge.EntryID]string) Row {
	r := Row{ID: c.ID, Question: c.Last().Say, Lang: c.Lang, Tags: c.Tags, Kind: c.Kind, Group: c.Group, Weight: c.Weight, Must: c.Must,
		Relevant: c.Relevant(), NoSearch: c.NoSearch()}
	if c.Last().Tap != "" {
		r.Question = "[" + c.Last().Tap + "]"
	}
	if len(r.Relevant) > 0 {
		r.Topic = topics[r.Relevant[0]]
	}
	return r
}
