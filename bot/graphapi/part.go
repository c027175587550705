package graphapi

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A Stamp is a time as Meta writes it: seconds or milliseconds, as text or as a number, whatever the
// documentation of the field says. One that cannot be read, or cannot be, is zero: not told.
type Stamp struct{ time.Time }

// UnmarshalJSON never fails.
func (s *Stamp) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(bytes.TrimSpace(text)), `"`), 10, 64)
	if err != nil {
		return nil // see Stamp
	}
	const milliseconds, earliest, latest = 1_000_000_000_000, 1_230_768_000, 4_102_444_800 // 2009 and 2100
	at := time.Unix(n, 0)
	if n >= milliseconds {
		at = time.UnixMilli(n)
	}
	if at.Unix() >= earliest && at.Unix() <= latest {
		s.Time = at.UTC()
	}
	return nil
}
