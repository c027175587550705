package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"faqbot/retrieval"
)

// A Model is a logistic regression of "the best entry answers": the probability is the logistic
// function of Bias plus the features times their Coefficients.
type Model struct {
	Bias         float64
	Coefficients map[string]float64
}

// Probability is what m makes of a row's features.
func (m Model) Probability(r Row) float64 {
	odds := m.Bias
	for _, name := range slices.Sorted(maps.Keys(m.Coefficients)) { // the same sum every time
		odds += m.Coefficients[name] * r.Features[name]
	}
	return sigmoid(odds)
}

// fitRidge is enough to keep coefficients finite where a feature tells right from wrong without
// doubt; against tens of thousands of rows it is nothing.
const fitRidge = 1

// FitModel fits a Model of the named features to those rows that may be fitted on, each set weighing
// the same.
func FitModel(rows []Row, names []string) (Model, error) {
	bySet, n := make(map[string]float64), 0.0
	for _, r := range rows {
		if r.Fit {
			bySet[r.Set] += r.Weight
			n++
		}
	}
	var x [][]float64
	var y []bool
	var weights []float64
	for _, r := range rows {
		if !r.Fit {
			continue
		}
		at := make([]float64, len(names))
		for k, name := range names {
			v, ok := r.Features[name]
			if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
				return Model{}, fmt.Errorf("fit: a row of %s has no feature %q", r.Set, name)
			}
			at[k] = v
		}
		x, y, weights = append(x, at), append(y, r.Right), append(weights, r.Weight*n/float64(len(bySet))/bySet[r.Set])
	}
	beta, err := logistic(x, y, weights, fitRidge)
	if err != nil {
		return Model{}, err
	}
	m := Model{Bias: beta[0], Coefficients: make(map[string]float64, len(names))}
	for k, name := range names {
		m.Coefficients[name] = beta[k+1]
	}
	return m, nil
}

// A Fitter fits something that makes a probability of a row. It must look only at rows marked Fit.
type Fitter func(rows []Row) (func(Row) float64, error)

// A Transfer is how well a fit carries over to one set that it has not seen: over all draws of one kind together.
type Transfer struct {
	Set       string   `json:"set"`
	Draw      string   `json:"draw"`
	Queries   int      `json:"queries"`
	Joint     float64  `json:"joint"`
	Hindsight float64  `json:"hindsight"`
	ECE       float64  `json:"ece"`
	AUROC     *float64 `json:"auroc,omitempty"` // nil where nothing is out of scope
}

// familyOf and folderOf are what can be left out together: all that comes from one collection of texts, or one
// set with its draws of more and fewer wordings ("banking77 k10", "banking77 k5").
func familyOf(r Row) string { return r.Family }
func folderOf(r Row) string {
	folder, _, _ := strings.Cut(r.Set, " ")
	return folder
}

// LeaveOneOut fits, for each value of of, to the rows of all others, and measures on its own.
func LeaveOneOut(rows []Row, of func(Row) string, fit Fitter) ([]Transfer, error) {
	var list []Transfer
	for _, name := range distinct(rows, of) {
		own, others := part(rows, func(r Row) bool { return of(r) == name })
		if !slices.ContainsFunc(others, func(r Row) bool { return r.Fit }) {
			return nil, errors.New("fit: all sets are of one kind; what carries over to another cannot be told")
		}
		probability, err := fit(others)
		if err != nil {
			return nil, fmt.Errorf("without %s: %w", name, err)
		}
		for _, set := range distinct(own, func(r Row) string { return r.Set }) {
			of, _ := part(own, func(r Row) bool { return r.Set == set })
			for _, draw := range distinct(of, func(r Row) string { return r.Draw }) {
				drawn, _ := part(of, func(r Row) bool { return r.Draw == draw })
				list = append(list, measureTransfer(set, draw, drawn, probability))
			}
		}
	}
	return list, nil
}

func measureTransfer(set, draw string, rows []Row, probability func(Row) float64) Transfer {
	judged := make([]Judged, len(rows))
	for i, r := range rows {
		judged[i] = Judged{Confidence: probability(r), Right: r.Right, InScope: r.InScope}
	}
	s := SampleOf(judged)
	t := Transfer{Set: set, Draw: draw, Queries: len(rows), Joint: Joint(s, nil), Hindsight: Hindsight(s, nil), ECE: ECE(s, nil)}
	if v := AUROC(s, nil); !math.IsNaN(v) {
		t.AUROC = &v
	}
	return t
}

