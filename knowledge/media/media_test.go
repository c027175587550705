package media

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

const png = "\x89PNG\r\n\x1a\nrest"

func TestPutGetExpire(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.UnixMilli(1_700_000_000_000)
		s := NewStore(db, Options{Now: func() time.Time { return now }, MaxBytes: 100})
		ctx := t.Context()

		b, err := s.Put(ctx, `C:\photos\me.png`, strings.NewReader(png), Owner{})
		require.NoError(t, err)
		require.Equal(t, Blob{ID: b.ID, Name: "me.png", Type: "image/png", Size: int64(len(png))}, b)
		require.Len(t, b.ID, 64)
		got, data, err := s.Get(ctx, b.ID)
		require.NoError(t, err)
		require.Equal(t, png, string(data))
		require.Equal(t, Blob{ID: b.ID, Type: "image/png", Size: b.Size}, got)

		again, err := s.Put(ctx, "other.png", strings.NewReader(png), Owner{})
		require.NoError(t, err)
		require.Equal(t, b.ID, again.ID, "the same content is the same file")

		_, err = s.Put(ctx, "exact.txt", strings.NewReader(strings.Repeat("a", 100)), Owner{})
		require.NoError(t, err)
		_, err = s.Put(ctx, "long.txt", strings.NewReader(strings.Repeat("a", 101)), Owner{})
		require.ErrorIs(t, err, ErrTooLarge)
		_, err = s.Put(ctx, "x.png", strings.NewReader("MZ\x90\x00\x03\x00\x00\x00"), Owner{})
		require.ErrorIs(t, err, ErrType)
		require.ErrorContains(t, err, "PDF", "it says what is taken")
		_, err = s.Put(ctx, "empty.txt", strings.NewReader(""), Owner{})
		require.ErrorIs(t, err, ErrType)
		broken := errors.New("the line broke")
		_, err = s.Put(ctx, "x.png", iotest.ErrReader(broken), Owner{})
		require.ErrorIs(t, err, broken)
		for _, id := range []string{"", "nothing", strings.Repeat("0", 64), "' OR 1=1 --"} {
			_, _, err = s.Get(ctx, id)
			require.ErrorIs(t, err, ErrNotFound)
		}

		now = now.Add(time.Hour)
		_, err = s.Put(ctx, "me.png", strings.NewReader(png), Owner{}) // sent again: kept anew
		require.NoError(t, err)
		now = now.Add(limits.StagedFilesFor - time.Minute)
		n, err := s.Sweep(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "the text, which nothing used")
		_, _, err = s.Get(ctx, b.ID)
		require.NoError(t, err)
		now = now.Add(2 * time.Minute)
		n, err = s.Sweep(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		_, _, err = s.Get(ctx, b.ID)
		require.ErrorIs(t, err, ErrNotFound)
	})
}

// inTx runs do in a transaction of its own.
func inTx(t *testing.T, db *sqldb.DB, do func(context.Context, *sql.Tx) error) error {
	return db.InTx(t.Context(), func(tx *sql.Tx) error { return do(t.Context(), tx) })
}

