package webchat

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

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

// launcherWords are the words of the button that sites embed, by language, as JSON.
func launcherWords(texts *locale.Catalog) ([]byte, error) {
	launcher := map[string]locale.Texts{}
	for _, name := range texts.Spoken() {
		launcher[name] = locale.Texts{}
		for _, key := range []string{"launch", "close", "unread", "conversation", "not_shown", "not_shown_open"} {
			launcher[name][key] = texts.In(name)[key]
		}
	}
	packed, err := json.Marshal(launcher)
	if err != nil {
		return nil, fmt.Errorf("pack the widget's words: %w", err)
	}
	return packed, nil
}

// newWidget returns the script that sites embed, with words and what else it would read from the script's element.
func newWidget(words, look []byte) page.Asset {
	script := bytes.Replace(widgetScript, []byte("__WORDS__"), words, 1)
	return page.NewAsset("widget.js", bytes.Replace(script, []byte("__LOOK__"), look, 1))
}

// serveWidget serves the script that sites embed; its address never changes, so it is not kept long.
func (s *Site) serveWidget(c *gin.Context) {
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	s.widget.Serve(c.Writer, c.Request, "public, max-age=300")
}

// serveOwnWidget serves the script of one account, which brings the account's looks: a page need not say them.
func (s *Site) serveOwnWidget(c *gin.Context) {
	channel := s.channel(c.Param("account"))
	if channel == nil {
		c.Status(http.StatusNotFound)
		return
	}
	channel.widgetOnce.Do(func() {
		look, err := json.Marshal(map[string]string{"account": channel.account.ID, "color": channel.o.Color, "position": channel.o.Position})
		if err != nil {
			look = []byte("{}") // three texts cannot fail
		}
		channel.widget = newWidget(s.words, look)
	})
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	channel.widget.Serve(c.Writer, c.Request, "public, max-age=60")
}

func parsePages(assets *page.AssetSet) (*template.Template, error) {
	return template.New("chat").Funcs(template.FuncMap{"asset": assets.Address}).Option("missingkey=error").Parse(frameTemplate)
}
