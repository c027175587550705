package messenger

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/bot/graphapi"
)

// Fetch opens a file by the address that came with it, which lives for hours to days.
func (c *Channel) Fetch(ctx context.Context, a bot.Attachment) (io.ReadCloser, error) {
	return c.api.Download(ctx, a.File)
}

// A fileOut is a file as the Send API takes it. Which field of the payload is set says where it is from.
type fileOut struct {
	Type    string      `json:"type"`
	Payload filePayload `json:"payload"`
}

type filePayload struct {
	URL        string `json:"url,omitempty"`
	Attachment string `json:"attachment_id,omitempty"` // what was uploaded, on Messenger
	ID         string `json:"id,omitempty"`            // the same on Instagram
	Reusable   bool   `json:"is_reusable,omitempty"`   // of an upload
}

// sendFile has send send f: a file of ours is uploaded, another is fetched by Meta from where it lies. On
// Instagram files of ours are fetched too if they can be. That is the only way of an Instagram login, and
// what everybody does; uploads are documented, and we know of nobody who makes them.
func (c *Channel) sendFile(ctx context.Context, f bot.Media, send func(*messageOut) (string, error)) (string, error) {
	kind := c.shownAs(f)
	switch {
	case kind == "":
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "a kind or size of file that the network does not carry"}
	case f.File != "" && c.uploads != nil && (!c.instagram || f.Link == ""):
		form, err := c.form(kind, f)
		if err != nil {
			return "", &bot.SendError{Kind: bot.SendRefused, Code: "the request could not be built"}
		}
		return c.uploads.Send(ctx, f.File, form, func(id string) (string, error) {
			return send(&messageOut{Attachment: c.uploadedAs(kind, id)})
		})
	case f.Link != "":
		return send(&messageOut{Attachment: &fileOut{Type: kind, Payload: filePayload{URL: f.Link}}})
	}
	return "", &bot.SendError{Kind: bot.SendRefused, Code: "the file has no address"}
}

// form is how f is uploaded: by the page's token, for Instagram too
// (https://developers.facebook.com/docs/messenger-platform/reference/attachment-upload-api and
// https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/attachment-upload,
// of June 2026, by which names of files must be ASCII).
func (c *Channel) form(kind string, f bot.Media) (graphapi.Form, error) {
	message, err := json.Marshal(messageOut{Attachment: &fileOut{Type: kind, Payload: filePayload{Reusable: true}}})
	form := graphapi.Form{Path: "me/message_attachments", Fields: map[string]string{"message": string(message)},
		Field: "filedata", Name: f.Name, Type: graphapi.BaseType(f.Type)}
	if c.instagram {
		form.Fields["platform"] = "instagram"
		if strings.ContainsFunc(f.Name, func(r rune) bool { return r >= 0x80 }) {
			form.Name = "file" + path.Ext(f.Name)
		}
	}
	return form, err
}

// uploadedAs is what was uploaded as a message has it. Instagram's documentation has it sent like a post.
func (c *Channel) uploadedAs(kind, id string) *fileOut {
	if c.instagram {
		return &fileOut{Type: "MEDIA_SHARE", Payload: filePayload{ID: id}}
	}
	return &fileOut{Type: kind, Payload: filePayload{Attachment: id}}
}

// What the networks take, in bytes. Messenger shows what is none of its kinds of pictures, sound and videos as
// a file, of whatever type
// (https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/saving-assets);
// Instagram's kinds are those of the page that form names.
const (
	maxImage = 8 << 20
	maxFile  = 25 << 20
)

// shownAs is the way in which the network takes f, "" if it takes it in none. Of a link it must find out.
func (c *Channel) shownAs(f bot.Media) string {
	if f.Type == "" {
		shown := map[string]string{"photo": "image", "video": "video", "audio": "audio"}
		if kind := shown[f.Kind]; kind != "" || c.instagram {
			return kind
		}
		return "file"
	}
	is := func(most int64, types ...string) bool {
		return f.Size <= most && slices.Contains(types, graphapi.BaseType(f.Type))
	}
	switch {
	case is(maxImage, "image/jpeg", "image/png", "image/gif"):
		return "image"
	case is(maxFile, "video/mp4", "video/webm"):
		return "video"
	case is(maxFile, "audio/aac", "audio/mp4", "audio/wav") || !c.instagram && is(maxFile, "audio/mpeg"):
		return "audio"
	case is(maxFile, "application/pdf") || !c.instagram && f.Size <= maxFile:
		return "file"
	}
	return ""
}
