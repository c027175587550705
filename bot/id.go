package bot

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// newID is an ID that nobody has: like a ULID (https://github.com/ulid/spec), 48 bits of milliseconds and
// 80 random ones. Those of one time stand together in an index, which costs a database far fewer pages
// to write than if they fell all over it. The letters are those of rand.Text, in the order of bytes.
func newID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // never fails, as it documents
	return base32.NewEncoding("234567ABCDEFGHIJKLMNOPQRSTUVWXYZ").WithPadding(base32.NoPadding).EncodeToString(b[:])
}
