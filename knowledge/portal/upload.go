package portal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
)

// An uploadPage is where a file is sent.
type uploadPage struct {
	frame
	Error  string
	Drafts []draft
	Some   bool // something is published
	MiB    int
	Rows   string
	Media  bool // files that go with entries are taken
	Crawl  bool // web pages are read

	Address, AddressError string // of the web page that was asked for, and why it was not read
	Below                 bool
}

// A draft is a file that waits to be published.
type draft struct {
	Href, File, By string
	At             time.Time
	Outdated       bool
}

func (p *Portal) showUpload(g *gin.Context, s scope) error {
	return p.uploadForm(g, s, http.StatusOK, "")
}

func (p *Portal) uploadForm(g *gin.Context, s scope, status int, problem string) error {
	return p.showForm(g, s, status, uploadPage{Error: problem})
}

// showForm shows the upload page with what data says of the last attempt.
func (p *Portal) showForm(g *gin.Context, s scope, status int, data uploadPage) error {
	ctx := g.Request.Context()
	drafts, err := p.corpus.Drafts(ctx, s.affiliate)
	if err != nil {
		return err
	}
	data.frame, data.Some, data.MiB, data.Media, data.Crawl = s.frame("upload"), s.revision > 0, limits.MaxFile>>20, p.o.Media != nil, p.o.Crawl != nil
	data.Rows = fmt.Sprintf("%d,%03d", limits.MaxRows/1000, limits.MaxRows%1000)
	for _, u := range drafts {
		data.Drafts = append(data.Drafts, draft{s.at("/uploads/" + string(u.ID)), u.File, u.By, u.At, u.Base != s.revision})
	}
	if id := g.Query("discarded"); id != "" {
		if u, err := p.corpus.Upload(ctx, knowledge.UploadID(id)); err == nil && u.Affiliate == s.affiliate && u.Discarded {
			data.Toast = &page.Toast{Words: s.Say("discarded", "file", u.File), Undo: s.at("/uploads/" + id + "/restore"), Action: s.Say("undo")}
		}
	}
	return p.show(g, status, "upload", data)
}

// What is wrong with a file before it is read.
var (
	errNoFile  = errors.New("no file")
	errTooLong = errors.New("more than a file may have")
)

// bodyMost bounds a request with a file. It is far above what a file may have, for a browser that is
// still sending does not listen to what is wrong.
const bodyMost = 64 << 20

// receiveMost is how long a request with files may take to arrive, and answerMost how long the answer may
// then take: a server's own limit counts from the request's first byte.
const (
	receiveMost = 5 * time.Minute
	answerMost  = time.Minute
)

func (p *Portal) upload(g *gin.Context, s scope) error {
	g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, bodyMost)
	// Pictures and videos take longer than a server's usual patience. Without a network's deadline, as in
	// tests, there is none to move.
	control := http.NewResponseController(g.Writer)
	_ = control.SetReadDeadline(time.Now().Add(receiveMost))
	sent, files, err := p.receive(g.Request, s)
	_ = control.SetWriteDeadline(time.Now().Add(answerMost))
	wrong, refused := errors.AsType[*errFile](err)
	_, oversize := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, errTooLong), oversize:
		return p.uploadForm(g, s, http.StatusRequestEntityTooLarge, s.Say("file_too_long", "mib", limits.MaxFile>>20))
	case refused:
		return p.uploadForm(g, s, http.StatusUnprocessableEntity, wrong.words)
	case errors.Is(err, errNoFile):
		return p.uploadForm(g, s, http.StatusUnprocessableEntity, s.Say("no_file"))
	case err != nil:
		return p.uploadForm(g, s, http.StatusBadRequest, s.Say("not_whole"))
	}
	if err := p.corpus.AddFiles(g.Request.Context(), s.affiliate, files); err != nil {
		return err
	}
	var u knowledge.Upload
	if len(sent) == 1 {
		u, err = p.read(g.Request.Context(), s, sent[0].Name, sent[0].Data, knowledge.Reading{})
	} else {
		u, err = p.readSeveral(g.Request.Context(), s, sent)
	}
	empty, none := errors.AsType[*errNoQuestions](err)
	switch {
	case none:
		return p.uploadForm(g, s, http.StatusUnprocessableEntity, empty.why)
	case errors.Is(err, knowledge.ErrUploads):
		return p.uploadForm(g, s, http.StatusTooManyRequests, s.Say("too_many_uploads", "why", errors.Unwrap(err)))
	case err != nil:
		return err
	}
	return see(g, s.at("/uploads/"+string(u.ID)))
}

