// Package hours knows when people are there: a table of the week with holidays, in a time zone. It is not for promises
// (handoff has those), nor for who is there.
package hours

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are known where the system has no list of them
)

var (
	// ErrSpan means that a text is not a list of spans like "09:00-12:30, 14:00-18:00".
	ErrSpan = errors.New("not a span like 09:00-18:00")
	// ErrOverlap means that two spans of a day have a time in common.
	ErrOverlap = errors.New("two spans overlap")
	// ErrZone means that there is no such time zone.
	ErrZone = errors.New("no such time zone")
	// ErrDate means that a text does not begin with a date like 2026-12-24.
	ErrDate = errors.New("not a date like 2026-12-24")
	// ErrMany means that there are more holidays or spans than are kept.
	ErrMany = errors.New("too many")
)

const (
	maxSpans    = 6
	maxHolidays = 100
	maxName     = 80 // characters of a holiday's name
	dayMinutes  = 24 * 60
)

// A Table says when people are there. The zero Table says nothing: see Set.
type Table struct {
	Zone     string    `json:"zone,omitempty"` // IANA: "Europe/Berlin"
	Days     [7]Day    `json:"days"`           // by time.Weekday
	Holidays []Holiday `json:"holidays,omitempty"`
}

// A Day is the spans of one day in order; none means closed.
type Day []Span

// A Span is from ≤ t < to, in minutes since midnight as a clock on the wall shows them.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// A Holiday is a date on which its own spans count instead of its weekday's.
type Holiday struct {
	Date string `json:"date"` // 2006-01-02
	Open Day    `json:"open,omitempty"`
	Name string `json:"name,omitempty"`
}

// Set reports whether the table says anything.
func (t Table) Set() bool {
	return len(t.Holidays) > 0 || slices.ContainsFunc(t.Days[:], func(d Day) bool { return len(d) > 0 })
}

// CheckZone returns ErrZone unless name is a time zone's.
func CheckZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return ErrZone
	}
	return nil
}

// ParseDay reads "09:00-12:30, 14:00-18:00". An empty text is a closed day. A span that ends at midnight ends at 24:00;
// one over midnight is two, one on each day.
func ParseDay(text string) (Day, error) {
	var day Day
	for part := range strings.SplitSeq(strings.NewReplacer("–", "-", "—", "-").Replace(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		from, to, found := strings.Cut(part, "-")
		s := Span{From: minutes(from), To: minutes(to)}
		if !found || s.From < 0 || s.To <= s.From {
			return nil, ErrSpan
		}
		day = append(day, s)
	}
	if len(day) > maxSpans {
		return nil, ErrMany
	}
	slices.SortFunc(day, func(a, b Span) int { return a.From - b.From })
	for i := range day {
		if i > 0 && day[i].From < day[i-1].To {
			return nil, ErrOverlap
		}
	}
	return day, nil
}

// minutes reads a time of day, "9:00", "09:00" or "9"; -1 if it is none.
func minutes(text string) int {
	hour, minute, _ := strings.Cut(strings.TrimSpace(text), ":")
	h, err := strconv.Atoi(hour)
	m := 0
	if err == nil && minute != "" {
		m, err = strconv.Atoi(minute)
	}
	if n := 60*h + m; err == nil && h >= 0 && m >= 0 && m < 60 && n <= dayMinutes {
		return n
	}
	return -1
}

// String writes the day as ParseDay reads it.
func (d Day) String() string {
	var list []string
	for _, s := range d {
		list = append(list, fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60))
	}
	return strings.Join(list, ", ")
}

// ParseHolidays reads one holiday a line: "2026-12-24 09:00-12:00 Christmas Eve". Without spans the day is closed.
func ParseHolidays(text string) ([]Holiday, error) {
	var list []Holiday
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if _, err := time.Parse(time.DateOnly, fields[0]); err != nil {
			return nil, ErrDate
		}
		rest := fields[1:]
		n := 0
		for n < len(rest) && rest[n][0] >= '0' && rest[n][0] <= '9' && strings.ContainsAny(rest[n], "-–—") {
			n++
		}
		open, err := ParseDay(strings.Join(rest[:n], " "))
		if err != nil {
			return nil, err
		}
		name := []rune(strings.Join(rest[n:], " "))
		list = append(list, Holiday{Date: fields[0], Open: open, Name: string(name[:min(len(name), maxName)])})
	}
	if len(list) > maxHolidays {
		return nil, ErrMany
	}
	slices.SortStableFunc(list, func(a, b Holiday) int { return strings.Compare(a.Date, b.Date) })
	return list, nil
}

// HolidaysText writes the holidays as ParseHolidays reads them.
func (t Table) HolidaysText() string {
	var list []string
	for _, h := range t.Holidays {
		list = append(list, strings.Join(strings.Fields(h.Date+" "+h.Open.String()+" "+h.Name), " "))
	}
	return strings.Join(list, "\n")
}

// Open reports whether people are there at a time.
func (t Table) Open(at time.Time) bool {
	at = at.In(t.location())
	minute := at.Hour()*60 + at.Minute()
	return slices.ContainsFunc(t.on(at), func(s Span) bool { return s.From <= minute && minute < s.To })
}

// maxAhead is how many days Next looks ahead.
const maxAhead = 366

// Next returns when people are there next, after a time at which they are not; zero if that is not within a year.
func (t Table) Next(at time.Time) time.Time {
	at = at.In(t.location())
	for ahead := range maxAhead {
		day := time.Date(at.Year(), at.Month(), at.Day()+ahead, 0, 0, 0, 0, at.Location())
		for _, s := range t.on(day) {
			if opens := time.Date(day.Year(), day.Month(), day.Day(), 0, s.From, 0, 0, day.Location()); opens.After(at) {
				return opens
			}
		}
	}
	return time.Time{}
}

// on is the spans of the day that at is on.
func (t Table) on(at time.Time) Day {
	date := at.Format(time.DateOnly)
	if i := slices.IndexFunc(t.Holidays, func(h Holiday) bool { return h.Date == date }); i >= 0 {
		return t.Holidays[i].Open
	}
	return t.Days[at.Weekday()]
}

func (t Table) location() *time.Location {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
