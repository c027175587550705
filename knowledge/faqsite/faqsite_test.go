package faqsite_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/events"
	"faqbot/knowledge/faqsite"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/page/pagetest"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

const home = "https://bot.example"

// A desk is a site over a database, with a clock that only the test moves.
type desk struct {
	t      testing.TB
	db     *sqldb.DB
	corpus *knowledge.Corpus
	brands *brand.Store
	media  *media.Store
	now    time.Time
	site   http.Handler
	chat   string
	rows   []knowledge.Row
}

func schemas() []sqldb.Schema {
	return []sqldb.Schema{events.Schema(), knowledge.Schema(), brand.Schema(), media.Schema()}
}

func newDesk(t testing.TB, db *sqldb.DB) *desk {
	d := &desk{t: t, db: db, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	d.corpus, d.brands, d.media = knowledge.NewCorpus(db, clock), brand.NewStore(db, clock), media.NewStore(db, media.Options{})
	log := logrus.New()
	log.SetOutput(io.Discard)
	site, err := faqsite.New(db, d.corpus, d.brands, faqsite.Options{Log: log, Now: clock, PublicURL: home, Media: d.media,
		Chat:       func(knowledge.AffiliateID) string { return d.chat },
		Disclosure: func(b brand.Brand, _ string) string { return map[bool]string{true: "Links are paid."}[b.SaysLinks] },
		Search: func(ctx context.Context, q faqsite.Search) (found []knowledge.Entry, err error) {
			all, _, err := d.corpus.Published(ctx, q.Affiliate)
			for _, e := range all {
				if strings.Contains(strings.ToLower(e.Question), strings.ToLower(q.Text)) {
					found = append(found, e)
				}
			}
			return found, err
		}})
	require.NoError(t, err)
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.RedirectTrailingSlash = false
	require.NoError(t, r.SetTrustedProxies(nil))
	site.Register(r)
	d.site = page.Secure(r)
	require.NoError(t, d.corpus.EnsureAffiliate(t.Context(), "acme"))
	return d
}

// publish makes rows all that is published.
func (d *desk) publish(rows ...knowledge.Entry) {
	d.t.Helper()
	d.rows = nil
	for i, e := range rows {
		if e.Key == "" {
			e.Key = knowledge.Slugify(e.Question)
		}
		d.rows = append(d.rows, knowledge.Row{Line: i + 1, Entry: e})
	}
	u, err := d.corpus.Preview(d.t.Context(), knowledge.Upload{Affiliate: "acme", File: "a.csv", Digest: knowledge.Digest(nil), By: "ann", Reading: knowledge.Reading{Absent: knowledge.AbsentRetired}}, d.rows)
	require.NoError(d.t, err)
	_, err = d.corpus.Publish(d.t.Context(), u.ID, "ann")
	require.NoError(d.t, err)
	d.now = d.now.Add(time.Minute)
}

func (d *desk) open(b brand.Brand) {
	d.t.Helper()
	saved, err := d.brands.Latest(d.t.Context(), "acme")
	require.NoError(d.t, err)
	b.PublicFAQ = true
	require.NoError(d.t, d.brands.Save(d.t.Context(), "acme", b, "ann", saved.Version))
	d.now = d.now.Add(time.Minute)
}

func (d *desk) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.site.ServeHTTP(w, r)
	return w
}

// read is a page that is there, and right.
func (d *desk) read(path string) string {
	d.t.Helper()
	w := d.ask("GET", path, "")
	require.Equal(d.t, 200, w.Code, "%s: %s", path, w.Body)
	if t, ok := d.t.(*testing.T); ok {
		pagetest.Check(t, w.Body.String())
	}
	return w.Body.String()
}

func (d *desk) status(path string) int { return d.ask("GET", path, "").Code }

