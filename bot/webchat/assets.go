package webchat

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/page/live"
)

//go:embed assets
var assetFiles embed.FS

//go:embed widget.js
var widgetScript []byte

//go:embed frame.html
var frameTemplate string

// loadAssets returns the files that the frame loads.
func loadAssets() (*page.AssetSet, error) {
	files, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("read the chat's files: %w", err)
	}
	return page.NewAssetSet("/chat/assets/", files, live.Files)
}

// loadWidget returns the script that sites embed, with the words of its button in it.
func loadWidget(texts *locale.Catalog) (page.Asset, error) {
	launcher := map[string]locale.Texts{}
	for _, name := range texts.Spoken() {
		launcher[name] = locale.Texts{}
		for _, key := range []string{"launch", "close", "unread", "conversation", "not_shown", "not_shown_open"} {
			launcher[name][key] = texts.In(name)[key]
		}
	}
	packed, err := json.Marshal(launcher)
	if err != nil {
		return page.Asset{}, fmt.Errorf("pack the widget's words: %w", err)
	}
	return page.NewAsset("widget.js", bytes.Replace(widgetScript, []byte("__WORDS__"), packed, 1)), nil
}

// serveWidget serves the script that sites embed; its address never changes, so it is not kept long.
func (s *Site) serveWidget(c *gin.Context) {
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	s.widget.Serve(c.Writer, c.Request, "public, max-age=300")
}

func parsePages(assets *page.AssetSet) (*template.Template, error) {
	return template.New("chat").Funcs(template.FuncMap{"asset": assets.Address}).Option("missingkey=error").Parse(frameTemplate)
}
