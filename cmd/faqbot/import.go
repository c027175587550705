package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"
	"github.com/sirupsen/logrus"
	"golang.org/x/term"

	"faqbot/knowledge"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/retrieval"
)

// importCommand reads an affiliate's file.
type importCommand struct {
	File      string `arg:"" help:"CSV, TSV, XLSX, JSON, JSON Lines, YAML, Markdown, DOCX, HTML or text, a folder of such files, or the address of a web page: https://…"`
	Affiliate string `required:"" help:"Whose FAQ it is." placeholder:"NAME"`
	Topics    bool   `help:"Of a web page: read the pages below it, too."`
	Publish   bool   `help:"Publish it. Without this nothing changes for customers."`
	Replace   bool   `help:"The file replaces everything. Without this entries that it lacks stay if they are more than half of what is published."`
	Encoding  string `help:"The file's character encoding where it is taken for another one: Windows-1250, Shift_JIS …" placeholder:"NAME"`
	Yes       bool   `help:"With --replace: remove more than half of what is published without asking."`
	DryRun    bool   `help:"Only read the file: nothing is compared, stored or changed, and no database is needed."`
	JSON      bool   `name:"json" help:"With --dry-run: print what was read as JSON."`
}

func (cmd importCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	if err := cmd.checkFlags(); err != nil {
		return err
	}
	if !cmd.isURL() {
		cmd.File = kong.ExpandPath(cmd.File)
	}
	if cmd.DryRun {
		return cmd.dryRun(ctx, cli, term)
	}
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	faq, err := cmd.read(ctx, c)
	if err != nil {
		return err
	}
	db, err := openDB(ctx, c)
	if err != nil {
		return err
	}
	corpus := knowledge.NewCorpus(db, time.Now)
	affiliate := knowledge.AffiliateID(cmd.Affiliate)
	err = func() error {
		if err := corpus.EnsureAffiliate(ctx, affiliate); err != nil {
			return err
		}
		found, err := cmd.findMedia(ctx, corpus, media.NewStore(db, media.Options{}), faq.Rows)
		if err != nil {
			return err
		}
		upload, err := corpus.Preview(ctx, knowledge.Upload{Affiliate: affiliate, File: faq.File,
			Digest: knowledge.Digest(faq.Data), By: whoami(), Problems: append(faq.Problems, found...), Reading: cmd.readOptions()}, faq.Rows)
		if err != nil {
			return err
		}
		printPreview(term.out, upload)
		switch {
		case upload.Fatal():
			fmt.Fprintln(term.err, "faqbot: nothing can be published until the problems marked ✗ are mended")
			return errReported
		case !cmd.Publish:
			fmt.Fprintln(term.out, "Nothing is published yet. To publish it, run the same command with --publish.")
			return nil
		}
		if err := cmd.confirm(upload, term); err != nil {
			return err
		}
		progress := newProgress(term.err, "reading")
		e, err := newEmbedders(c, db, progress.set)
		if err != nil {
			return err
		}
		return publish(ctx, corpus, e, upload, term)
	}()
	return errors.Join(err, db.Close())
}

func (cmd importCommand) checkFlags() error {
	switch {
	case cmd.Topics && !cmd.isURL():
		return errors.New("--topics goes with the address of a web page: https://…")
	case cmd.DryRun && cmd.Publish:
		return errors.New("--dry-run changes nothing, so it does not go with --publish")
	case cmd.JSON && !cmd.DryRun:
		return errors.New("--json goes with --dry-run")
	case cmd.Encoding != "" && !slices.Contains(faqfile.Encodings(), cmd.Encoding):
		return fmt.Errorf("--encoding is one of %s", strings.Join(faqfile.Encodings(), ", "))
	case cmd.Yes && !cmd.Replace:
		return errors.New("--yes goes with --replace")
	}
	return nil
}

// read reads the file, all files of the folder, or the web pages.
func (cmd importCommand) read(ctx context.Context, c config) (crawl.FAQ, error) {
	if cmd.isURL() {
		return crawl.New(crawl.Options{PrivateHosts: c.Import.PrivateHosts}).Read(ctx, newFilePool(), cmd.File, cmd.Topics)
	}
	faq := crawl.FAQ{File: filepath.Base(cmd.File)}
	if cmd.dir() == cmd.File {
		all, err := readFolder(ctx, cmd.File, faqfile.Options{Reading: cmd.readOptions()})
		faq.Rows, faq.Problems, faq.Data = all.Rows, all.Problems, all.Data
		return faq, err
	}
	var err error
	faq.Rows, faq.Problems, faq.Data, err = readFAQ(ctx, cmd.File, faqfile.Options{Reading: cmd.readOptions()})
	return faq, err
}

func (cmd importCommand) isURL() bool {
	return strings.HasPrefix(cmd.File, "https://") || strings.HasPrefix(cmd.File, "http://")
}

// findMedia looks for the files that rows name. Those of a web page name none of this machine.
func (cmd importCommand) findMedia(ctx context.Context, corpus *knowledge.Corpus, store *media.Store, rows []knowledge.Row) ([]knowledge.Problem, error) {
	affiliate := knowledge.AffiliateID(cmd.Affiliate)
	if !cmd.isURL() {
		return findMedia(ctx, corpus, store, affiliate, cmd.dir(), rows)
	}
	files, err := corpus.Files(ctx, affiliate)
	return knowledge.FindFiles(rows, files), err
}

// dir is where pictures and the like lie that entries name.
func (cmd importCommand) dir() string {
	if info, err := os.Stat(cmd.File); err == nil && info.IsDir() {
		return cmd.File
	}
	return filepath.Dir(cmd.File)
}

