package measure

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"faqbot/eval"
)

// A Gate is a condition on a run, and whether it holds.
type Gate struct {
	Gate   string `json:"gate"`
	Passed bool   `json:"passed"`
	Why    string `json:"why"`
}

// A condition is a condition as it was read.
type condition struct {
	text, figure string
	least, most  float64 // NaN if there is none
	notWorse     bool
}

// parseGates reads "FIGURE >= X", "FIGURE <= X" and "FIGURE not worse". X may be a percentage.
func parseGates(texts []string) ([]condition, error) {
	var list []condition
	form := regexp.MustCompile(`^(.+?)\s*(?:(>=|<=)\s*(-?[0-9.]+)\s*(%?)|\s(not worse))$`)
	for _, text := range texts {
		m := form.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf(`the gate %q is none; write like "passed >= 90%%", "wrong <= 5%%" or "utility not worse"`, text)
		}
		g := condition{text: strings.TrimSpace(text), figure: m[1], least: math.NaN(), most: math.NaN(), notWorse: m[5] != ""}
		if !slices.ContainsFunc(Figures(), func(f eval.Named) bool { return f.Name == g.figure }) {
			return nil, fmt.Errorf("the gate %q is about no figure; figures are %s", text, strings.Join(figureNames(), ", "))
		}
		if !g.notWorse {
			x, err := strconv.ParseFloat(m[3], 64)
			if err != nil {
				return nil, fmt.Errorf("the gate %q: %q is no number", text, m[3])
			}
			if m[4] != "" {
				x /= 100
			}
			if m[2] == ">=" {
				g.least = x
			} else {
				g.most = x
			}
		}
		list = append(list, g)
	}
	return list, nil
}

func figureNames() (names []string) {
	for _, f := range Figures() {
		names = append(names, f.Name)
	}
	return names
}

// check compares r with an earlier run, if there is one, and checks the gates. A limit holds if the whole interval
// keeps it: a figure that only seems to is no evidence. Without gates and cases that must pass, all must; with an
// earlier run, it must not be worse instead.
func (r *Report) check(gates []condition, earlier *Report) {
	if earlier != nil {
		c := Compare(earlier, r)
		r.Against = &c
		if len(gates) == 0 {
			gates = []condition{{text: Passed + " not worse", figure: Passed, notWorse: true}}
		}
	}
	for _, g := range gates {
		r.Gates = append(r.Gates, r.checkOne(g))
	}
	must := slices.ContainsFunc(r.Cases, func(row Row) bool { return row.Must })
	everything := len(gates) == 0 && !must
	var failed []string
	for _, row := range r.Cases {
		if !row.Passed && (row.Must || everything) {
			failed = append(failed, row.ID)
		}
	}
	switch {
	case everything:
		r.Gates = append(r.Gates, Gate{"all cases pass", len(failed) == 0, fmt.Sprintf("%d of %d fail", len(failed), len(r.Cases))})
	case must:
		why := "all pass"
		if len(failed) > 0 {
			why = "failed: " + strings.Join(failed, ", ")
		}
		r.Gates = append(r.Gates, Gate{"cases that must pass", len(failed) == 0, why})
	}
}

func (r *Report) checkOne(g condition) Gate {
	if g.notWorse {
		if r.Against == nil {
			return Gate{g.text, true, "there is no earlier run to compare with"}
		}
		for _, c := range r.Against.Figures {
			if c.Name == g.figure {
				return Gate{g.text, c.Verdict != "worse", fmt.Sprintf("%s: %.3f → %.3f, p = %.4f", c.Verdict, c.Before, c.After, c.P)}
			}
		}
		return Gate{g.text, false, "the figure means nothing on one of the runs"}
	}
	for _, f := range r.Figures {
		if f.Name != g.figure {
			continue
		}
		why := fmt.Sprintf("%.3f, 95 %% interval %.3f to %.3f", f.Value, f.Interval.Low, f.Interval.High)
		passed := !(f.Interval.Low < g.least) && !(f.Interval.High > g.most)
		if !passed && !(f.Value < g.least) && !(f.Value > g.most) {
			why += ": with this many cases it may be beyond the limit"
		}
		return Gate{g.text, passed, why}
	}
	return Gate{g.text, false, "the figure means nothing on this suite"}
}

// Passed reports whether all gates hold.
func (r *Report) Passed() bool {
	return !slices.ContainsFunc(r.Gates, func(g Gate) bool { return !g.Passed })
}
