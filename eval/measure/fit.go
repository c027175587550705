package measure

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"faqbot/eval"
)

// A Step is a threshold and what customers get with it.
type Step struct {
	AnswerAt float64       `json:"answer_at"`
	Wrong    eval.Measured `json:"wrong"`    // share wrong among answered, with its 90 % interval
	Coverage float64       `json:"coverage"` // share of the questions about answers that an entry is given to
	Resolved float64       `json:"resolved"`
	Utility  float64       `json:"utility"`
	Good     bool          `json:"good"` // the whole interval is at most the limit

	rows []Row
}

// Steps does runs with each of the thresholds that Fit chooses from. The cases of all runs count together.
func Steps(ctx context.Context, with func(answerAt float64) []Run, told func(done, total int)) ([]Step, error) {
	var steps []Step
	for i, answerAt := range thresholds() {
		step := Step{AnswerAt: answerAt}
		for _, r := range with(answerAt) {
			done, err := r.ask(ctx)
			if err != nil {
				return nil, fmt.Errorf("with the threshold %.2f: %w", answerAt, err)
			}
			for _, one := range done {
				step.rows = append(step.rows, one.Row)
			}
		}
		steps = append(steps, step)
		told(i+1, len(thresholds()))
	}
	return steps, nil
}

func thresholds() (list []float64) {
	for percent := 30; percent <= 95; percent += 5 {
		list = append(list, float64(percent)/100)
	}
	return list
}

// Fit judges each step on some of the cases and returns the place of the lowest threshold from which the share of wrong
// answers among those given is at most most, with the whole 90 % interval; -1 if there is none. Near 1 so little is
// answered that the interval may be too wide; that does not count.
func Fit(steps []Step, most float64, on func(Row) bool) int {
	best := -1
	for i := range steps {
		steps[i].judge(most, on)
	}
	for i, s := range slices.Backward(steps) {
		switch {
		case s.Good:
			best = i
		case best >= 0:
			return best
		}
	}
	return best
}

func (s *Step) judge(most float64, on func(Row) bool) {
	answers := about(sample(slices.DeleteFunc(slices.Clone(s.rows), func(r Row) bool { return !on(r) })))
	wrong := func(x *eval.Sample, weights []int) float64 { return 1 - eval.SelectiveAccuracy()(x, weights) }
	s.Wrong = eval.Measured{Name: "wrong among answered", Value: answers.Value(wrong), Interval: answers.IntervalOf(wrong, .9)}
	if s.Wrong.Value == 0 { // no draw of none has any; of so many, as many could be wrong without showing it
		given := answers.Value(eval.Coverage()) * float64(answers.Len())
		s.Wrong.Interval.High = 1 - math.Pow(.05, 1/given)
	}
	s.Coverage, s.Resolved, s.Utility = answers.Value(eval.Coverage()), answers.Value(eval.Resolved()), answers.Value(eval.Utility())
	s.Good = cmp.Compare(s.Wrong.Interval.High, most) <= 0 && s.Coverage > 0
}