// ldOf is what a page tells search engines of its questions.
func ldOf(t *testing.T, body string) map[string]string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`).FindAllStringSubmatch(body, -1)
	require.Len(t, m, 1)
	var p struct {
		Context    string `json:"@context"`
		Type       string `json:"@type"`
		MainEntity []struct {
			Type           string `json:"@type"`
			Name           string `json:"name"`
			AcceptedAnswer struct {
				Type string `json:"@type"`
				Text string `json:"text"`
			} `json:"acceptedAnswer"`
		} `json:"mainEntity"`
	}
	require.NoError(t, json.Unmarshal([]byte(m[0][1]), &p))
	require.Equal(t, "https://schema.org", p.Context)
	require.Equal(t, "FAQPage", p.Type)
	said := map[string]string{}
	for _, q := range p.MainEntity {
		require.Equal(t, "Question", q.Type)
		require.Equal(t, "Answer", q.AcceptedAnswer.Type)
		require.NotEmpty(t, q.Name)
		require.NotEmpty(t, q.AcceptedAnswer.Text)
		said[q.Name] = q.AcceptedAnswer.Text
	}
	return said
}

// Nothing is public unless its affiliate says so, and nothing of an archived one is.
func TestWhoIsPublic(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, schemas(), func(t *testing.T, db *sqldb.DB) {
		d := newDesk(t, db)
		d.publish(knowledge.Entry{Question: "How do I get paid?", Answer: "By transfer.", Locale: "en"})
		for _, path := range []string{"/faq/acme", "/faq/acme/how-do-i-get-paid", "/faq/acme/sitemap.xml", "/faq/acme/theme.css", "/faq/nobody"} {
			require.Equal(t, 404, d.status(path), path)
		}
		require.NotContains(t, d.read2("/robots.txt"), "acme")
		d.open(brand.Brand{})
		require.Contains(t, d.read("/faq/acme"), "How do I get paid?")
		require.Contains(t, d.read("/faq/acme/how-do-i-get-paid"), "By transfer.")
		require.Contains(t, d.read2("/robots.txt"), "Sitemap: "+home+"/faq/acme/sitemap.xml\n")
		require.NoError(t, d.corpus.ArchiveAffiliate(t.Context(), "acme", true))
		d.now = d.now.Add(time.Minute)
		require.Equal(t, 404, d.status("/faq/acme"))
		require.NoError(t, d.corpus.ArchiveAffiliate(t.Context(), "acme", false))
		require.Equal(t, 200, d.status("/faq/acme"))
		require.NoError(t, d.brands.Save(t.Context(), "acme", brand.Brand{}, "ann", 1))
		d.now = d.now.Add(2 * time.Second)
		require.Equal(t, 404, d.status("/faq/acme"))
	})
}

// read2 is a file that is there.
func (d *desk) read2(path string) string {
	d.t.Helper()
	w := d.ask("GET", path, "")
	require.Equal(d.t, 200, w.Code, path)
	return w.Body.String()
}

// A publish shows at once; what did not change need not be sent again.
func TestPublishShows(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	d.publish(knowledge.Entry{Key: "a", Question: "One?", Answer: "Old."}, knowledge.Entry{Key: "b", Question: "Two?", Answer: "Same.", To: d.now.Add(time.Hour)})
	d.open(brand.Brand{})
	w := d.ask("GET", "/faq/acme/one", "", "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	require.Equal(t, "public, no-cache", w.Header().Get("Cache-Control"))
	tag := w.Header().Get("ETag")
	require.Equal(t, 304, d.ask("GET", "/faq/acme/one", "", "If-None-Match", tag).Code)
	require.Empty(t, d.ask("HEAD", "/faq/acme/one", "").Body.String())
	d.publish(knowledge.Entry{Key: "a", Question: "One?", Answer: "New."}, knowledge.Entry{Key: "b", Question: "Two?", Answer: "Same.", To: d.now.Add(time.Hour)})
	require.Equal(t, 200, d.ask("GET", "/faq/acme/one", "", "If-None-Match", tag).Code)
	require.Contains(t, d.read("/faq/acme/one"), "New.")
	require.Contains(t, d.read("/faq/acme"), "Two?")
	d.now = d.now.Add(time.Hour)
	require.NotContains(t, d.read("/faq/acme"), "Two?", "its time is over, without a publish")
	require.Equal(t, 410, d.status("/faq/acme/two"))
}

// Many readers at once, some of whom come right after a publish, all read what is published.
func TestManyReaders(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	for _, answer := range []string{"One.", "Two."} {
		d.publish(knowledge.Entry{Key: "a", Question: "Q?", Answer: answer})
		d.open(brand.Brand{})
		answers := make(chan string, 32)
		for i := range cap(answers) {
			go func() {
				answers <- d.ask("GET", []string{"/faq/acme", "/faq/acme/q"}[i%2], "").Body.String()
			}()
		}
		for range cap(answers) {
			require.Contains(t, <-answers, "<p>"+answer+"</p>")
		}
	}
}

// Addresses stay: an old one leads on, one that was retired says so, one that never was is not found.
func TestAddresses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	d.publish(knowledge.Entry{Key: "a", Question: "¿Cómo cobro?", Answer: "Por transferencia.", Locale: "es"}, knowledge.Entry{Key: "b", Question: "Bye?", Answer: "Yes."})
	d.open(brand.Brand{})
	require.Equal(t, 200, d.status("/faq/acme/como-cobro"))
	d.publish(knowledge.Entry{Key: "a", Question: "¿Cómo cobro?", Answer: "Por transferencia.", Locale: "es", Slug: "cobrar"})
	w := d.ask("GET", "/faq/acme/como-cobro", "")
	require.Equal(t, 301, w.Code)
	require.Equal(t, "/faq/acme/cobrar", w.Header().Get("Location"))
	w = d.ask("GET", "/faq/acme/bye", "")
	require.Equal(t, 410, w.Code)
	pagetest.Check(t, w.Body.String())
	require.Contains(t, w.Body.String(), `content="noindex"`)
	require.Equal(t, 404, d.status("/faq/acme/never"))
	require.Equal(t, 404, d.status("/faq/acme/in/fr"))
	require.Equal(t, 404, d.status("/faq/acme/in/es/none"))
	_, err := d.db.Change(t.Context(), `UPDATE versions SET slug = ''`) // as builds before slugs left it
	require.NoError(t, err)
	d.open(brand.Brand{Name: "Acme"})
	m := regexp.MustCompile(`href="(/faq/acme/[a-z0-9]+)"`).FindStringSubmatch(d.read("/faq/acme"))
	require.NotNil(t, m)
	require.Contains(t, d.read(m[1]), "Por transferencia.")
}

// Robots find every page that is published, in each language, and each page names the others.
func TestSitemap(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	future, past := d.now.Add(24*time.Hour), d.now.Add(-time.Hour)
	d.publish(
		knowledge.Entry{Key: "pay", Question: "How do I get paid?", Answer: "By transfer.", Locale: "en", Topic: "Money"},
		knowledge.Entry{Key: "pay", Question: "¿Cómo cobro?", Answer: "Por transferencia.", Locale: "es", Topic: "Dinero"},
		knowledge.Entry{Key: "pay", Question: "كيف أقبض؟", Answer: "بالتحويل.", Locale: "ar", Topic: "المال"},
		knowledge.Entry{Key: "join", Question: "May I join?", Answer: "Yes.", Locale: "en"},
		knowledge.Entry{Key: "soon", Question: "What comes?", Answer: "More.", Locale: "en", From: future},
		knowledge.Entry{Key: "over", Question: "What was?", Answer: "Less.", Locale: "es", To: past})
	d.open(brand.Brand{Locale: "es"})
	var set struct {
		URL []struct {
			Loc  string `xml:"loc"`
			Link []struct {
				Lang string `xml:"hreflang,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"url"`
	}
	require.NoError(t, xml.Unmarshal([]byte(d.read2("/faq/acme/sitemap.xml")), &set))
	var locs []string
	links := map[string]map[string]string{}
	for _, u := range set.URL {
		locs = append(locs, u.Loc)
		links[u.Loc] = map[string]string{}
		for _, l := range u.Link {
			links[u.Loc][l.Lang] = l.Href
		}
	}
	slices.Sort(locs)
	want := []string{home + "/faq/acme", home + "/faq/acme/in/en", home + "/faq/acme/in/ar", home + "/faq/acme/how-do-i-get-paid", home + "/faq/acme/como-cobro", home + "/faq/acme/may-i-join",
		home + "/faq/acme/%D9%83%D9%8A%D9%81-%D8%A3%D9%82%D8%A8%D8%B6"}
	slices.Sort(want)
	require.Equal(t, want, locs)
	for _, loc := range locs {
		body := d.read(strings.TrimPrefix(loc, home))
		require.Contains(t, body, `<link rel="canonical" href="`+loc+`">`)
		require.Contains(t, body, `<meta property="og:url" content="`+loc+`">`)
		inPage := map[string]string{}
		for _, m := range regexp.MustCompile(`<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">`).FindAllStringSubmatch(body, -1) {
			inPage[m[1]] = html.UnescapeString(m[2])
		}
		require.Equal(t, links[loc], inPage, "%s: the page and the sitemap say the same", loc)
		for lang, to := range inPage {
			require.Contains(t, locs, to, "%s leads to a page that is there", loc)
			require.Equal(t, inPage, links[to], "%s and %s name each other", loc, to)
			if lang != "x-default" {
				require.Contains(t, d.read(strings.TrimPrefix(to, home)), `<html lang="`+lang+`"`)
			}
		}
	}
	require.Equal(t, home+"/faq/acme/como-cobro", links[home+"/faq/acme/how-do-i-get-paid"]["x-default"])
	require.Empty(t, links[home+"/faq/acme/may-i-join"])
	require.Equal(t, 301, d.status("/faq/acme/in/es"), "the default language has one address")
	require.Equal(t, map[string]string{"¿Cómo cobro?": "Por transferencia."}, ldOf(t, d.read("/faq/acme")))
	arabic := d.read("/faq/acme/in/ar")
	require.Contains(t, arabic, `<html lang="ar" dir="rtl">`)
	require.Contains(t, arabic, `<h1 lang="es" dir="ltr">Preguntas y respuestas</h1>`, "our words are in the affiliate's language where we have none of the reader's")
	require.Contains(t, arabic, ">العربية<")
}

