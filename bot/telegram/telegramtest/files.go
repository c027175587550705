package telegramtest

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode/utf16"
)

// What the real one documents at https://core.telegram.org/bots/api#sending-files and #getfile.
const (
	captionMost  = 1024     // UTF-16 units
	uploadMost   = 50 << 20 // bytes
	photoMost    = 10 << 20
	linkMost     = 20 << 20
	linkPhoto    = 5 << 20
	downloadMost = 20 << 20
)

// A SentFile is the file of a message of the bot's.
type SentFile struct {
	Kind string // photo, video, audio, document
	Name string // as it was uploaded, now or before; "" if it was not
	Data []byte // as it was uploaded, found behind the link, or uploaded before
	ID   string // Telegram's name for it
	How  string // upload, id, link
}

// A stored file is one that Telegram has.
type stored struct {
	kind, name, path, mediaType string
	data                        []byte
	seconds                     int
}

// A WebFile is a file that a link leads to.
type WebFile struct {
	Type string // media type
	Data []byte
}

// Publish puts a file behind a link, for Telegram to fetch. Other links lead nowhere.
func (b *Bot) Publish(link string, f WebFile) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.web[link] = f
}

// ForgetFiles makes Telegram's names for files mean nothing any more.
func (b *Bot) ForgetFiles() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.files)
}

// store keeps a file and returns its name. b.mu is held.
func (b *Bot) store(f stored) string {
	id := fmt.Sprintf("%sAC-file_%d", strings.ToUpper(f.kind[:1]), len(b.files)+1)
	f.path = fmt.Sprintf("%ss/file_%d", f.kind, len(b.files)+1)
	b.files[id] = &f
	return id
}

// SayFile has a customer send a file in a private chat: a photo, voice, audio, video or document.
func (b *Bot) SayFile(chat int64, kind, name, mediaType string, data []byte, caption string) (updateID int64) {
	return b.SayMessage(b.FileMessage(chat, kind, name, mediaType, data, caption))
}

// FileMessage keeps a file and is the message with it in the Bot API's shape, for SayMessage.
func (b *Bot) FileMessage(chat int64, kind, name, mediaType string, data []byte, caption string) map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := stored{kind: kind, name: name, mediaType: mediaType, data: data, seconds: 3}
	message := map[string]any{"chat": chatObject(chat), kind: b.shown(b.store(f), f)}
	if caption != "" {
		message["caption"] = caption
	}
	return message
}

// shown is a file as the Bot API shows it.
func (b *Bot) shown(id string, f stored) any {
	o := map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": len(f.data)}
	if f.kind == "photo" {
		small := map[string]any{"file_id": id + "-s", "file_unique_id": "s" + id, "file_size": 100, "width": 90, "height": 67}
		o["width"], o["height"] = 800, 600
		return []any{small, o}
	}
	if f.mediaType != "" {
		o["mime_type"] = f.mediaType
	}
	if f.name != "" && f.kind != "voice" {
		o["file_name"] = f.name
	}
	if f.kind != "document" {
		o["duration"] = f.seconds
	}
	if f.kind == "video" {
		o["width"], o["height"] = 640, 360
	}
	return o
}

// SetFace gives a customer a profile picture, or takes it away: data is nil then.
func (b *Bot) SetFace(customer int64, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.faces, customer)
	if data != nil {
		b.faces[customer] = b.store(stored{kind: "photo", data: data})
	}
}

func (b *Bot) getUserProfilePhotos(p params) (any, *refusal) {
	id := b.faces[p.number("user_id")]
	if id == "" {
		return map[string]any{"total_count": 0, "photos": []any{}}, nil
	}
	return map[string]any{"total_count": 1, "photos": []any{b.shown(id, *b.files[id])}}, nil
}

func (b *Bot) getFile(p params) (any, *refusal) {
	f := b.files[p["file_id"]]
	switch {
	case f == nil:
		return nil, bad("invalid file_id")
	case len(f.data) > downloadMost:
		return nil, bad("file is too big")
	}
	return map[string]any{"file_id": p["file_id"], "file_unique_id": "u" + p["file_id"], "file_size": len(f.data), "file_path": f.path}, nil
}

