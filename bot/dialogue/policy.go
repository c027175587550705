package dialogue

// Costs are what may go wrong in a turn, in units of the first. They say what the product holds
// dear; every threshold of a Policy follows from them.
type Costs struct {
	Wrong  float64 // a wrong answer: the customer acts on it, or stops believing the next one
	Back   float64 // any question back: some customers do not come back from it
	Tap    float64 // choosing between entries of which one is meant
	Reword float64 // the customer has to find other words
	Stray  float64 // being offered entries of which none is meant
	Person float64 // a person's time
}

// DefaultCosts: two questions back are as bad as a wrong answer, finding other words is half as much
// trouble as being asked back, and more than reading three buttons in vain; a person's time is worth
// three rounds of asking for other words. Choosing between two that both fit is quickly done, and five of
// those are as bad as a wrong answer.
func DefaultCosts() Costs {
	return Costs{Wrong: 1, Back: .5, Tap: .2, Reword: .25, Stray: .1, Person: 2.25}
}

// Policy is the thresholds Decide applies. Those called At are probabilities.
type Policy struct {
	AnswerAt   float64 // answer at this probability or above
	OfferAt    float64 // ask which is meant if one of the entries offered is right with this probability
	CloseOdds  float64 // another entry as likely as that against the best makes a close call
	WorthOdds  float64 // offer an entry that is as likely as that against the best
	MaxClarify int     // ask which is meant so many times in a row, then count a miss
	MaxChoices int     // entries offered in one question
	MaxMisses  int     // the miss in a row that fetches a person
}

// Policy derives the thresholds that cost least, for an entry that is right with probability p.
//
//   - Answering costs (1-p)·Wrong, a question back costs Back at least: answer from 1 - Back/Wrong.
//
//   - Offering entries of which one is right with probability s costs Back + (1-s)·(Stray + Reword);
//     asking for other words costs Back + Reword. Offering is cheaper from s = Stray/(Stray + Reword).
//
//   - Each miss costs Back + Reword, so a person is fetched at the miss that makes it Person.
//
//   - Where another entry has odds o against the best, and one of the two is meant, answering with the best
//     costs o/(1+o)·Wrong and asking costs Tap: ask from o = Tap/(Wrong - Tap).
//
// WorthOdds is a line of a menu for one customer in six that choose from it.
func (c Costs) Policy() Policy {
	return Policy{
		AnswerAt:  1 - c.Back/c.Wrong,
		OfferAt:   c.Stray / (c.Stray + c.Reword),
		CloseOdds: c.Tap / (c.Wrong - c.Tap),
		WorthOdds: .2,
		MaxMisses: int(c.Person / (c.Back + c.Reword)),

		MaxClarify: 2, MaxChoices: 3,
	}
}

// DefaultPolicy is that of DefaultCosts.
func DefaultPolicy() Policy { return DefaultCosts().Policy() }