// maxSent is how many files one upload may have.
const maxSent = 500

// receive returns the files that a form sends, and those that go with their entries. It keeps no more
// of each than a file may have, and reads the rest only to be rid of it. The first thing that is wrong is
// told once everything was read: a browser that still sends does not listen.
func (p *Portal) receive(r *http.Request, s scope) (sent []faqfile.File, files []knowledge.Media, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, errNoFile
	}
	var wrong error
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			if len(sent) == 0 {
				wrong = cmp.Or(wrong, errNoFile)
			}
			return sent, files, wrong
		case err != nil:
			return nil, nil, err
		case part.FormName() == "file" && wrong == nil:
			var file faqfile.File
			switch file.Name, file.Data, err = receivePart(part); {
			case errors.Is(err, errNoFile): // the field is empty
			case err != nil:
				wrong = err
			case len(sent) == maxSent:
				wrong = &errFile{s.Say("too_many_sent", "n", maxSent)}
			default:
				sent = append(sent, file)
			}
		case part.FormName() == "media" && part.FileName() != "" && p.o.Media != nil && wrong == nil:
			var m knowledge.Media
			if m, wrong = p.keepFile(r.Context(), s, part.FileName(), part); len(files) == maxFiles && wrong == nil {
				wrong = &errFile{s.Say("too_many_files", "n", maxFiles)}
			}
			files = append(files, m)
		}
	}
}

func receivePart(part *multipart.Part) (name string, data []byte, err error) {
	data, err = io.ReadAll(io.LimitReader(part, limits.MaxFile+1))
	switch {
	case err != nil:
		return "", nil, err
	case len(data) > limits.MaxFile:
		_, err := io.Copy(io.Discard, part)
		return "", nil, errors.Join(errTooLong, err)
	case len(data) == 0:
		return "", nil, errNoFile
	}
	return fileName(part.FileName()), data, nil
}

const nameMost = 150 // characters

// fileName is what a file is called here: of its own name what can be shown, and its ending.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if name == "" {
		return "file"
	}
	if ext := []rune(path.Ext(name)); utf8.RuneCountInString(name) > nameMost {
		ext = ext[:min(len(ext), 10)]
		return string([]rune(name)[:nameMost-1-len(ext)]) + "…" + string(ext)
	}
	return name
}

// read stores what a file, read that way, would change.
func (p *Portal) read(ctx context.Context, s scope, name string, data []byte, reading knowledge.Reading) (knowledge.Upload, error) {
	end, ok := p.turns.begin(workReading, s.affiliate)
	if !ok {
		return knowledge.Upload{}, errTurn(workReading)
	}
	defer end()
	defer p.o.Read()
	digest, err := p.corpus.KeepFile(ctx, s.affiliate, data)
	if err != nil {
		return knowledge.Upload{}, err
	}
	rows, problems, err := p.o.Files.Parse(ctx, name, data, faqfile.Options{Reading: reading})
	if errors.Is(err, faqfile.ErrBusy) {
		return knowledge.Upload{}, errBusy()
	}
	if err != nil {
		return knowledge.Upload{}, err
	}
	return p.propose(ctx, s, knowledge.Upload{File: name, Digest: digest, Problems: problems, Reading: reading}, rows)
}

