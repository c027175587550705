package start

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// A listPage lists the affiliates.
type listPage struct {
	Affiliates []affiliateRow
	Name       page.Field
	May        bool // make new ones
	Toast      *page.Toast
}

// Fields are those of the form, for its list of errors.
func (p listPage) Fields() []page.Field { return []page.Field{p.Name} }

type affiliateRow struct {
	knowledge.Affiliate
	Path, Start, Entries string
}

// nameField asks for an affiliate's name.
func (r request) nameField() page.Field {
	return page.Field{Name: "name", Label: r.Say("affiliate_name"), Hint: r.Say("affiliate_name_hint"), Required: true, MaxLength: 64, Autocomplete: "off"}
}

// mayAdd reports whether the person sees everyone's: who sees some affiliates alone would not see a new one.
func (r request) mayAdd() bool { return r.person.May("") }

func (s *Start) list(r request) error {
	p := listPage{Name: r.nameField(), May: r.mayAdd()}
	if id := r.Query("archived"); id != "" {
		p.Toast = &page.Toast{Words: r.Say("affiliate_archived", "name", id), Undo: "/affiliates/" + url.PathEscape(id) + "/restore", Action: r.Say("undo")}
	}
	return s.showList(r, http.StatusOK, p)
}

func (s *Start) showList(r request, status int, p listPage) error {
	for _, a := range r.all {
		p.Affiliates = append(p.Affiliates, affiliateRow{Affiliate: a, Path: "/affiliates/" + url.PathEscape(string(a.ID)), Start: at(a.ID, ""),
			Entries: "/partners/" + url.PathEscape(string(a.ID))})
	}
	return s.pages.Show(r.Writer, r.Request, status, "affiliates", p)
}

// addNamed makes the affiliate that a form names, and returns what is wrong with the name, "" if nothing is.
func (s *Start) addNamed(r request, name string) (wrong string, err error) {
	if !r.mayAdd() {
		return r.Say("affiliate_not_yours"), nil
	}
	err = s.corpus.AddAffiliate(r.Request.Context(), knowledge.AffiliateID(name))
	switch {
	case errors.Is(err, knowledge.ErrName):
		return r.Say("affiliate_wrong"), nil
	case errors.Is(err, knowledge.ErrTaken):
		return r.Say("affiliate_taken"), nil
	case err == nil:
		s.record(r, actionAdd, name)
	}
	return "", err
}

func (s *Start) add(r request) error {
	p := listPage{Name: r.nameField(), May: r.mayAdd()}
	p.Name.Value = strings.TrimSpace(r.PostForm("name"))
	wrong, err := s.addNamed(r, p.Name.Value)
	if err != nil {
		return err
	}
	if p.Name.Error = wrong; wrong != "" {
		return s.showList(r, http.StatusUnprocessableEntity, p)
	}
	return see(r, at(knowledge.AffiliateID(p.Name.Value), ""))
}

func (s *Start) rename(r request) error {
	label := strings.TrimSpace(r.PostForm("label"))
	err := s.corpus.RenameAffiliate(r.Request.Context(), r.affiliate.ID, label)
	if errors.Is(err, knowledge.ErrName) {
		return s.pages.Fail(r.Writer, r.Request, http.StatusUnprocessableEntity, r.Say("affiliates"), page.Problem{What: r.Say("affiliate_wrong"), Safe: r.Say("nothing_changed"), Do: r.Say("go_back")})
	}
	if err != nil {
		return err
	}
	s.record(r, actionRename, string(r.affiliate.ID)+" "+label)
	return see(r, "/affiliates")
}

func (s *Start) archive(r request) error {
	if err := s.corpus.ArchiveAffiliate(r.Request.Context(), r.affiliate.ID, true); err != nil {
		return err
	}
	s.record(r, actionArchive, string(r.affiliate.ID))
	s.o.Published()
	return see(r, "/affiliates?archived="+url.QueryEscape(string(r.affiliate.ID)))
}

func (s *Start) restore(r request) error {
	if err := s.corpus.ArchiveAffiliate(r.Request.Context(), r.affiliate.ID, false); err != nil {
		return err
	}
	s.record(r, actionRestore, string(r.affiliate.ID))
	s.o.Published()
	return see(r, "/affiliates")
}
