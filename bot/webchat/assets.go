package webchat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	staff "faqbot/knowledge/page"
)

//go:embed assets
var assetFiles embed.FS

// An asset is a file ready to be served.
type asset struct {
	kind          string
	plain, packed []byte
	tag           string
}

// assets are the files that the frame and the embedding site load.
type assets struct {
	files  map[string]asset // by name
	widget asset
	hash   string // of all of files, in their addresses
}

func loadAssets(words map[string]vocabulary) (assets, error) {
	a := assets{files: map[string]asset{}}
	all := sha256.New()
	for _, name := range []string{"chat.css", "chat.js", "render.js", "live.js"} {
		data, err := staff.LiveScript(), error(nil)
		if name != "live.js" {
			data, err = assetFiles.ReadFile(path.Join("assets", name))
		}
		if err != nil {
			return a, fmt.Errorf("read the chat's files: %w", err)
		}
		all.Write(data)
		if a.files[name], err = newAsset(name, data); err != nil {
			return a, err
		}
	}
	a.hash = base64.RawURLEncoding.EncodeToString(all.Sum(nil)[:9])
	script, err := assetFiles.ReadFile("assets/widget.js")
	if err != nil {
		return a, fmt.Errorf("read the widget: %w", err)
	}
	launcher := map[string]vocabulary{}
	for locale, v := range words {
		launcher[locale] = vocabulary{}
		for _, name := range []string{"launch", "close", "unread", "conversation"} {
			launcher[locale][name] = v[name]
		}
	}
	packed, err := json.Marshal(launcher)
	if err != nil {
		return a, fmt.Errorf("pack the widget's words: %w", err)
	}
	a.widget, err = newAsset("widget.js", bytes.Replace(script, []byte("__WORDS__"), packed, 1))
	return a, err
}

func newAsset(name string, data []byte) (asset, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	sum := sha256.Sum256(data)
	return asset{kind: mime.TypeByExtension(path.Ext(name)), plain: data, packed: packed.Bytes(), tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`}, err
}

// serve answers with a, packed if the browser can unpack it.
func (a asset) serve(c *gin.Context, cache string) {
	h := c.Writer.Header()
	h.Set("Cache-Control", cache)
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if c.GetHeader("If-None-Match") == a.tag {
		c.Status(http.StatusNotModified)
		return
	}
	data := a.plain
	if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		data = a.packed
	}
	c.Data(http.StatusOK, a.kind, data)
}

// serveWidget serves the script that sites embed; its address never changes, so it is not kept long.
func (s *Site) serveWidget(c *gin.Context) {
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	s.assets.widget.serve(c, "public, max-age=300")
}

func (s *Site) serveAsset(c *gin.Context) {
	a, known := s.assets.files[c.Param("name")]
	if !known || c.Param("hash") != s.assets.hash {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cross-Origin-Resource-Policy", "same-origin")
	a.serve(c, "public, max-age=31536000, immutable")
}

func parsePages() (*template.Template, error) {
	return template.New("chat").Option("missingkey=error").ParseFS(assetFiles, "assets/*.html")
}
