package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A Source is a set to learn from how scores and right answers go together.
type Source struct {
	Set
	Family  string // sets of one origin, which are left out together; "banking", "clinc"
	Licence string
	Usable  bool // its licence lets what was fitted on it be shipped; else it only measures
}

// A Row is one question asked of one draw of a source's entries.
type Row struct {
	Set      string             `json:"set"`
	Family   string             `json:"family"`
	Draw     string             `json:"draw"`     // how the entries were drawn
	Fit      bool               `json:"fit"`      // may be fitted on
	Weight   float64            `json:"weight"`   // in the fit
	Features map[string]float64 `json:"features"` // of the best hit and of the corpus; see features
	Right    bool               `json:"right"`    // the best entry answers, and the question is in scope
	InScope  bool               `json:"in_scope"`
	Chance   Chance             `json:"chance"` // with the shipped calibration
}

// How entries are drawn.
const (
	drawWhole = "whole"
	drawLeft  = "entries left out"
	drawFew   = "few entries"
	drawOne   = "1 wording each"
	drawThree = "3 wordings each"
)

const (
	maxAsked        = 400 // queries of a draw that are fitted on
	severalFrom     = 1.5 // wordings per entry from which draws with fewer say something
	outsideAtMost   = .8  // of the questions are assumed to be out of scope where next to nothing is published
	outsideFallsOff = 20. // entries, with which that falls by a factor of e
)

// ReadSources reads the sets in folders: each is a set's own folder, or one of such folders. Where a
// set has few-shot files, faq.k5.jsonl and faq.k10.jsonl, each of those is a source in place of the
// full one. Folders without entries are named in skipped.
func ReadSources(folders []string) (sources []Source, skipped []string, err error) {
	var sets []string
	for _, folder := range folders {
		below, err := filepath.Glob(filepath.Join(folder, "*", "meta.json"))
		if err != nil {
			return nil, nil, fmt.Errorf("look for sets in %s: %w", folder, err)
		}
		if _, err := os.Stat(filepath.Join(folder, "meta.json")); err == nil {
			below = append(below, filepath.Join(folder, "meta.json"))
		}
		if len(below) == 0 {
			return nil, nil, fmt.Errorf("%s holds no set: a set is a folder with meta.json, faq.jsonl and queries.jsonl", folder)
		}
		for _, meta := range below {
			sets = append(sets, filepath.Dir(meta))
		}
	}
	for _, folder := range sets {
		found, err := readSource(folder)
		if errors.Is(err, fs.ErrNotExist) {
			skipped = append(skipped, filepath.Base(folder))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, found...)
	}
	if len(sources) == 0 {
		return nil, nil, fmt.Errorf("no set in %s has both faq.jsonl and queries.jsonl", strings.Join(folders, ", "))
	}
	return sources, skipped, nil
}

// readSource reads the sources of one set's folder.
func readSource(folder string) (list []Source, err error) {
	licence, err := readLicence(filepath.Join(folder, "meta.json"))
	if err != nil {
		return nil, err
	}
	name := filepath.Base(folder)
	files := map[string]string{name: "faq.jsonl"}
	names := []string{name}
	if few, _ := filepath.Glob(filepath.Join(folder, "faq.k*.jsonl")); len(few) > 0 {
		names = nil
		for _, path := range few {
			shots := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "faq."), ".jsonl")
			names = append(names, name+" "+shots)
			files[name+" "+shots] = filepath.Base(path)
		}
	}
	for _, n := range names {
		set, err := ReadSet(n, filepath.Join(folder, files[n]), filepath.Join(folder, "queries.jsonl"))
		if err != nil {
			return nil, err
		}
		list = append(list, Source{Set: set, Family: family(name), Licence: licence, Usable: usable(licence)})
	}
	return list, nil
}

func readLicence(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the set's licence: %w", err)
	}
	var meta struct {
		Licence string `json:"licence"`
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return meta.Licence, nil
}

// family is the letters that a set's name begins with: banking77 and banking77_oos are one family.
func family(name string) string {
	if end := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }); end > 0 {
		return name[:end]
	}
	return name
}

// usable reports whether a licence is one that lets us ship what was learned: it is named first, and
// nothing about it keeps commerce out. What is not known is not usable.
func usable(licence string) bool {
	l := strings.ToUpper(licence)
	if strings.Contains(l, "-NC") || strings.Contains(l, "NON-COMMERCIAL") || strings.Contains(l, "RESEARCH") {
		return false
	}
	return slices.ContainsFunc([]string{"CC-BY-", "CC0", "ODBL-", "CDLA-", "APACHE-", "MIT", "BSD-"},
		func(known string) bool { return strings.HasPrefix(l, known) })
}

// A plan is a way to draw entries, and how much its rows weigh in a fit, all together.
type plan struct {
	draw    string
	times   int
	weight  float64
	left    [2]float64 // least and most of the entries to leave out, as shares
	entries int        // to keep in place of that; 0 for no number
	keep    int        // wordings of each entry; 0 for all
}

// plans are how a source with so many entries and wordings of each is drawn. An affiliate's corpus
// may be a tenth of what public sets have, in entries and in wordings.
func plans(entries int, wordings float64) []plan {
	list := []plan{
		{draw: drawWhole, times: 1, weight: 1},
		{draw: drawLeft, times: 4, weight: 4, left: [2]float64{.1, .45}},
	}
	few := []int{10, 20, 40}
	for _, n := range few {
		if float64(entries) > 1.3*float64(n) {
			list = append(list, plan{draw: drawFew, times: 1, weight: 1 / float64(len(few)), entries: n})
		}
	}
	if wordings >= severalFrom {
		list = append(list,
			plan{draw: drawOne, times: 2, weight: 1, left: [2]float64{0, .3}, keep: 1},
			plan{draw: drawThree, times: 2, weight: 1, left: [2]float64{0, .3}, keep: 3})
	}
	return list
}

