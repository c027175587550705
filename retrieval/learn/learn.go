// Package learn corrects the probability that a search gives an answer by what an affiliate's own customers show. The
// shipped calibration does not know how many of an affiliate's questions have no answer; that is most of its error on
// sets that it was not fitted on. So one number is learned for the best entry and one for menus: each is added to the
// log odds. More than that, such as a slope, needs over 100 labels.
//
// A label counts only if its case was chosen without regard to whether the bot was right: a menu that a customer used, or
// a turn drawn at random that a person judged. Complaints, votes and tickets are no labels. Who is dissatisfied speaks up
// more often, say three times as often: an offset learned from such marks would be wrong by ln 3, and surely so the more
// of them there are.
//
// It is not for changing entries or their ranking, nor for choosing what is judged.
package learn

import (
	"time"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// Chosen says how the case of a label was chosen.
type Chosen string

const (
	Menu Chosen = "menu" // a customer was asked which entry they meant, and chose
	Desk Chosen = "desk" // drawn at random, and judged at the desk
	Page Chosen = "page" // drawn at random, and judged by the affiliate
)

// Verdict is what was right in a case.
type Verdict string

const (
	Best    Verdict = "best"    // the best entry answers
	Offered Verdict = "offered" // another entry that was offered with it answers
	Wrong   Verdict = "wrong"   // the best entry does not answer; which one does is not known, or was not offered
	None    Verdict = "none"    // no entry answers
)

// A Case is what the probabilities of one question were worked out from, so that another calibration can work them out
// anew. It holds no words.
type Case struct {
	Space    string             // the vector space
	Evidence retrieval.Evidence // of the best entry
	// Menu says that entries were offered because none was likely enough. Share is how much of the odds of all entries
	// but the best those that were offered with it had.
	Menu  bool
	Share float64
}

// A Label is a case with what was right in it.
type Label struct {
	Turn         string // names the case
	Conversation string
	Affiliate    knowledge.AffiliateID
	Chosen       Chosen
	Verdict      Verdict
	By           string // who judged it; "" for customers
	At           time.Time
	Case
}

// ofBest is what a label says of the best entry's probability.
func (l Label) ofBest(shipped retrieval.Calibrations) Outcome {
	e := l.Evidence
	e.Offsets = retrieval.Offsets{} // what was learned before is no part of what the new offset is added to
	return Outcome{shipped.For(l.Space).At(e), l.Verdict == Best}
}

// ofMenu is what a label says of a menu's probability; ok is false if there was no menu, or it is not known whether it held the
// answer. best is the offset of the best entry's probability.
func (l Label) ofMenu(shipped retrieval.Calibrations, best float64) (o Outcome, ok bool) {
	if !l.Menu || l.Verdict == Wrong && l.Chosen == Desk {
		return Outcome{}, false
	}
	e := l.Evidence
	e.Offsets = retrieval.Offsets{Best: best}
	chance := shipped.For(l.Space).At(e)
	chance += chance * (1 - chance) * l.Share
	return Outcome{chance, l.Verdict == Best || l.Verdict == Offered}, true
}

// learned are the offsets that labels speak for.
func learned(labels []Label, shipped retrieval.Calibrations) retrieval.Offsets {
	var best, menus []Outcome
	for _, l := range labels {
		best = append(best, l.ofBest(shipped))
	}
	o := retrieval.Offsets{Best: Offset(best)}
	for _, l := range labels {
		if p, ok := l.ofMenu(shipped, o.Best); ok {
			menus = append(menus, p)
		}
	}
	o.Menu = Offset(menus)
	return o
}
