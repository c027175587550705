package embed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema is the table of vectors.
func Schema() sqldb.Schema { return sqldb.Embedded("retrieval", schemaFiles) }

const (
	// readRows and writeRows bound one statement: SQLite takes 32,766 parameters, Postgres 65,535.
	readRows  = 1000
	writeRows = 500
)

// CachedOptions are what NewCached can do without.
type CachedOptions struct {
	Batch    int                   // texts given to the embedder at once, then written; 0 means 256
	Progress func(done, total int) // told how many of one Embed's texts have their vector
	Now      func() time.Time      // time.Now if nil
}

// Cached is an embedder that keeps the vectors of another in the database, by the space and the
// text's SHA-256, so that each text is embedded once. It is safe for concurrent use, also by
// several processes: a text that two embed at once is kept once.
type Cached struct {
	inner retrieval.Embedder
	db    *sqldb.DB
	opts  CachedOptions
}

var (
	_ retrieval.Embedder      = (*Cached)(nil)
	_ retrieval.QueryEmbedder = (*Cached)(nil)
)

// NewCached returns inner with a memory in db, which must have been migrated with Schema.
func NewCached(inner retrieval.Embedder, db *sqldb.DB, opts CachedOptions) *Cached {
	opts.Batch = cmp.Or(opts.Batch, 256)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Progress == nil {
		opts.Progress = func(int, int) {}
	}
	return &Cached{inner: inner, db: db, opts: opts}
}

// Space is the inner embedder's.
func (c *Cached) Space() string { return c.inner.Space() }

// EmbedQuery asks the inner embedder and keeps nothing: customers' words, even as digests, are not
// for keeping, and a search should not write.
func (c *Cached) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	return retrieval.EmbedQuery(ctx, c.inner, text)
}

type digest = [sha256.Size]byte

// Embed reads the vectors of texts and lets the inner embedder make those that are missing, each
// once. What was made before an error stays.
func (c *Cached) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	digests := make([]digest, len(texts))
	text := make(map[digest]string, len(texts))
	for i, t := range texts {
		digests[i] = sha256.Sum256([]byte(t))
		text[digests[i]] = t
	}
	missing := make([]digest, 0, len(text))
	for d := range text {
		missing = append(missing, d)
	}
	slices.SortFunc(missing, compare)
	known, err := c.read(ctx, missing)
	if err != nil {
		return nil, fmt.Errorf("read vectors: %w", err)
	}
	missing = slices.DeleteFunc(missing, func(d digest) bool { return known[d] != nil })
	total := len(text)
	c.opts.Progress(total-len(missing), total)
	for batch := range slices.Chunk(missing, c.opts.Batch) {
		if err := c.make(ctx, batch, text, known); err != nil {
			return nil, err
		}
		c.opts.Progress(len(known), total)
	}
	vectors := make([][]float32, len(texts))
	for i, d := range digests {
		vectors[i] = known[d]
	}
	return vectors, nil
}

// make embeds a batch of texts, keeps the vectors and adds them to known.
func (c *Cached) make(ctx context.Context, batch []digest, text map[digest]string, known map[digest][]float32) error {
	texts := make([]string, len(batch))
	for i, d := range batch {
		texts[i] = text[d]
	}
	made, err := c.inner.Embed(ctx, texts)
	if err != nil {
		return err
	}
	if len(made) != len(batch) {
		return fmt.Errorf("embedder %s returned %d vectors for %d texts", c.Space(), len(made), len(batch))
	}
	for i, d := range batch {
		if len(made[i]) == 0 {
			return fmt.Errorf("embedder %s returned an empty vector", c.Space())
		}
		known[d] = made[i]
	}
	for rows := range slices.Chunk(batch, writeRows) {
		if err := c.write(ctx, rows, known); err != nil {
			return fmt.Errorf("keep vectors: %w", err)
		}
	}
	return nil
}

// read returns the vectors that are kept of wanted.
func (c *Cached) read(ctx context.Context, wanted []digest) (map[digest][]float32, error) {
	known := make(map[digest][]float32, len(wanted))
	for chunk := range slices.Chunk(wanted, readRows) {
		args := make([]any, 0, len(chunk)+1)
		args = append(args, c.Space())
		for _, d := range chunk {
			args = append(args, d[:])
		}
		if err := c.readChunk(ctx, known, args); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (c *Cached) readChunk(ctx context.Context, known map[digest][]float32, args []any) (err error) {
	query := `SELECT digest, vector FROM embeddings WHERE space = $1 AND digest IN (` + places(2, len(args)-1) + `)`
	rows, err := c.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var d, packed sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&d, &packed); err != nil {
			return err
		}
		// A row that cannot be a vector counts as none; it is made anew and used from memory.
		if len(d) == sha256.Size && len(packed) > 0 && len(packed)%4 == 0 {
			known[digest(d)] = unpackVector(packed)
		}
	}
	return rows.Err()
}

// write keeps the vectors of rows. It is one statement with its keys in order, so two writers of
// the same texts wait for each other and never in a circle.
func (c *Cached) write(ctx context.Context, rows []digest, known map[digest][]float32) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO embeddings (space, made_at, digest, vector) VALUES `)
	args := make([]any, 0, 2*len(rows)+2)
	args = append(args, c.Space(), c.opts.Now().UnixMilli())
	for i, d := range rows {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString(`($1, CAST($2 AS BIGINT), ` + places(len(args)+1, 2) + `)`)
		args = append(args, d[:], packVector(known[d]))
	}
	query.WriteString(` ON CONFLICT (space, digest) DO NOTHING`)
	return c.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query.String(), args...)
		return err
	})
}

// places returns n placeholders beginning with $first.
func places(first, n int) string {
	b := make([]byte, 0, 7*n)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(first+i), 10)
	}
	return string(b)
}

func compare(a, b digest) int { return bytes.Compare(a[:], b[:]) }

func packVector(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func unpackVector(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}
