package graphapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parse reads one part of a webhook's body into v. Its errors name places in it, never what stands
// there.
func Parse(raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("unexpected type in %q at byte %d", mistyped.Field, mistyped.Offset)
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON from byte %d on", broken.Offset)
	}
	if err != nil {
		return errors.New("not JSON")
	}
	return nil
}

// A Stamp is a time as Meta writes it: seconds or milliseconds, as text or as a number, whatever the
// documentation of the field says. One that cannot be read, or cannot be, is zero: not told.
type Stamp struct{ time.Time }

// UnmarshalJSON never fails.
func (s *Stamp) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(bytes.TrimSpace(text)), `"`), 10, 64)
	if err != nil {
		return nil //nolint:nilerr // see Stamp
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
