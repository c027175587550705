package eval

import (
	"bufio"
	"embed"
	"fmt"
	"strings"

	"faqbot/bot/dialogue"
	"faqbot/knowledge/locale"
)

//go:embed signals/first/*.txt
var signalLists embed.FS

// A signalList names a signal and the targets of its lists: the floor and the goal of recall, and of precision.
type signalList struct {
	signal, file      string // the file's name without its language
	recall, precision Target
}

// ownSignals are the signals of which sentences were written before the lexicon was.
func ownSignals() []signalList {
	return []signalList{
		{"wants_person", "wants_person", Target{"recall", .90, .95}, Target{"precision", .90, .95}},
		{"danger", "danger", Target{"recall", .80, .90}, Target{"precision", .90, .95}},
		{"identity", "asides", Target{"recall", .75, .95}, Target{"precision", .85, .95}},
		{"feedback", "asides", Target{"recall", .75, .85}, Target{"precision", .85, .95}},
		{"stop", "asides", Target{"recall", .75, .85}, Target{"precision", .85, .95}},
	}
}

// sentences reads the list of a signal in a language: a sentence a line, after "- " one that is none; in
// the asides each after its signal. Every second one is held back: the lexicon was fitted to the others only.
func (l signalList) sentences(language string, heldBack bool) ([]message, error) {
	f, err := signalLists.Open("signals/first/" + l.file + "." + language + ".txt")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var list []message
	lines := bufio.NewScanner(f)
	for n := 0; lines.Scan(); n++ {
		if (n%2 == 1) != heldBack {
			continue
		}
		text, none := strings.CutPrefix(lines.Text(), "- ")
		m := message{text: text, should: !none}
		if l.file != l.signal {
			signal, rest, _ := strings.Cut(text, ": ")
			m = message{text: rest, should: signal == l.signal}
		}
		list = append(list, m)
	}
	return list, lines.Err()
}

// lists checks how well signals are told in the sentences held back.
func (r *Report) lists(p *dialogue.Phrases) error {
	for _, own := range ownSignals() {
		for _, language := range locale.Shipped() {
			list, err := own.sentences(language, true)
			if err != nil {
				return fmt.Errorf("sentences for %s: %w", own.signal, err)
			}
			d := detect(p, own.signal, list)
			for _, c := range []struct {
				target Target
				of     func(Detection) float64
			}{{own.recall, Detection.Recall}, {own.precision, Detection.Precision}} {
				m := d.measure(own.signal+" "+c.target.Figure, c.of)
				r.Checks = append(r.Checks, checked("sentences, "+language, m, Target{m.Name, c.target.Floor, c.target.Goal}, false))
			}
		}
	}
	return nil
}
