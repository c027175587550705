package portal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/hours"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
)

// Brands keep how affiliates' bots speak; *brand.Store is one.
type Brands interface {
	Latest(ctx context.Context, affiliate knowledge.AffiliateID) (brand.Saved, error)
	History(ctx context.Context, affiliate knowledge.AffiliateID) ([]brand.Saved, error)
	Save(ctx context.Context, affiliate knowledge.AffiliateID, b brand.Brand, by string, base int) error
}

// A brandFrame is what both pages of a brand have.
type brandFrame struct {
	frame
	Version int
	Moved   bool   // somebody saved another version meanwhile
	By      string // who saved the one that counts
	When    time.Time
	Errors  []page.Field
}

// A brandPage edits a brand, all but its sentences.
type brandPage struct {
	brandFrame
	Name, Locale, Imprint, Privacy, Zone, Holidays page.Field
	SaysLinks                                      bool
	Disclosure                                     string // what is said of links
	FAQ                                            publicFAQ
	Days                                           []page.Field
	Zones                                          []string
	Now                                            string // whether people are there, in words
	Next                                           time.Time
	Topics                                         []topicView
	History                                        []brandVersion
}

// A topicView is a topic and who answers it.
type topicView struct {
	Topic   string
	Entries int
	Policy  page.Field
}

// A brandVersion is a version in the history.
type brandVersion struct {
	brand.Saved
	Parts   []string // what changed
	Current bool
}

const (
	brandNameMost = 80 // characters of a brand's name
	partsMax      = 200
)

func (s scope) brandFrame(saved brand.Saved, done string) brandFrame {
	f := brandFrame{frame: s.frame("brand"), Version: saved.Version, By: saved.By, When: saved.At}
	if done != "" {
		f.Toast = &page.Toast{Words: s.Say("brand_saved")}
	}
	return f
}