// serveFile serves /file/bot{token}/{path}.
func (s *Server) serveFile(w http.ResponseWriter, rest string) {
	token, path, _ := strings.Cut(rest, "/")
	b := s.bots[token]
	if b == nil {
		refuse(w, &refusal{code: http.StatusUnauthorized, description: "Unauthorized"})
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls["download"]++
	if f := b.matchFault("download", 0); f != nil {
		refuse(w, &refusal{code: f.Code, description: f.words()})
		return
	}
	for _, f := range b.files {
		if f.path == path {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(f.data) // an error means that the caller has gone
			return
		}
	}
	refuse(w, &refusal{code: http.StatusNotFound, description: "Not Found"})
}

// send carries out sendPhoto and its like.
func (b *Bot) send(kind string) func(params) (any, *refusal) {
	return func(p params) (any, *refusal) {
		c, failed := b.target(p)
		if failed != nil {
			return nil, failed
		}
		m := &SentMessage{Chat: c.id, Thread: p.number("message_thread_id"), At: time.Now()}
		if m.File, failed = b.file(kind, p); failed != nil {
			return nil, failed
		}
		if failed := caption(p, m); failed != nil {
			return nil, failed
		}
		if failed := c.replyTo(p, m); failed != nil {
			return nil, failed
		}
		if b.paced && m.At.Sub(c.last) < time.Second {
			return nil, &refusal{code: http.StatusTooManyRequests, description: "Too Many Requests: retry after 1", retryAfter: 1}
		}
		m.ID, c.last = b.nextMessage, m.At
		b.nextMessage++
		c.sent = append(c.sent, m)
		c.announce()
		return b.show(m), nil
	}
}

func caption(p params, m *SentMessage) *refusal {
	text := p["caption"]
	if strings.EqualFold(p["parse_mode"], "html") {
		m.HTML, m.Names = true, mentions(text)
		var wrong string
		if text, wrong = strip(text); wrong != "" {
			return bad("can't parse entities: %s", wrong)
		}
	}
	m.Text = strings.TrimSpace(text)
	if len(utf16.Encode([]rune(m.Text))) > captionMost {
		return bad("message caption is too long")
	}
	return buttons(p["reply_markup"], m)
}

// file is what a call sends.
func (b *Bot) file(kind string, p params) (*SentFile, *refusal) {
	f := &SentFile{Kind: kind}
	word := p[kind]
	if packed, ok := p[fileField+kind]; ok {
		name, data, _ := strings.Cut(packed, "\x00")
		f.How, f.Name, f.Data = "upload", name, []byte(data)
		if failed := checkUpload(f); failed != nil {
			return nil, failed
		}
		f.ID = b.store(stored{kind: kind, name: name, data: f.Data, mediaType: http.DetectContentType(f.Data)})
		return f, nil
	}
	switch known := b.files[word]; {
	case word == "":
		return nil, bad("there is no %s in the request", kind)
	case strings.HasPrefix(word, "https://"), strings.HasPrefix(word, "http://"):
		found, ok := b.web[word]
		most := linkMost
		if kind == "photo" {
			most = linkPhoto
		}
		if !ok || len(found.Data) > most {
			return nil, bad("failed to get HTTP URL content")
		}
		if prefix := map[string]string{"photo": "image/", "video": "video/mp4", "audio": "audio/"}[kind]; !strings.HasPrefix(found.Type, prefix) ||
			kind == "document" && found.Type != "application/pdf" && found.Type != "application/zip" && found.Type != "image/gif" {
			return nil, bad("wrong type of the web page content")
		}
		f.How, f.Data = "link", found.Data
		f.ID = b.store(stored{kind: kind, data: f.Data, mediaType: found.Type})
	case known == nil:
		return nil, bad("wrong file identifier/HTTP URL specified")
	case known.kind != kind:
		return nil, bad("can't use file of type %s as %s", known.kind, kind)
	default:
		f.How, f.ID, f.Name, f.Data = "id", word, known.name, known.data
	}
	return f, nil
}

func checkUpload(f *SentFile) *refusal {
	switch image := strings.HasPrefix(http.DetectContentType(f.Data), "image/"); {
	case len(f.Data) == 0:
		return bad("file must be non-empty")
	case len(f.Data) > uploadMost:
		return &refusal{code: http.StatusRequestEntityTooLarge, description: "Request Entity Too Large"}
	case f.Kind == "photo" && len(f.Data) > photoMost:
		return bad("file of size %d bytes is too big for a photo; the maximum size is %d bytes", len(f.Data), photoMost)
	case f.Kind == "photo" && !image:
		return bad("IMAGE_PROCESS_FAILED")
	}
	return nil
}

// fileField marks the parameters that came as files: name, zero byte, content.
const fileField = "\x00file:"

// addFiles adds the files of a multipart body.
func (p params) addFiles(form *multipart.Form) error {
	for field, list := range form.File {
		f, err := list[0].Open()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		p[fileField+field] = list[0].Filename + "\x00" + b.String()
	}
	return nil
}

// fileOf adds m's file to m as the Bot API shows it.
func (b *Bot) fileOf(m *SentMessage, shown map[string]any) {
	if m.File == nil {
		return
	}
	delete(shown, "text")
	if m.Text != "" {
		shown["caption"] = m.Text
	}
	if f := b.files[m.File.ID]; f != nil {
		shown[m.File.Kind] = b.shown(m.File.ID, *f)
	}
}
