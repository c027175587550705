package whatsapp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"

	"faqbot/bot"
	"faqbot/bot/graphapi"
)

// Fetch asks for the address of a file, which lives for five minutes, and opens it. Which number is asking
// is not said: it may be, and what customers sent is then refused
// (https://github.com/chatwoot/chatwoot/pull/13319).
func (c *Channel) Fetch(ctx context.Context, a bot.Attachment) (io.ReadCloser, error) {
	if !regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`).MatchString(a.File) {
		return nil, fmt.Errorf("%w: the attachment is no file of WhatsApp", bot.ErrNoFile)
	}
	var file struct {
		URL string `json:"url"`
	}
	if err := c.api.Call(ctx, http.MethodGet, a.File, nil, nil, &file); err != nil {
		return nil, fmt.Errorf("ask for a file's address: %w", err)
	}
	return c.api.Download(ctx, file.URL)
}

// A fileOut is a file as the Cloud API takes it: by ID, once it was uploaded, or by Link.
type fileOut struct {
	ID      string `json:"id,omitempty"`
	Link    string `json:"link,omitempty"`
	Caption string `json:"caption,omitempty"`
	Name    string `json:"filename,omitempty"`
}

// sendFile sends m with r's file, and r's words under it: a file of ours is uploaded, another is fetched by
// WhatsApp from where it lies.
func (c *Channel) sendFile(ctx context.Context, m outgoing, r bot.Reply) (string, error) {
	f := *r.Media
	kind := shownAs(f)
	send := func(o fileOut) (string, error) {
		m.show(kind, f.Name, r.Text, o)
		return c.post(ctx, m)
	}
	switch {
	case kind == "":
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "a kind or size of file that WhatsApp does not carry"}
	case f.File != "" && c.uploads != nil:
		mediaType := graphapi.BaseType(f.Type)
		form := graphapi.Form{Path: c.number + "/media", Fields: map[string]string{"messaging_product": "whatsapp", "type": mediaType},
			Field: "file", Name: f.Name, Type: mediaType}
		return c.uploads.Send(ctx, f.File, form, func(id string) (string, error) { return send(fileOut{ID: id}) })
	case f.Link != "":
		return send(fileOut{Link: f.Link})
	}
	return "", &bot.SendError{Kind: bot.SendRefused, Code: "the file has no address"}
}

// show makes m a message with the file o. Only documents have a name, and sound has no words.
func (m *outgoing) show(kind, name, words string, o fileOut) {
	o.Caption = words
	m.Type = kind
	switch kind {
	case "image":
		m.Image = &o
	case "video":
		m.Video = &o
	case "audio":
		o.Caption = ""
		m.Audio = &o
	default:
		o.Name = name
		m.Document = &o
	}
}

// shownAs is the way in which WhatsApp takes f, "" if it takes it in none
// (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types). Of a link
// it must find out.
func shownAs(f bot.Media) string {
	if f.Type == "" {
		shown := map[string]string{"photo": "image", "video": "video", "audio": "audio"}
		if kind := shown[f.Kind]; kind != "" {
			return kind
		}
		return "document"
	}
	const mb = 1 << 20
	for _, takes := range []struct {
		kind  string
		most  int64 // bytes
		types []string
	}{
		{"image", 5 * mb, []string{"image/jpeg", "image/png"}},
		{"video", 16 * mb, []string{"video/mp4", "video/3gpp"}},
		{"audio", 16 * mb, []string{"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}},
		{"document", 100 * mb, []string{"text/plain", "application/pdf",
			"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			"application/vnd.openxmlformats-officedocument.presentationml.presentation"}},
	} {
		if f.Size <= takes.most && slices.Contains(takes.types, graphapi.BaseType(f.Type)) {
			return takes.kind
		}
	}
	return ""
}