// learnApart learns from labels of each set, asked as a whole, where the fit is to the other families. A share of the
// labels is wrong.
func learnApart(rows []Row, fit Fitter, wrong float64) (list []Learning, err error) {
	for _, name := range distinct(rows, familyOf) {
		own, others := part(rows, func(r Row) bool { return familyOf(r) == name })
		probability, err := fit(others)
		if err != nil {
			return nil, fmt.Errorf("without %s: %w", name, err)
		}
		own, _ = part(own, func(r Row) bool { return r.Draw == drawWhole })
		for _, set := range distinct(own, func(r Row) string { return r.Set }) {
			var chances []Chance
			for _, r := range own {
				if r.Set == set {
					r.Chance.Said = probability(r)
					chances = append(chances, r.Chance)
				}
			}
			if l, ok := learnFrom(set, chances, wrong); ok {
				list = append(list, l)
			}
		}
	}
	return list, nil
}

// distinct are the values of of in order of appearance.
func distinct(rows []Row, of func(Row) string) (list []string) {
	seen := make(map[string]bool)
	for _, r := range rows {
		if v := of(r); !seen[v] {
			seen[v] = true
			list = append(list, v)
		}
	}
	return list
}

// part are the rows that keep holds for, and the others.
func part(rows []Row, keep func(Row) bool) (kept, others []Row) {
	for _, r := range rows {
		if keep(r) {
			kept = append(kept, r)
		} else {
			others = append(others, r)
		}
	}
	return kept, others
}

// A Prior is what is shipped, and where it comes from. It holds no text of any set.
type Prior struct {
	retrieval.Calibration
	Provenance Provenance `json:"provenance"`
}

// A Provenance says how a Prior came about. The same sets give the same file.
type Provenance struct {
	Space  string       `json:"space"` // of the vectors
	Method string       `json:"method"`
	Sets   []SourceNote `json:"sets"`
	Spread []Transfer   `json:"leave_one_family_out"`
	BySet  []Transfer   `json:"leave_one_set_out"`

	learning [2][]Learning // of each set, from what a fit to the other families says: labels all right, one in ten wrong
}

// A SourceNote is what a Prior says about one set.
type SourceNote struct {
	Name    string `json:"name"`
	Family  string `json:"family"`
	Licence string `json:"licence"`
	Fitted  int    `json:"fitted"` // rows fitted on; none for a set that only measures
}

// learnedFeatures and plainFeatures are those of corpora with a logistic head and without, in the order of
// retrieval.Evidence.Inputs. Those of token rows come last.
func learnedFeatures() []string {
	return []string{"sure", "wordings", "nearest", "entries", "spread", "crowd", "late", "late wordings"}
}
func plainFeatures() []string {
	return []string{"plain sure", "wordings", "nearest", "entries", "plain spread", "crowd", "late", "late wordings"}
}

// byVectors are features without those of token rows.
func byVectors(features []string) []string { return features[:len(features)-2] }

// calibrated fits one of a calibration's sets of coefficients.
func calibrated(rows []Row, names []string) (retrieval.Coefficients, error) {
	m, err := FitModel(rows, names)
	var at [8]float64
	for i, name := range names {
		at[i] = rounded(m.Coefficients[name])
	}
	return retrieval.Coefficients{Bias: rounded(m.Bias), Sure: at[0], Wordings: at[1], Nearest: at[2], Entries: at[3], Spread: at[4], Crowd: at[5],
		Late: at[6], LateWordings: at[7]}, err
}

// rounded keeps as many digits as mean anything.
func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

const priorMethod = "Logistic regression, ridge 1, of whether the best entry answers, on the evidence that retrieval gathers (retrieval.Evidence). Each set was asked as a whole, four times with 10-45 % of its entries left out at random, so that their queries have no answer, and with 10, 20 and 40 entries if it has more; where entries have 1.5 wordings or more, also twice with one and twice with three random wordings of each of 70-100 % of the entries. At most 400 queries of a draw are fitted on. Where entries were left out, queries weigh as if .8 exp(-n/20) of them were out of scope, n being the number of entries; the draws of few entries weigh as one. Each set weighs the same. Sets whose licence does not allow shipping what was fitted only measure. leave_one_family_out, leave_one_set_out: each family, each set, predicted by the fit to the others."

// Collect draws all rows of all sources. told hears what is being done.
func Collect(ctx context.Context, sources []Source, e *Vectors, told func(string)) (rows []Row, err error) {
	for _, s := range sources {
		told(s.Name)
		drawn, err := Draw(ctx, s, e)
		if err != nil {
			return nil, err
		}
		rows = append(rows, drawn...)
	}
	return rows, nil
}

