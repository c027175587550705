package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge/media"
)

// Shelf keeps the files that agents send; *media.Store is one.
type Shelf interface {
	Put(ctx context.Context, name string, r io.Reader, owner media.Owner) (media.Blob, error)
}

const (
	maxFiles = 5 // of one reply
	// maxFileBody bounds a form with files.
	maxFileBody = 2*media.MaxBytes + maxBody
	// receiveMost is how long a form with files may take to arrive.
	receiveMost = 5 * time.Minute
)

// A staged is a file that was sent with a reply and waits for the reply to go out.
type staged struct {
	Token string // names the file, to this person at this ticket alone
	Words string
	media bot.Media
}

// errFile is a file that is not taken; its words are for the agent.
type errFile struct{ words string }

func (e *errFile) Error() string { return e.words }

// withFiles lets a form with files be larger and slower than others.
func withFiles(g *gin.Context, body io.ReadCloser) {
	g.Request.Body = http.MaxBytesReader(g.Writer, body, maxFileBody)
	_ = http.NewResponseController(g.Writer).SetReadDeadline(time.Now().Add(receiveMost)) // where there is none, none is to be moved
}

// parseFiles reads a form, with files or without. The caller closes it.
func parseFiles(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := r.ParseMultipartForm(1 << 20); !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	return nil
}

func closeForm(r *http.Request) {
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // the system's temporary folder is swept anyway
	}
}

// filesOf are the files of a posted reply: those that were staged before and are still wanted, and those
// that came with it. What is wrong with one is an *errFile.
func (c *Console) filesOf(g *gin.Context, p reader, t handoff.Ticket) (list []staged, err error) {
	for _, token := range g.PostFormArray("kept") {
		if s, ok := c.known(p, t.ID, token); ok && !slices.ContainsFunc(list, func(o staged) bool { return o.media.File == s.media.File }) {
			list = append(list, s)
		}
	}
	var wrong error
	if form := g.Request.MultipartForm; form != nil && c.o.Shelf != nil {
		for _, h := range form.File["file"] {
			if h.Size == 0 && h.Filename == "" { // a form without a chosen file posts an empty one
				continue
			}
			s, err := c.stage(g.Request.Context(), p, t, h)
			if _, refused := errors.AsType[*errFile](err); refused {
				wrong = err
				continue
			}
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
	}
	if len(list) > maxFiles {
		list, wrong = list[:maxFiles], &errFile{p.Say("too_many_files", "n", maxFiles)}
	}
	return list, wrong
}

// stage keeps a posted file.
func (c *Console) stage(ctx context.Context, p reader, t handoff.Ticket, h *multipart.FileHeader) (staged, error) {
	f, err := h.Open()
	if err != nil {
		return staged{}, fmt.Errorf("open a posted file: %w", err)
	}
	b, err := c.o.Shelf.Put(ctx, h.Filename, f, media.Owner{Affiliate: string(t.Affiliate)})
	err = errors.Join(err, f.Close())
	switch {
	case errors.Is(err, media.ErrTooLarge):
		return staged{}, &errFile{p.Say("file_too_large", "name", path.Base(h.Filename), "mb", media.MaxBytes>>20)}
	case errors.Is(err, media.ErrType):
		return staged{}, &errFile{p.Say("file_type", "name", path.Base(h.Filename))}
	case errors.Is(err, media.ErrQuota):
		return staged{}, &errFile{p.Say("file_quota", "name", path.Base(h.Filename), "why", err)}
	case errors.Is(err, media.ErrDisk):
		return staged{}, &errFile{p.Say("file_disk", "name", path.Base(h.Filename))}
	case err != nil:
		return staged{}, err
	}
	return c.stagedOf(p, t.ID, bot.Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size})
}

