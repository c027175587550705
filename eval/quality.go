package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"faqbot/bot/dialogue"
)

// A Target is what a figure must reach, and what it should.
type Target struct {
	Figure string  `json:"figure"`
	Floor  float64 `json:"floor"`
	Goal   float64 `json:"goal"`
}

const (
	calibrationLeast = 390 // queries from which a set's calibration error says something
	everySet         = "all sets"
	unseen           = "acc unseen" // the accuracy over queries that are no entry's wording
)

// A Measured is a figure of a set.
type Measured struct {
	Name     string   `json:"name"`
	Value    float64  `json:"value"`
	Interval Interval `json:"interval"`
}

// A TargetCheck is a target and what was reached.
type TargetCheck struct {
	Set string `json:"set"`
	Target
	Value    float64   `json:"value"`
	Interval *Interval `json:"interval,omitempty"` // nil for figures over all sets
	Reached  Standing  `json:"standing"`
}

// A Metric is a figure that is shown and has no target.
type Metric struct {
	Set string `json:"set"`
	Measured
	Ceiling float64 `json:"ceiling,omitempty"` // what it should stay below, if that is known
}

// A Standing says how a figure stands to its target.
type Standing string

// From best to worst.
const (
	AtGoal  Standing = "goal"
	AtFloor Standing = "floor"
	Missing Standing = "MISSED"
)

// standingOf compares v with t to three digits, as both are told: more of a target is not known.
func standingOf(v float64, t Target, low bool) Standing {
	if low {
		v, t.Floor, t.Goal = -v, -t.Floor, -t.Goal
	}
	told := func(v float64) float64 { return math.Round(v * 1000) }
	switch {
	case told(v) >= told(t.Goal):
		return AtGoal
	case told(v) >= told(t.Floor):
		return AtFloor
	}
	return Missing
}

// Milliseconds are times that shares of the answers were there within, with all cores busy.
type Milliseconds struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// An Answer is what became of one case, as far as a later run compares with it.
type Answer struct {
	Case        string  `json:"case"`
	Right       bool    `json:"right"` // the best entry answers; out of scope: its probability is below .5
	Probability float64 `json:"probability"`
}

// A SetReport is all figures of one set.
type SetReport struct {
	Name        string       `json:"name"`
	Entries     int          `json:"entries"`
	Queries     int          `json:"queries"`
	OutOfScope  int          `json:"out_of_scope"`
	Figures     []Measured   `json:"figures"` // those that mean something on this set
	Decisions   Decisions    `json:"decisions"`
	Took        Milliseconds `json:"took_ms"`
	Reliability []Bin        `json:"reliability"`
	Curve       []RiskPoint  `json:"risk_coverage"` // one point for each hundredth of coverage
	Slices      []Part       `json:"slices"`
	Answers     []Answer     `json:"answers"`

	sample *Sample
	varied bool // with typing errors, or of a draw of the entries
}

// A Part is how well the results that have something in common were answered.
type Part struct {
	By      string   `json:"by"` // topic, lang, tag
	Name    string   `json:"name"`
	Queries int      `json:"queries"`
	Good    Measured `json:"good"` // the share treated well: joint
}

// A Report is a whole measurement.
type Report struct {
	Version int           `json:"version"`
	Sets    []SetReport   `json:"sets"`
	Skipped []string      `json:"skipped"` // sets that are not there
	Checks  []TargetCheck `json:"checks"`
	Noted   []Metric      `json:"noted"`
	Learned []Learning    `json:"learned"`           // of each set, what labels do for its probabilities, one in ten of them wrong
	Typos   []Comparison  `json:"typos"`             // with typing errors against without
	Against []Comparison  `json:"against,omitempty"` // this run against an earlier one

	Languages Confusion `json:"languages,omitempty"` // of messages
}

const reportVersion = 1

// Quality asks the queries of every benchmark found in the folders of data and checks the targets; what is no
// benchmark is in the first. told hears what is being done. Without a single benchmark it is an error.
func Quality(ctx context.Context, data []string, e *Vectors, told func(string)) (*Report, error) {
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	r := &Report{Version: reportVersion}
	for _, step := range r.steps(ctx, data, e, phrases) {
		told(step.name)
		err := step.measure()
		if errors.Is(err, fs.ErrNotExist) {
			r.Skipped = append(r.Skipped, step.name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if len(r.Sets) == 0 {
		return nil, fmt.Errorf("%s holds none of the public sets; give the folder that has banking77, stackfaq and the others", strings.Join(data, ", "))
	}
	r.checkCalibration()
	r.compareTypos()
	return r, nil
}

// A step measures one thing into the report.
type step struct {
	name    string
	measure func() error
}

func (r *Report) steps(ctx context.Context, folders []string, e *Vectors, p *dialogue.Phrases) (list []step) {
	l, data := listener{p, e}, folders[0]
	for _, b := range append(benchmarks(), variants()...) {
		list = append(list, step{b.name, func() error { return r.benchmark(ctx, holding(folders, b.folder), b, e) }})
	}
	for _, name := range followUpSets() {
		list = append(list, step{name, func() error { return r.followUps(ctx, data, name, e) }})
	}
	return append(list,
		step{"multidogo_software", func() error { return r.smallTalk(ctx, data, l) }},
		step{"xsid, language", func() error { return r.languagesTold(data) }},
		step{"sentences", func() error { return r.lists(ctx, l) }},
		step{"banking77, signals", func() error { return r.countFalseAlarms(ctx, data, l) }},
		step{"signals_airline", func() error {
			return r.moods(ctx, data, "signals_airline", "complaint", l, func(m moodRow) bool { return m.Sentiment == "negative" })
		}},
		step{"signals_offensive", func() error {
			return r.moods(ctx, data, "signals_offensive", "abuse", l, func(m moodRow) bool { return m.Offensive })
		}})
}

// holding is the first of folders that has a set, the first of all if none has.
func holding(folders []string, set string) string {
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, set)); err == nil {
			return folder
		}
	}
	return folders[0]
}