func TestKeepAndPin(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.UnixMilli(1_700_000_000_000)
		s := NewStore(db, Options{Now: func() time.Time { return now }})
		put := func(text string) string {
			b, err := s.Put(t.Context(), "a.txt", strings.NewReader(text), Owner{})
			require.NoError(t, err)
			return b.ID
		}
		keep := func(id string, until time.Time) error {
			return inTx(t, db, func(ctx context.Context, tx *sql.Tx) error { return Keep(ctx, tx, id, until) })
		}
		pin := func(id string) error {
			return inTx(t, db, func(ctx context.Context, tx *sql.Tx) error { return Pin(ctx, tx, id) })
		}
		there := func(id string) bool {
			_, err := s.Sweep(t.Context())
			require.NoError(t, err)
			_, _, err = s.Get(t.Context(), id)
			if err != nil {
				require.ErrorIs(t, err, ErrNotFound)
			}
			return err == nil
		}
		sent, pinned, long := put("sent"), put("pinned"), put("long")
		require.NoError(t, keep(sent, now.Add(48*time.Hour)))
		require.NoError(t, pin(pinned))
		require.NoError(t, keep(long, now.Add(100*24*time.Hour)))
		require.NoError(t, keep(long, now.Add(time.Hour)), "who needs it for less does not shorten it")
		require.Equal(t, put("long"), long, "nor does sending it again")
		require.ErrorIs(t, keep("nothing", now), ErrNotFound)
		require.ErrorIs(t, pin("nothing"), ErrNotFound)
		now = now.Add(47 * time.Hour)
		require.True(t, there(sent))
		now = now.Add(2 * time.Hour)
		require.False(t, there(sent))
		require.True(t, there(long))
		now = now.Add(100 * 24 * time.Hour)
		require.False(t, there(long))
		require.True(t, there(pinned))
		for i := range 120 { // more than one transaction removes
			put(fmt.Sprint(i))
		}
		now = now.Add(limits.StagedFilesFor + time.Second)
		n, err := s.Sweep(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 120, n)
		var owners int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM blob_owners`).Scan(&owners))
		require.Zero(t, owners)
	})
}

// What an owner may have kept is bounded in a day and in all; others go on, and so does the same owner
// the day after.
func TestQuota(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.UnixMilli(1_700_000_000_000)
		s := NewStore(db, Options{Now: func() time.Time { return now }})
		n := 0
		put := func(size int, o Owner) error {
			n++
			_, err := s.Put(t.Context(), "a.txt", strings.NewReader(fmt.Sprint(n)+strings.Repeat(" ", size-3)), o)
			return err
		}
		ana := Owner{Visitor: "webchat/shop/v:ana", Address: "192.0.2.1", Account: "webchat/shop", Affiliate: "acme"}
		for range limits.MaxVisitorFiles().DayFiles {
			require.NoError(t, put(10, ana))
		}
		err := put(10, ana)
		require.ErrorIs(t, err, ErrQuota)
		require.ErrorContains(t, err, "at most 30 files are kept in 24 hours for one visitor; send more tomorrow")
		var kept int64
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM blobs`).Scan(&kept))
		require.Equal(t, limits.MaxVisitorFiles().DayFiles, kept, "what was refused is not kept")
		_, err = s.Put(t.Context(), "a.txt", strings.NewReader("1"+strings.Repeat(" ", 7)), ana)
		require.NoError(t, err, "the same file again costs nothing")

		ben := ana
		ben.Visitor = "webchat/shop/v:ben"
		require.NoError(t, put(10, ben), "another visitor at the same address")
		for i := int64(0); ; i++ { // who takes a new name for each file runs into the address's bound
			require.Less(t, i, limits.MaxAddressFiles().DayFiles)
			o := ana
			o.Visitor = fmt.Sprintf("webchat/shop/v:%d", i)
			if err = put(10, o); err != nil {
				break
			}
		}
		require.ErrorContains(t, err, "for one address")
		ben.Address = "192.0.2.2"
		require.NoError(t, put(10, ben), "who comes from elsewhere goes on")
		now = now.Add(24*time.Hour + time.Second)
		require.NoError(t, put(10, ana), "the next day")

		dan := Owner{Visitor: "webchat/shop/v:dan"}
		again := func() error {
			_, err := s.Put(t.Context(), "a.txt", strings.NewReader("the same each day"), dan)
			return err
		}
		require.NoError(t, again())
		now = now.Add(24*time.Hour + time.Second)
		require.NoError(t, again())
		for range limits.MaxVisitorFiles().DayFiles - 1 {
			require.NoError(t, put(10, dan))
		}
		require.ErrorIs(t, put(10, dan), ErrQuota, "a file of yesterday that is sent again counts today")

		caro := Owner{Visitor: "webchat/shop/v:caro"}
		size := 20<<20 - 3
		for range limits.MaxVisitorFiles().DayBytes / int64(size) {
			require.NoError(t, put(size, caro))
		}
		require.ErrorContains(t, put(size, caro), "at most 100 MB are kept in 24 hours for one visitor")
	})
}

func TestDiskAlmostFull(t *testing.T) {
	db := sqldbtest.Migrated(t, Schema())
	free := int64(limits.MinFreeDisk) + 100
	s := NewStore(db, Options{Free: func() (int64, bool) { return free, true }})
	_, err := s.Put(t.Context(), "a.txt", strings.NewReader("small"), Owner{})
	require.NoError(t, err)
	_, err = s.Put(t.Context(), "b.txt", strings.NewReader(strings.Repeat("a", 101)), Owner{})
	require.ErrorIs(t, err, ErrDisk)
	bytes, ok := db.FreeDisk()
	require.True(t, ok)
	require.Positive(t, bytes)
}

