package crawl

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"faqbot/knowledge/limits"
)

// absolute returns a page in which links and pictures have whole addresses, for who reads an answer in a chat is not
// on the page, and the addresses of the pages it links to. Links within the page stay as they are.
func absolute(page []byte, at *url.URL) ([]byte, []*url.URL) {
	var out bytes.Buffer
	var links []*url.URL
	base := at
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := tokens.Next()
		raw := slices.Clone(tokens.Raw())
		if kind == html.ErrorToken {
			out.Write(raw)
			return out.Bytes(), links
		}
		name, attribute := "", ""
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			name, attribute = addressed(raw)
		}
		if attribute == "" {
			out.Write(raw)
			continue
		}
		t := tokens.Token()
		i := slices.IndexFunc(t.Attr, func(a html.Attribute) bool { return a.Key == attribute })
		if i < 0 || strings.HasPrefix(t.Attr[i].Val, "#") {
			out.Write(raw)
			continue
		}
		u, err := base.Parse(strings.TrimSpace(t.Attr[i].Val))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			out.Write(raw)
			continue
		}
		switch {
		case name == "base":
			base = u
		case name == "a" && !hasWord(t, "rel", "nofollow"):
			page := *u
			page.Fragment = ""
			links = append(links, &page)
		}
		t.Attr[i].Val = u.String()
		out.WriteString(t.String())
	}
}

// addressed returns the name of a tag that holds an address, and of the attribute that holds it.
func addressed(tag []byte) (name, attribute string) {
	head := strings.ToLower(string(tag[1:min(len(tag), 6)]))
	for name, attribute := range map[string]string{"a": "href", "base": "href", "img": "src"} {
		if rest, ok := strings.CutPrefix(head, name); ok && strings.ContainsAny(rest[:min(len(rest), 1)], " \t\r\n\f/") {
			return name, attribute
		}
	}
	return "", ""
}

func hasWord(t html.Token, attribute, word string) bool {
	return slices.ContainsFunc(t.Attr, func(a html.Attribute) bool {
		return a.Key == attribute && slices.Contains(strings.Fields(strings.ToLower(a.Val)), word)
	})
}

// sitemap returns the pages that the site's sitemaps name: those that robots.txt names, and the usual one. One that
// is not there or cannot be read names none.
func (w *walk) sitemap(ctx context.Context) (pages []*url.URL) {
	var maps []*url.URL
	addresses := []string{"/sitemap.xml"}
	if rules, why := w.robots(ctx, w.start); why == nil {
		addresses = append(slices.Clone(rules.Sitemaps), addresses...)
	}
	for _, address := range addresses {
		if u, err := w.start.Parse(address); err == nil && sameSite(w.start, u) {
			maps = append(maps, u)
		}
	}
	asked := map[string]bool{}
	for len(maps) > 0 && len(asked) < limits.MaxCrawlSitemaps && w.bytes < limits.MaxCrawlBytes {
		u := maps[0]
		maps = maps[1:]
		if asked[u.String()] {
			continue
		}
		asked[u.String()] = true
		a, why := w.get(ctx, u, sitemapFile)
		if why != nil {
			continue
		}
		found, more := readSitemap(a)
		pages = append(pages, found...)
		for _, m := range more {
			if sameSite(w.start, m) {
				maps = append(maps, m)
			}
		}
	}
	return pages
}

// readSitemap returns the pages that a sitemap names, and the sitemaps that an index of them names.
func readSitemap(a answer) (pages, maps []*url.URL) {
	within, location := "", false
	for dec := xml.NewDecoder(bytes.NewReader(a.body)); len(pages)+len(maps) < limits.MaxCrawlAddresses; {
		token, err := dec.RawToken()
		if err != nil {
			return pages, maps
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "url" || t.Name.Local == "sitemap" {
				within = t.Name.Local
			}
			location = t.Name.Local == "loc" && t.Name.Space == ""
		case xml.EndElement:
			location = false
		case xml.CharData:
			u, err := a.address.Parse(strings.TrimSpace(string(t)))
			switch {
			case !location || err != nil:
			case within == "sitemap":
				maps = append(maps, u)
			case within == "url":
				pages = append(pages, u)
			}
		}
	}
	return pages, maps
}
