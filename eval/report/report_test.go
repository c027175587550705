package report_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/eval/subject"
	"faqbot/knowledge"
)

// ran is a report with one case of each fate.
func ran() *measure.Report {
	return &measure.Report{Version: 1, Suite: "shop", Subject: "faqbot test", Entries: 2, Failed: 2,
		Figures: []measure.Figure{{Measured: eval.Measured{Name: "acc", Value: .5, Interval: eval.Interval{Low: .25, High: .75}}}},
		Gates:   []measure.Gate{{Gate: "acc >= .4", Passed: false, Why: "too low"}},
		Curve:   []eval.RiskPoint{{Threshold: .9, Coverage: .5, Risk: 0}, {Threshold: .1, Coverage: 1, Risk: .5}},
		Bins:    []eval.Bin{{Confidence: .9, Right: .8, Count: 3}},
		Slices:  []eval.Part{{By: "lang", Name: "en", Queries: 2}, {By: "lang", Name: "es", Queries: 1}},
		Against: &measure.Comparison{Before: "faqbot before", Cases: 3, Broken: []measure.Change{{ID: "c2", Question: "<script>alert(1)</script>", Before: "the answer a", After: "the answer b"}},
			Figures: []measure.Compared{{Comparison: eval.Comparison{Name: "acc", Before: .75, After: .5, Difference: -.25, P: .01}, Verdict: "worse"}}},
		Cases: []measure.Row{
			{ID: "c1", Question: "how do I pay?", Passed: true, Action: bot.ActionAnswer, Entries: []knowledge.EntryID{"a"}, Ranked: []subject.Ranked{{Entry: "a", Probability: .9}}},
			{ID: "c2", Question: "<script>alert(1)</script>\x01", Action: bot.ActionAnswer, Verdict: eval.AnsweredWrong, Relevant: []knowledge.EntryID{"a"}, Entries: []knowledge.EntryID{"b"},
				Failures: []string{"expected the answer a, got the answer b\x01"}, Ranked: []subject.Ranked{{Entry: "b", Probability: .8}, {Entry: "a", Probability: .1}}},
			{ID: "c 3", Question: "a | b", Must: true, Failures: []string{"expected small talk"}},
		},
		Timings: measure.Timings{Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
}

// What CI shows agrees with the exit code: gates and cases that must pass fail, others do not.
func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.JUnit(&b, ran()))
	var got struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &got), "characters that XML does not know are gone")
	require.Equal(t, []int{1, 1, 0}, []int{got.Suites[0].Tests, got.Suites[0].Failures, got.Suites[0].Skipped})
	require.Equal(t, []int{3, 1, 1}, []int{got.Suites[1].Tests, got.Suites[1].Failures, got.Suites[1].Skipped})
}

func TestHTMLStandsAlone(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.HTML(&b, ran()))
	page := b.String()
	require.NotContains(t, page, "<script", "words of cases are escaped, and there is no script")
	require.NotRegexp(t, regexp.MustCompile(`(src|href)="(https?:)?//`), page)
	for _, words := range []string{"shop: ", "acc &gt;= .4", "polyline", "circle", "by lang", "broken: 1", "&lt;script&gt;"} {
		require.Contains(t, page, words)
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.Markdown(&b, ran()))
	require.Contains(t, b.String(), "## shop: failed")
	require.Contains(t, b.String(), "1 of 3 cases pass")
	require.Contains(t, b.String(), `a \| b`)
	require.NotContains(t, b.String(), "<script>")
}

func TestTREC(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.TREC(&b, ran()))
	require.Equal(t, "c1 Q0 a 1 0.9 faqbot_test\nc2 Q0 b 1 0.8 faqbot_test\nc2 Q0 a 2 0.1 faqbot_test\n", b.String())
}

func TestWriterByName(t *testing.T) {
	_, err := report.Writer("x.pdf")
	require.ErrorContains(t, err, ".json, .xml (JUnit), .md, .html or .trec")
}

// A rival that is worse beyond chance is said to be worse, in all forms; in HTML nothing of its name is code.
func TestRanking(t *testing.T) {
	rows := func(right bool) (list []measure.Row) {
		for i := range 40 {
			r := measure.Row{ID: fmt.Sprint(i), Relevant: []knowledge.EntryID{"a"}, Action: bot.ActionAnswer, Entries: []knowledge.EntryID{"b"}, Weight: 1, Verdict: eval.AnsweredWrong,
				Ranked: []subject.Ranked{{Entry: "b", Probability: .8}, {Entry: "a", Probability: .1}}}
			if right || i == 0 {
				r.Verdict, r.Entries, r.Ranked = eval.AnsweredRight, []knowledge.EntryID{"a"}, []subject.Ranked{{Entry: "a", Probability: .9}}
			}
			list = append(list, r)
		}
		return list
	}
	acc := func(v float64) []measure.Figure {
		return []measure.Figure{{Measured: eval.Measured{Name: "acc", Value: v}}}
	}
	list := measure.Rank([]*measure.Report{{Suite: "shop", Subject: "ours", Cases: rows(true), Figures: acc(1)}, {Suite: "shop", Subject: "<b>theirs", Cases: rows(false), Figures: acc(.025)}})
	require.Len(t, list, 1)
	require.Equal(t, "worse", list[0].Entrant[1].Figures[0].Verdict)
	require.False(t, list[0].Entrant[0].Figures[0].Compared)
	var text, markdown, page bytes.Buffer
	require.NoError(t, report.RankingText(&text, list))
	require.NoError(t, report.RankingMarkdown(&markdown, list))
	require.NoError(t, report.RankingHTML(&page, list))
	require.Contains(t, text.String(), ".025 (.000–.000) -")
	require.Contains(t, markdown.String(), "## shop: 40 cases")
	require.Contains(t, page.String(), "&lt;b&gt;theirs")
	require.Contains(t, page.String(), ">worse<")
}
