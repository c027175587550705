package faqfile

import (
	"fmt"
	"time"
)

// readDate reads a date or a time; without a zone it is UTC. A date is its first moment, or with
// end the first moment after it: "until 31 March" includes the 31st.
func readDate(s string, end bool) (at time.Time, bad string) {
	if s == "" {
		return time.Time{}, ""
	}
	for _, form := range []string{"2006-01-02", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006"} {
		if t, err := time.Parse(form, s); err == nil {
			if end {
				t = t.AddDate(0, 0, 1)
			}
			return t, badYear(t)
		}
	}
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), badYear(t)
		}
	}
	return time.Time{}, fmt.Sprintf("%s is not a date we can read for certain. Write it like 2026-03-31 or 31 Mar 2026.", quote(s))
}

// badYear refuses years that can only be slips; the zero time and the epoch mean something else.
func badYear(t time.Time) string {
	if y := t.UTC().Year(); y < 2000 || y > 2200 {
		return fmt.Sprintf("The year %d cannot be right. Correct the date.", y)
	}
	return ""
}