// readSeveral stores what several files, read as one FAQ, would change.
func (p *Portal) readSeveral(ctx context.Context, s scope, sent []faqfile.File) (knowledge.Upload, error) {
	end, ok := p.turns.begin(workReading, s.affiliate)
	if !ok {
		return knowledge.Upload{}, errTurn(workReading)
	}
	defer end()
	defer p.o.Read()
	slices.SortStableFunc(sent, func(a, b faqfile.File) int { return cmp.Compare(a.Name, b.Name) })
	all, err := p.o.Files.ParseAll(ctx, func(yield func(faqfile.File, error) bool) {
		for _, file := range sent {
			if !yield(file, nil) {
				return
			}
		}
	}, faqfile.Options{})
	switch {
	case errors.Is(err, faqfile.ErrBusy):
		return knowledge.Upload{}, errBusy()
	case err != nil:
		return knowledge.Upload{}, err
	case len(all.Rows) == 0:
		return knowledge.Upload{}, noQuestions(all.Problems)
	}
	digest, err := p.corpus.KeepFile(ctx, s.affiliate, all.Data)
	if err != nil {
		return knowledge.Upload{}, err
	}
	name := fmt.Sprintf("%s and %d more.jsonl", sent[0].Name, len(sent)-1)
	return p.propose(ctx, s, knowledge.Upload{File: name, Digest: digest, Problems: all.Problems}, all.Rows)
}

// propose stores what rows would change: u is their file.
func (p *Portal) propose(ctx context.Context, s scope, u knowledge.Upload, rows []knowledge.Row) (knowledge.Upload, error) {
	files, err := p.corpus.Files(ctx, s.affiliate)
	if err != nil {
		return knowledge.Upload{}, err
	}
	u.Affiliate, u.By, u.Problems = s.affiliate, s.person.Name, append(u.Problems, knowledge.FindFiles(rows, files)...)
	return p.corpus.Preview(ctx, u, rows)
}

// readAgain reads u's file another way and puts the result in u's place.
func (p *Portal) readAgain(ctx context.Context, s scope, u knowledge.Upload, reading knowledge.Reading) (knowledge.Upload, error) {
	data, err := p.raw(ctx, u)
	if err != nil {
		return knowledge.Upload{}, err
	}
	again, err := p.read(ctx, s, u.File, data, reading)
	if err == nil && again.ID != u.ID && u.Published == 0 {
		err = p.corpus.SetAside(ctx, u.ID, true)
	}
	return again, err
}

// raw returns u's file as it was sent.
func (p *Portal) raw(ctx context.Context, u knowledge.Upload) ([]byte, error) {
	data, err := p.corpus.File(ctx, u.Affiliate, u.Digest)
	if errors.Is(err, knowledge.ErrNotFound) {
		return nil, &told{status: http.StatusGone, key: "file_gone"}
	}
	return data, err
}

// file hands the file back as it was sent.
func (p *Portal) file(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	data, err := p.raw(g.Request.Context(), u)
	if err != nil {
		return err
	}
	attach(g, u.File, "application/octet-stream", data)
	return nil
}

// template hands out a file to begin with.
func (p *Portal) template(g *gin.Context, _ scope) error {
	return sendEntries(g, "faq-template", g.Param("file"), []knowledge.Entry{
		{Key: "join", Question: "How do I join the program?", Topic: "Joining", Locale: "en",
			Answer:   "Fill in the form on the sign-up page. You hear from us within two working days.",
			Variants: []string{"Where can I sign up?", "I want to become an affiliate"}},
		{Key: "spring-sale", Question: "How long does the spring sale last?", Topic: "Promotions", Locale: "en",
			Answer: "Until 31 March. After that the usual commission applies.",
			From:   time.Date(2030, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2030, 4, 1, 0, 0, 0, 0, time.UTC)},
	})
}
