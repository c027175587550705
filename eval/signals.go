package eval

import (
	"context"
	"path/filepath"
	"slices"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/jsonl"
	"faqbot/retrieval"
)

// A Detection counts messages by whether a signal should have fired and whether it did.
type Detection struct {
	Messages, Should, Fired, Right int
}

// Precision is how many of those that fired should have; NaN if none fired.
func (d Detection) Precision() float64 { return ratio(float64(d.Right), float64(d.Fired)) }

// Recall is how many of those that should have fired did; NaN if none should.
func (d Detection) Recall() float64 { return ratio(float64(d.Right), float64(d.Should)) }

// F1 is the harmonic mean of both.
func (d Detection) F1() float64 { return ratio(float64(2*d.Right), float64(d.Fired+d.Should)) }

// FalseAlarms is how many of those that should not have fired did.
func (d Detection) FalseAlarms() float64 {
	return ratio(float64(d.Fired-d.Right), float64(d.Messages-d.Should))
}

// A message is what a customer wrote and whether a signal should fire.
type message struct {
	text   string
	should bool
	dialog string
}

// detections are messages read one by one.
type detections struct {
	should, fired []bool
	cluster       []int
}

// A listener tells the signals of messages: by their words, and by what the encoder makes of them where no entry
// competes, after an answer.
type listener struct {
	phrases *dialogue.Phrases
	vectors *Vectors
}

// read tells the signals of each message by itself.
func (l listener) read(ctx context.Context, list []message) ([]dialogue.Signals, error) {
	signals := make([]dialogue.Signals, len(list))
	texts, of := map[*Vectors][]string{}, map[*Vectors][]int{}
	for i, m := range list {
		signals[i] = dialogue.Read(l.phrases, bot.Turn{Waiting: []bot.Message{{Author: bot.AuthorCustomer, Text: m.text}}})
		e := l.vectors
		if language := signals[i].Language; language != "" && language != "en" && e.multilingual != nil {
			e = e.multilingual
		}
		texts[e], of[e] = append(texts[e], m.text), append(of[e], i)
	}
	for e := range texts {
		vectors, err := e.Embed(ctx, texts[e])
		if err != nil {
			return nil, err
		}
		for k, i := range of[e] {
			l.phrases.Vote(&signals[i], retrieval.Result{Space: e.Space(), Vector: vectors[k]}, true, 1)
		}
	}
	return signals, nil
}

// detect reads each message by itself. signal is one of dialogue.Signals.Names.
func detect(ctx context.Context, l listener, signal string, list []message) (detections, error) {
	d := detections{should: make([]bool, len(list)), fired: make([]bool, len(list))}
	dialogs := make([]string, len(list))
	read, err := l.read(ctx, list)
	if err != nil {
		return d, err
	}
	for i, m := range list {
		d.should[i], d.fired[i], dialogs[i] = m.should, slices.Contains(read[i].Names(), signal), m.dialog
	}
	d.cluster = clustersOf(dialogs)
	return d, nil
}

// count counts the message at place i weights[i] times; nil counts each once.
func (d detections) count(weights []int) (sum Detection) {
	for i := range d.should {
		w := 1
		if weights != nil {
			w = weights[i]
		}
		sum.Messages += w
		if d.should[i] {
			sum.Should += w
		}
		if d.fired[i] {
			sum.Fired += w
		}
		if d.should[i] && d.fired[i] {
			sum.Right += w
		}
	}
	return sum
}

func (d detections) measure(name string, of func(Detection) float64) Measured {
	weighted := func(weights []int) float64 { return of(d.count(weights)) }
	return Measured{name, weighted(nil), bootstrap(len(d.should), d.cluster, weighted)}
}

// smallTalk checks how well greetings and thanks are told in whole dialogues.
func (r *Report) smallTalk(ctx context.Context, data string, l listener) error {
	const name = "multidogo_software"
	set, err := ReadSet(name, filepath.Join(data, name, "faq.jsonl"), filepath.Join(data, name, "queries.jsonl"))
	if err != nil {
		return err
	}
	for _, c := range []struct {
		signal string
		label  knowledge.EntryID
	}{{"greeting", "openinggreeting"}, {"thanks", "thankyou"}} {
		var list []message
		for _, said := range set.Cases {
			list = append(list, message{said.Text, slices.Contains(said.Relevant, c.label), said.Dialog})
		}
		d, err := detect(ctx, l, c.signal, list)
		if err != nil {
			return err
		}
		m := d.measure(c.signal+" F1", Detection.F1)
		r.Checks = append(r.Checks, checkTarget(name, m, Target{m.Name, .80, .90}, false))
		r.note(name, d.measure(c.signal+" precision", Detection.Precision), d.measure(c.signal+" recall", Detection.Recall))
	}
	return nil
}

// countFalseAlarms checks how often a customer's plain question is taken for a mood.
func (r *Report) countFalseAlarms(ctx context.Context, data string, l listener) error {
	const name = "banking77"
	set, err := ReadSet(name, filepath.Join(data, name, "faq.jsonl"), filepath.Join(data, name, "queries.jsonl"))
	if err != nil {
		return err
	}
	list := make([]message, len(set.Cases))
	for i, c := range set.Cases {
		list[i].text = c.Text
	}
	for _, signal := range []string{"wants_person", "complaint", "abuse", "identity", "feedback", "stop"} {
		d, err := detect(ctx, l, signal, list)
		if err != nil {
			return err
		}
		m := d.measure(signal+" false alarms", Detection.FalseAlarms)
		r.Checks = append(r.Checks, checkTarget(name, m, Target{m.Name, .01, .003}, true))
	}
	return nil
}

// A moodRow is a post with its mood, as signals_airline and signals_offensive have it. Their IDs are
// not unique, and nothing answers them.
type moodRow struct {
	Text      string `json:"text"`
	Sentiment string `json:"sentiment"`
	Offensive bool   `json:"offensive"`
}

// moods notes how well a signal is told in the posts of set, which are not a service's messages: they
// show where the words end, and are no target.
func (r *Report) moods(ctx context.Context, data, set, signal string, l listener, should func(moodRow) bool) error {
	var list []message
	err := jsonl.Read(filepath.Join(data, set, "queries.jsonl"), func(_ int, m moodRow) error {
		list = append(list, message{text: m.Text, should: should(m)})
		return nil
	})
	if err != nil {
		return err
	}
	d, err := detect(ctx, l, signal, list)
	if err != nil {
		return err
	}
	r.note(set, d.measure(signal+" precision", Detection.Precision), d.measure(signal+" recall", Detection.Recall),
		d.measure(signal+" false alarms", Detection.FalseAlarms))
	return nil
}
