package graphtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

const mb = 1 << 20

// A File is what a customer sends.
type File struct {
	Kind    string // image, video, audio, voice, document; Messenger's "file" is a document
	Name    string
	Type    string // media type
	Data    []byte
	Caption string
}

// An upload is a file of the account's.
type upload struct {
	kind       string // Messenger: image, video, audio, file
	name, kept string // kept is the media type
	data       []byte
}

// A body is what a call brings: JSON, or the fields and the file of a form.
type body struct {
	json   []byte
	fields map[string]any // those that hold JSON are decoded
	file   *upload
}

// read reads a call's body to its end.
func read(w http.ResponseWriter, r *http.Request) (body, error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMost))
		return body{json: data}, err
	}
	b := body{fields: map[string]any{}}
	form := multipart.NewReader(http.MaxBytesReader(w, r.Body, 101*mb), params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return b, err
		}
		if part.FileName() != "" {
			b.file = &upload{name: part.FileName(), kept: part.Header.Get("Content-Type"), data: data}
			continue
		}
		var value any
		if bytes.HasPrefix(data, []byte("{")) && json.Unmarshal(data, &value) == nil {
			b.fields[part.FormName()] = value
		} else {
			b.fields[part.FormName()] = string(data)
		}
	}
}

// takes lists what WhatsApp's upload takes, as its refusal does
// (https://github.com/fbsamples/whatsapp-api-examples/issues/10), with the sizes of
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types.
func takes(mediaType string) (kind string, most int) {
	for _, t := range []struct {
		kind  string
		most  int
		types string
	}{
		{"image", 5 * mb, "image/jpeg, image/png"}, {"sticker", mb / 2, "image/webp"}, {"video", 16 * mb, "video/mp4, video/3gpp"},
		{"audio", 16 * mb, "audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, audio/opus"},
		{"document", 100 * mb, "application/vnd.ms-powerpoint, application/msword, application/vnd.openxmlformats-officedocument.wordprocessingml.document, " +
			"application/vnd.openxmlformats-officedocument.presentationml.presentation, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, " +
			"application/pdf, text/plain, application/vnd.ms-excel"},
	} {
		if slices.Contains(strings.Split(t.types, ", "), mediaType) {
			return t.kind, t.most
		}
	}
	return "", 0
}

// takeMedia carries out POST /{number}/media. What is too large is refused with a code that no source tells.
func (a *Account) takeMedia(p map[string]any, f *upload) (any, *refusal) {
	switch {
	case text(p, "messaging_product") != "whatsapp":
		return nil, bad(100, "The parameter messaging_product is required.")
	case f == nil || len(f.data) == 0:
		return nil, bad(100, "The parameter file is required.")
	case text(p, "type") == "":
		return nil, bad(100, "The parameter type is required.")
	}
	kind, most := takes(f.kept)
	switch {
	case kind == "":
		return nil, bad(100, "Param file must be a file with one of the following types: audio/aac, …. Received file of type '%s'.", f.kept)
	case len(f.data) > most:
		return nil, bad(131053, "Media upload error")
	}
	f.kind = kind
	return map[string]any{"id": a.storeUpload(*f)}, nil
}

// takeAttachment carries out POST /{page}/message_attachments. Subcodes are those of
// https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes.
func (a *Account) takeAttachment(p map[string]any, f *upload) (any, *refusal) {
	attachment := object(object(p, "message"), "attachment")
	kind := text(attachment, "type")
	failed := func(subcode int, words string) (any, *refusal) {
		return nil, &refusal{status: http.StatusBadRequest, code: 100, subcode: subcode, message: "(#100) " + words}
	}
	if object(attachment, "payload") == nil || f == nil || len(f.data) == 0 {
		return failed(0, "an attachment without payload or filedata")
	}
	most, types := 25*mb, map[string]string{"image": "image/", "video": "video/", "audio": "audio/", "file": ""}
	if kind == "image" {
		most = 8 * mb
	}
	if a.o.Kind == Instagram {
		types = map[string]string{"image": "image/png, image/jpeg, image/gif", "audio": "audio/aac, audio/m4a, audio/wav, audio/mp4",
			"video": "video/mp4, video/ogg, video/avi, video/mov, video/webm", "file": "application/pdf"}
		if text(p, "platform") != "instagram" {
			return failed(0, "the parameter platform is required")
		}
		if strings.ContainsFunc(f.name, func(r rune) bool { return r >= 0x80 }) {
			return failed(2018047, "Upload attachment failure: the name is not ASCII")
		}
	}
	fits, known := types[kind]
	fit := strings.HasPrefix(f.kept, fits)
	if a.o.Kind == Instagram {
		fit = slices.Contains(strings.Split(fits, ", "), f.kept)
	}
	switch {
	case !known:
		return failed(0, "the attachment's type")
	case len(f.data) > most:
		return failed(2018109, "Attachment size exceeds allowable limit")
	case !fit || kind == "image" && !isImage(f.data):
		return failed(2018047, "Upload attachment failure: the type does not match the file")
	}
	f.kind = kind
	return map[string]any{"attachment_id": a.storeUpload(*f)}, nil
}

func isImage(data []byte) bool { return strings.HasPrefix(http.DetectContentType(data), "image/") }

// storeUpload keeps an upload and returns its ID.
func (a *Account) storeUpload(f upload) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := fmt.Sprint(1_857_777_774_821_000 + len(a.uploads))
	a.uploads[id] = f
	return id
}

// ForgetUploads makes the IDs of uploads mean nothing any more, as they do after a while.
func (a *Account) ForgetUploads() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.uploads {
		a.uploads[id] = upload{}
	}
}

