package faqsite

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
)

// A listing is what robots.txt says, which is not made for each robot.
type listing struct {
	text string
	till time.Time
}

// listingFor is how long robots.txt stays as it is.
const listingFor = time.Minute

// robots tells search engines where the sitemaps are.
func (s *Site) robots(c *gin.Context) {
	if slow(c, s.views) {
		return
	}
	s.mu.Lock()
	l := s.listing
	s.mu.Unlock()
	if !s.o.Now().Before(l.till) {
		text, err := s.robotsText(c.Request.Context())
		if err != nil {
			s.o.Log.WithError(err).Error("cannot list the public FAQs")
			c.AbortWithStatus(http.StatusInternalServerError)
			return
		}
		l = listing{text: text, till: s.o.Now().Add(listingFor)}
		s.mu.Lock()
		s.listing = l
		s.mu.Unlock()
	}
	c.String(http.StatusOK, "%s", l.text)
}

func (s *Site) robotsText(ctx context.Context) (string, error) {
	var b strings.Builder
	b.WriteString("User-agent: *\nDisallow: /chat/\n") // what is behind the sign-in shows robots nothing
	if s.o.PublicURL == "" {
		return b.String(), nil
	}
	list, err := s.corpus.Named(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range list {
		own, err := s.brands.Of(ctx, a.ID)
		if err != nil {
			return "", err
		}
		if own.PublicFAQ {
			fmt.Fprintf(&b, "Sitemap: %s\n", s.o.PublicURL+At(a.ID, "/sitemap.xml"))
		}
	}
	return b.String(), nil
}

// A urlSet is a sitemap.
type urlSet struct {
	XMLName xml.Name  `xml:"urlset"`
	NS      string    `xml:"xmlns,attr"`
	XHTML   string    `xml:"xmlns:xhtml,attr"`
	URLs    []siteURL `xml:"url"`
}

type siteURL struct {
	Loc   string    `xml:"loc"`
	Links []siteAlt `xml:"xhtml:link"`
}

type siteAlt struct {
	Rel  string `xml:"rel,attr"`
	Lang string `xml:"hreflang,attr"`
	Href string `xml:"href,attr"`
}

// sitemap lists every page that search engines may list.
func (s *Site) sitemap(v *visit) error {
	if s.o.PublicURL == "" { // a sitemap has whole addresses
		return knowledge.ErrNotFound
	}
	return s.serve(v, "sitemap.xml", func() ([]byte, error) { return s.makeSitemap(v.edition) })
}

func (s *Site) makeSitemap(e *edition) ([]byte, error) {
	set := urlSet{NS: "http://www.sitemaps.org/schemas/sitemap/0.9", XHTML: "http://www.w3.org/1999/xhtml"}
	add := func(path string, alternates []alternate) {
		u := siteURL{Loc: s.full(path)}
		for _, a := range alternates {
			u.Links = append(u.Links, siteAlt{"alternate", a.Lang, a.Href})
		}
		set.URLs = append(set.URLs, u)
	}
	for _, l := range e.languages {
		add(e.home(l), s.homes(e))
		for _, t := range l.topics {
			for n := range t.pages {
				if !l.whole {
					add(e.topicAt(l, t, n+1), nil)
				}
			}
		}
	}
	for i := range e.entries {
		add(e.entryAt(&e.entries[i]), s.translations(e, &e.entries[i]))
	}
	data, err := xml.Marshal(set)
	return append([]byte(xml.Header), data...), err
}
