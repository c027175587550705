// Package start is the guided start and the list of affiliates: pages for admins. The start leads from an affiliate's
// name over their FAQ, trying it and the chat on a page to a messenger. What a step does is done by the pages it leads
// to; a step is done once there is what it is for, and each can be skipped.
package start

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot/accounts"
	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/visit"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("start", migrations) }

// maxForm is the largest form taken, in bytes: a pasted FAQ.
const maxForm = 2 << 20

// Options are what the pages are told of the rest. All but Chrome are required.
type Options struct {
	Chrome   func(*http.Request) page.Chrome
	Who      func(*http.Request) (people.Person, bool)
	Accounts *accounts.Service
	Files    *faqfile.Pool
	// Prepare makes the vectors of entries before they are published.
	Prepare   func(context.Context, []knowledge.Entry) error
	Published func() // called after each publish and whenever an affiliate comes or goes
	Record    func(ctx context.Context, by people.PersonID, action people.Action, object string) error
	Log       logrus.FieldLogger
}

// Actions in the audit.
const (
	actionAdd     people.Action = "add an affiliate"
	actionRename  people.Action = "rename an affiliate"
	actionArchive people.Action = "archive an affiliate"
	actionRestore people.Action = "restore an affiliate"
)

// A Start serves the pages.
type Start struct {
	db     *sqldb.DB
	corpus *knowledge.Corpus
	pages  *page.Pages
	host   visit.Host
	o      Options
}

// New returns the pages over db, to which Schema was applied.
func New(db *sqldb.DB, corpus *knowledge.Corpus, o Options) (*Start, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("the guided start: %w", err)
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Texts: "guide"})
	if err != nil {
		return nil, fmt.Errorf("the guided start: %w", err)
	}
	return &Start{db: db, corpus: corpus, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "guide_missing", Broken: "guide_broken"}, o: o}, nil
}

// Register mounts the pages, which are for admins.
func (s *Start) Register(r gin.IRouter) {
	r = r.Group("", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	r.GET("/start", s.handle(s.begin))
	r.POST("/start", s.handle(s.name))
	r.GET("/start/:affiliate", s.handle(s.steps))
	r.POST("/start/:affiliate/paste", s.handle(s.paste))
	r.POST("/start/:affiliate/write", s.handle(s.write))
	r.POST("/start/:affiliate/steps/:step", s.handle(s.mark))
	r.GET("/affiliates", s.handle(s.list))
	r.POST("/affiliates", s.handle(s.add))
	r.POST("/affiliates/:affiliate/rename", s.handle(s.rename))
	r.POST("/affiliates/:affiliate/archive", s.handle(s.archive))
	r.POST("/affiliates/:affiliate/restore", s.handle(s.restore))
}

// A request is one to a page. Its affiliate is one that the person may see, if the address names one.
type request struct {
	*gin.Context
	person    people.Person
	affiliate knowledge.Affiliate
	all       []knowledge.Affiliate // that the person may see, those archived as well
	locale.Texts
}

func (s *Start) handle(do func(request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		person, _ := s.o.Who(c.Request)
		r := request{Context: c, person: person, Texts: s.pages.Texts(c.Request)}
		all, err := s.corpus.AllAffiliates(c.Request.Context())
		r.all = slices.DeleteFunc(all, func(a knowledge.Affiliate) bool { return !person.May(a.ID) })
		if id := c.Param("affiliate"); err == nil && id != "" {
			i := slices.IndexFunc(r.all, func(a knowledge.Affiliate) bool { return string(a.ID) == id })
			if i < 0 {
				err = knowledge.ErrNotFound
			} else {
				r.affiliate = r.all[i]
			}
		}
		if err == nil {
			err = do(r)
		}
		s.host.Explain(c, err)
	}
}

func (s *Start) record(r request, action people.Action, object string) {
	if err := s.o.Record(r.Request.Context(), r.person.ID, action, object); err != nil {
		s.o.Log.WithError(err).Error("cannot note in the audit")
	}
}

func see(r request, to string) error {
	r.Redirect(http.StatusSeeOther, to)
	return nil
}

// at is the address of an affiliate's start.
func at(id knowledge.AffiliateID, path string) string {
	return "/start/" + url.PathEscape(string(id)) + path
}

// marks reads which steps of an affiliate were called done or skipped.
func (s *Start) marks(ctx context.Context, id knowledge.AffiliateID) (map[string]string, error) {
	list := map[string]string{}
	err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var step, state string
		err := rows.Scan(&step, &state)
		list[step] = state
		return err
	}, `SELECT step, state FROM start_steps WHERE affiliate = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read the steps of the start: %w", err)
	}
	return list, nil
}

// setMark calls a step done or skipped; "" takes that back.
func (s *Start) setMark(ctx context.Context, id knowledge.AffiliateID, step, state string) error {
	query, args := `INSERT INTO start_steps (affiliate, step, state) VALUES ($1, $2, $3) ON CONFLICT (affiliate, step) DO UPDATE SET state = excluded.state`, []any{id, step, state}
	if state == "" {
		query, args = `DELETE FROM start_steps WHERE affiliate = $1 AND step = $2`, args[:2]
	}
	if _, err := s.db.Change(ctx, query, args...); err != nil {
		return fmt.Errorf("note a step of the start: %w", err)
	}
	return nil
}
