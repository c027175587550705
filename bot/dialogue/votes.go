package dialogue

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"path"

	"faqbot/retrieval"
)

//go:embed votes/*.json
var voteFiles embed.FS

// A Ballot is what a vector space makes of messages: for each signal a logistic regression on a message's
// vector, fitted to example sentences ("faqbot eval fit-votes"). Another vector space votes as
// soon as a file of its own stands beside the others.
type Ballot struct {
	Space    string          `json:"space"`
	Language string          `json:"language,omitempty"` // of the messages that it is for; "": any
	Signals  map[string]Vote `json:"signals"`            // by the name that Signals.Names gives them
}

// A Vote is a logistic regression, and the probability from which it counts.
type Vote struct {
	Least   float64   `json:"least"`
	Bias    float64   `json:"bias"`
	Weights []float64 `json:"weights"`
}

// Probability is that of the signal in a message with this vector; 0 if the vector is of another length.
func (v Vote) Probability(vector []float32) float64 {
	if len(vector) != len(v.Weights) {
		return 0
	}
	odds := v.Bias
	for i, w := range v.Weights {
		odds += w * float64(vector[i])
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
// answer stays a question, and if the message is no longer than those it was fitted to.
func (p *Phrases) Vote(s *Signals, found retrieval.Result) {
	if n := len(tokenize(s.Question)); s.TooLong || n < minVoteWords || n > maxVoteWords {
		return
	}
	best := 0.0
	if len(found.Hits) > 0 {
		best = found.Hits[0].Score
	}
	for _, b := range p.ballots {
		if b.Space != found.Space || b.Language != "" && s.Language != "" && s.Language != b.Language {
			continue
		}
		chosen, most := "", best
		for signal, vote := range b.Signals {
			if chance := vote.Probability(found.Vector); chance >= vote.Least && chance > most {
				chosen, most = signal, chance
			}
		}
		s.elect(p, chosen)
	}
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
		s.WantsPerson = true
	case "danger":
		s.Danger = true
	case "complaint":
		s.Complaint = true
	case "abuse":
		s.Abuse = true
	case "stop":
		s.StopMaybe = true
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
