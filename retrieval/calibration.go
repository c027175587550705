package retrieval

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
)

// calibrationVersion is the form of calibration.json that this code reads.
const calibrationVersion = 2

//go:embed calibration.json
var calibrationFile embed.FS

// A calibration turns a score into a probability in any corpus. It was fitted once, on many public
// corpora with entries left out so that some questions have no answer; calibration.json says on
// which, and how well it does on one it has not seen. The data themselves are not in it.
type calibration struct {
	Version int                     `json:"version"`
	Default coefficients            `json:"default"` // for spaces that have no fit of their own
	Spaces  map[string]coefficients `json:"spaces"`
}

// coefficients are those of two logistic regressions (Platt 2000) of "the best entry answers": one
// for corpora in which nothing was learned, and one for those with heads, whose scores are of
// another kind. Each has one number for the question, its score, and one for the corpus: inputs such
// as the margin to the runner-up learn the corpora they were fitted on.
type coefficients struct {
	Bias    float64 `json:"bias"`
	Score   float64 `json:"score"`
	Nearest float64 `json:"nearest"` // of shape.nearest
	Alone   float64 `json:"alone"`   // stands for shape.nearest where there is only one entry

	Heads struct {
		Bias     float64 `json:"bias"`
		Score    float64 `json:"score"`
		Wordings float64 `json:"wordings"` // of shape.wordings
	} `json:"heads"`
}

// rising reports whether a better score is likelier right.
func (k coefficients) rising() bool { return k.Score > 0 && k.Heads.Score > 0 }

// shippedCalibration reads the file that is part of the program; a test sees to it that it can.
func shippedCalibration() calibration {
	raw, err := calibrationFile.ReadFile("calibration.json")
	if err != nil {
		panic(err)
	}
	c, err := readCalibration(raw)
	if err != nil {
		panic(err)
	}
	return c
}

func readCalibration(raw []byte) (calibration, error) {
	var c calibration
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("read calibration: %w", err)
	}
	if c.Version != calibrationVersion {
		return c, fmt.Errorf("read calibration: version %d, not %d", c.Version, calibrationVersion)
	}
	for space, k := range c.Spaces {
		if !k.rising() {
			return c, fmt.Errorf("read calibration: in %s a better score is not likelier right", space)
		}
	}
	if !c.Default.rising() {
		return c, fmt.Errorf("read calibration: by default a better score is not likelier right")
	}
	return c, nil
}

// A curve is a calibration made ready for one corpus: the probability grows with the score.
type curve struct{ bias, slope float64 }

func (c calibration) curve(space string, s shape) curve {
	k, ok := c.Spaces[space]
	if !ok {
		k = c.Default
	}
	if !math.IsNaN(s.wordings) {
		return curve{bias: k.Heads.Bias + k.Heads.Wordings*s.wordings, slope: k.Heads.Score}
	}
	near := s.nearest
	if math.IsNaN(near) {
		near = k.Alone
	}
	return curve{bias: k.Bias + k.Nearest*near, slope: k.Score}
}

// at is the probability that an entry with this score answers. It was fitted on best entries; for
// those further down it is too high, by what the ones above have taken.
func (c curve) at(score float64) float64 {
	return 1 / (1 + math.Exp(-c.bias-c.slope*score))
}
