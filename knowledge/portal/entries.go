package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// An entriesPage lists what is published.
type entriesPage struct {
	frame
	Revision knowledge.Revision
	All      int // entries published
	Found    int
	Query    string
	Topic    string
	Topics   []page.Option
	Entries  []entryView
	Pager    pager
}

type entryView struct {
	Question, Answer, More  string // More is the whole answer where Answer is cut
	Key, Topic, Locale      string
	Variants                []string
	Holds                   string
	Over, Waiting           bool // its time is over, or has not come
	VariantsMore, VariantsN int
	Media                   []mediaView
}

const (
	queryMost    = 200 // characters
	variantsMost = 100 // wordings shown of an entry
)

func (p *Portal) showEntries(g *gin.Context, s scope) error {
	entries, revision, err := p.corpus.Published(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b knowledge.Entry) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Question, b.Question), cmp.Compare(a.ID, b.ID))
	})
	data := entriesPage{frame: s.frame("entries"), Revision: revision, All: len(entries), Topic: g.Query("topic"),
		Query: first(strings.TrimSpace(g.Query("q")), queryMost), Topics: s.topics(entries)}
	found := search(entries, data.Query, data.Topic)
	data.Found = len(found)
	shown, pg := cutPage(found, number(g.Query("page")), func(n int) string {
		return s.at("/entries?" + url.Values{"q": {data.Query}, "topic": {data.Topic}, "page": {strconv.Itoa(n)}}.Encode())
	})
	data.Pager = pg
	now := time.Now()
	for _, e := range shown {
		v := s.viewEntry(e, now)
		v.Media = s.viewMedia(e.Media, e.Media)
		data.Entries = append(data.Entries, v)
	}
	return p.show(g, http.StatusOK, "entries", data)
}

// topics are those of entries, each once; nil if there are fewer than two.
func (s scope) topics(entries []knowledge.Entry) []page.Option {
	list := []page.Option{{Value: "", Label: s.Say("all_topics")}}
	for _, e := range entries { // they are sorted by topic
		if e.Topic != "" && e.Topic != list[len(list)-1].Value {
			list = append(list, page.Option{Value: e.Topic, Label: first(e.Topic, 80)})
		}
	}
	if len(list) < 3 {
		return nil
	}
	return list
}

// search returns the entries of a topic in which each word of query stands somewhere.
func search(entries []knowledge.Entry, query, topic string) []knowledge.Entry {
	sought := strings.Fields(strings.ToLower(query))
	var found []knowledge.Entry
	for _, e := range entries {
		if topic != "" && e.Topic != topic {
			continue
		}
		text := strings.ToLower(strings.Join(append(e.Wordings(), e.Answer, e.Key, e.Topic), "\n"))
		if !slices.ContainsFunc(sought, func(word string) bool { return !strings.Contains(text, word) }) {
			found = append(found, e)
		}
	}
	return found
}

func (s scope) viewEntry(e knowledge.Entry, now time.Time) entryView {
	v := entryView{Question: e.Question, Answer: clip(e.Answer), Key: e.Key, Topic: e.Topic, Locale: e.Locale, Holds: s.holds(e),
		Over: !e.To.IsZero() && !now.Before(e.To), Waiting: now.Before(e.From), VariantsN: len(e.Variants),
		Variants: e.Variants[:min(len(e.Variants), variantsMost)]}
	v.VariantsMore = v.VariantsN - len(v.Variants)
	if v.Answer != e.Answer {
		v.More = e.Answer
	}
	return v
}

// first returns the first n characters of s.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
