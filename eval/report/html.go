package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"faqbot/eval"
	"faqbot/eval/measure"
)

//go:embed report.html several.html style.css
var files embed.FS

// parsed is a page, with the functions of all of them. It brings its styles.
func parsed(name string) (*template.Template, error) {
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	return template.New(name).Funcs(template.FuncMap{
		"number": number, "signed": signed, "join": strings.Join, "verdict": verdict, "bar": bar,
		"style":   func() template.CSS { return template.CSS(style) }, //nolint:gosec // a file of ours
		"percent": func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
		"probability": func(row measure.Row) string {
			if len(row.Ranked) == 0 {
				return "–"
			}
			return number(row.Ranked[0].Probability)
		},
	}).ParseFS(files, name)
}

// HTML writes one file that needs no network, no script and no other file.
func HTML(w io.Writer, r *measure.Report) error {
	t, err := parsed("report.html")
	if err != nil {
		return err
	}
	const mostWorst, mostPairs = 50, 30
	wrong, pairs := worst(r), r.Findings.Confused
	view := struct {
		*measure.Report
		State       string
		Curve, Bins template.HTML
		Matrix      []matrixRow
		Failures    []measure.Row
		Worst       []measure.Row
		Pairs       []measure.Confusion
		Parts       []part
		SliceKinds  []sliceKind
	}{Report: r, State: "passed", Curve: riskChart(r.Curve), Bins: reliabilityChart(r.Bins), Matrix: matrix(r.Decisions),
		Failures: failed(r), Worst: wrong[:min(len(wrong), mostWorst)], Pairs: pairs[:min(len(pairs), mostPairs)], SliceKinds: bySlice(r.Slices)}
	if !r.Passed() {
		view.State = "failed"
	}
	if r.Against != nil {
		view.Parts = parts(*r.Against)
	}
	return t.Execute(w, view)
}

type matrixRow struct {
	Verdict eval.Verdict
	In, Out int
}

func matrix(d eval.Decisions) (list []matrixRow) {
	for _, v := range eval.Verdicts() {
		list = append(list, matrixRow{v, d.InScope[v], d.OutOfScope[v]})
	}
	return list
}

type sliceKind struct {
	By    string
	Parts []eval.Part
}

func bySlice(all []eval.Part) (list []sliceKind) {
	for _, p := range all {
		if len(list) == 0 || list[len(list)-1].By != p.By {
			list = append(list, sliceKind{By: p.By})
		}
		last := &list[len(list)-1]
		last.Parts = append(last.Parts, p)
	}
	return list
}

// The charts are 320 by 220 units, with the axes at 40 from the left and 30 from below.
const (
	chartLeft, chartTop    = 40.0, 10.0
	chartWide, chartHigh   = 270.0, 180.0
	chartWidth, chartFloor = 320.0, chartTop + chartHigh
)

func chartX(v float64) float64 { return chartLeft + v*chartWide }
func chartY(v float64) float64 { return chartFloor - v*chartHigh }

// axes begins a chart whose axes go from 0 to 1.
func axes(title, x, y string) *strings.Builder {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g 232" role="img" aria-label="%s">`, chartWidth, title)
	for i := range 5 {
		v := float64(i) / 4
		fmt.Fprintf(&b, `<path class="grid" d="M%g %gH%g"/><text x="%g" y="%g" text-anchor="end">%g</text><text x="%g" y="%g" text-anchor="middle">%g</text>`,
			chartLeft, chartY(v), chartLeft+chartWide, chartLeft-4, chartY(v)+3, v, chartX(v), chartFloor+13, v)
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="middle">%s</text><text transform="translate(10 %g) rotate(-90)" text-anchor="middle">%s</text>`,
		chartX(.5), chartFloor+28, x, chartY(.5), y)
	return &b
}

// riskChart shows the share of wrong answers for each share of questions answered.
func riskChart(curve []eval.RiskPoint) template.HTML {
	b := axes("share wrong among answered, by share answered", "share of questions answered", "share wrong")
	points := make([]string, len(curve))
	for i, p := range curve {
		points[i] = fmt.Sprintf("%.1f,%.1f", chartX(p.Coverage), chartY(p.Risk))
	}
	fmt.Fprintf(b, `<polyline class="line" points="%s"/></svg>`, strings.Join(points, " "))
	return template.HTML(b.String()) //nolint:gosec // numbers and constants alone
}

// reliabilityChart shows the share right for each confidence; on the diagonal the confidence is honest.
func reliabilityChart(bins []eval.Bin) template.HTML {
	b := axes("share right, by confidence", "confidence", "share right")
	fmt.Fprintf(b, `<path class="ideal" d="M%g %gL%g %g"/>`, chartX(0), chartY(0), chartX(1), chartY(1))
	for _, bin := range bins {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4"><title>%.0f cases: confidence %.2f, right %.2f</title></circle>`, chartX(bin.Confidence), chartY(bin.Right), bin.Count, bin.Confidence, bin.Right)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and constants alone
}

// bar shows an interval from 0 to 1, with its value.
func bar(m eval.Measured) template.HTML {
	clip := func(v float64) float64 { return 100 * max(0, min(1, v)) }
	low, high := clip(m.Interval.Low), clip(m.Interval.High)
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><path class="grid" d="M0 4H100"/><rect x="%.1f" y="2" width="%.1f" height="4"/><path class="mark" d="M%.1f 0V8"/></svg>`, low, max(high-low, .5), clip(m.Value))) //nolint:gosec // numbers alone
}