func (cmd importCommand) readOptions() knowledge.Reading {
	reading := knowledge.Reading{Encoding: cmd.Encoding}
	if cmd.Replace {
		reading.Absent = knowledge.AbsentRetired
	}
	return reading
}

// confirm asks before more than half of what is published is removed: for the number on a terminal, else
// for --yes.
func (cmd importCommand) confirm(u knowledge.Upload, t terminal) error {
	if cmd.Yes || !u.RemovesMost() {
		return nil
	}
	n := u.Retired()
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return fmt.Errorf("%d entries would be removed, more than half of what is published; nothing was published. If that is right, add --yes; to keep them, leave out --replace", n)
	}
	fmt.Fprintf(t.err, "%d entries will be removed, more than half of what is published. Type the number to remove them: ", n)
	var typed int
	if _, err := fmt.Fscanln(os.Stdin, &typed); err != nil || typed != n {
		return errors.New("that is not the number; nothing was published")
	}
	return nil
}

// publish makes the vectors first, so that the server has the new entries live at once.
func publish(ctx context.Context, corpus *knowledge.Corpus, e embedders, u knowledge.Upload, term terminal) error {
	entries := knowledge.AfterAll(u.Changes)
	if err := retrieval.Prepare(ctx, e.builtin.For(entries), entries); err != nil {
		return fmt.Errorf("make vectors: %w", err)
	}
	if e.primary != nil {
		if err := retrieval.Prepare(ctx, e.primary, entries); err != nil {
			fmt.Fprintf(term.err, "faqbot: the embeddings service failed, the built-in encoder will answer until it is back: %v\n", err)
		}
	}
	revision, err := corpus.Publish(ctx, u.ID, whoami())
	if errors.Is(err, knowledge.ErrOutdated) {
		return fmt.Errorf("somebody else published meanwhile: look at the changes again and run the command once more: %w", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "Published: revision %d of %s.\n", revision, u.Affiliate)
	return nil
}

func readFAQ(ctx context.Context, path string, o faqfile.Options) ([]knowledge.Row, []knowledge.Problem, []byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, nil, nil, err
	}
	rows, problems, err := newFilePool().Parse(ctx, filepath.Base(path), data, o)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read the FAQ: %w", err)
	}
	return rows, problems, data, nil
}

// readFile reads a file no further than one byte beyond the limit, which faqfile then reports.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the FAQ: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, limits.MaxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the FAQ: %w", err)
	}
	return data, nil
}

// shownProblems bounds what is printed; the upload keeps them all.
const shownProblems = 50

func printPreview(w io.Writer, u knowledge.Upload) {
	count := map[knowledge.ChangeKind]int{}
	for _, c := range u.Changes {
		count[c.Kind]++
	}
	fmt.Fprintf(w, "%s for %s: %d added, %d edited, %d retired, %d unchanged", u.File, u.Affiliate,
		count[knowledge.ChangeAdded], count[knowledge.ChangeEdited], count[knowledge.ChangeRetired], u.Unchanged)
	switch {
	case u.Kept > 0 && u.Reading.Absent == knowledge.AbsentStay:
		fmt.Fprintf(w, ", %d that the file lacks stay (--replace removes them)", u.Kept)
	case u.Kept > 0 && !u.Unread():
		fmt.Fprintf(w, ", %d that were written here or came from elsewhere stay", u.Kept)
	case u.Kept > 0:
		fmt.Fprintf(w, ", %d kept although their row could not be read", u.Kept)
	}
	if n := len(u.Held); n > 0 {
		fmt.Fprintf(w, ", %d edited by hand stay (the page of the preview lets you choose the file's words)", n)
	}
	fmt.Fprintln(w)
	printProblems(w, u.Problems)
}

func printProblems(w io.Writer, problems []knowledge.Problem) {
	for i, p := range problems {
		if i == shownProblems {
			fmt.Fprintf(w, "  … and %d more problems\n", len(problems)-i)
			return
		}
		mark := "!"
		if p.Fatal {
			mark = "✗"
		}
		where := ""
		if p.Line > 0 {
			where = fmt.Sprintf("line %d: ", p.Line)
		}
		if p.Field != "" {
			where += p.Field + ": "
		}
		fmt.Fprintf(w, "  %s %s%s\n", mark, where, p.Text)
	}
}

// whoami is who runs the command, for the history.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "terminal"
}

// progress shows how far a long piece of work is: a bar on a terminal, else a line now and then.
type progress struct {
	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int
	out   io.Writer
	what  string
	lines func(done, total int) // nil on a terminal
}

func newProgress(w io.Writer, what string) *progress {
	p := &progress{out: w, what: what}
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		p.lines = nowAndThen(func(done, total int) { fmt.Fprintf(w, "%s %d of %d\n", what, done, total) })
	}
	return p
}

// set shows that done of total is done. A new total begins a new bar.
func (p *progress) set(done, total int) {
	if total == 0 {
		return
	}
	if p.lines != nil {
		p.lines(done, total)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil || p.total != total {
		p.total = total
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn is not worth failing for
}

// nowAndThen passes on how far a piece of work is, of one that takes longer than progressEvery.
func nowAndThen(tell func(done, total int)) func(done, total int) {
	var mu sync.Mutex
	last := time.Now()
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case done == 0 || done == total: // begun, or nothing more to wait for
			last = time.Now()
		case time.Since(last) >= progressEvery:
			last = time.Now()
			tell(done, total)
		}
	}
}

const progressEvery = 3 * time.Second

// logProgress tells the log how many of an upload's wordings are embedded.
func logProgress(log logrus.FieldLogger) func(done, total int) {
	return nowAndThen(func(done, total int) {
		log.WithFields(logrus.Fields{"done": done, "total": total}).Info("reading wordings")
	})
}
