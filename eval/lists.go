package eval

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"strings"

	"faqbot/knowledge/locale"
)

//go:embed signals/*/*.txt
var signalLists embed.FS

// A signalList is sentences for one signal, and the targets: the floor and the goal of recall, and of precision.
// The first lists are shorter, and older; the third and fourth are by writers who saw neither the others nor the lexicon.
type signalList struct {
	signal, list, file string // the file's name without its language
	recall, precision  Target
}

// ownSignals are the signals of which sentences were written before the lexicon was.
func ownSignals() []signalList {
	const first, second, third, fourth = "first", "second", "third", "fourth"
	recall := func(floor, goal float64) Target { return Target{"recall", floor, goal} }
	precision := func(floor, goal float64) Target { return Target{"precision", floor, goal} }
	return []signalList{
		{"wants_person", first, "wants_person", recall(.90, .95), precision(.90, .95)},
		{"danger", first, "danger", recall(.80, .90), precision(.85, .95)},
		{"identity", first, "asides", recall(.75, .95), precision(.75, .95)},
		{"feedback", first, "asides", recall(.75, .85), precision(.85, .95)},
		{"stop", first, "asides", recall(.75, .85), precision(.80, .95)},

		{"wants_person", second, "wants_person", recall(.80, .95), precision(.95, .95)},
		{"danger", second, "danger", recall(.70, .90), precision(.85, .98)},
		{"identity", second, "identity", recall(.75, .95), precision(.90, .95)},
		{"feedback", second, "feedback", recall(.70, .85), precision(.85, .95)},
		{"complaint", second, "complaint", recall(.70, .85), precision(.80, .85)},
		{"abuse", second, "abuse", recall(.75, .85), precision(.80, .85)},
		{"thanks", second, "thanks", recall(.75, .85), precision(.85, .85)},
		{"stop", second, "stop", recall(.75, .85), precision(.85, .95)},

		{"wants_person", third, "wants_person", recall(.70, .95), precision(.90, .95)},
		{"danger", third, "danger", recall(.80, .90), precision(.90, .98)},
		{"identity", third, "identity", recall(.70, .95), precision(.90, .95)},
		{"feedback", third, "feedback", recall(.75, .85), precision(.85, .95)},

		{"wants_person", fourth, "wants_person", recall(.80, .95), precision(.90, .95)},
		{"danger", fourth, "danger", recall(.80, .90), precision(.90, .98)},
		{"identity", fourth, "identity", recall(.70, .95), precision(.90, .95)},
		{"feedback", fourth, "feedback", recall(.70, .85), precision(.85, .95)},
		{"complaint", fourth, "complaint", recall(.70, .85), precision(.80, .85)},
		{"abuse", fourth, "abuse", recall(.80, .85), precision(.80, .85)},
		{"thanks", fourth, "thanks", recall(.65, .85), precision(.70, .85)},
		{"stop", fourth, "stop", recall(.70, .85), precision(.85, .95)},
	}
}

// examplesOfSignals are sentences to be fitted to, by writers who saw nothing of the other lists. In languages of which
// there are no public sets, plain are questions that show no signal.
func examplesOfSignals(language string) (list []signalList) {
	signals := []string{"wants_person", "danger", "identity", "feedback", "complaint", "abuse", "thanks", "stop"}
	if language != "en" {
		signals = append(signals, "plain")
	}
	for _, signal := range signals {
		list = append(list, signalList{signal: signal, list: examples, file: signal})
	}
	return list
}

const examples = "examples" // the folder of which nothing is held back

// sentences reads the list of a signal in a language: a sentence a line, after "- " one that is none; in
// the asides each after its signal. Every second one is held back: the lexicon and the votes were fitted to the
// others only.
func (l signalList) sentences(language string, heldBack bool) ([]message, error) {
	f, err := signalLists.Open("signals/" + l.list + "/" + l.file + "." + language + ".txt")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var list []message
	lines := bufio.NewScanner(f)
	for n := 0; lines.Scan(); n++ {
		if l.list != examples && (n%2 == 1) != heldBack || l.list == examples && heldBack {
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
func (r *Report) lists(ctx context.Context, l listener) error {
	for _, own := range ownSignals() {
		for _, language := range locale.Shipped() {
			list, err := own.sentences(language, true)
			if err != nil {
				return fmt.Errorf("sentences for %s: %w", own.signal, err)
			}
			d, err := detect(ctx, l, own.signal, list)
			if err != nil {
				return err
			}
			for _, c := range []struct {
				target Target
				of     func(Detection) float64
			}{{own.recall, Detection.Recall}, {own.precision, Detection.Precision}} {
				m := d.measure(own.signal+" "+c.target.Figure, c.of)
				r.Checks = append(r.Checks, checkTarget(own.list+" sentences, "+language, m, Target{m.Name, c.target.Floor, c.target.Goal}, false))
			}
		}
	}
	return nil
}
