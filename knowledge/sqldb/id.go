package sqldb

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"
)

// NewID is an ID that nobody has: like a ULID (https://github.com/ulid/spec), 48 bits of milliseconds, 16 of the
// fraction of a millisecond, and 64 random ones. IDs are in the order of time. Those of one time stand together in
// an index, which costs a database far fewer pages to write than if they fell all over it. The letters are those of rand.Text, in the order of bytes.
func NewID(now time.Time) string { return idText(idBits(now)) }

func idBits(now time.Time) (b [16]byte) {
	fraction := uint64(now.Nanosecond()%1e6) << 16 / 1e6
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16|fraction)
	_, _ = rand.Read(b[8:]) // never fails, as it documents
	return b
}

// FirstID sorts before every ID of that time or later, and after all earlier ones but those of up to 8 ms before.
func FirstID(t time.Time) string { return NewID(t)[:timeLetters] }

// timeLetters are the letters of an ID that say its time alone, to 8 ms.
const timeLetters = 9

func idText(b [16]byte) string {
	return base32.NewEncoding("234567ABCDEFGHIJKLMNOPQRSTUVWXYZ").WithPadding(base32.NoPadding).EncodeToString(b[:])
}

// Sequence makes IDs each of which is greater than the one before, as monotonic ULIDs are. It is safe for
// concurrent use.
type Sequence struct {
	mu   sync.Mutex
	last [16]byte
}

// Next is the next ID.
func (o *Sequence) Next(now time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := idBits(now); bytes.Compare(b[:8], o.last[:8]) > 0 {
		o.last = b
		return idText(b)
	}
	for i := len(o.last) - 1; i >= 0; i-- { // one more than the last, which has a carry
		if o.last[i]++; o.last[i] != 0 {
			break
		}
	}
	return idText(o.last)
}