func (c *Console) stagedOf(p reader, id handoff.TicketID, m bot.Media) (staged, error) {
	packed, err := json.Marshal(m)
	if err != nil {
		return staged{}, err
	}
	text := base64.RawURLEncoding.EncodeToString(packed)
	return staged{Token: text + "." + c.o.Signer.Sign(stagedMessage(p, id, text)), Words: m.Name + " · " + sizeWords(m.Size), media: m}, nil
}

// known is the file that a token names. Nobody can make one: it would be a way to have another
// affiliate's file sent to oneself.
func (c *Console) known(p reader, id handoff.TicketID, token string) (staged, bool) {
	text, signature, ok := strings.Cut(token, ".")
	if !ok || !c.o.Signer.Verify(stagedMessage(p, id, text), signature) {
		return staged{}, false
	}
	packed, err := base64.RawURLEncoding.DecodeString(text)
	var m bot.Media
	if err != nil || json.Unmarshal(packed, &m) != nil {
		return staged{}, false
	}
	return staged{Token: token, Words: m.Name + " · " + sizeWords(m.Size), media: m}, true
}

// stagedMessage is what is signed of a file's name.
func stagedMessage(p reader, id handoff.TicketID, text string) string {
	return fmt.Sprintf("staged\x00%s\x00%s\x00%s", p.Name, id, text)
}

// postFile stages one file before the reply is sent, for the script: so there is something to watch while it
// travels, and something to take back.
func (c *Console) postFile(g *gin.Context, p reader) error {
	defer closeForm(g.Request)
	if err := parseFiles(g.Request); err != nil {
		return err
	}
	t, err := c.ticketOf(g.Request.Context(), p, handoff.TicketID(g.Param("ticket")))
	if err != nil {
		return err
	}
	list, err := c.filesOf(g, p, t)
	if wrong, refused := errors.AsType[*errFile](err); refused {
		g.JSON(http.StatusUnprocessableEntity, gin.H{"error": wrong.words})
		return nil
	}
	if err != nil {
		return err
	}
	if len(list) != 1 {
		g.JSON(http.StatusBadRequest, gin.H{"error": p.Say("one_file")})
		return nil
	}
	g.JSON(http.StatusOK, gin.H{"token": list[0].Token, "words": list[0].Words})
	return nil
}

func sizeWords(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d kB", max(n>>10, 1))
}

// A file is an attachment as it is shown.
type file struct {
	Show        string // image, audio, video, "" for a document or for one that is not here
	Label       string // what it is, where that is more than a file: an order, a product; "" where Words say it
	Words, Href string
	Away        bool   // somebody else's, by a link
	Note        string // why it is not here, or has no words
	Lost        bool
}

func (c *Console) fileOf(p reader, a bot.Attachment, ours bool) file {
	f := file{Words: a.Name, Href: c.o.Media(a)}
	switch kind := p.One("kind_", a.Kind); {
	case a.Name == "":
		f.Words = kind
	case a.File == "" && a.Kept == "" && a.Type == "":
		f.Label = kind
	}
	if a.Size > 0 {
		f.Words += " · " + sizeWords(a.Size)
	}
	if a.Seconds > 0 {
		f.Words += fmt.Sprintf(" · %d:%02d", a.Seconds/60, a.Seconds%60)
	}
	switch {
	case f.Href != "" && (a.Kind == "voice" || strings.HasPrefix(a.Type, "audio/")):
		f.Show = "audio"
	case f.Href != "" && strings.HasPrefix(a.Type, "image/"):
		f.Show = "image"
	case f.Href != "" && strings.HasPrefix(a.Type, "video/"):
		f.Show = "video"
	case a.Link != "":
		f.Href, f.Away = a.Link, true
	case a.Lost != "":
		f.Note, f.Lost = p.One("lost_", a.Lost, "mb", media.MaxBytes>>20), true
	case a.File != "" && a.Kept == "" && !ours:
		f.Note = p.Say("being_fetched")
	}
	if a.Unheard != "" {
		f.Note = p.One("unheard_", a.Unheard)
	}
	return f
}
