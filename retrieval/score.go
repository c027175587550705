package retrieval

import "math"

// Features are what an entry's score is made of, each on its natural scale: sums of such carry over to
// other corpora better than products or ranks. Of a question with two readings they are the means.
type Features struct {
	Cosine      float64 `json:"cosine"`       // of the entry's best wording, -1 to 1
	Mean        float64 `json:"mean"`         // mean cosine of all its wordings
	Ngrams      float64 `json:"ngrams"`       // n-gram similarity of the best wording, 0 to 1
	Words       float64 `json:"words"`        // the best wording's share of the question's words by weight (BM25), 0 to about 1
	Passage     float64 `json:"passage"`      // cosine of the question and answer as one text; 0 where no entry has an answer
	Late        float64 `json:"late"`         // how well the question's tokens are found in the entry's (package late); 0 if it was not compared
	AnswerWords float64 `json:"answer_words"` // share of the question's words of the entry's question with its answer, likewise; 0 where no entry has an answer
	Chance      float64 `json:"chance"`       // the logistic head's probability, 0 if there is no such head
	Ridge       float64 `json:"ridge"`        // the ridge head's score, about 0 to 1; 0 if there is no such head

	logChance float64 // natural logarithm of Chance
}

// Which entry is meant and how sure that is are two questions, with weights of their own. The first
// goes by what was learned, on passages and on tokens, the second on how near the question lies to anything
// at all: of an unanswerable question the logistic head still says which entry is the likeliest, and
// an answer has words for many a question. The weights were chosen on public sets, where
// neighbouring ones do as well to within a few questions.
const (
	// A best wording can be near by accident, the more so the more there are; the mean makes up for it.
	bestShare, meanShare = 0.7, 0.3

	rankNgrams      = 0.12
	rankWords       = 0.3
	rankPassage     = 1.25
	rankAnswerWords = 0.3
	rankChance      = 1.25
	rankLogChance   = 0.06
	minChance       = 1e-4 // below which a chance is as good as none

	// decay is how soon an entry that ranks below another gets less likely than that one: by a factor of e
	// for each 1/decay of score. Fitted to each of thirteen public sets by itself it was 2.8 to 6 on ten,
	// and 12 to 16 on three; with token rows, which set entries farther apart, the best for all is 4.
	decay = 4

	// Late counts less the more wordings an entry has, since their vectors and the heads then tell as much.
	rankLate     = 1.5
	lateDiscount = 0.5
	maxLate      = 10 // candidates whose tokens are compared

	confidenceNgrams = 0.3
	confidenceWords  = 0.3
	confidenceRidge  = 0.5
	confidenceChance = 0.2 // times the logarithm of how many entries the chance was shared among
)

// lateWeight is that of Late in what entries are ranked by, where an entry has so many wordings on average.
func lateWeight(wordings float64) float64 {
	return rankLate / (1 + lateDiscount*math.Log(max(wordings, 1)))
}

// rankScore is what entries are ranked by, but for Late. Products are converted before they are added, rankScore forbids
// fused multiply-add: the sum has the same bits on every machine.
func (p *Features) rankScore() float64 {
	return float64(bestShare*p.Cosine) + float64(meanShare*p.Mean) +
		float64(rankNgrams*p.Ngrams) + float64(rankWords*p.Words) +
		float64(rankPassage*p.Passage) + float64(rankAnswerWords*p.AnswerWords) +
		float64(rankChance*p.Chance) + float64(rankLogChance*p.logChance)
}

// confidence is what the probability of the best entry goes by, among so many entries.
func (p *Features) confidence(entries int) float64 {
	return p.plain() + float64(confidenceChance*math.Log(float64(entries))*p.Chance)
}

// plain is confidence without the logistic head's part.
func (p *Features) plain() float64 {
	return float64(bestShare*p.Cosine) + float64(meanShare*p.Mean) +
		float64(confidenceNgrams*p.Ngrams) + float64(confidenceWords*p.Words) + float64(confidenceRidge*p.Ridge)
}

// add adds share times q to p.
func (p *Features) add(share float64, q Features) {
	p.Cosine += float64(share * q.Cosine)
	p.Mean += float64(share * q.Mean)
	p.Ngrams += float64(share * q.Ngrams)
	p.Words += float64(share * q.Words)
	p.Passage += float64(share * q.Passage)
	p.Late += float64(share * q.Late)
	p.AnswerWords += float64(share * q.AnswerWords)
	p.Chance += float64(share * q.Chance)
	p.Ridge += float64(share * q.Ridge)
	p.logChance += float64(share * q.logChance)
}

// Evidence is what the probability of a hit was worked out from.
type Evidence struct {
	Sure    float64 `json:"sure"`    // how near the question is to the entry, all told; about 0 to 3
	Plain   float64 `json:"plain"`   // Sure without the logistic head's part
	Learned bool    `json:"learned"` // whether a logistic head has its part in it
	Entries int     `json:"entries"` // of the affiliate
	// Wordings is how many an entry has on average. Heads that saw many are surer of themselves.
	Wordings float64 `json:"wordings"`
	// Nearest is how alike the entries are: the mean cosine of a wording and the nearest one of another
	// entry. It is about what a question has with an entry that nearly answers it.
	Nearest float64 `json:"nearest"`
	Late    float64 `json:"late"`   // how well the question's tokens are found in the entry's
	Tokens  bool    `json:"tokens"` // whether tokens were compared
	Offsets Offsets `json:"offsets,omitzero"`
}
