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
	voteRight   = 2.0 // the weight of a sentence that shows the signal; there are few of them
	votePublic  = .5  // the weight of a public set's wording
	votePerItem = 20  // wordings of a public set's entry
	voteRidge   = .2
	voteFloor   = .45 // no vote counts below; the best entry must be less likely, too
)

// An example is a text and the signal that it shows, "" for none.
type example struct {
	text, signal string
	not          string // the signal whose look-alike it is: what else it shows is not said
	public       bool   // it is a public set's
	vector       []float32
	words        []int // dialogue.VoteWords
}

// FitVotes fits what e makes of messages in some languages: to sentences of our own that are not held back, and for
// English to the wordings of public sets whose licence allows it. told hears what is being done.
func FitVotes(ctx context.Context, sources []Source, e *Vectors, languages []string, told func(string)) (*dialogue.Ballot, error) {
	list, err := ownExamples(languages)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if s.Usable && !strings.HasSuffix(s.Name, " k5") && slices.Contains(languages, "en") {
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
		if len(languages) == 1 { // words are of one language
			list[i].words = dialogue.VoteWords(list[i].text)
		}
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

// ownExamples are the sentences that are not held back, and those that were written to be fitted to.
func ownExamples(languages []string) (list []example, err error) {
	for _, language := range languages {
		for _, own := range append(ownSignals(), examplesOfSignals(language)...) {
			sentences, err := own.sentences(language, false)
			if err != nil {
				return nil, fmt.Errorf("sentences for %s: %w", own.signal, err)
			}
			for _, m := range sentences {
				switch {
				case m.should:
					list = append(list, example{text: m.text, signal: own.signal})
				case own.file == own.signal: // in the asides it is of another signal, whose turn comes
					list = append(list, example{text: m.text, not: own.signal})
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
			list = append(list, example{text: wordings[i*len(wordings)/min(len(wordings), votePerItem)], signal: signal, public: true})
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
		"card_payment_not_recognised", "direct_debit_payment_not_recognised", "reverted_card_payment?", "terminate_account", "general_negate", "general_dontcare", "general_explain", "general_affirm", "general_repeat", "general_confirm", "general_commandstop", "music_likeness", "make_call", "general_praise", "general_quirky":
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
			judged[i] = v.Probability(list[i].vector, list[i].words)
		}
	}
	v, err := regress(list, signal, func(int) bool { return true })
	v.Least = minOf(list, signal, judged)
	return v, err
}

// weight is how much an example counts when the vote on a signal is fitted.
func (e example) weight(signal string) float64 {
	w := 1.0
	if e.public {
		w = votePublic
	}
	if e.signal == signal {
		w *= voteRight
	}
	return w
}

// tells reports whether an example says anything of a signal. Complaints, insults and what customers say of an
// answer are often two of these, so are a wish for a person and the question whether one is there; and each sentence
// is labelled as one.
func (e example) tells(signal string) bool {
	if e.not != "" {
		return e.not == signal
	}
	for _, near := range [][]string{{"complaint", "abuse", "feedback", "danger"}, {"wants_person", "identity"}} {
		if e.signal != signal && slices.Contains(near, signal) && slices.Contains(near, e.signal) {
			return false
		}
	}
	return true
}

// voteWrong is the share of wrong ones among those that a vote takes, of sentences of our own: a quarter of them was
// written to look like the signal, and what shapes find beside it is wrong half as often. Danger alarms people; a wish for
// a person and a question about the bot leave the customer's question unanswered; the others cost a sentence.
func voteWrong(signal string) float64 {
	switch signal {
	case "danger":
		return .07
	case "wants_person", "identity":
		return .1
	}
	return .15
}

// minOf is the probability from voteFloor on, in steps of .05, at which no more than voteWrong are wrong, and one in 250
// of public sets' questions, with which no entry competes here.
func minOf(list []example, signal string, judged []float64) float64 {
	least := voteFloor
	for ; least < .95; least += .05 {
		var right, wrong, public, publicWrong int
		for i, p := range judged {
			one := list[i]
			switch taken := p >= least; {
			case !one.tells(signal):
			case taken && one.signal == signal:
				right++
			case one.public:
				if public++; taken {
					publicWrong++
				}
			case taken:
				wrong++
			}
		}
		if wrong <= int(voteWrong(signal)*float64(right+wrong)) && 250*publicWrong <= public {
			break
		}
	}
	return math.Round(least*100) / 100
}

// regress fits the vote on a signal to those examples that use holds for.
func regress(list []example, signal string, use func(int) bool) (dialogue.Vote, error) {
	var rows []example
	for i, one := range list {
		if use(i) && one.tells(signal) {
			rows = append(rows, one)
		}
	}
	mean, scale := meanAndScale(rows)
	fit := voteFit{signal: signal, rows: rows, x: make([][]float32, len(rows))}
	for i, one := range rows {
		fit.x[i] = make([]float32, len(mean))
		for k, v := range one.vector {
			fit.x[i][k] = (v - mean[k]) * scale
		}
	}
	beta := fit.solve()
	// The weights of centred vectors, as those of vectors as they come.
	v := dialogue.Vote{Bias: beta[0]}
	for k, m := range mean {
		w := beta[1+k] * float64(scale)
		v.Bias -= w * float64(m)
		v.Weights = append(v.Weights, rounded(w))
	}
	v.Bias = rounded(v.Bias)
	if words := beta[1+len(mean):]; len(rows[0].words) > 0 {
		v.Words, v.Scale = packWeights(words)
	}
	return v, nil
}

// meanAndScale is the mean of the examples' vectors, and what makes their distance from it 1 on average.
func meanAndScale(rows []example) (mean []float32, scale float32) {
	mean = make([]float32, len(rows[0].vector))
	for _, one := range rows {
		for k, v := range one.vector {
			mean[k] += v / float32(len(rows))
		}
	}
	square := 0.0
	for _, one := range rows {
		for k, v := range one.vector {
			square += float64((v - mean[k]) * (v - mean[k]))
		}
	}
	return mean, float32(1 / math.Sqrt(square/float64(len(rows))))
}

// packWeights writes weights in a byte each, to 1/127 of the greatest.
func packWeights(weights []float64) (packed []byte, scale float64) {
	for _, w := range weights {
		scale = max(scale, math.Abs(w)/math.MaxInt8)
	}
	packed = make([]byte, len(weights))
	for i, w := range weights {
		packed[i] = byte(int8(math.Round(w / scale)))
	}
	return packed, scale
}