// FitPrior fits the shipped prior to rows, which were collected from sources in space.
func FitPrior(sources []Source, rows []Row, space string) (*Prior, error) {
	p := &Prior{Provenance: Provenance{Space: space, Method: priorMethod}}
	p.Version = retrieval.CalibrationVersion
	var err error
	for _, part := range []struct {
		of       *retrieval.Coefficients
		features []string
	}{
		{&p.Learned, learnedFeatures()}, {&p.LearnedByVectors, byVectors(learnedFeatures())},
		{&p.Plain, plainFeatures()}, {&p.PlainByVectors, byVectors(plainFeatures())},
	} {
		if *part.of, err = calibrated(rows, part.features); err != nil {
			return nil, err
		}
	}
	fit := func(rows []Row) (func(Row) float64, error) {
		m, err := FitModel(rows, learnedFeatures())
		return m.Probability, err
	}
	if p.Provenance.Spread, err = LeaveOneOut(rows, familyOf, fit); err != nil {
		return nil, err
	}
	for i, wrong := range []float64{0, wrongOfLabels} {
		if p.Provenance.learning[i], err = learnApart(rows, fit, wrong); err != nil {
			return nil, err
		}
	}
	if p.Provenance.BySet, err = LeaveOneOut(rows, folderOf, fit); err != nil {
		return nil, err
	}
	for _, s := range sources {
		own, _ := part(rows, func(r Row) bool { return r.Fit && r.Set == s.Name })
		p.Provenance.Sets = append(p.Provenance.Sets, SourceNote{s.Name, s.Family, s.Licence, len(own)})
	}
	return p, nil
}

// Checks are the targets for what a fit does on sets of which it has seen nothing, asked as a whole: the joint
// accuracy without their family, the calibration error without the set. Without its family, which is
// harder, the latter has no target.
func (p *Prior) Checks() (list []TargetCheck) {
	for _, t := range p.Provenance.Spread {
		if target, ok := jointTargets()[t.Set]; ok && t.Draw == drawWhole {
			list = append(list, TargetCheck{Set: t.Set, Target: target, Value: t.Joint, Reached: standingOf(t.Joint, target, false)})
		}
	}
	if mean, worst, ok := calibrationErrors(p.Provenance.BySet); ok {
		list = append(list, calibrationChecks(mean, worst)...)
	}
	return list
}

// calibrationErrors are the mean and the worst over the sets that are large enough to tell.
func calibrationErrors(spread []Transfer) (mean, worst float64, ok bool) {
	n := 0.0
	for _, t := range spread {
		if t.Draw == drawWhole && t.Queries >= calibrationLeast {
			mean, worst, n = mean+t.ECE, max(worst, t.ECE), n+1
		}
	}
	return mean / n, worst, n > 0
}

// Print shows what was fitted and how well it carries over.
func (p *Prior) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "set left out with its family\tdraw\tqueries\tjoint\thindsight\tECE\tAUROC\n")
	for _, s := range p.Provenance.Spread {
		auroc := math.NaN()
		if s.AUROC != nil {
			auroc = *s.AUROC
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", s.Set, s.Draw, s.Queries, three(s.Joint), three(s.Hindsight), three(s.ECE), three(auroc))
	}
	fmt.Fprintln(t)
	printChecks(t, p.Checks())
	if mean, worst, ok := calibrationErrors(p.Provenance.Spread); ok {
		fmt.Fprintf(t, "without the set's family, ECE\tmean %.4f\tworst %s\n\n", mean, three(worst))
	}
	for _, list := range p.Provenance.learning {
		printLearning(t, list)
	}
	fmt.Fprintf(t, "coefficients\tbias\tsure\twordings\tnearest\tentries\tspread\tcrowd\tlate\tlate wordings\n")
	for _, half := range []struct {
		name string
		of   retrieval.Coefficients
	}{{"with a logistic head", p.Learned}, {"without", p.Plain}, {"with one, by vectors", p.LearnedByVectors}, {"without, by vectors", p.PlainByVectors}} {
		k := half.of
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", half.name, k.Bias, k.Sure, k.Wordings, k.Nearest, k.Entries, k.Spread, k.Crowd, k.Late, k.LateWordings)
	}
	for _, s := range p.Provenance.Sets {
		if s.Fitted == 0 {
			fmt.Fprintf(t, "not fitted on: %s (%s)\n", s.Name, s.Licence)
		}
	}
	return t.Flush()
}