// benchmark asks the queries of b.
func (r *Report) benchmark(ctx context.Context, data string, b benchmark, e *Vectors) error {
	set, err := ReadSet(b.name, filepath.Join(data, b.folder, b.faq), filepath.Join(data, b.folder, b.queries))
	if err != nil {
		return err
	}
	for i, c := range set.Cases {
		if b.byEntry && c.InScope() {
			set.Cases[i].Dialog = string(c.Relevant[0])
		}
	}
	if b.draw != nil {
		set = set.variant(*b.draw)
	}
	bot, err := NewAsker(ctx, set.Entries, e)
	if err != nil {
		return err
	}
	results, err := bot.AskAll(ctx, set.Cases, nil)
	if err != nil {
		return err
	}
	s := NewSample(results)
	report := reportOf(set, s)
	if l, ok := learnFrom(set.Name, chancesOf(set, s), wrongOfLabels); ok {
		r.Learned = append(r.Learned, l)
	}
	report.varied = b.draw != nil || strings.HasSuffix(b.name, typing)
	r.Sets = append(r.Sets, report)
	r.Checks = append(r.Checks, report.check(b.targets)...)
	if b.components {
		more, err := gains(ctx, bot, set.Cases, b.name, s)
		if err != nil {
			return err
		}
		r.Checks = append(r.Checks, more...)
	}
	if !b.talk {
		return nil
	}
	r.falseSplits(b.name, s)
	if err := r.topicChange(ctx, bot, set, s); err != nil {
		return err
	}
	return r.pairs(ctx, bot, set)
}

// note adds figures that have no target; those that mean nothing on this set are left out.
func (r *Report) note(set string, list ...Measured) {
	for _, m := range list {
		if !math.IsNaN(m.Value) {
			r.Noted = append(r.Noted, Metric{Set: set, Measured: m})
		}
	}
}

// reportOf works out all figures of a set.
func reportOf(set Set, s *Sample) SetReport {
	r := SetReport{Name: set.Name, Entries: len(set.Entries), Queries: s.Len(), Decisions: s.Decisions(),
		Took:        Milliseconds{latencyMS(s, .5), latencyMS(s, .95), latencyMS(s, .99)},
		Reliability: s.Reliability(), Curve: s.RiskCoverageHundredths(), Slices: parts(s), sample: s}
	kinds := s.SliceBy(func(r Result) []string {
		if r.Case.InScope() {
			return nil
		}
		return said(r.Case.Kind)
	})
	for _, k := range kinds {
		against := s.Only(func(r Result) bool { return r.Case.InScope() || r.Case.Kind == k.Name })
		for _, f := range kindFigures() {
			r.measure(against, f.Name+" "+k.Name, f.Of)
		}
	}
	for _, f := range Figures() {
		r.measure(s, f.Name, f.Of)
	}
	known := make(map[string]bool)
	for _, e := range set.Entries {
		for _, w := range e.Wordings() {
			known[w] = true
		}
	}
	// What stands word for word among the wordings is no test of understanding.
	r.measure(s.Only(func(r Result) bool { return !known[r.Case.Text] }), unseen, Accuracy)
	for i, result := range s.results {
		if !result.Case.InScope() {
			r.OutOfScope++
		}
		r.Answers = append(r.Answers, Answer{Case: result.Case.ID, Right: good(s.judged[i]), Probability: result.Probability()})
	}
	return r
}

// parts are the slices of s by topic, language and tag, where there is more than one.
func parts(s *Sample) []Part {
	list := []Part{}
	for _, by := range []struct {
		name string
		keys func(Result) []string
	}{
		{"topic", func(r Result) []string { return said(r.Topic) }},
		{"lang", func(r Result) []string { return said(r.Case.Lang) }},
		{"tag", func(r Result) []string { return r.Case.Tags }},
	} {
		cut := s.SliceBy(by.keys)
		if len(cut) < 2 {
			continue
		}
		for _, p := range cut {
			list = append(list, Part{by.name, p.Name, p.Len(), Measured{"joint", Joint(p.Sample, nil), p.Interval(Joint)}})
		}
	}
	return list
}