// Draw asks a source's questions of its entries, drawn in several ways: all of them; without some of
// the entries, whose questions nothing answers then; few of them; and, where entries have several
// wordings, with one or three of each. The same source gives the same rows. The whole is asked
// everything, so that it can be measured; 400 questions of each draw are to be fitted on.
func Draw(ctx context.Context, s Source, e *Vectors) (rows []Row, err error) {
	wordings := 0
	for _, entry := range s.Entries {
		wordings += len(entry.Wordings())
	}
	for _, p := range plans(len(s.Entries), float64(wordings)/float64(len(s.Entries))) {
		for i := range p.times {
			random := rand.New(rand.NewPCG(hash(fmt.Sprint(s.Name, "\x00", p.draw, p.entries)), uint64(i)))
			drawn := s
			if p.draw != drawWhole {
				drawn.Set = s.without(random, p)
			}
			asked, err := drawn.ask(ctx, random, p.draw, e)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", s.Name, p.draw, err)
			}
			weigh(asked, p, len(drawn.Entries))
			rows = append(rows, asked...)
		}
	}
	return rows, nil
}

// weigh gives the rows of one draw that may be fitted on their weights. Who has published more leaves
// fewer questions unanswered: a fifth is assumed to be answered by next to nothing, and each entry to
// answer a twentieth of what is left, so that .8 exp(-n/20) are out of scope. Shares of .7 to .9 and
// twentieths to twenty-fifths carry over about as well, .8/√n less so, except to corpora of 2 to 7 entries that get nothing out of
// scope (Braun): there the probability comes out too low. The whole keeps the share it came with.
func weigh(rows []Row, p plan, entries int) {
	fit, outside := 0.0, 0.0
	for _, r := range rows {
		if r.Fit {
			fit++
			if !r.InScope {
				outside++
			}
		}
	}
	share := outside / max(fit, 1)
	assumed := outsideAtMost * math.Exp(-float64(entries)/outsideFallsOff)
	for i := range rows {
		r := &rows[i]
		if !r.Fit {
			continue
		}
		r.Weight = p.weight / float64(p.times) / fit
		switch {
		case p.draw == drawWhole || share == 0 || share == 1:
		case r.InScope:
			r.Weight *= (1 - assumed) / (1 - share)
		default:
			r.Weight *= assumed / share
		}
	}
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// without is s without some of its entries, and with p.keep wordings of each of the others. At least
// one is left.
func (s Set) without(random *rand.Rand, p plan) Set {
	left := int(math.Round((p.left[0] + (p.left[1]-p.left[0])*random.Float64()) * float64(len(s.Entries))))
	if p.entries > 0 {
		left = len(s.Entries) - p.entries
	}
	left = min(left, len(s.Entries)-1)
	drawn := s
	drawn.Entries = nil
	for _, i := range random.Perm(len(s.Entries))[left:] {
		e := s.Entries[i]
		if w := e.Wordings(); p.keep > 0 && p.keep < len(w) {
			w = slices.Clone(w)
			random.Shuffle(len(w), func(i, k int) { w[i], w[k] = w[k], w[i] })
			e.Question, e.Variants = w[0], w[1:p.keep]
		}
		drawn.Entries = append(drawn.Entries, e)
	}
	return drawn
}

// ask asks s's questions of its entries, those marked for fitting drawn at random.
func (s Source) ask(ctx context.Context, random *rand.Rand, draw string, e *Vectors) ([]Row, error) {
	order := random.Perm(len(s.Cases))
	if draw != drawWhole {
		order = order[:min(len(order), maxAsked)]
	}
	b, err := NewAsker(ctx, s.Entries, e)
	if err != nil {
		return nil, err
	}
	present := make(map[knowledge.EntryID]bool, len(s.Entries))
	for _, entry := range s.Entries {
		present[entry.ID] = true
	}
	rows, err := inParallel(ctx, order, func(ctx context.Context, at int) (Row, error) {
		c := s.Cases[at]
		row := Row{Set: s.Name, Family: s.Family, Draw: draw,
			InScope: slices.ContainsFunc(c.Relevant, func(id knowledge.EntryID) bool { return present[id] })}
		hits, err := b.search(ctx, c, dialogue.DefaultPolicy().MaxChoices)
		if err != nil {
			return Row{}, err
		}
		row.Right = len(hits) > 0 && slices.Contains(c.Relevant, hits[0].Entry.ID)
		if len(hits) == 0 {
			return Row{}, fmt.Errorf("case %s: nothing was found", c.ID)
		}
		row.Features = features(hits[0].Evidence)
		row.Chance = chanceOf(hits, func(h retrieval.Hit) bool { return slices.Contains(c.Relevant, h.Entry.ID) })
		return row, nil
	})
	for i := range rows {
		rows[i].Fit = s.Usable && i < maxAsked
	}
	return rows, err
}

// features are the numbers that calibration.json has coefficients for, in their order; those of the
// question also as they are without a logistic head.
func features(e retrieval.Evidence) map[string]float64 {
	with, without := e.Inputs(e.Sure), e.Inputs(e.Plain)
	return map[string]float64{"sure": with[0], "wordings": with[1], "nearest": with[2], "entries": with[3], "spread": with[4], "crowd": with[5],
		"late": with[6], "late wordings": with[7], "plain sure": without[0], "plain spread": without[4]}
}
