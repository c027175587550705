package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"faqbot/bot"
	"faqbot/handoff"
)

// A fault is a kind of violation.
type fault string

const (
	lost     fault = "lost"
	order    fault = "order"
	repeated fault = "repeat"
	ticket   fault = "ticket"
	logged   fault = "log"
	other    fault = "other"
)

// A violation is something that must not be.
type violation struct {
	Fault fault
	Text  string
}

func (c *checker) violate(f fault, format string, args ...any) {
	c.r.Violations = append(c.r.Violations, violation{Fault: f, Text: fmt.Sprintf(format, args...)})
}

// A report is what came of a run.
type report struct {
	Mode, DB string
	Fault    string
	Seed     uint64
	Took     time.Duration

	Kills, Targeted, Lives int
	Faults                 []string
	States                 map[string]int // of replies
	Rejects                int
	ByKill                 map[string]int
	Said, Accepted         int
	Edits, Messages        int
	OfferedAgain           int
	Turns                  map[bot.Action]int
	Delivered              int
	Repeats                []repeat
	Doubtful               []string
	Tickets, Open, Swept   int
	AgentDone              map[string]int
	SinceSaid              []time.Duration // ascending
	SinceAccepted          []time.Duration // ascending
	StopTook               time.Duration
	Trouble                []string
	Violations             []violation
}

// count counts what needs no judgement.
func (c *checker) count() {
	r, e := &c.r, c.e
	r.Kills, r.Lives, r.Said, r.Accepted, r.OfferedAgain = len(e.Kills), e.Lives, len(e.Sayings), len(e.Accepted), e.OfferedAgain
	r.ByKill, r.Turns, r.States = map[string]int{}, map[bot.Action]int{}, map[string]int{}
	r.Faults, r.Rejects = e.Faults, e.Rejects
	for _, k := range e.Kills {
		r.ByKill[k.What]++
		if k.Targeted {
			r.Targeted++
		}
	}
	for _, s := range e.Sayings {
		if s.Kind == mended {
			r.Edits++
		}
	}
	for _, m := range e.Messages {
		if m.Author == bot.AuthorCustomer {
			r.Messages++
		}
	}
	for _, t := range e.Turns {
		r.Turns[t.Action]++
	}
	r.Tickets = len(e.Tickets)
	for _, t := range e.Tickets {
		if t.State != handoff.StateClosed {
			r.Open++
		}
		if strings.HasPrefix(t.Escalation, "sweep:") {
			r.Swept++
		}
	}
	r.AgentDone, r.StopTook, r.Trouble = e.AgentDone, e.StopTook, e.Trouble
}

// faults counts the violations of a kind.
func (r report) faults(f fault) (n int) {
	for _, v := range r.Violations {
		if v.Fault == f {
			n++
		}
	}
	return n
}

// quantile is the q-quantile of an ascending list.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return list[min(int(q*float64(len(list))), len(list)-1)].Round(time.Millisecond)
}

// counts is a map of counts on one line, in order of names.
func counts[K ~string](m map[K]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s %d", name, m[name]))
	}
	return strings.Join(list, ", ")
}

// print prints r.
func (r report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	times := func(list []time.Duration) string {
		return fmt.Sprintf("p50 %s, p99 %s, max %s", quantile(list, .5), quantile(list, .99), quantile(list, 1))
	}
	fmt.Fprintf(w, "\n%s, %s, %s, seed %d\n", r.DB, r.Mode, r.Fault, r.Seed)
	if len(r.Faults) > 0 {
		line("faults", "%s", strings.Join(r.Faults, ", "))
	} else {
		line("kills", "%d: %d at random, %d targeted", r.Kills, r.Kills-r.Targeted, r.Targeted)
		line("", "%s", counts(r.ByKill))
	}
	line("starts", "%d; the last stopped on SIGTERM after %s", r.Lives, r.StopTook.Round(time.Millisecond))
	line("updates", "%d said, %d accepted, %d times offered again", r.Said, r.Accepted, r.OfferedAgain)
	line("messages", "%d; edits %d", r.Messages, r.Edits)
	line("turns", "%s", counts(r.Turns))
	line("replies", "%d delivered, %d of them twice, %d doubtful", r.Delivered, len(r.Repeats), len(r.Doubtful))
	line("", "%s; rejects %d", counts(r.States), r.Rejects)
	line("tickets", "%d, %d still open, %d opened by the sweep", r.Tickets, r.Open, r.Swept)
	line("agents", "%s", counts(r.AgentDone))
	line("said → reply", "%s", times(r.SinceSaid))
	line("accepted → reply", "%s", times(r.SinceAccepted))
	line("lost", "%d", r.faults(lost))
	line("order violations", "%d", r.faults(order))
	line("repeats unexplained", "%d", r.faults(repeated))
	line("other violations", "%d", r.faults(ticket)+r.faults(logged)+r.faults(other))
	line("time", "%s", r.Took.Round(100*time.Millisecond))
	_ = w.Flush() // it goes where everything goes
	for _, p := range r.Repeats {
		fmt.Fprintf(out, "repeat: delivery %s, chat %d, at %s and %s; life %d was killed %s at %s\n", p.Delivery, p.Chat,
			clock(p.Times[0]), clock(p.Times[1]), p.Kill.Life, p.Kill.What, clock(p.Kill.At))
	}
	for _, d := range r.Doubtful {
		fmt.Fprintf(out, "doubtful: %s\n", d)
	}
	for _, t := range r.Trouble {
		fmt.Fprintf(out, "log: %s\n", t)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(out, "VIOLATION (%s): %s\n", v.Fault, v.Text)
	}
	if len(r.Violations) > 0 {
		fmt.Fprintf(out, "VIOLATED: %d; seed %d\n", len(r.Violations), r.Seed)
	}
}
