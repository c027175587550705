// Package gaps finds what an affiliate's entries do not answer. It reads the events of conversations, takes the
// questions that were not answered well, and puts those of one meaning together as a gap. A gap is closed by an entry,
// or by deciding that it needs none.
//
// Questions are clustered as they come, by a Collector in the background, so that a page reads finished rows. The
// database keeps no words of theirs: a question's words are those of its turn, and go when the turn's go.
//
// It is not for answering (that is the entries' part), nor for tickets.
package gaps

import (
	"errors"
	"math"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
)

// ErrNotFound means that the affiliate has no such gap.
var ErrNotFound = errors.New("no such gap")

// ID names a gap.
type ID string

// State is what was decided about a gap.
type State string

const (
	Open       State = "open"
	Answered   State = "answered"     // an entry answers it
	OutOfScope State = "out_of_scope" // the affiliate does not answer such questions
	Ignored    State = "ignored"      // it is no question, or none that matters
)

// States are all of them, in the order of a page's tabs.
func States() []State { return []State{Open, Answered, OutOfScope, Ignored} }

// Kind says how a question was not answered well.
type Kind string

const (
	HandedOff  Kind = "handed_off"  // people had to answer
	NoHelp     Kind = "no_help"     // the customer said that the answer did not help
	NoneChosen Kind = "none_chosen" // the customer was asked back and chose "none of these"
	Unanswered Kind = "unanswered"  // nothing was near enough
	AskedBack  Kind = "asked_back"  // the customer was asked which entry they meant
	Found      Kind = "answered"    // the gap's entry answered it: it is counted, and costs nothing
)

// cost is what a question costs, in parts of a handoff, which takes an agent's time. A customer who was asked back
// mostly gets their answer with one more tap.
func (k Kind) cost() float64 {
	switch k {
	case HandedOff:
		return 1
	case NoHelp, NoneChosen:
		return 0.8
	case Unanswered:
		return 0.6
	case AskedBack:
		return 0.2
	}
	return 0
}

// A Gap is a question that entries do not answer, as customers asked it.
type Gap struct {
	ID        ID
	Affiliate knowledge.AffiliateID
	State     State
	Size      int       // questions, each conversation's once
	Question  string    // one of them, "" once its words are gone
	Tally     Tally     // of its questions
	LastAt    time.Time // when it was last asked
	Draft     knowledge.UploadID
	Entry     knowledge.EntryID // that answers it
	Answered  int               // questions like it that Entry has answered since
	DecidedBy string
	DecidedAt time.Time

	space       string
	sum         []float32
	costRank    float64
	example     bot.TurnID // whose question Question is
	exampleLike float64    // how much it was like the gap when it came
}

// Fixed reports whether a question like it was answered by the entry since that was published.
func (g Gap) Fixed() bool { return g.State == Answered && g.Answered > 0 }

// A Question is one that was asked.
type Question struct {
	Turn         bot.TurnID
	Conversation bot.ConversationID
	Kind         Kind
	Channel      string
	Locale       string
	Entry        knowledge.EntryID // the nearest
	Probability  float64
	Words        string // "" once they are gone
	At           time.Time

	gap     ID
	episode string
	chosen  knowledge.EntryID
	vector  []float32
}

// A Tally counts questions by what they have in common.
type Tally struct {
	Kinds    map[Kind]int                  `json:"kinds,omitempty"`
	Channels map[string]int                `json:"channels,omitempty"`
	Locales  map[string]int                `json:"locales,omitempty"`
	Days     map[int]int                   `json:"days,omitempty"`    // by the day since 1970, the last 28
	Nearest  map[knowledge.EntryID]Nearest `json:"nearest,omitempty"` // at most maxNearest
	Chosen   map[knowledge.EntryID]int     `json:"chosen,omitempty"`  // tapped by customers who were asked back
}

// A Nearest is an entry that was found nearest to some questions.
type Nearest struct {
	N   int     `json:"n"`
	Sum float64 `json:"sum"` // of the probabilities that it was meant
}

const (
	trendDays  = 28
	maxNearest = 8
	day        = 24 * time.Hour
	// halfLife is after how long a question counts half: what was asked lately is asked again.
	halfLife = 30 * day
)

// add counts a question, or with -1 one less.
func (t *Tally) add(q Question, n int) {
	t.Kinds, t.Channels, t.Locales = count(t.Kinds, q.Kind, n), count(t.Channels, q.Channel, n), count(t.Locales, q.Locale, n)
	at := int(q.At.Unix() / int64(day/time.Second))
	t.Days = count(t.Days, at, n)
	for d := range t.Days {
		if d <= at-trendDays {
			delete(t.Days, d)
		}
	}
	if q.chosen != "" {
		t.Chosen = count(t.Chosen, q.chosen, n)
	}
	if q.Entry == "" {
		return
	}
	near := t.Nearest[q.Entry]
	if near.N == 0 && len(t.Nearest) >= maxNearest {
		return
	}
	if t.Nearest == nil {
		t.Nearest = map[knowledge.EntryID]Nearest{}
	}
	t.Nearest[q.Entry] = Nearest{near.N + n, near.Sum + float64(n)*q.Probability}
}

func count[K comparable](m map[K]int, key K, n int) map[K]int {
	if m == nil {
		m = map[K]int{}
	}
	if m[key] += n; m[key] <= 0 {
		delete(m, key)
	}
	return m
}

// Trend is how many questions came in the week until now, and in the one before.
func (t Tally) Trend(now time.Time) (week, before int) {
	today := int(now.Unix() / int64(day/time.Second))
	for d, n := range t.Days {
		switch age := today - d; {
		case age < 7:
			week += n
		case age < 14:
			before += n
		}
	}
	return week, before
}

// NearestEntry is the entry that was found nearest to most questions, with its mean probability; "" if there is none.
func (t Tally) NearestEntry() (entry knowledge.EntryID, probability float64) {
	most := 0
	for id, near := range t.Nearest {
		if near.N > most || near.N == most && id < entry {
			entry, most, probability = id, near.N, near.Sum/float64(near.N)
		}
	}
	return entry, probability
}

// minAgree is how many customers must have chosen an entry before their wording is proposed for it.
const minAgree = 5

// Agreed is the entry that at least minAgree customers chose when they were asked back, "" if there is none.
func (t Tally) Agreed() (entry knowledge.EntryID) {
	most := minAgree - 1
	for id, n := range t.Chosen {
		if n > most || n == most && entry != "" && id < entry {
			entry, most = id, n
		}
	}
	return entry
}

// addCost is rank, the log2 of a sum of costs, with one more in it. A cost counts twice as much as one a halfLife
// before; since only the ratio of two sums matters, ranks need not change as time goes by.
func addCost(rank, cost float64, at time.Time) float64 {
	if cost <= 0 {
		return rank
	}
	one := math.Log2(cost) + at.Sub(time.Unix(0, 0)).Hours()/halfLife.Hours()
	high, low := max(rank, one), min(rank, one)
	return high + math.Log2(1+math.Exp2(low-high))
}
