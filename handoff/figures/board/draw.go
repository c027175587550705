package board

import (
	"fmt"
	"time"

	"faqbot/handoff/figures"
	"faqbot/knowledge/locale"
)

// A tile is one figure, with the one before it.
type tile struct {
	Label, How    string // How says how it is counted
	Value, Before string
	Better        string // "good" or "bad" if it has become so, "" if neither
	More          string
}

// tilesOf are the figures of a period beside those of the one before.
func tilesOf(t locale.Texts, now, before *figures.Figures) []tile {
	count := func(key string, n, was int) tile {
		return tile{Label: t.Say(key), How: t.One("how_", key), Value: fmt.Sprint(n), Before: fmt.Sprint(was)}
	}
	share := func(key string, of func(*figures.Figures) (float64, bool), high bool) tile {
		n, ok := of(now)
		was, okBefore := of(before)
		one := tile{Label: t.Say(key), How: t.One("how_", key), Value: percent(n, ok), Before: percent(was, okBefore)}
		if ok && okBefore && percent(n, true) != percent(was, true) {
			one.Better = verdict(n > was == high)
		}
		return one
	}
	took := func(key string, n, was *figures.Durations) tile {
		one := tile{Label: t.Say(key), How: t.One("how_", key), Value: "–", Before: "–"}
		if was.N() > 0 {
			one.Before = inWords(t, was.Median())
		}
		if n.N() > 0 {
			one.Value = inWords(t, n.Median())
			one.More = t.Say("mean_and_p90", "mean", inWords(t, n.Mean()), "p", inWords(t, n.P90()))
		}
		if n.N() > 0 && was.N() > 0 && one.Value != one.Before {
			one.Better = verdict(n.Median() < was.Median())
		}
		return one
	}
	return []tile{
		count("questions", now.Questions(), before.Questions()), share("contained", (*figures.Figures).Contained, true),
		share("satisfied", (*figures.Figures).Satisfied, true), count("tickets", now.Tickets, before.Tickets),
		took("first", &now.First, &before.First), took("next", &now.Next, &before.Next), took("resolution", &now.Resolution, &before.Resolution),
		share("solved", (*figures.Figures).Solved, true), share("touched", (*figures.Figures).Touched, true),
		count("reopened", now.Reopened, before.Reopened), count("replies", now.Replies, before.Replies), count("conversations", now.Conversations, before.Conversations),
	}
}

func verdict(good bool) string {
	if good {
		return "good"
	}
	return "bad"
}

// percent is a share, "–" where there is none.
func percent(share float64, ok bool) string {
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// inWords is a duration as people say it: with its largest unit and the next.
func inWords(t locale.Texts, d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case days > 0:
		return t.Say("days_hours", "d", days, "h", hours)
	case hours > 0:
		return t.Say("hours_minutes", "h", hours, "m", minutes)
	case minutes > 0:
		return t.Say("minutes_seconds", "m", minutes, "s", seconds)
	}
	return t.Say("only_seconds", "s", seconds)
}

// A chart is the questions of each day as bars, in an area of chartWide by chartHigh units.
type chart struct {
	Bars       []bar
	Top, Half  int
	Wide, High float64
	Days       []figures.Part
}

// A bar is one day: what was answered at the bottom, then what was asked back, then tickets.
type bar struct {
	X, Wide                 float64
	Answered, Asked, Ticket block
	Name                    string
}

type block struct {
	Y, High float64
	N       int
}

const (
	chartWide, chartHigh = 600.0, 120.0
	mostBars             = 62 // more days than that are drawn by the week
)

func chartOf(days []figures.Part) chart {
	c := chart{Wide: chartWide, High: chartHigh, Days: days}
	sums := weekly(days)
	for _, s := range sums {
		c.Top = max(c.Top, s.answered+s.asked+s.tickets)
	}
	if c.Top == 0 {
		return c
	}
	c.Top += c.Top % 2
	c.Half = c.Top / 2
	step := chartWide / float64(len(sums))
	for i, s := range sums {
		one := bar{X: step*float64(i) + step*.12, Wide: step * .76, Name: s.name}
		y := chartHigh
		for _, part := range []struct {
			to *block
			n  int
		}{{&one.Answered, s.answered}, {&one.Asked, s.asked}, {&one.Ticket, s.tickets}} {
			high := chartHigh * float64(part.n) / float64(c.Top)
			y -= high
			*part.to = block{Y: y, High: high, N: part.n}
		}
		c.Bars = append(c.Bars, one)
	}
	return c
}

// A sum is what one bar shows.
type sum struct {
	name                     string
	answered, asked, tickets int
}

// weekly are the sums of days, or of seven days each if there are many.
func weekly(days []figures.Part) (list []sum) {
	each := 1
	if len(days) > mostBars {
		each = 7
	}
	for i := range days {
		d := &days[i]
		if i%each == 0 {
			list = append(list, sum{name: d.Name})
		}
		s := &list[len(list)-1]
		s.answered, s.asked, s.tickets = s.answered+d.Answered, s.asked+d.AskedBack, s.tickets+d.Tickets
	}
	return list
}

// A partTable shows the parts of one kind.
type partTable struct {
	Title  string
	Rows   []partRow
	People bool // the parts are our people, who answer no questions of their own
}

type partRow struct {
	Name                             string
	Questions, Tickets, Replies      int
	Contained, First, Solved, Helped string
}

func (b *Board) partsOf(t locale.Texts, list []figures.Part, called func(string) string) (rows []partRow) {
	for i := range list {
		f := &list[i].Figures
		row := partRow{Name: list[i].Name, Questions: f.Questions(), Tickets: f.Tickets, Replies: f.Replies, Contained: percent(f.Contained()),
			Solved: percent(f.Solved()), Helped: percent(f.Satisfied()), First: "–"}
		if called != nil {
			row.Name = called(row.Name)
		}
		if f.First.N() > 0 {
			row.First = inWords(t, f.First.Median())
		}
		rows = append(rows, row)
	}
	return rows
}
