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
	Features map[string]float64 `json:"features"` // of the best hit and of the corpus; see features
	Right    bool               `json:"right"`    // the best entry answers, and the question is in scope
	InScope  bool               `json:"in_scope"`
}

// How entries are drawn.
const (
	drawWhole = "whole"
	drawLeft  = "entries left out"
	drawOne   = "entries left out, 1 wording each"
	drawThree = "entries left out, 3 wordings each"
)

const (
	mostAsked       = 400 // queries of a draw that are fitted on
	severalFrom     = 1.5 // wordings per entry from which draws with fewer say something
	leastLeft       = .2  // of the entries are left out
	mostLeft        = .6
	hitsForFeatures = 10
	wholeRepeats    = 1
	leftRepeats     = 4
	fewerRepeats    = 2
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

// Draw asks a source's questions of its entries, drawn in several ways: all of them once, and four
// times without 20 to 60 % of the entries, whose questions nothing answers then. Where entries have
// several wordings, it also leaves out wordings: twice all but one, twice all but three. The same
// source gives the same rows. The whole is asked everything, so that it can be measured; 400
// questions of each draw are to be fitted on.
func Draw(ctx context.Context, s Source, e *Vectors) (rows []Row, err error) {
	wordings := 0
	for _, entry := range s.Entries {
		wordings += len(entry.Wordings())
	}
	repeats := []struct {
		draw  string
		times int
		keep  int // wordings of each entry; 0 for all
	}{{drawWhole, wholeRepeats, 0}, {drawLeft, leftRepeats, 0}}
	if float64(wordings) >= severalFrom*float64(len(s.Entries)) {
		repeats = append(repeats, repeats[1], repeats[1])
		repeats[2].draw, repeats[2].times, repeats[2].keep = drawOne, fewerRepeats, 1
		repeats[3].draw, repeats[3].times, repeats[3].keep = drawThree, fewerRepeats, 3
	}
	for _, r := range repeats {
		for i := range r.times {
			random := rand.New(rand.NewPCG(hash(s.Name+"\x00"+r.draw), uint64(i)))
			drawn := s
			if r.draw != drawWhole {
				drawn = s.without(random, r.keep)
			}
			if len(drawn.Entries) == 0 {
				continue
			}
			asked, err := drawn.ask(ctx, random, r.draw, e)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", s.Name, r.draw, err)
			}
			rows = append(rows, asked...)
		}
	}
	return rows, nil
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// without is s without some of its entries, and with keep wordings of each of the others.
func (s Source) without(random *rand.Rand, keep int) Source {
	share := leastLeft + (mostLeft-leastLeft)*random.Float64()
	left := max(1, int(math.Round(share*float64(len(s.Entries)))))
	drawn := s
	drawn.Entries = nil
	for _, i := range random.Perm(len(s.Entries))[left:] {
		e := s.Entries[i]
		if w := e.Wordings(); keep > 0 && keep < len(w) {
			w = slices.Clone(w)
			random.Shuffle(len(w), func(i, k int) { w[i], w[k] = w[k], w[i] })
			e.Question, e.Variants = w[0], w[1:keep]
		}
		drawn.Entries = append(drawn.Entries, e)
	}
	return drawn
}

// ask asks s's questions of its entries, those marked for fitting drawn at random.
func (s Source) ask(ctx context.Context, random *rand.Rand, draw string, e *Vectors) ([]Row, error) {
	order := random.Perm(len(s.Cases))
	if draw != drawWhole {
		order = order[:min(len(order), mostAsked)]
	}
	b, err := NewBot(ctx, s.Entries, e)
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
		hits, err := b.search(ctx, c, hitsForFeatures)
		if err != nil {
			return Row{}, err
		}
		row.Right = len(hits) > 0 && slices.Contains(c.Relevant, hits[0].Entry.ID)
		row.Features = features(hits, s.Entries)
		return row, nil
	})
	for i := range rows {
		rows[i].Fit = s.Usable && i < mostAsked
	}
	return rows, err
}

// features are what a probability may be made of: of the best hit, and of the corpus as a whole.
func features(hits []retrieval.Hit, entries []knowledge.Entry) map[string]float64 {
	wordings := 0
	for _, e := range entries {
		wordings += len(e.Wordings())
	}
	f := map[string]float64{"wordings": math.Log(float64(wordings) / float64(len(entries))), "cosine": 0, "ngrams": 0}
	if len(hits) > 0 {
		f["cosine"], f["ngrams"] = hits[0].Semantic, hits[0].Lexical
	}
	return f
}
