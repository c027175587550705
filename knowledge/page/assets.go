package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"faqbot/knowledge/page/live"
)

//go:embed assets
var assetFiles embed.FS

// AssetPath is where the set that Assets returns must be mounted.
const AssetPath = "/assets/"

// Assets returns the files that all our pages share.
func Assets() (*AssetSet, error) {
	files, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the pages' files: %w", err)
	}
	return NewAssetSet(AssetPath, files, live.Files)
}

// An AssetSet serves embedded files at addresses that hold the digest of all of them: browsers may keep
// them for ever, and modules import each other by relative names.
type AssetSet struct {
	at     string
	byName map[string]Asset
}

// NewAssetSet returns the set of all files in folders, to be mounted at the address at. Notes for
// people (*.md) are left out.
func NewAssetSet(at string, folders ...fs.FS) (*AssetSet, error) {
	s := &AssetSet{byName: map[string]Asset{}}
	all := sha256.New()
	for _, folder := range folders {
		err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) == ".md" {
				return err
			}
			data, err := fs.ReadFile(folder, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(all, "%s\x00%d\x00%s", name, len(data), data)
			s.byName[name] = NewAsset(name, data)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the files for %s: %w", at, err)
		}
	}
	s.at = at + base64.RawURLEncoding.EncodeToString(all.Sum(nil)[:9]) + "/"
	return s, nil
}

// Address is where the file called name is. One that does not exist gives an address that answers 404.
func (s *AssetSet) Address(name string) string { return s.at + name }

func (s *AssetSet) has(name string) bool {
	_, ok := s.byName[name]
	return ok
}

// ServeHTTP serves the files at their addresses. Any other, a listing included, is not found.
func (s *AssetSet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, s.at)
	if !ok || !s.has(name) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	s.byName[name].Serve(w, r, "public, max-age=31536000, immutable")
}

// An Asset is one file as browsers get it.
type Asset struct {
	kind   string
	plain  []byte
	packed func() []byte // gzip, made when first asked for
	tag    string
}

// NewAsset returns the file called name.
func NewAsset(name string, data []byte) Asset {
	sum := sha256.Sum256(data)
	return Asset{kind: contentType(name), plain: data, packed: sync.OnceValue(func() []byte { return pack(data) }),
		tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`}
}

// Serve answers a GET or HEAD with the file, packed for browsers that take gzip. cache is the
// Cache-Control.
func (a Asset) Serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Cache-Control", cache)
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.kind)
	data := a.plain
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		data = a.packed()
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data) // a browser that went away is nobody's error
	}
}

// contentType does not ask the machine, whose tables differ, about the kinds we have.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(ext)
	}
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // the level is a constant, and memory does not fail
	}
	return b.Bytes()
}

func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.TrimRight(strings.ReplaceAll(q, " ", ""), "0.") != "q=" {
			return true
		}
	}
	return false
}

// Secure sets the headers that every page of ours has. The policy allows our own files and nothing
// else: no inline script or style, no frame around us. A page that is meant to be framed, as the
// chat is, sets its own Content-Security-Policy before it writes.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'; manifest-src 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		next.ServeHTTP(w, r)
	})
}
