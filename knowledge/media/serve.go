package media

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
	"time"
)

// Serve answers r with a file under name. Only pictures are shown in place; everything else is saved,
// and nothing that a file holds can act on our origin. The caller has checked that r may see it.
func Serve(w http.ResponseWriter, r *http.Request, b Blob, name string, data []byte) {
	h := w.Header()
	how := "attachment"
	if b.Image() {
		how = "inline"
	}
	if disposition := mime.FormatMediaType(how, map[string]string{"filename": cleanName(name)}); disposition != "" {
		how = disposition
	}
	h.Set("Content-Disposition", how)
	h.Set("Content-Type", b.Type)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("ETag", `"`+b.ID+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// Image reports whether b is a picture.
func (b Blob) Image() bool { return strings.HasPrefix(b.Type, "image/") }

// Kind is what sort of file b is, as networks tell them apart: photo, video, audio or document.
func (b Blob) Kind() string {
	for prefix, kind := range map[string]string{"image/": "photo", "video/": "video", "audio/": "audio"} {
		if strings.HasPrefix(b.Type, prefix) {
			return kind
		}
	}
	return "document"
}