// What affiliates write is text, whatever it looks like.
func TestNothingWrittenRuns(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	d.chat = "/chat/acme"
	for i, attack := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</script><script>alert(1)</script>`, `javascript:alert(1)`, `[x](javascript:alert(1))`, `<!--`, `]]>`, `{{.}}`,
		`| a | b |\n|---|---|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |`, `https://u:p@evil.example`, `- <svg onload=alert(1)>`, `' onmouseover='alert(1)`} {
		attack = strings.ReplaceAll(attack, `\n`, "\n")
		d.publish(knowledge.Entry{Key: attack, Question: "Q " + attack, Answer: attack, Topic: attack, Locale: "en", Slug: attack,
			Media: []knowledge.Media{{Kind: "photo", Link: "https://evil.example/" + attack, Name: attack, Alt: attack}, {Kind: "video", Link: "javascript:alert(1)", Name: attack}}},
			knowledge.Entry{Key: "b", Question: "Other?", Answer: attack, Topic: "b", Locale: "es"})
		d.open(brand.Brand{Name: attack, SaysLinks: true, Imprint: "javascript:alert(1)"})
		list := d.read("/faq/acme")
		m := regexp.MustCompile(`title="[^"]*">|<p class="link"><a href="([^"]+)"`).FindAllStringSubmatch(list, -1)
		require.NotEmpty(t, m, i)
		pages := []string{list, d.read("/faq/acme?q=" + strings.NewReplacer("+", "%2B", " ", "+", "&", "%26", "#", "%23", ";", "%3B", "\n", "%0A").Replace(attack)), d.read2("/faq/acme/sitemap.xml")}
		for _, one := range m {
			if one[1] != "" {
				pages = append(pages, d.read(html.UnescapeString(one[1])))
			}
		}
		require.Len(t, pages, 4, attack)
		for _, body := range pages {
			for _, bad := range []string{"<script>alert", "<img src=x", "<svg", `href="javascript:`, `href="https://u:p@`} {
				require.NotContains(t, body, bad, attack)
			}
			for _, tag := range regexp.MustCompile(`<[a-z][^>]*>`).FindAllString(body, -1) {
				require.NotRegexp(t, `(?i)\son[a-z]+\s*=`, regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`), attack)
			}
		}
		require.Equal(t, attack, ldOf(t, list)["Q "+attack], "search engines read what was written")
	}
}

// Paragraphs, lists and tables of an answer look like ones.
func TestAnswersAreLaidOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	for answer, want := range map[string]string{
		"One line.":                    "<p>One line.</p>",
		"One\ntwo\n\nthree":            "<p>One<br>two</p>\n<p>three</p>",
		"Do:\n- this\n* that\n\n• and": "<p>Do:</p>\n<ul><li>this</li><li>that</li></ul>\n<ul><li>and</li></ul>",
		"3. third\n4) fourth":          `<ol start="3"><li>third</li><li>fourth</li></ol>`,
		"See https://a.example/x.":     `<p>See <a href="https://a.example/x" rel="nofollow noopener">https://a.example/x</a>.</p>`,
		"| Plan | Price |\n|---|--:|\n| S | 5 & up |\n| L |\nEnd": `<thead><tr><th scope="col">Plan</th><th scope="col">Price</th></tr></thead><tbody><tr><td>S</td><td>5 &amp; up</td></tr><tr><td>L</td><td></td></tr></tbody></table></div>` + "\n<p>End</p>",
		"a | b":      "<p>a | b</p>",
		"-5 degrees": "<p>-5 degrees</p>",
		"**bold**":   "<p>**bold**</p>",
	} {
		d.publish(knowledge.Entry{Key: "a", Question: "Q?", Answer: answer})
		d.open(brand.Brand{})
		body := d.read("/faq/acme/q")
		require.Contains(t, body, want, answer)
		require.NotRegexp(t, `<meta name="description" content="[^"]*---`, body, "what search engines show has no marks")
	}
}

// Recordings play, with what is said in them; a file that no entry shows is not handed out.
func TestMedia(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	keep := func(name, data string) knowledge.Media {
		b, err := d.media.Put(t.Context(), name, strings.NewReader(data), media.Owner{Affiliate: "acme"})
		require.NoError(t, err)
		return knowledge.Media{Kind: b.Kind(), File: b.ID, Name: name, Type: b.Type, Size: b.Size}
	}
	audio := keep("memo.wav", "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"+strings.Repeat("\x00", 64))
	audio.Alt = "You are paid on the first."
	captions, other := keep("memo.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nYou are paid\n"), keep("secret.txt", "nothing for everybody")
	logo := keep("logo.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89")
	d.publish(knowledge.Entry{Key: "a", Question: "Paid?", Answer: "Listen.", Media: []knowledge.Media{audio, captions, {Kind: "video", Link: "https://video.example/1.mp4"}}})
	d.open(brand.Brand{Logo: logo.File, Color: "#ffee00"})
	body := d.read("/faq/acme/paid")
	require.Contains(t, body, `<audio controls preload="metadata" src="/faq/acme/media/`+audio.File+`"`)
	require.Contains(t, body, `<track kind="captions" src="/faq/acme/media/`+captions.File+`" default>`)
	require.Contains(t, body, `<figcaption dir="auto">You are paid on the first.</figcaption>`)
	require.Contains(t, body, `<a href="https://video.example/1.mp4"`, "what lies elsewhere is not loaded unasked")
	require.Contains(t, body, `<img src="/faq/acme/media/`+logo.File+`"`)
	require.Equal(t, "audio/wav", d.ask("GET", "/faq/acme/media/"+audio.File, "").Header().Get("Content-Type"))
	require.Equal(t, "text/vtt; charset=utf-8", d.ask("GET", "/faq/acme/media/"+captions.File, "").Header().Get("Content-Type"))
	require.Equal(t, 206, d.ask("GET", "/faq/acme/media/"+audio.File, "", "Range", "bytes=0-9").Code)
	require.Equal(t, 404, d.status("/faq/acme/media/"+other.File))
	css := d.read2(html.UnescapeString(regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)">`).FindStringSubmatch(body)[1]))
	require.Contains(t, css, "@media (prefers-color-scheme:dark){:root{--accent:#ffee00;", "it is light enough")
	require.NotContains(t, css, ":root{--accent:#ffee00;--on-accent:#fff}", "white on it could not be read")
}

func TestSearchAndVotes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	d.chat = "/chat/acme"
	d.publish(knowledge.Entry{Key: "a", Question: "How do I get paid?", Answer: "By transfer.", FollowUps: []string{"b"}, Locale: "en"}, knowledge.Entry{Key: "b", Question: "When am I paid?", Answer: "Monthly.", Locale: "en"},
		knowledge.Entry{Key: "c", Question: "Paid?", Answer: "Sí.", Locale: "es"})
	d.open(brand.Brand{SaysLinks: true, Privacy: "https://a.example/privacy"})
	body := d.read("/faq/acme?q=get+paid")
	require.Contains(t, body, "1 answer found")
	require.Contains(t, body, `content="noindex"`)
	require.Contains(t, body, `href="/chat/acme?ask=get&#43;paid"`)
	require.Contains(t, body, "Links are paid.")
	part := d.ask("GET", "/faq/acme?q=paid&part=1", "").Body.String()
	require.NotContains(t, part, "<html")
	require.Equal(t, 2, strings.Count(part, "<li>"), "in the page's language: %s", part)
	require.Contains(t, d.ask("GET", "/faq/acme?q=nothing&part=1", "").Body.String(), "Nothing fits")
	entry := d.read("/faq/acme/how-do-i-get-paid")
	require.Contains(t, entry, `<a href="/faq/acme/when-am-i-paid" dir="auto">When am I paid?</a>`)
	require.Contains(t, entry, `href="/chat/acme?ask=How&#43;do&#43;I&#43;get&#43;paid%3F"`)
	w := d.ask("POST", "/faq/acme/how-do-i-get-paid", "helped=no")
	require.Equal(t, 303, w.Code)
	require.Equal(t, "/faq/acme/how-do-i-get-paid#thanks", w.Header().Get("Location"))
	require.Equal(t, 404, d.ask("POST", "/faq/acme/how-do-i-get-paid", "helped=maybe").Code)
	require.Equal(t, 404, d.ask("POST", "/faq/acme/none", "helped=no").Code)
	list, err := events.List(t.Context(), d.db)
	require.NoError(t, err)
	last := list[len(list)-1]
	require.Equal(t, events.PageFeedback, last.Kind)
	require.Equal(t, events.ReasonNoHelp, last.Reason)
	used, err := d.corpus.Usage(t.Context(), "acme", time.Time{})
	require.NoError(t, err)
	require.Equal(t, knowledge.Usage{NoHelp: 1}, used[knowledge.EntryID(last.Entry)])
	for range 20 {
		w = d.ask("POST", "/faq/acme/how-do-i-get-paid", "helped=no")
	}
	require.Equal(t, 429, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
}