// said is what was said, if anything was.
func said(what string) []string {
	if what == "" {
		return nil
	}
	return []string{what}
}

// good reports whether a question is treated well: its best entry answers, or none does and none is
// likely.
func good(j Judged) bool { return j.Right || !j.InScope && j.Confidence < even }

func (r *SetReport) measure(s *Sample, name string, f Figure) {
	if m := figureOf(name, s, f); !math.IsNaN(m.Value) {
		r.Figures = append(r.Figures, m)
	}
}

func figureOf(name string, s *Sample, f Figure) Measured {
	return Measured{name, f(s, nil), s.Interval(f)}
}

func latencyMS(s *Sample, q float64) float64 { return float64(s.Latency(q).Microseconds()) / 1000 }

// Figure is the figure of that name; false if it means nothing on this set.
func (r SetReport) Figure(name string) (Measured, bool) {
	for _, m := range r.Figures {
		if m.Name == name {
			return m, true
		}
	}
	return Measured{}, false
}

func (r SetReport) check(targets []Target) (list []TargetCheck) {
	for _, t := range targets {
		low := false
		for _, f := range Figures() {
			low = low || f.Name == t.Figure && f.Low
		}
		m, ok := r.Figure(t.Figure)
		if !ok {
			m.Value = math.NaN()
		}
		list = append(list, checkTarget(r.Name, m, t, low))
	}
	return list
}

// checkTarget checks m; what means nothing on this set misses its target.
func checkTarget(set string, m Measured, t Target, low bool) TargetCheck {
	if math.IsNaN(m.Value) {
		return TargetCheck{Set: set, Target: t, Reached: Missing}
	}
	return TargetCheck{Set: set, Target: t, Value: m.Value, Interval: &m.Interval, Reached: standingOf(m.Value, t, low)}
}

// checkCalibration checks the mean and the worst calibration error of the sets that are large enough.
func (r *Report) checkCalibration() {
	sum, worst, n := 0.0, 0.0, 0.0
	for _, s := range r.Sets {
		if m, ok := s.Figure("ECE"); ok && s.Queries >= calibrationLeast && !s.varied {
			sum, worst, n = sum+m.Value, max(worst, m.Value), n+1
		}
	}
	if n == 0 {
		return
	}
	r.Checks = append(r.Checks, calibrationChecks(sum/n, worst)...)
}

// calibrationChecks checks the mean and the worst ECE over all sets, each asked as it is.
func calibrationChecks(mean, worst float64) []TargetCheck {
	list := []TargetCheck{{Set: everySet, Target: Target{"mean ECE", .08, .05}, Value: mean}, {Set: everySet, Target: Target{"worst ECE", .15, .15}, Value: worst}}
	for i, c := range list {
		list[i].Reached = standingOf(c.Value, c.Target, true)
	}
	return list
}

// compareTypos compares each set with typing errors with the same without. A query with typing errors
// is named after the one without: its ID, and a t.
func (r *Report) compareTypos() {
	for _, noisy := range r.Sets {
		name, is := strings.CutSuffix(noisy.Name, typing)
		for _, clean := range r.Sets {
			if is && clean.Name == name {
				before := slices.Clone(clean.Answers)
				for i := range before {
					before[i].Case += "t"
				}
				if c, ok := compareAnswers(before, noisy); ok {
					r.Typos = append(r.Typos, c)
				}
			}
		}
	}
	Adjust(r.Typos)
}

// compareAnswers compares the answers to the cases that both have; false for fewer than two.
func compareAnswers(before []Answer, after SetReport) (Comparison, bool) {
	known := make(map[string]Answer, len(before))
	for _, a := range before {
		known[a.Case] = a
	}
	var old, now []float64
	var dialogs []string
	for i, a := range after.Answers {
		if b, ok := known[a.Case]; ok {
			old, now = append(old, count(b.Right)), append(now, count(a.Right))
			dialogs = append(dialogs, after.sample.results[i].Case.Dialog)
		}
	}
	if len(old) < 2 {
		return Comparison{}, false
	}
	return Compare(after.Name, old, now, clustersOf(dialogs)), true
}

// CompareWith compares r, set by set, with an earlier report: only cases that are in both count.
func (r *Report) CompareWith(earlier *Report) error {
	if earlier.Version != reportVersion {
		return fmt.Errorf("the earlier report has version %d, not %d: measure it again", earlier.Version, reportVersion)
	}
	for _, old := range earlier.Sets {
		for _, now := range r.Sets {
			if old.Name == now.Name {
				if c, ok := compareAnswers(old.Answers, now); ok {
					r.Against = append(r.Against, c)
				}
			}
		}
	}
	Adjust(r.Against)
	return nil
}

// Missed reports whether a floor was missed.
func Missed(list []TargetCheck) bool {
	return slices.ContainsFunc(list, func(c TargetCheck) bool { return c.Reached == Missing })
}
