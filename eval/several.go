package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"faqbot/bot"
	"faqbot/knowledge"
)

// twoAnswersMost is how often one question may get two answers: a ceiling that is shown, not enforced.
const twoAnswersMost = .005

// falseSplits notes how often one question gets two answers, or an answer and a question back.
func (r *Report) falseSplits(set string, s *Sample) {
	two, back := make([]float64, s.Len()), make([]float64, s.Len())
	for i, result := range s.results {
		answers, offers := answersIn(result.Outcome)
		two[i], back[i] = count(answers > 1), count(answers == 1 && offers)
	}
	r.Noted = append(r.Noted, Metric{Set: set, Measured: average("one question, two answers", two, s.cluster), Ceiling: twoAnswersMost})
	r.note(set, average("one question, answer and offer", back, s.cluster))
}

// answersIn counts the entries that an outcome answers with, and says whether it offers others.
func answersIn(o bot.Outcome) (answers int, offers bool) {
	for _, r := range o.Replies {
		answers += int(count(r.Entry != ""))
		offers = offers || len(r.Choices) > 1
	}
	return answers, offers
}

// A pair is two questions in one message.
type pair struct {
	text          string
	first, second Case
}

// pairsDrawn is how many pairs are drawn; those with the same answer are left out.
const pairsDrawn = 500

// joints are the ways in which people put two questions into one message.
func joints() []string {
	return []string{"%s? %s?", "%s\n%s", "%s. And %s", "%s and also %s", "%s and %s"}
}

// drawPairs joins questions in scope that have different answers, in each of the ways in turn.
func drawPairs(cases []Case) (list []pair) {
	random := rand.New(rand.NewPCG(seed, pairsDrawn))
	for range pairsDrawn {
		first, second := cases[random.IntN(len(cases))], cases[random.IntN(len(cases))]
		shared := slices.ContainsFunc(first.Relevant, func(id knowledge.EntryID) bool { return slices.Contains(second.Relevant, id) })
		if shared || !first.InScope() || !second.InScope() {
			continue
		}
		joint := joints()[len(list)%len(joints())]
		before, after := strings.TrimRight(first.Text, ".?! "), strings.TrimRight(second.Text, ".?! ")
		if strings.Contains(joint, "nd ") { // in the middle of a sentence
			_, n := utf8.DecodeRuneInString(after)
			after = strings.ToLower(after[:n]) + after[n:]
		}
		list = append(list, pair{fmt.Sprintf(joint, before, after), first, second})
	}
	return list
}

// pairs notes what becomes of two questions in one message.
func (r *Report) pairs(ctx context.Context, b *Asker, set Set) error {
	list := drawPairs(set.Cases)
	if len(list) == 0 {
		return nil
	}
	var both, asked, wrong []float64
	results, err := inParallel(ctx, list, func(ctx context.Context, p pair) (Result, error) {
		return b.Ask(ctx, Case{ID: p.first.ID + " + " + p.second.ID, Text: p.text, Lang: p.first.Lang})
	})
	if err != nil {
		return err
	}
	for i, result := range results {
		twice, once, badly := list[i].judge(result.Outcome)
		both, asked, wrong = append(both, count(twice)), append(asked, count(once)), append(wrong, count(badly))
	}
	r.note(set.Name, average("two questions, both answered right", both, nil),
		average("two questions, first answered, second on offer", asked, nil), average("two questions, two answers, one wrong", wrong, nil))
	return nil
}

// judge says whether both questions were answered, rightly; or the first, and the right entry was on
// offer for the second; or both, and not rightly.
func (p pair) judge(o bot.Outcome) (both, asked, wrong bool) {
	if o.Decision.Action != bot.ActionAnswer || len(o.Replies) < 2 {
		return false, false, false
	}
	first, second := o.Replies[0], o.Replies[1]
	right := slices.Contains(p.first.Relevant, first.Entry)
	if second.Entry != "" {
		both = right && slices.Contains(p.second.Relevant, second.Entry)
		return both, false, !both
	}
	return false, right && slices.ContainsFunc(second.Choices, func(c bot.Choice) bool {
		return slices.Contains(p.second.Relevant, bot.EntryOf(c.Payload))
	}), false
}
