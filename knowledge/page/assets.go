package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// AssetPath is where Assets must be mounted.
const AssetPath = "/assets/"

// Asset is the address of an embedded file, with its content's hash in it: it may be cached forever.
// A name that does not exist gives an address that answers 404.
func Asset(name string) string {
	data, err := assetFiles.ReadFile(path.Join("assets", name))
	if err != nil {
		return AssetPath + "missing/" + name
	}
	sum := sha256.Sum256(data)
	return AssetPath + base64.RawURLEncoding.EncodeToString(sum[:9]) + "/" + name
}

// Assets serves the embedded files at the addresses that Asset gives.
func Assets() http.Handler {
	files, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, AssetPath), "/")
		if !ok || strings.HasSuffix(name, "/") || Asset(name) != r.URL.Path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.StripPrefix(strings.TrimSuffix(r.URL.Path, name), server).ServeHTTP(w, r)
	})
}

// Secure sets the headers that every page of ours has. The policy allows our own files and nothing
// else: no inline script or style, no frame around us. A page that is meant to be framed, as the
// chat is, sets its own Content-Security-Policy before it writes.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'; manifest-src 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		next.ServeHTTP(w, r)
	})
}
