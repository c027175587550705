package media

import (
	"archive/zip"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

const png = "\x89PNG\r\n\x1a\nrest"

func TestPutGetExpire(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.UnixMilli(1_700_000_000_000)
		s := NewStore(db, Options{Now: func() time.Time { return now }, MaxBytes: 100})
		ctx := t.Context()

		b, err := s.Put(ctx, `C:\photos\me.png`, strings.NewReader(png))
		require.NoError(t, err)
		require.Equal(t, Blob{ID: b.ID, Name: "me.png", Type: "image/png", Size: int64(len(png))}, b)
		require.Len(t, b.ID, 64)
		got, data, err := s.Get(ctx, b.ID)
		require.NoError(t, err)
		require.Equal(t, png, string(data))
		require.Equal(t, Blob{ID: b.ID, Type: "image/png", Size: b.Size}, got)

		again, err := s.Put(ctx, "other.png", strings.NewReader(png))
		require.NoError(t, err)
		require.Equal(t, b.ID, again.ID, "the same content is the same file")

		_, err = s.Put(ctx, "exact.txt", strings.NewReader(strings.Repeat("a", 100)))
		require.NoError(t, err)
		_, err = s.Put(ctx, "long.txt", strings.NewReader(strings.Repeat("a", 101)))
		require.ErrorIs(t, err, ErrTooLarge)
		_, err = s.Put(ctx, "x.png", strings.NewReader("MZ\x90\x00\x03\x00\x00\x00"))
		require.ErrorIs(t, err, ErrType)
		require.ErrorContains(t, err, "PDF", "it says what is taken")
		_, err = s.Put(ctx, "empty.txt", strings.NewReader(""))
		require.ErrorIs(t, err, ErrType)
		broken := errors.New("the line broke")
		_, err = s.Put(ctx, "x.png", iotest.ErrReader(broken))
		require.ErrorIs(t, err, broken)
		for _, id := range []string{"", "nothing", strings.Repeat("0", 64), "' OR 1=1 --"} {
			_, _, err = s.Get(ctx, id)
			require.ErrorIs(t, err, ErrNotFound)
		}

		now = now.Add(time.Hour)
		_, err = s.Put(ctx, "me.png", strings.NewReader(png)) // sent again: kept anew
		require.NoError(t, err)
		n, err := s.Expire(ctx, now)
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "the text")
		_, _, err = s.Get(ctx, b.ID)
		require.NoError(t, err)
		n, err = s.Expire(ctx, now.Add(time.Millisecond))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		_, _, err = s.Get(ctx, b.ID)
		require.ErrorIs(t, err, ErrNotFound)
	})
}

func TestPin(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.UnixMilli(1_700_000_000_000)
		s := NewStore(db, Options{Now: func() time.Time { return now }})
		b, err := s.Put(t.Context(), "a.png", strings.NewReader(png))
		require.NoError(t, err)
		require.NoError(t, s.Pin(t.Context(), b.ID))
		require.ErrorIs(t, s.Pin(t.Context(), "nothing"), ErrNotFound)
		_, err = s.Put(t.Context(), "a.png", strings.NewReader(png)) // a customer sends the same
		require.NoError(t, err)
		n, err := s.Expire(t.Context(), now.Add(365*24*time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
		_, _, err = s.Get(t.Context(), b.ID)
		require.NoError(t, err)
	})
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
		{"mp3 with a tag", "ID3\x04", "audio/mpeg"},
		{"mp3 without", "\xFF\xFB\x90\x64rest", "audio/mpeg"},
		{"wav", "RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"},
		{"opus", ogg + "OpusHead", "audio/ogg"},
		{"vorbis", ogg + "\x01vorbis.", "audio/ogg"},
		{"theora", ogg + "\x80theora..", ""},
		{"m4a", "\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00", "audio/mp4"},
		{"mp4", "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "video/mp4"},
		{"webm", "\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x1F\x42\x82\x84webm", "video/webm"},
		{"matroska", "\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x1F\x42\x82\x88matroska", ""},
		{"heic", "\x00\x00\x00\x20ftypheic\x00\x00\x00\x00", ""},
		{"html", "<!doctype html><script>alert(1)</script>", ""},
		{"html after spaces", "  <script>alert(1)</script>", ""},
		{"svg as xml", `<?xml version="1.0"?><svg onload="alert(1)"/>`, ""},
		{"svg is text at most", `<svg onload="alert(1)"/>`, "text/plain; charset=utf-8"},
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