// archive is a ZIP file with empty files of these names.
func archive(t *testing.T, names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		_, err := w.Create(name)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

func TestSniff(t *testing.T) {
	ogg := "OggS" + strings.Repeat("\x00", 24)
	for _, c := range []struct{ what, data, want string }{
		{"png", png, "image/png"},
		{"jpeg", "\xFF\xD8\xFF\xE0rest", "image/jpeg"},
		{"gif", "GIF89a...", "image/gif"},
		{"webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		{"pdf", "%PDF-1.7", "application/pdf"},
		{"text", "payout überfällig\n", "text/plain; charset=utf-8"},
		{"text that turns binary after the sniffed part", strings.Repeat("a", 600) + "\x00", ""},
		{"text in another encoding", strings.Repeat("a", 600) + "\xFF\xFE", ""},
		{"mp3 with a tag", "ID3\x04\x00\x00\x00\x00\x00\x15....", "audio/mpeg"},
		{"mp3 without", "\xFF\xFB\x90\x64rest", "audio/mpeg"},
		{"wav", "RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"},
		{"opus", ogg + "OpusHead\x01", "audio/ogg"},
		{"vorbis", ogg + "\x01vorbis\x00\x00\x00", "audio/ogg"},
		{"theora", ogg + "\x80theora\x00\x00\x00", ""},
		{"m4a", "\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00", "audio/mp4"},
		{"mp4", "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "video/mp4"},
		{"webm", "\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x1F\x42\x82\x84webm", "video/webm"},
		{"matroska", "\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x1F\x42\x82\x88matroska", ""},
		{"heic", "\x00\x00\x00\x20ftypheic\x00\x00\x00\x00", ""},
		{"html", "<!doctype html><script>alert(1)</script>", ""},
		{"html after spaces", "  <script>alert(1)</script>", ""},
		{"svg as xml", `<?xml version="1.0"?><svg onload="alert(1)"/>`, ""},
		{"svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, ""},
		{"svg without a namespace is text at most", `<svg onload="alert(1)"/>`, "text/plain; charset=utf-8"},
		{"json", `{"id":"1"}`, "text/plain; charset=utf-8"},
		{"a table", "id,question\n1,how?\n2,when?\n", "text/plain; charset=utf-8"},
		{"an animated png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + strings.Repeat("\x00", 17) + "\x00\x00\x00\x08acTL", "image/png"},
		{"zip", "PK\x03\x04", ""},
		{"an archive of anything", archive(t, "a.txt", "[Content_Types].xml"), ""},
		{"word", archive(t, "[Content_Types].xml", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"excel", archive(t, "[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"excel with macros", archive(t, "[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), ""},
		{"word's document alone", archive(t, "word/document.xml"), ""},
		{"amr", "#!AMR\n\x04\x00rest", "audio/amr"},
		{"aac", "\xFF\xF1\x50\x80\x00\x1F\xFC\x00", "audio/aac"},
		{"3gp", "\x00\x00\x00\x20ftyp3gp5\x00\x00\x02\x00", "video/3gpp"},
		{"elf", "\x7fELF\x02\x01\x01\x00", ""},
		{"nothing", "", ""},
	} {
		require.Equal(t, c.want, sniff([]byte(c.data)), c.what)
	}
}

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"a.png": "a.png", "": "file", "..": "..", "../../etc/passwd": "passwd", `..\..\boot.ini`: "boot.ini", "/": "file", ".": "file",
		"a\x00b\r\nSet-Cookie: x.png": "abSet-Cookie: x.png", "gpj\u202eexe.": "gpjexe.", "\xffx": "x", "   ": "file",
		strings.Repeat("ä", 300) + ".pdf": strings.Repeat("ä", 99) + "…" + strings.Repeat("ä", 16) + ".pdf",
	} {
		require.Equal(t, want, cleanName(name), "%q", name)
	}
}

func TestServe(t *testing.T) {
	for _, c := range []struct{ kind, name, disposition string }{
		{"image/png", "me.png", `inline; filename=me.png`},
		{"text/plain; charset=utf-8", "<script>.txt", `attachment; filename="<script>.txt"`},
		{"application/pdf", "Überweisung \"1\".pdf", `attachment; filename*=utf-8''%C3%9Cberweisung%20%221%22.pdf`},
		{"video/mp4", "a\r\nX: y.mp4", `attachment; filename="aX: y.mp4"`},
	} {
		w := httptest.NewRecorder()
		Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), Blob{ID: "abc", Type: c.kind}, c.name, []byte("content"))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, c.disposition, w.Header().Get("Content-Disposition"))
		require.Equal(t, c.kind, w.Header().Get("Content-Type"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "sandbox")
		require.Equal(t, "content", w.Body.String())
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Range", "bytes=0-2")
	w := httptest.NewRecorder()
	Serve(w, r, Blob{ID: "abc", Type: "audio/ogg"}, "v.ogg", bytes.Repeat([]byte("x"), 9))
	require.Equal(t, http.StatusPartialContent, w.Code, "a voice note can be wound")
}
