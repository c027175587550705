package retrieval

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/locale"
)

// Builtin are the encoders that need no network. Multilingual is nil in a build for English alone.
type Builtin struct {
	English, Multilingual Embedder
}

// A foreignSpace is what the multilingual encoder makes of an English index. It is made when somebody first asks in
// another language, since most affiliates never need it.
type foreignSpace struct {
	making sync.Mutex // held by who makes it
	made   atomic.Pointer[vectorSpace]
	wanted atomic.Bool
}

// maxAtOnce is how many texts are embedded while a customer waits, about two seconds. More are embedded by Run, and
// until then the English encoder answers.
const maxAtOnce = 400

// multilingualOf is p's space of the multilingual encoder, nil if it has none yet.
func multilingualOf(p *index) *vectorSpace {
	if p.foreign {
		return p.builtin
	}
	return p.abroad.made.Load()
}

// spoken splits indexes by the encoder that reads a question in a language: the English one for a question in English,
// or in no language that shows, to entries in English.
func (s *Searcher) spoken(ctx context.Context, indexes []*index, language string) (english, others []*index, err error) {
	elsewhere := language != "" && !strings.HasPrefix(canonical(language), "en") && s.builtin.Multilingual != nil
	for _, p := range indexes {
		if elsewhere && !p.foreign {
			err = s.wantForeign(ctx, p)
		}
		if err != nil {
			return nil, nil, err
		}
		if p.foreign || elsewhere && multilingualOf(p) != nil {
			others = append(others, p)
		} else {
			english = append(english, p)
		}
	}
	return english, others, nil
}

// wantForeign makes p's foreignSpace, or leaves that to Run.
func (s *Searcher) wantForeign(ctx context.Context, p *index) error {
	if p.abroad.made.Load() != nil {
		return nil
	}
	if s.running.Load() && len(p.wordings)+len(p.passages) > maxAtOnce {
		p.abroad.wanted.Store(true)
		s.Poke()
		return nil
	}
	return s.makeForeign(ctx, p)
}

// makeForeign makes p's foreignSpace, if it is not there. The caller may compute.
func (s *Searcher) makeForeign(ctx context.Context, p *index) error {
	p.abroad.making.Lock()
	defer p.abroad.making.Unlock()
	if p.abroad.made.Load() != nil {
		return nil
	}
	sp, err := s.place(ctx, p, s.builtin.Multilingual, nil)
	if err == nil {
		p.abroad.made.Store(sp)
	}
	return err
}

// makeWanted begins to make the foreignSpaces that searches wanted. What fails is reported to Observe, and wanted
// again by the next search.
func (s *Searcher) makeWanted(ctx context.Context, wg *sync.WaitGroup) {
	for _, p := range *s.indexes.Load() {
		if !p.abroad.wanted.CompareAndSwap(true, false) {
			continue
		}
		wg.Go(func() {
			start := time.Now()
			release, err := s.compute(ctx)
			if err == nil {
				err = guard.Run(func() error { return s.makeForeign(ctx, p) })
				release()
			}
			s.opts.Observe(StageIndex, time.Since(start), err)
		})
	}
}

// For is the encoder of an affiliate's entries: the English one, which knows English best, unless more than a few of
// them are in another language. Vectors of two encoders cannot be compared, so all entries have the same.
func (b Builtin) For(entries []knowledge.Entry) Embedder {
	return b.of(b.foreign(entries))
}

// foreign reports whether the multilingual encoder reads entries.
func (b Builtin) foreign(entries []knowledge.Entry) bool {
	return b.Multilingual != nil && !mostlyEnglish(entries)
}

func (b Builtin) of(foreign bool) Embedder {
	if foreign {
		return b.Multilingual
	}
	return b.English
}

// foreignShare is the share of entries from which the multilingual encoder reads them all.
const foreignShare = .1

// mostlyEnglish reports whether no more than foreignShare of the entries are in another language than English.
func mostlyEnglish(entries []knowledge.Entry) bool {
	words := englishWords()
	foreign := 0
	for _, e := range entries {
		if foreignEntry(e, words) {
			foreign++
		}
	}
	return float64(foreign) <= foreignShare*float64(len(entries))
}

// English text has a third and more of its frequent words, that of other languages hardly one in thirty. A few words
// show nothing.
const (
	foreignBelow = .04
	minWords     = 8
)

// foreignEntry reports whether an entry is in another language than English: by its locale, else by its script and
// its words.
func foreignEntry(e knowledge.Entry, frequent map[string]bool) bool {
	if e.Locale != "" {
		return !strings.HasPrefix(canonical(e.Locale), "en")
	}
	text := strings.ToLower(strings.Join(e.Wordings(), " ") + " " + answerText(e))
	if locale.OtherScript(text) {
		return true
	}
	count, known := 0, 0
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
		count++
		if frequent[word] {
			known++
		}
	}
	return count >= minWords && float64(known) < foreignBelow*float64(count)
}

// englishWords are frequent words of English that are none of another language in Latin script: not "of", "is", "to".
func englishWords() map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(`the and are you your how what when where why which who can could would should
		does did with from this that these its been have has not our they their there if i'm don't please about get make
		any other after before`) {
		set[word] = true
	}
	return set
}
