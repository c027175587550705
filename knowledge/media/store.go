// Package media keeps files: what customers send and what entries show. A file is named by its
// content (SHA-256), so that the same file is kept once and an ID can never mean something else. Its
// type is read from the content; what a sender calls it counts for nothing.
//
// It does not know whose a file is or who may see it: whoever holds the ID in a row of theirs asks
// for it, and checks first. It is not for large files, which it reads whole, and it alters none: a
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

	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("media", schema) }

// Why a file is not kept, or not there.
var (
	ErrTooLarge = errors.New("the file is too large")
	ErrType     = errors.New("this kind of file is not taken; send a picture (PNG, JPEG, GIF, WebP), a PDF, plain text, a Word, Excel or PowerPoint file without macros, sound (OGG, MP3, M4A, AAC, AMR, WAV) or a video (MP4, WebM, 3GP)")
	ErrNotFound = errors.New("no such file")
)

// MaxBytes is the largest file taken unless Options say otherwise: what Telegram lets bots have.
const MaxBytes = 20 << 20

// Options are the parts of a Store that may be left out.
type Options struct {
	Now      func() time.Time // time.Now if nil
	MaxBytes int64            // MaxBytes if 0
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
	return &Store{db: db, o: o}
}

// Put keeps what r holds, and returns after it is durable. An empty file, a larger one than allowed
// (ErrTooLarge) or one of another kind (ErrType) is not kept. Putting a file again keeps it anew for
// as long as the first time.
func (s *Store) Put(ctx context.Context, name string, r io.Reader) (Blob, error) {
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
	sum := sha256.Sum256(data)
	b := Blob{ID: hex.EncodeToString(sum[:]), Name: cleanName(name), Type: kind, Size: int64(len(data))}
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO blobs (id, type, size, data, kept_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET kept_at = excluded.kept_at, type = excluded.type`,
			b.ID, b.Type, b.Size, data, s.o.Now().UnixMilli())
		return err
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

// Pin keeps a file for good, or returns ErrNotFound.
func (s *Store) Pin(ctx context.Context, id string) error {
	var n int64
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE blobs SET pinned = TRUE WHERE id = $1`, id)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("pin a file: %w", err)
	case n == 0:
		return ErrNotFound
	}
	return nil
}

// Expire forgets the files that were last put before then, but for pinned ones, and returns how many
// they were.
func (s *Store) Expire(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM blobs WHERE kept_at < $1 AND NOT pinned`, before.UnixMilli())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget old files: %w", err)
	}
	return n, nil
}