// Lose makes a link lead nowhere.
func (a *Account) Lose(link string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost[link] = true
}

// fileContent checks a file that WhatsApp is to send and fills m with it. a.mu is held.
func (a *Account) fileContent(o map[string]any, m *Sent) *refusal {
	m.Text, m.Link, m.Name = text(o, "caption"), text(o, "link"), text(o, "filename")
	id := text(o, "id")
	switch f := a.uploads[id]; {
	case m.Text != "" && (m.Type == "audio" || m.Type == "sticker"):
		return bad(100, `Unexpected key "caption" on param "%s".`, m.Type)
	case m.Name != "" && m.Type != "document":
		return bad(100, `Unexpected key "filename" on param "%s".`, m.Type)
	case units(m.Text) > 1024:
		return bad(131009, "caption is too long")
	case (m.Link == "") == (id == ""):
		return bad(131008, "Required parameter is missing: link or id")
	case id != "" && f.kind == "":
		return bad(100, "Param %s.id is not a valid whatsapp business account media attachment ID", m.Type)
	case id != "":
		m.Data = f.data
		if f.kind != m.Type { // it shows when it is delivered
			m.Data = nil
		}
	}
	return nil
}

// unusable reports whether WhatsApp cannot deliver m's file, which it tells only later. a.mu is held.
func (a *Account) unusable(m *Sent) bool {
	switch m.Type {
	case "image", "video", "audio", "document", "sticker":
		return a.lost[m.Link] || m.Link == "" && (m.Data == nil || m.Type == "image" && !isImage(m.Data))
	}
	return false
}

// attached checks the file that a page is to send and fills m with it. The code for an unknown ID is told, a
// subcode by no source. a.mu is held.
func (a *Account) attached(o map[string]any, m *Sent) *refusal {
	m.Type, m.Link = text(o, "type"), text(o, "payload", "url")
	id := text(o, "payload", "attachment_id")
	if a.o.Kind == Instagram {
		id = text(o, "payload", "id")
		if (id != "") != (m.Type == "MEDIA_SHARE") {
			return bad(100, "the attachment's type")
		}
	}
	f := a.uploads[id]
	switch {
	case (m.Link == "") == (id == ""):
		return bad(100, "attachment without url or attachment_id")
	case a.lost[m.Link]:
		return &refusal{status: http.StatusBadRequest, code: 100, subcode: 2018008, message: "(#100) Failed to fetch the file from the url"}
	case id != "" && f.kind == "" || a.o.Kind != Instagram && id != "" && f.kind != m.Type:
		return bad(100, "Invalid attachment ID")
	case id != "":
		m.Type, m.Name, m.Data = f.kind, f.name, f.data
	}
	return nil
}

// Put keeps a file of a customer's under a media ID and returns the address it is fetched from, once the
// server was started: on WhatsApp by whoever has the token, else by whoever has the address.
func (a *Account) Put(id string, f File) (address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files[id] = f
	if a.o.Kind == WhatsApp {
		return a.server.URL() + "/media/" + id
	}
	return a.address(id)
}

// address is where the CDN has path, the ID of a file and perhaps a name. Its hash proves that it was given out.
func (a *Account) address(path string) string {
	return fmt.Sprintf("%s/cdn/%s?hash=%s", a.server.URL(), path, a.proof(path))
}

func (a *Account) proof(path string) string { return hash([]byte(a.o.ID + a.o.Secret + path)) }

func (s *Server) serveCDN(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	accounts := slices.Collect(maps.Values(s.accounts))
	s.mu.Unlock()
	for _, a := range accounts {
		if r.URL.Query().Get("hash") == a.proof(path) {
			id, _, _ := strings.Cut(path, "/")
			a.serveFile(w, id)
			return
		}
	}
	http.Error(w, "URL signature mismatch", http.StatusForbidden)
}

func (a *Account) serveFile(w http.ResponseWriter, id string) {
	a.mu.Lock()
	f, ok := a.files[id]
	a.mu.Unlock()
	if !ok {
		http.Error(w, "gone", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", f.Type)
	_, _ = w.Write(f.Data) // an error means that the caller has gone
}

// hash is the SHA-256 of data in hex, as WhatsApp's description of a file has it.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// SayFile has a customer send a file, and returns the network's ID of the message.
func (a *Account) SayFile(customer string, f File) (id string) {
	return a.SayMessage(customer, a.FileMessage(f))
}

// FileMessage keeps f and is the message with it in the network's own shape, for SayMessage.
func (a *Account) FileMessage(f File) map[string]any {
	a.mu.Lock()
	id := fmt.Sprint(1_003_383_421_387_000 + len(a.files))
	a.mu.Unlock()
	sum := sha256.Sum256(f.Data)
	if a.o.Kind == WhatsApp {
		kind, o := f.Kind, map[string]any{"id": id, "mime_type": f.Type, "sha256": base64.StdEncoding.EncodeToString(sum[:]), "url": a.Put(id, f)}
		switch f.Kind {
		case "voice":
			kind, o["voice"] = "audio", true
		case "document":
			o["filename"] = f.Name
		}
		if f.Caption != "" {
			o["caption"] = f.Caption
		}
		return map[string]any{"type": kind, kind: o}
	}
	kind, address := f.Kind, a.Put(id, f)
	switch kind {
	case "voice": // it is known by its name
		kind, address = "audio", a.address(id+"/audioclip-1.mp4")
	case "document":
		kind = "file"
	}
	m := map[string]any{"attachments": []any{map[string]any{"type": kind, "payload": map[string]any{"url": address}}}}
	if f.Caption != "" {
		m["text"] = f.Caption
	}
	return m
}
