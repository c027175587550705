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
	"faqbot/retrieval/late"
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
	_ retrieval.TokenEmbedder = (*Cached)(nil)
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

// Words are those that the inner embedder knows whole; none if it does not say.
func (c *Cached) Words() []string {
	if v, ok := c.inner.(interface{ Words() []string }); ok {
		return v.Words()
	}
	return nil
}

// EmbedQuery asks the inner embedder and keeps nothing: customers' words, even as digests, are not
// for keeping, and a search should not write.
func (c *Cached) EmbedQuery(ctx context.Context, text string) (late.Tokens, error) {
	return retrieval.EmbedQuery(ctx, c.inner, text)
}

type digest = [sha256.Size]byte

// Embed reads the vectors of texts and lets the inner embedder make those that are missing, each
// once. What was made before an error stays.
func (c *Cached) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return remember(ctx, c, c.Space(), texts, c.inner.Embed, packVector, unpackVector)
}

// tokenSpace follows the space's name where vectors are kept with token rows. It changes whenever the
// projection does, or what is packed.
const tokenSpace = "/tokens/2"

// EmbedTokens is Embed with the rows of each text's tokens; none if the inner embedder has no such.
func (c *Cached) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	inner, ok := c.inner.(retrieval.TokenEmbedder)
	if !ok {
		return retrieval.EmbedTokens(ctx, struct{ retrieval.Embedder }{c}, texts)
	}
	return remember(ctx, c, c.Space()+tokenSpace, texts, inner.EmbedTokens, packTokens, unpackTokens)
}

// remember reads what is kept of texts in a space, and lets embed make what is missing.
func remember[T any](ctx context.Context, c *Cached, space string, texts []string, embed func(context.Context, []string) ([]T, error), pack func(T) []byte, unpack func([]byte) (T, bool)) ([]T, error) {
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
	known := make(map[digest]T, len(text))
	err := c.read(ctx, space, missing, func(d digest, packed []byte) {
		if made, ok := unpack(packed); ok {
			known[d] = made
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read vectors: %w", err)
	}
	missing = slices.DeleteFunc(missing, func(d digest) bool { _, ok := known[d]; return ok })
	total := len(text)
	c.opts.Progress(total-len(missing), total)
	for batch := range slices.Chunk(missing, c.opts.Batch) {
		made, err := embedBatch(ctx, c.Space(), batch, text, embed)
		if err != nil {
			return nil, err
		}
		packed := make(map[digest][]byte, len(batch))
		for i, d := range batch {
			known[d], packed[d] = made[i], pack(made[i])
			if len(packed[d]) == 0 {
				return nil, fmt.Errorf("embedder %s returned an empty vector", c.Space())
			}
		}
		for rows := range slices.Chunk(batch, writeRows) {
			if err := c.write(ctx, space, rows, packed); err != nil {
				return nil, fmt.Errorf("keep vectors: %w", err)
			}
		}
		c.opts.Progress(len(known), total)
	}
	list := make([]T, len(texts))
	for i, d := range digests {
		list[i] = known[d]
	}
	return list, nil
}

// embedBatch embeds a batch of texts.
func embedBatch[T any](ctx context.Context, space string, batch []digest, text map[digest]string, embed func(context.Context, []string) ([]T, error)) ([]T, error) {
	texts := make([]string, len(batch))
	for i, d := range batch {
		texts[i] = text[d]
	}
	made, err := embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(made) != len(batch) {
		return nil, fmt.Errorf("embedder %s returned %d vectors for %d texts", space, len(made), len(batch))
	}
	return made, nil
}

// read hands out what is kept of wanted.
func (c *Cached) read(ctx context.Context, space string, wanted []digest, keep func(digest, []byte)) error {
	for chunk := range slices.Chunk(wanted, readRows) {
		args := make([]any, 0, len(chunk)+1)
		args = append(args, space)
		for _, d := range chunk {
			args = append(args, d[:])
		}
		if err := c.readChunk(ctx, args, keep); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cached) readChunk(ctx context.Context, args []any, keep func(digest, []byte)) (err error) {
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
		// A row that cannot be one of ours counts as none; it is made anew and used from memory.
		if len(d) == sha256.Size {
			keep(digest(d), packed)
		}
	}
	return rows.Err()
}

// write keeps the vectors of rows. It is one statement with its keys in order, so two writers of
// the same texts wait for each other and never in a circle.
func (c *Cached) write(ctx context.Context, space string, rows []digest, packed map[digest][]byte) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO embeddings (space, made_at, digest, vector) VALUES `)
	args := make([]any, 0, 2*len(rows)+2)
	args = append(args, space, c.opts.Now().UnixMilli())
	for i, d := range rows {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString(`($1, CAST($2 AS BIGINT), ` + places(len(args)+1, 2) + `)`)
		args = append(args, d[:], packed[d])
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

func unpackVector(b []byte) ([]float32, bool) {
	if len(b) == 0 || len(b)%4 != 0 {
		return nil, false
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, true
}

// packTokens writes how many numbers the vector has, how many pieces, how many rows and how many bytes these; then
// the vector, the pieces, the rows' scales and their bytes. All numbers are little-endian.
func packTokens(t late.Tokens) []byte {
	if len(t.Vector) == 0 {
		return nil
	}
	b := make([]byte, 0, tokenHeader+4*len(t.Vector)+4*len(t.Pieces)+4*len(t.Rows.Scales)+len(t.Rows.Bytes))
	for _, n := range []int{len(t.Vector), len(t.Pieces), t.Rows.Len(), len(t.Rows.Bytes)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, packVector(t.Vector)...)
	for _, piece := range t.Pieces {
		b = binary.LittleEndian.AppendUint32(b, piece)
	}
	b = append(b, packVector(t.Rows.Scales)...)
	return append(b, t.Rows.Bytes...)
}

const tokenHeader = 4 * 4

func unpackTokens(b []byte) (t late.Tokens, ok bool) {
	if len(b) < tokenHeader {
		return t, false
	}
	var counts [4]int
	for i := range counts {
		counts[i] = int(binary.LittleEndian.Uint32(b[4*i:]))
	}
	b = b[tokenHeader:]
	numbers, pieces, scales := 4*counts[0], 4*counts[1], 4*counts[2]
	if counts[0] == 0 || len(b) != numbers+pieces+scales+counts[3] {
		return t, false
	}
	t.Vector, _ = unpackVector(b[:numbers])
	t.Pieces = make([]uint32, counts[1])
	for i := range t.Pieces {
		t.Pieces[i] = binary.LittleEndian.Uint32(b[numbers+4*i:])
	}
	b = b[numbers+pieces:]
	t.Rows.Scales, _ = unpackVector(b[:scales])
	t.Rows.Bytes = slices.Clone(b[scales:])
	return t, true
}
