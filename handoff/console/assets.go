package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"path"

	"github.com/gin-gonic/gin"

	"faqbot/handoff"
	"faqbot/knowledge/people"
)

//go:embed assets
var assetFiles embed.FS

const assetPath = "/desk/assets/"

// assets are the console's own files, at addresses with their content's hash: cached for ever.
type assets struct {
	Script, Style string // their addresses
	byAddress     map[string][]byte
}

func loadAssets() (a assets, err error) {
	a.byAddress = map[string][]byte{}
	for name, address := range map[string]*string{"desk.js": &a.Script, "desk.css": &a.Style} {
		data, err := assetFiles.ReadFile(path.Join("assets", name))
		if err != nil {
			return a, fmt.Errorf("read %s: %w", name, err)
		}
		sum := sha256.Sum256(data)
		*address = assetPath + base64.RawURLEncoding.EncodeToString(sum[:9]) + "/" + name
		a.byAddress[*address] = data
	}
	return a, nil
}

func (c *Console) asset(g *gin.Context, _ people.Person) error {
	data, ok := c.assets.byAddress[g.Request.URL.Path]
	if !ok {
		return handoff.ErrNotFound
	}
	g.Writer.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	g.Data(http.StatusOK, mime.TypeByExtension(path.Ext(g.Request.URL.Path)), data)
	return nil
}
