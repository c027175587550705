// Package media keeps files: what customers send and what entries show. A file is named by its
// content (SHA-256), so that the same file is kept once and an ID can never mean something else. Its
// type is read from the content; what a sender calls it counts for nothing.
//
// It does not know who may see a file: whoever holds the ID in a row of theirs asks for it, and checks
// first. It knows who a file counts against, since what one of them may have kept is bounded. It is not for large files, which it reads whole, and it alters none: a
// picture keeps its metadata.
package media

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("media", migrations) }

// Why a file is not kept, or not there.
var (
	ErrTooLarge = errors.New("the file is too large")
	ErrType     = errors.New("this kind of file is not taken; send a picture (PNG, JPEG, GIF, WebP), a PDF, plain text, a Word, Excel or PowerPoint file without macros, sound (OGG, MP3, M4A, AAC, AMR, WAV) or a video (MP4, WebM, 3GP)")
	ErrNotFound = errors.New("no such file")
	ErrDisk     = errors.New("the service's disk is almost full: no files are taken for now; words still are. An operator must make room")
)

// MaxBytes is the largest file taken unless Options say otherwise: what Telegram lets bots have.
const MaxBytes = 20 << 20

// Options are the parts of a Store that may be left out.
type Options struct {
	Now      func() time.Time // time.Now if nil
	MaxBytes int64            // MaxBytes if 0
	// Free tells how many bytes are free where files are kept; ok is false if that cannot be told. The
	// database's own disk if nil.
	Free func() (bytes int64, ok bool)
}

// A Blob is one kept file without its content.
type Blob struct {
	ID   string // SHA-256 of the content, in hex
	Name string // what this sender called it, cleaned; Get leaves it empty: one content has many names
	Type string // media type, as the content shows
	Size int64  // bytes
}

// A Store keeps files in a database. It is safe for concurrent use.
type Store struct {
	db *sqldb.DB
	o  Options
}

// NewStore returns a store in db, to which Schema has been applied.
func NewStore(db *sqldb.DB, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = MaxBytes
	}
	if o.Free == nil {
		o.Free = db.FreeDisk
	}
	return &Store{db: db, o: o}
}

// Put keeps what r holds for limits.StagedFilesFor, and returns after it is durable. Whatever refers to
// the file from then on calls Keep or Pin. An empty file, a larger one than allowed (ErrTooLarge), one of
// another kind (ErrType), one too many of its owner (*QuotaError) or one that the disk has no room for
// (ErrDisk) is not kept.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, owner Owner) (Blob, error) {
	data, err := io.ReadAll(io.LimitReader(r, s.o.MaxBytes+1))
	if err != nil {
		return Blob{}, fmt.Errorf("read a file: %w", err)
	}
	if int64(len(data)) > s.o.MaxBytes {
		return Blob{}, fmt.Errorf("%w: at most %d MB are taken", ErrTooLarge, max(s.o.MaxBytes>>20, 1))
	}
	kind := sniff(data)
	if kind == "" {
		return Blob{}, ErrType
	}
	if free, ok := s.o.Free(); ok && free-int64(len(data)) < limits.MinFreeDisk {
		return Blob{}, ErrDisk
	}
	sum := sha256.Sum256(data)
	b := Blob{ID: hex.EncodeToString(sum[:]), Name: cleanName(name), Type: kind, Size: int64(len(data))}
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		now := s.o.Now()
		if _, err := tx.ExecContext(ctx, `INSERT INTO blobs (id, type, size, data, kept_at, kept_until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET kept_at = excluded.kept_at, type = excluded.type,
				kept_until = CASE WHEN blobs.kept_until < excluded.kept_until THEN excluded.kept_until ELSE blobs.kept_until END`,
			b.ID, b.Type, b.Size, data, now.UnixMilli(), now.Add(limits.StagedFilesFor).UnixMilli()); err != nil {
			return err
		}
		return own(ctx, tx, owner, b, now)
	})
	if err != nil {
		return Blob{}, fmt.Errorf("keep a file: %w", err)
	}
	return b, nil
}

// Get returns a file and its content, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Blob, []byte, error) {
	b := Blob{ID: id}
	var data []byte
	err := s.db.QueryRowContext(ctx, `SELECT type, size, data FROM blobs WHERE id = $1`, id).Scan(&b.Type, &b.Size, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return Blob{}, nil, ErrNotFound
	}
	if err != nil {
		return Blob{}, nil, fmt.Errorf("read a kept file: %w", err)
	}
	return b, data, nil
}
