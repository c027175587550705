package portal

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// sendEntries hands out entries as a file that can be uploaded again.
func sendEntries(g *gin.Context, name, file string, entries []knowledge.Entry) error {
	extension, ok := strings.CutPrefix(file, "entries")
	format := slices.IndexFunc(faqfile.Formats(), func(f faqfile.Format) bool { return f.Extension == extension })
	if !ok || format < 0 {
		return knowledge.ErrNotFound
	}
	f := faqfile.Formats()[format]
	data, err := f.Write(entries)
	if err != nil {
		return err
	}
	attach(g, name+f.Extension, f.Type, data)
	return nil
}

// attach sends a file to be saved. Nothing in it can act on our origin.
func attach(g *gin.Context, name, kind string, data []byte) {
	how := mime.FormatMediaType("attachment", map[string]string{"filename": name})
	if how == "" {
		how = "attachment"
	}
	h := g.Writer.Header()
	h.Set("Content-Disposition", how)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	g.Data(http.StatusOK, kind, data)
}
