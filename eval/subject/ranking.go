package subject

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"faqbot/bot"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Ranking is a TREC run: what some tool ranked for each case. Its best entry counts as the answer.
type Ranking struct {
	name   string
	ranked map[string][]Ranked // by topic, best first
}

var _ Subject = Ranking{}

// ReadRanking reads "topic Q0 entry rank score name" a line. Scores beyond 0 to 1 are scaled into it, since
// they stand for probabilities here.
func ReadRanking(path string) (_ Ranking, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Ranking{}, fmt.Errorf("read the run: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := Ranking{ranked: map[string][]Ranked{}}
	low, high := 0.0, 1.0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if len(words) != 6 {
			return r, fmt.Errorf("%s, line %d: a line of a run is six words: topic Q0 entry rank score name", path, n)
		}
		score, err := strconv.ParseFloat(words[4], 64)
		if err != nil {
			return r, fmt.Errorf("%s, line %d: the score %q is no number", path, n, words[4])
		}
		low, high, r.name = min(low, score), max(high, score), words[5]
		r.ranked[words[0]] = append(r.ranked[words[0]], Ranked{knowledge.EntryID(words[2]), score})
	}
	for _, list := range r.ranked {
		slices.SortStableFunc(list, func(a, b Ranked) int { return cmp.Compare(b.Probability, a.Probability) })
		for i := range list {
			list[i].Probability = (list[i].Probability - low) / (high - low)
		}
	}
	return r, lines.Err()
}

func (r Ranking) Name() string { return r.name }

func (r Ranking) Close() error { return nil }

func (r Ranking) Open(c suite.Case) Dialogue {
	return listed(r.ranked[strings.Join(strings.Fields(c.ID), "_")])
}

// listed is a dialogue that knows one ranking.
type listed []Ranked

func (l listed) Say(context.Context, suite.Turn) (Reply, error) {
	if len(l) == 0 {
		return Reply{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer}, nil
	}
	return Reply{Action: bot.ActionAnswer, Reason: bot.ReasonConfident, Entries: []knowledge.EntryID{l[0].Entry}, Ranked: l}, nil
}
