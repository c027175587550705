package portal

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/media"
)

// Shelf keeps the files that go with entries; *media.Store is one.
type Shelf interface {
	Put(ctx context.Context, name string, r io.Reader, owner media.Owner) (media.Blob, error)
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// maxFiles bounds the files that are sent together with one file of entries.
const maxFiles = 50

// A mediaView is a file or link of an entry.
type mediaView struct {
	Name, Href, Op string // Op is "" for one that stays, "ins" or "del"
	Icon           string
	Image, Away    bool // Away means that it is somebody else's, by a link
}

// viewMedia is what goes with an entry, with what changed marked.
func (s scope) viewMedia(before, after []knowledge.Media) (list []mediaView) {
	add := func(op string, m knowledge.Media) {
		v := mediaView{Name: m.Name, Op: op, Icon: "file", Image: m.Kind == "photo" && m.File != "", Away: m.File == "", Href: m.Link}
		if m.File != "" {
			v.Href = s.at("/media/" + m.File)
		} else if u, err := url.Parse(m.Link); err == nil {
			v.Name = path.Base(u.Path) + " (" + u.Host + ")"
		}
		list = append(list, v)
	}
	for _, m := range before {
		if !slices.Contains(after, m) {
			add("del", m)
		}
	}
	for _, m := range after {
		if slices.Contains(before, m) {
			add("", m)
		} else {
			add("ins", m)
		}
	}
	return list
}

// viewOf is a change's media; what an added entry has is not marked as new.
func (s scope) viewOf(c knowledge.Change) []mediaView {
	switch c.Kind {
	case knowledge.ChangeAdded:
		return s.viewMedia(c.After.Media, c.After.Media)
	case knowledge.ChangeRetired:
		return s.viewMedia(c.Before.Media, c.Before.Media)
	}
	return s.viewMedia(c.Before.Media, c.After.Media)
}

// errFile is a file for entries that is not taken; its words are for the person.
type errFile struct{ words string }

func (e *errFile) Error() string { return e.words }

// keepFile keeps a file that was sent with a file of entries.
func (p *Portal) keepFile(ctx context.Context, s scope, name string, r io.Reader) (knowledge.Media, error) {
	b, err := p.o.Media.Put(ctx, name, r, media.Owner{Affiliate: string(s.affiliate)})
	switch {
	case errors.Is(err, media.ErrQuota):
		return knowledge.Media{}, &errFile{s.Say("media_quota", "name", fileName(name), "why", err)}
	case errors.Is(err, media.ErrDisk):
		return knowledge.Media{}, &errFile{s.Say("media_disk", "name", fileName(name))}
	case errors.Is(err, media.ErrTooLarge):
		return knowledge.Media{}, &errFile{s.Say("media_large", "name", fileName(name), "mb", media.MaxBytes>>20)}
	case errors.Is(err, media.ErrType):
		return knowledge.Media{}, &errFile{s.Say("media_type", "name", fileName(name))}
	case err != nil:
		return knowledge.Media{}, err
	}
	return knowledge.Media{Kind: b.Kind(), File: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}, nil
}

// media hands out a file that the affiliate sent.
func (p *Portal) media(g *gin.Context, s scope) error {
	if p.o.Media == nil {
		return knowledge.ErrNotFound
	}
	ctx, id := g.Request.Context(), g.Param("file")
	files, err := p.corpus.Files(ctx, s.affiliate)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(files, func(m knowledge.Media) bool { return m.File == id })
	if at < 0 {
		return knowledge.ErrNotFound
	}
	return p.serveFile(g, id, files[at].Name)
}

// serveFile hands out a file that the person may see.
func (p *Portal) serveFile(g *gin.Context, id, name string) error {
	b, data, err := p.o.Media.Get(g.Request.Context(), id)
	if errors.Is(err, media.ErrNotFound) {
		return knowledge.ErrNotFound
	}
	if err == nil {
		media.Serve(g.Writer, g.Request, b, name, data)
	}
	return err
}