func (p *Portal) showBrand(g *gin.Context, s scope) error {
	saved, err := p.o.Brands.Latest(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	return p.renderBrand(g, s, http.StatusOK, saved, saved.Brand, brandPage{})
}

// renderBrand shows the form with what b says, and what is wrong with it, which the fields of filled say.
func (p *Portal) renderBrand(g *gin.Context, s scope, status int, saved brand.Saved, b brand.Brand, filled brandPage) error {
	ctx := g.Request.Context()
	data := filled
	data.brandFrame = s.brandFrame(saved, g.Query("saved"))
	data.Moved = filled.Moved
	label := func(f *page.Field, name, value string) {
		f.Name, f.Label = name, s.One("brand_", name)
		if f.Hint = s.Texts["brand_hint_"+name]; f.Error == "" {
			f.Value = value
		}
	}
	label(&data.Name, "name", b.Name)
	label(&data.Locale, "locale", b.Locale)
	label(&data.Imprint, "imprint", b.Imprint)
	label(&data.Privacy, "privacy", b.Privacy)
	label(&data.Zone, "zone", b.Hours.Zone)
	label(&data.Holidays, "holidays", b.Hours.HolidaysText())
	data.Name.MaxLength, data.Name.Placeholder, data.Holidays.Rows = brandNameMost, string(s.affiliate), 4
	data.Imprint.Type, data.Privacy.Type = "url", "url"
	data.Locale.Options = s.localeOptions()
	if data.Days == nil {
		data.Days = make([]page.Field, 7)
	}
	for i := range data.Days { // from Monday, as most of the world counts
		day := (i + 1) % 7
		label(&data.Days[i], fmt.Sprintf("day%d", day), b.Hours.Days[day].String())
	}
	data.FAQ = p.publicFAQ(s, b, filled.FAQ)
	data.SaysLinks, data.Disclosure = b.SaysLinks, p.sentence("affiliate_links", b)
	data.Zones = []string{"Europe/London", "Europe/Berlin", "Europe/Madrid", "Europe/Lisbon", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Sao_Paulo", "America/Mexico_City", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "UTC"}
	if now := time.Now(); b.Hours.Set() && b.Hours.Open(now) {
		data.Now = s.Say("open_now")
	} else if b.Hours.Set() {
		data.Now, data.Next = s.Say("closed_now"), b.Hours.Next(now)
	}
	for _, f := range append([]page.Field{data.Name, data.Imprint, data.Privacy, data.Zone, data.Holidays}, data.Days...) {
		if f.Error != "" {
			data.Errors = append(data.Errors, f)
		}
	}
	var err error
	if data.Topics, err = p.topics(ctx, s, b); err != nil {
		return err
	}
	if data.History, err = p.brandHistory(ctx, s); err != nil {
		return err
	}
	return p.show(g, status, "brand", data)
}

// languageName is what people call a language that the bot speaks.
func (s scope) languageName(name string) string {
	return s.One("language_", strings.ToLower(strings.ReplaceAll(name, "-", "_")))
}

func (s scope) localeOptions() []page.Option {
	list := []page.Option{{Value: "", Label: s.Say("brand_locale_account")}}
	for _, name := range locale.Shipped() {
		list = append(list, page.Option{Value: name, Label: s.languageName(name)})
	}
	return list
}

// sentence is how a brand says a phrase in its own language.
func (p *Portal) sentence(name string, b brand.Brand) string {
	in := locale.Match(b.Locale)
	for _, phrase := range p.o.Phrases {
		if phrase.Name == name {
			if own := b.Say(in, name); own != "" {
				return own
			}
			return phrase.Words[in]
		}
	}
	return ""
}

// topics are the topics of entries, published or drafted, and those that a policy was chosen for.
func (p *Portal) topics(ctx context.Context, s scope, b brand.Brand) ([]topicView, error) {
	items, err := p.items(ctx, s)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*topicView{}
	for _, i := range items {
		key := brand.TopicKey(i.entry.Topic)
		if key == "" {
			continue
		}
		if byKey[key] == nil {
			byKey[key] = &topicView{Topic: i.entry.Topic}
		}
		byKey[key].Entries++
	}
	for key := range b.Topics {
		if byKey[key] == nil {
			byKey[key] = &topicView{Topic: key}
		}
	}
	var list []topicView
	for i, key := range slices.Sorted(maps.Keys(byKey)) {
		v := *byKey[key]
		v.Policy = page.Field{Name: fmt.Sprintf("policy%d", i), Value: string(b.Topics[key])}
		for _, policy := range brand.Policies() {
			v.Policy.Options = append(v.Policy.Options, page.Option{Value: string(policy), Label: s.One("policy_", string(policy))})
		}
		if list = append(list, v); len(list) == topicsMost {
			break
		}
	}
	return list, nil
}

// saveBrand stores what the form says of a brand. Its sentences stay.
func (p *Portal) saveBrand(g *gin.Context, s scope) error {
	saved, err := p.o.Brands.Latest(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	if err := g.Request.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	b, filled, right := s.readBrand(g, saved.Brand)
	faq, rightFAQ, err := p.readPublicFAQ(g, s, &b)
	if err != nil {
		return err
	}
	if filled.FAQ = faq; !right || !rightFAQ {
		return p.renderBrand(g, s, http.StatusUnprocessableEntity, brand.Saved{Brand: saved.Brand, Version: formVersion(g), By: saved.By, At: saved.At}, b, filled)
	}
	err = p.o.Brands.Save(g.Request.Context(), s.affiliate, b, s.person.Name, formVersion(g))
	if errors.Is(err, brand.ErrConflict) {
		return p.renderBrand(g, s, http.StatusConflict, saved, b, brandPage{brandFrame: brandFrame{Moved: true}})
	}
	if err != nil {
		return err
	}
	return see(g, s.at("/brand?saved=1"))
}

// formVersion is the version that was edited.
func formVersion(g *gin.Context) int {
	n, err := strconv.Atoi(g.PostForm("version"))
	if err != nil {
		return -1
	}
	return n
}

// readBrand reads the form into a brand. The fields of filled say what is wrong.
func (s scope) readBrand(g *gin.Context, was brand.Brand) (b brand.Brand, filled brandPage, right bool) {
	b, right = was, true
	say := func(f *page.Field, value string, err error) {
		if err != nil {
			f.Value, f.Error, right = value, s.wrongBrand(err), false
		}
	}
	typed := func(name string) string { return strings.TrimSpace(g.PostForm(name)) }
	b.Name, b.SaysLinks = first(typed("name"), brandNameMost), typed("links") != ""
	if b.Locale = typed("locale"); !slices.Contains(locale.Shipped(), b.Locale) {
		b.Locale = ""
	}
	b.Imprint, b.Privacy = typed("imprint"), typed("privacy")
	say(&filled.Imprint, b.Imprint, brand.CheckURL(b.Imprint))
	say(&filled.Privacy, b.Privacy, brand.CheckURL(b.Privacy))
	b.Hours = hours.Table{Zone: typed("zone")}
	filled.Days = make([]page.Field, 7)
	for i := range filled.Days {
		day := (i + 1) % 7
		text := typed(fmt.Sprintf("day%d", day))
		open, err := hours.ParseDay(text)
		b.Hours.Days[day] = open
		say(&filled.Days[i], text, err)
	}
	holidays, err := hours.ParseHolidays(typed("holidays"))
	b.Hours.Holidays = holidays
	say(&filled.Holidays, typed("holidays"), err)
	if b.Hours.Zone != "" || b.Hours.Set() {
		say(&filled.Zone, b.Hours.Zone, hours.CheckZone(b.Hours.Zone))
	}
	b.Topics = map[string]brand.Policy{}
	for i, topic := range g.PostFormArray("topic") {
		policy := brand.Policy(g.PostForm(fmt.Sprintf("policy%d", i)))
		if key := brand.TopicKey(topic); i < topicsMost && key != "" && utf8.RuneCountInString(key) <= partsMax && policy != brand.PolicyAnswer && slices.Contains(brand.Policies(), policy) {
			b.Topics[key] = policy
		}
	}
	return b, filled, right
}

// wrongBrand says what is wrong with a value.
func (s scope) wrongBrand(err error) string {
	for key, known := range map[string]error{"url": brand.ErrURL, "zone": hours.ErrZone, "span": hours.ErrSpan, "overlap": hours.ErrOverlap, "date": hours.ErrDate, "many": hours.ErrMany} {
		if errors.Is(err, known) {
			return s.One("wrong_", key)
		}
	}
	return err.Error()
}

// brandHistory is the versions with what each changed, the newest first.
func (p *Portal) brandHistory(ctx context.Context, s scope) ([]brandVersion, error) {
	list, err := p.o.Brands.History(ctx, s.affiliate)
	if err != nil {
		return nil, err
	}
	versions := make([]brandVersion, len(list))
	for i, saved := range list {
		before := brand.Brand{}
		if i+1 < len(list) {
			before = list[i+1].Brand
		}
		versions[i] = brandVersion{Saved: saved, Parts: s.changedParts(before, saved.Brand), Current: i == 0}
	}
	return versions, nil
}

// changedParts names the parts of a brand that differ.
func (s scope) changedParts(a, b brand.Brand) (list []string) {
	for _, part := range []struct {
		name string
		is   bool
	}{
		{"name", a.Name != b.Name}, {"locale", a.Locale != b.Locale}, {"links", a.SaysLinks != b.SaysLinks},
		{"imprint", a.Imprint != b.Imprint}, {"privacy", a.Privacy != b.Privacy}, {"hours", !reflect.DeepEqual(a.Hours, b.Hours)},
		{"faq", a.PublicFAQ != b.PublicFAQ || a.Color != b.Color || a.Logo != b.Logo}, {"topics", !maps.Equal(a.Topics, b.Topics)}, {"phrases", !maps.EqualFunc(a.Phrases, b.Phrases, maps.Equal[map[string]string, map[string]string])},
	} {
		if part.is {
			list = append(list, s.One("brand_", part.name))
		}
	}
	return list
}

// restoreBrand makes an earlier version the newest.
func (p *Portal) restoreBrand(g *gin.Context, s scope) error {
	list, err := p.o.Brands.History(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	want, was := g.PostForm("restore"), brand.Brand{}
	i := slices.IndexFunc(list, func(v brand.Saved) bool { return strconv.Itoa(v.Version) == want })
	switch {
	case i >= 0:
		was = list[i].Brand
	case want != "0":
		return fmt.Errorf("version of the brand: %w", knowledge.ErrNotFound)
	}
	err = p.o.Brands.Save(g.Request.Context(), s.affiliate, was, s.person.Name, formVersion(g))
	if errors.Is(err, brand.ErrConflict) {
		return &told{status: http.StatusConflict, key: "brand_conflict"}
	}
	if err != nil {
		return err
	}
	return see(g, s.at("/brand?saved=1"))
}
