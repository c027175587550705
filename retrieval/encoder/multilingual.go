//go:build !english

package encoder

import _ "embed" // for the weights

// multilingual is the multilingual model's file. model/README.md describes it.
//
//go:embed model/multilingual.bin
var multilingual string

// multilingualProjection is RowDim directions, as in projection.
//
//go:embed model/projection_multilingual.bin
var multilingualProjection string

const (
	multilingualWords  = 250002
	multilingualLayers = 12
	multilingualLead   = 3 // tokens before a text's own: <s>, "query", ":"
)

// NewMultilingual loads the embedded model of about a hundred languages, for the quickest kernel that this machine can
// run. A build with the tag "english" has none, and returns nil.
func NewMultilingual() (*Encoder, error) {
	return multilingualOn(kernels()[0])
}

func multilingualOn(k kernel) (*Encoder, error) {
	e, err := loadMultilingual(multilingual, k)
	if err != nil {
		return nil, err
	}
	e.rows, err = loadProjection(multilingualProjection)
	return e, err
}

func loadMultilingual(file string, k kernel) (*Encoder, error) {
	r := &reader{rest: file}
	if err := r.head("FAQENC02", multilingualWords, maxMultilingual, multilingualLayers); err != nil {
		return nil, err
	}
	e := &Encoder{
		space:     "multilingual-e5-small/q4/int8/1",
		tokens:    r.unigram(),
		lead:      multilingualLead,
		net:       r.network(halfByteWords(r.take(multilingualWords*halfByteRow)), maxMultilingual, multilingualLayers, k),
		mean:      r.floats(hidden),
		meanRow:   r.floats(hidden),
		kernel:    k.name,
		scratches: newScratches(),
	}
	return e, r.end()
}
