package retrieval

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"

	"faqbot/knowledge"
)

// CalibrationVersion is the form of calibration.json that this code reads.
const CalibrationVersion = 5

//go:embed calibration*.json
var calibrationFiles embed.FS

// A Calibration turns evidence into a probability in any corpus. It was fitted once, on many public
// corpora with entries left out so that some questions have no answer; calibration.json says on
// which, and how well it does on one it has not seen. The data themselves are not in it.
// `faqbot eval fit-prior` makes the file.
//
// How many of the questions to come have no answer cannot be read off a corpus, and what is left of the
// calibration error on sets not fitted on is mostly that: sets without a question out of scope come out
// some .1 too low, sets with three in four out of scope as much too high. With the right intercept for each
// set the mean error would be .045 in place of .080. More evidence of the question or of the corpus (the
// margin to the runner-up, each part by itself, how well wordings that are left out are found, how near they
// are to the others of their entry) did not carry over, nor did expectation maximisation of the share over
// a set's own questions (Saerens et al. 2002), which brought some sets near and drove others away.
type Calibration struct {
	Version int `json:"version"`
	// Learned is for corpora with a logistic head, Plain for those too large for one.
	Learned Coefficients `json:"learned"`
	Plain   Coefficients `json:"plain"`
	// The same for vector spaces without token rows, where nothing is known of Evidence.Late.
	LearnedByVectors Coefficients `json:"learned_by_vectors"`
	PlainByVectors   Coefficients `json:"plain_by_vectors"`

	Provenance struct {
		Space string `json:"space"` // the vector space that it was fitted in
	} `json:"provenance"`
}

// Coefficients are those of a logistic regression (Platt 2000) of "the best entry answers". Two inputs
// are of the question, Evidence.Sure and Evidence.Late, and the others of the corpus as a whole: inputs such
// as the margin to the runner-up learn the corpora they were fitted on.
type Coefficients struct {
	Bias     float64 `json:"bias"`
	Sure     float64 `json:"sure"`
	Wordings float64 `json:"wordings"` // of the logarithm of Evidence.Wordings
	Nearest  float64 `json:"nearest"`
	Entries  float64 `json:"entries"` // of the logarithm of Evidence.Entries
	// Spread is of the product of the first and the last: among many entries evidence has a wider scale.
	Spread float64 `json:"spread"`
	// Crowd is of the product of the second and the third: many wordings of entries that lie close together
	// leave little room that is nobody's.
	Crowd float64 `json:"crowd"`
	Late  float64 `json:"late"`
	// LateWordings is of the product of Evidence.Late and the logarithm of Evidence.Wordings.
	LateWordings float64 `json:"late_wordings"`
}

// maxEntries is how many the largest corpus fitted on has. What is learned of larger ones would be
// extrapolated; they are taken to be as large as that.
const maxEntries = 150

// rising reports whether surer evidence is likelier right, in corpora of any size.
func (k *Coefficients) rising() bool {
	return k.Sure > 0 && k.Sure+k.Spread*math.Log(maxEntries) > 0
}

// Inputs are what the coefficients but Bias are multiplied with, in their order; sure is Sure or Plain.
func (e Evidence) Inputs(confidence float64) [8]float64 {
	entries, wordings := math.Log(float64(min(max(e.Entries, 1), maxEntries))), math.Log(max(e.Wordings, 1))
	return [8]float64{confidence, wordings, e.Nearest, entries, confidence * entries, wordings * e.Nearest, e.Late, e.Late * wordings}
}

// At is the probability that a best entry with this evidence answers.
func (c *Calibration) At(e Evidence) float64 {
	return Shift(1/(1+math.Exp(-c.logit(e))), e.Offsets.Best)
}

// Offsets are what was learned of an affiliate's own customers: each is added to the log odds of a probability.
type Offsets struct {
	Version int     `json:"version"` // of what was learned, from 1; 0 if nothing was
	Best    float64 `json:"best"`    // of the best entry's probability
	Menu    float64 `json:"menu"`    // of the probability that one of some entries offered answers
}

// Learned is what was learned of affiliates' customers; *learn.Learner is one.
type Learned interface {
	Offsets(ctx context.Context) (map[knowledge.AffiliateID]Offsets, error)
}

// Shift adds by to the log odds of probability p.
func Shift(p, by float64) float64 {
	if by == 0 {
		return p // with the same bits
	}
	odds := p / (1 - p) * math.Exp(by)
	if math.IsInf(odds, 1) {
		return 1
	}
	return odds / (1 + odds)
}

// logit is the log odds that a best entry with this evidence answers, as shipped.
func (c *Calibration) logit(e Evidence) float64 {
	k, in := c.of(e), e.Inputs(e.Plain)
	if e.Learned {
		in = e.Inputs(e.Sure)
	}
	return k.Bias + float64(k.Sure*in[0]) + float64(k.Wordings*in[1]) + float64(k.Nearest*in[2]) +
		float64(k.Entries*in[3]) + float64(k.Spread*in[4]) + float64(k.Crowd*in[5]) + float64(k.Late*in[6]) + float64(k.LateWordings*in[7])
}

// of are the coefficients for such evidence.
func (c *Calibration) of(e Evidence) *Coefficients {
	switch {
	case e.Learned && e.Tokens:
		return &c.Learned
	case e.Learned:
		return &c.LearnedByVectors
	case e.Tokens:
		return &c.Plain
	}
	return &c.PlainByVectors
}

// otherSpaces stands for vector spaces that nothing was fitted in.
const otherSpaces = ""

// Calibrations are the shipped ones, by vector space.
type Calibrations map[string]*Calibration

// For is the calibration for a vector space.
func (c Calibrations) For(space string) *Calibration {
	if own := c[space]; own != nil {
		return own
	}
	return c[otherSpaces]
}

// ShippedCalibrations reads the files that are part of the program; a test sees to it that it can. What was fitted in
// the English space serves for otherSpaces, too.
func ShippedCalibrations() Calibrations {
	byName := make(Calibrations)
	names, err := fs.Glob(calibrationFiles, "*.json")
	for _, name := range names {
		var raw []byte
		var c *Calibration
		if raw, err = calibrationFiles.ReadFile(name); err == nil {
			c, err = readCalibration(raw)
		}
		if err != nil {
			break
		}
		byName[c.Provenance.Space] = c
		if name == "calibration.json" {
			byName[otherSpaces] = c
		}
	}
	if err != nil {
		panic(err)
	}
	return byName
}

func readCalibration(raw []byte) (*Calibration, error) {
	var c Calibration
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("read calibration: %w", err)
	}
	if c.Version != CalibrationVersion {
		return nil, fmt.Errorf("read calibration: version %d, not %d", c.Version, CalibrationVersion)
	}
	for _, k := range []*Coefficients{&c.Learned, &c.Plain, &c.LearnedByVectors, &c.PlainByVectors} {
		if !k.rising() {
			return nil, fmt.Errorf("read calibration: surer evidence is not likelier right")
		}
	}
	return &c, nil
}
