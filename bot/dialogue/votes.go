package dialogue

import (
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"path"
	"slices"

	"faqbot/retrieval"
)

//go:embed votes/*.json
var voteFiles embed.FS

// A Ballot is what a vector space makes of messages: for each signal a logistic regression on a message's vector and,
// in the ballot of one language, on its words, fitted to example sentences ("faqbot eval fit-votes"). Another vector
// space, or language, votes as soon as a file of its own stands beside the others.
type Ballot struct {
	Space    string          `json:"space"`
	Language string          `json:"language,omitempty"` // of the messages that it is for; "": any
	Signals  map[string]Vote `json:"signals"`            // by the name that Signals.Names gives them
}

// A Vote is a logistic regression, and the probability from which it counts.
type Vote struct {
	Least   float64   `json:"least"`
	Bias    float64   `json:"bias"`
	Weights []float64 `json:"weights"` // of the vector
	// Words are the weights of words and of two or three in a row, an int8 for each of the WordBuckets, times Scale.
	// None if the ballot is for any language.
	Words []byte  `json:"words,omitempty"`
	Scale float64 `json:"scale,omitempty"`
}

// WordBuckets is how many weights of words a vote has. Different words may share one: sentences that decide on a
// signal have few words.
const WordBuckets = 1 << 15

// VoteWords are the buckets of a text's words, and of two and three in a row, each once. Each has the value 1/√n, n
// being their number, so that a long text weighs as much as a short one.
func VoteWords(text string) []int {
	const inARow = 3
	tokens := tokenize(text)
	list := make([]int, 0, inARow*len(tokens))
	for i := range tokens {
		hash := fnv.New32a()
		for n := i; n < min(i+inARow, len(tokens)); n++ {
			_, _ = hash.Write([]byte(tokens[n].word + " "))
			list = append(list, int(hash.Sum32()%WordBuckets))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Probability is that of the signal in a message with this vector and these VoteWords; 0 if the vector is of another
// length.
func (v Vote) Probability(vector []float32, words []int) float64 {
	if len(vector) != len(v.Weights) {
		return 0
	}
	odds := v.Bias
	for i, w := range v.Weights {
		odds += w * float64(vector[i])
	}
	if len(v.Words) == WordBuckets && len(words) > 0 {
		sum := 0
		for _, w := range words {
			sum += int(int8(v.Words[w]))
		}
		odds += v.Scale * float64(sum) / math.Sqrt(float64(len(words)))
	}
	return 1 / (1 + math.Exp(-odds))
}

// loadBallots reads the ballots that the binary carries.
func loadBallots() (list []Ballot, err error) {
	files, err := voteFiles.ReadDir("votes")
	if err != nil {
		return nil, fmt.Errorf("read the votes: %w", err)
	}
	for _, f := range files {
		data, err := voteFiles.ReadFile(path.Join("votes", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the votes: %w", err)
		}
		var b Ballot
		if err := json.Unmarshal(data, &b); err != nil {
			return nil, fmt.Errorf("read the votes %s: %w", f.Name(), err)
		}
		list = append(list, b)
	}
	return list, nil
}

// Vote adds to s what the vector space that answered makes of the question. The words go first: votes are for
// what no shape has. One counts if the space is surer of it than of its best entry, so that a question with an
// answer stays a question, and if the message is no longer than those it was fitted to. The likeliest counts, and danger,
// complaint and abuse beside it. That an answer did not help is said only where one was given.
//
// answerAt is the probability from which an entry is the answer: then the customer asks about that, not about the bot, in
// whatever words.
func (p *Phrases) Vote(s *Signals, found retrieval.Result, answered bool, answerAt float64) {
	if n := len(tokenize(s.Question)); s.TooLong || n < minVoteWords || n > maxVoteWords {
		return
	}
	best := 0.0
	if len(found.Hits) > 0 {
		best = found.Hits[0].Score
	}
	words := VoteWords(s.Question)
	chosen, most := "", best
	var counted []string
	for signal, vote := range p.ballotOf(found.Space, s.Language).Signals {
		if signal == "feedback" && !answered {
			continue
		}
		chance := vote.Probability(found.Vector, words)
		if chance < vote.Least || chance <= best {
			continue
		}
		if chance > most {
			chosen, most = signal, chance
		}
		counted = append(counted, signal)
	}
	if chosen != "identity" || best < answerAt {
		s.elect(p, chosen)
	}
	for _, signal := range counted {
		switch signal {
		case "danger", "complaint", "abuse":
			s.elect(p, signal)
		}
	}
}

// ballotOf is that of a space for a language, else the one for any, and for a message whose language does not show
// the space's only one; none if the space has none.
func (p *Phrases) ballotOf(space, language string) (chosen Ballot) {
	inSpace := 0
	for _, b := range p.ballots {
		if b.Space != space {
			continue
		}
		if b.Language == language {
			return b
		}
		if inSpace++; b.Language == "" || language == "" && inSpace == 1 {
			chosen = b
		}
	}
	return chosen
}

// minVoteWords and maxVoteWords are how many words a message has of which the encoder has a say: a single one is
// no sentence, and in a long one a sentence like the examples is part of a story.
const (
	minVoteWords = 2
	maxVoteWords = 25
)

// elect notes the signal that won the vote. An opt-out is asked back about, since it is not taken back by reading
// on; what a message asks beside thanks stays asked.
func (s *Signals) elect(p *Phrases, signal string) {
	switch signal {
	case "wants_person":
		s.WantsPerson = s.WantsPerson || !p.fires(shapeOthers, p.read(tokenize(s.Question)))
	case "danger":
		s.Danger = true
	case "complaint":
		s.Complaint = true
	case "abuse":
		s.Abuse = true
	case "stop":
		s.StopMaybe, s.StopLikely = true, true
	case "identity":
		s.Identity, s.Question = true, ""
	case "feedback":
		s.Feedback, s.Question = true, ""
	case "thanks":
		if !asks(p, s.Question) {
			s.Praise, s.Thanks, s.Question = true, true, ""
		}
	}
}
