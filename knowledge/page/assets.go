package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// AssetPath is where Assets must be mounted.
const AssetPath = "/assets/"

// LiveScript is live.js, for pages with assets of their own.
func LiveScript() []byte {
	data, err := assetFiles.ReadFile("assets/live.js")
	if err != nil {
		panic(err) // it is embedded above
	}
	return data
}

// Asset is the address of an embedded file, with its content's hash in it: it may be cached forever.
// A name that does not exist gives an address that answers 404.
func Asset(name string) string {
	data, err := assetFiles.ReadFile(path.Join("assets", name))
	if err != nil {
		return AssetPath + "missing/" + name
	}
	return address(name, data)
}

func address(name string, data []byte) string {
	sum := sha256.Sum256(data)
	return AssetPath + base64.RawURLEncoding.EncodeToString(sum[:9]) + "/" + name
}

// addresses is Asset of every file that is served.
func addresses() map[string]string {
	byName := map[string]string{}
	eachAsset(func(name string, data []byte) { byName[name] = address(name, data) })
	return byName
}

// eachAsset calls do for every embedded file that a browser may want; notes for people are none.
func eachAsset(do func(name string, data []byte)) {
	err := fs.WalkDir(assetFiles, "assets", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) == ".md" {
			return err
		}
		data, err := assetFiles.ReadFile(file)
		if err == nil {
			do(strings.TrimPrefix(file, "assets/"), data)
		}
		return err
	})
	if err != nil {
		panic(err) // the folder is embedded above
	}
}

// An assetFile is one file as it is sent.
type assetFile struct {
	kind          string
	plain, packed []byte // packed is gzip
}

// Assets serves the embedded files at the addresses that Asset gives, packed once for browsers that
// take gzip. Any other address, a listing included, is not found.
func Assets() http.Handler {
	byAddress := map[string]assetFile{}
	eachAsset(func(name string, data []byte) {
		byAddress[address(name, data)] = assetFile{kind: contentType(name), plain: data, packed: pack(data)}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := byAddress[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Type", file.kind)
		h.Set("Vary", "Accept-Encoding")
		h.Set("X-Content-Type-Options", "nosniff")
		data := file.plain
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			data = file.packed
		}
		h.Set("Content-Length", strconv.Itoa(len(data)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(data) // a browser that went away is nobody's error
		}
	})
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
