package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"faqbot/bot/dialogue"
	"faqbot/knowledge"
)

const (
	voteFolds   = 4   // a sentence is judged by a fit to the others
	voteRight   = 4.0 // the weight of a sentence that shows the signal; there are few of them
	votePublic  = .5  // the weight of a public set's wording
	votePerItem = 8   // wordings of a public set's entry
	voteRidge   = 1.0
)

// An example is a text and the signal that it shows, "" for none.
type example struct {
	text, signal string
	weight       float64
	vector       []float32
}

// FitVotes fits what e makes of messages in some languages: to the sentences that the lexicon was fitted to, and to
// the wordings of public sets whose licence allows it, which are English. told hears what is being done.
func FitVotes(ctx context.Context, sources []Source, e *Vectors, languages []string, told func(string)) (*dialogue.Ballot, error) {
	list, err := ownExamples(languages)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if s.Usable && !strings.HasSuffix(s.Name, " k5") {
			list = append(list, examplesOf(s)...)
		}
	}
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].text
	}
	vectors, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].vector = vectors[i]
	}
	names := votedSignals()
	votes, err := inParallel(ctx, names, func(_ context.Context, signal string) (dialogue.Vote, error) {
		told(signal)
		return fitVote(list, signal)
	})
	if err != nil {
		return nil, err
	}
	b := &dialogue.Ballot{Space: e.Space(), Signals: map[string]dialogue.Vote{}}
	if len(languages) == 1 {
		b.Language = languages[0]
	}
	for i, name := range names {
		b.Signals[name] = votes[i]
	}
	return b, nil
}

// ownExamples are the sentences that are not held back.
func ownExamples(languages []string) (list []example, err error) {
	for _, own := range ownSignals() {
		for _, language := range languages {
			sentences, err := own.sentences(language, false)
			if err != nil {
				return nil, fmt.Errorf("sentences for %s: %w", own.signal, err)
			}
			for _, m := range sentences {
				switch {
				case m.should:
					list = append(list, example{text: m.text, signal: own.signal, weight: 1})
				case own.file == own.signal: // in the asides it is of another signal, whose turn comes
					list = append(list, example{text: m.text, weight: 1})
				}
			}
		}
	}
	return list, nil
}

// votedSignals are the signals that are voted on.
func votedSignals() (list []string) {
	for _, own := range ownSignals() {
		if !slices.Contains(list, own.signal) {
			list = append(list, own.signal)
		}
	}
	return list
}

// examplesOf are wordings of a public set. Most are questions that show no signal; some sets have entries for
// what people say to a bot, and for what may be danger, which says nothing of either.
func examplesOf(s Source) (list []example) {
	if family(s.Name) == "multidogo" {
		return nil // talk: most of its entries are no questions
	}
	for _, entry := range s.Entries {
		signal, tells := publicSignal(entry.ID)
		if !tells {
			continue
		}
		wordings := entry.Wordings()
		for i := range min(len(wordings), votePerItem) {
			list = append(list, example{text: wordings[i*len(wordings)/min(len(wordings), votePerItem)], signal: signal, weight: votePublic})
		}
	}
	return list
}

// publicSignal is the signal that the wordings of a public set's entry show; false if some may show one and
// others not.
func publicSignal(entry knowledge.EntryID) (signal string, tells bool) {
	switch entry {
	case "are_you_a_bot", "what_is_your_name", "who_made_you", "who_do_you_work_for", "what_can_i_ask_you", "where_are_you_from":
		return "identity", true
	case "thank_you":
		return "thanks", true
	case "contact_human_agent":
		return "wants_person", true
	case "contact_customer_service", "complaint", "how_old_are_you", "what_are_your_hobbies", "do_you_have_pets", "change_ai_name", "change_user_name", "user_name", "meaning_of_life",
		"fun_fact", "tell_joke", "greeting", "goodbye", "yes", "no", "maybe", "cancel", "repeat", "whisper_mode", "change_volume", "change_speed", "flip_coin", "roll_dice", "oil_change_how",
		"report_fraud", "report_lost_card", "compromised_card", "lost_or_stolen_card", "lost_or_stolen_phone", "transaction_charged_twice", "cash_withdrawal_not_recognised",
		"card_payment_not_recognised", "direct_debit_payment_not_recognised", "reverted_card_payment?", "terminate_account", "general_negate", "general_dontcare", "general_praise", "general_quirky":
		return "", false
	}
	return "", true
}

// fitVote fits the vote on one signal, and the probability from which it counts: the least that is right in 19
// of 20 sentences that were judged by a fit to others.
func fitVote(list []example, signal string) (dialogue.Vote, error) {
	judged := make([]float64, len(list))
	for fold := range voteFolds {
		v, err := regress(list, signal, func(i int) bool { return i%voteFolds != fold })
		if err != nil {
			return v, err
		}
		for i := fold; i < len(list); i += voteFolds {
			judged[i] = v.Probability(list[i].vector)
		}
	}
	v, err := regress(list, signal, func(int) bool { return true })
	v.Least = minOf(list, signal, judged)
	return v, err
}

// tells reports whether an example says anything of a signal. Complaints, insults and what customers say of an
// answer are often two of these, so are a wish for a person and the question whether one is there; and each sentence
// is labelled as one.
func (e example) tells(signal string) bool {
	for _, near := range [][]string{{"complaint", "abuse", "feedback", "danger"}, {"wants_person", "identity"}} {
		if e.signal != signal && slices.Contains(near, signal) && slices.Contains(near, e.signal) {
			return false
		}
	}
	return true
}

// minOf is the probability from .5 on at which at most one in 20 is wrong, in steps of .05.
func minOf(list []example, signal string, judged []float64) float64 {
	least := .5
	for ; least < .95; least += .05 {
		right, wrong := 0.0, 0.0
		for i, p := range judged {
			if p >= least && list[i].signal == signal {
				right++
			} else if p >= least && list[i].tells(signal) {
				wrong++
			}
		}
		if wrong <= (right+wrong)/20 {
			break
		}
	}
	return math.Round(least*100) / 100
}

// regress fits the vote on a signal to those examples that use holds for.
func regress(list []example, signal string, use func(int) bool) (dialogue.Vote, error) {
	var x [][]float64
	var y []bool
	var weights []float64
	for i, one := range list {
		if !use(i) || !one.tells(signal) {
			continue
		}
		row := make([]float64, len(one.vector))
		for k, v := range one.vector {
			row[k] = float64(v)
		}
		weight := one.weight
		if one.signal == signal {
			weight *= voteRight
		}
		x, y, weights = append(x, row), append(y, one.signal == signal), append(weights, weight)
	}
	beta, err := logistic(x, y, weights, voteRidge)
	if err != nil {
		return dialogue.Vote{}, fmt.Errorf("vote on %s: %w", signal, err)
	}
	v := dialogue.Vote{Bias: rounded(beta[0])}
	for _, b := range beta[1:] {
		v.Weights = append(v.Weights, rounded(b))
	}
	return v, nil
}
