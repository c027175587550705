package portal

import (
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// sendEntries hands out entries as a file that can be uploaded again.
func sendEntries(g *gin.Context, name, file string, entries []knowledge.Entry) error {
	var data []byte
	var err error
	kind := ""
	switch file {
	case "entries.csv":
		kind, name = "text/csv; charset=utf-8", name+".csv"
		data, err = faqfile.CSV(entries)
	case "entries.jsonl":
		kind, name = "application/jsonl; charset=utf-8", name+".jsonl"
		data, err = faqfile.JSONLines(entries)
	default:
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return err
	}
	attach(g, name, kind, data)
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
