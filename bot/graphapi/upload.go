package graphapi

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/knowledge/media"
)

// BaseType is a media type without its parameters, as Meta lists them.
func BaseType(mediaType string) string {
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return mediaType
	}
	return base
}

// A Form is how one of Meta's networks takes a file.
type Form struct {
	Path   string            // of the call, "123/media"
	Fields map[string]string // besides the file
	Field  string            // the file's
	Name   string            // of the file; may be ""
	Type   string            // media type of the file
}

// upload posts data in f and returns Meta's ID of it, which is good for this account alone.
func (c *Client) upload(ctx context.Context, f Form, data []byte) (string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	var err error
	for name, value := range f.Fields {
		err = errors.Join(err, w.WriteField(name, value))
	}
	name := f.Name
	if name == "" {
		name = "file"
	}
	part, failed := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(f.Field, name)}, "Content-Type": {f.Type}})
	if failed == nil {
		_, failed = part.Write(data)
	}
	if errors.Join(err, failed, w.Close()) != nil {
		return "", unbuilt()
	}
	var answer struct {
		ID         string `json:"id"`            // WhatsApp
		Attachment string `json:"attachment_id"` // Messenger, Instagram
	}
	if err := c.exchange(ctx, http.MethodPost, f.Path, nil, w.FormDataContentType(), body.Bytes(), &answer); err != nil {
		return "", err
	}
	if answer.ID == "" && answer.Attachment == "" {
		return "", &OddError{Status: http.StatusOK}
	}
	return answer.ID + answer.Attachment, nil
}

// An Uploader gives Meta files of ours, each once and not with every message. Nothing is written down: an
// upload is sent to nobody, and after a restart there is another. It is safe for concurrent use.
type Uploader struct {
	client *Client
	files  network.Files

	mu    sync.Mutex
	known map[uploadKey]uploaded
}

// An uploadKey is a file and all that Meta knows of it.
type uploadKey struct{ file, name, kind, form string }

type uploaded struct {
	id    string
	until time.Time
}

const (
	// uploadLife is how long Meta's ID of a file is used. WhatsApp keeps files for 30 days
	// (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media), Messenger for 90
	// (https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/saving-assets).
	uploadLife = 24 * time.Hour
	// uploadsMost bounds what is remembered; then it begins anew.
	uploadsMost = 10_000
)

// NewUploader returns an Uploader of files by the calls of client. It calls nobody.
func NewUploader(client *Client, files network.Files) *Uploader {
	return &Uploader{client: client, files: files, known: map[uploadKey]uploaded{}}
}

// Send gives Meta the file of ours named file as f says, unless Meta has it, and has send send what Meta
// calls it. An ID that Meta refuses is not used again, and one that was used before is replaced at once. The
// error is send's, or a *bot.SendError that means that nothing was sent.
func (u *Uploader) Send(ctx context.Context, file string, f Form, send func(id string) (string, error)) (string, error) {
	key := uploadKey{file: file, name: f.Name, kind: f.Type, form: f.Fields["message"]}
	if id := u.get(key); id != "" {
		external, err := send(id)
		if !u.forget(key, err) {
			return external, err
		}
	}
	_, data, err := u.files.Get(ctx, file)
	if errors.Is(err, media.ErrNotFound) {
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "no such file", Err: err}
	}
	if err != nil {
		return "", &bot.SendError{Kind: bot.SendTransient, Code: "the file could not be read", Err: ctx.Err()}
	}
	id, err := u.client.upload(ctx, f, data)
	if err != nil {
		return "", uploadError(err)
	}
	u.set(key, id)
	external, err := send(id)
	u.forget(key, err)
	return external, err
}

func (u *Uploader) get(key uploadKey) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if known := u.known[key]; time.Now().Before(known.until) {
		return known.id
	}
	return ""
}

func (u *Uploader) set(key uploadKey, id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.known) >= uploadsMost {
		clear(u.known)
	}
	u.known[key] = uploaded{id, time.Now().Add(uploadLife)}
}

// forget drops the ID of key if err says that what it was in was refused, and reports that.
func (u *Uploader) forget(key uploadKey, err error) bool {
	refused, ok := errors.AsType[*bot.SendError](err)
	if !ok || refused.Kind != bot.SendRefused && refused.Kind != bot.SendFile {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.known, key)
	return true
}
