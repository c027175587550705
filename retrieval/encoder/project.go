package encoder

import (
	_ "embed" // for the projection
	"errors"
	"math"

	"faqbot/retrieval/vector"
)

// RowDim is the length of a token's row. The rows of real texts lie near so few dimensions that 128 of 384
// rank entries as well as all; 64 begin to lose.
const RowDim = 128

// projection is RowDim orthonormal directions of hidden float32 numbers, little-endian. model/README.md says
// how it is made.
//
//go:embed model/projection.bin
var projection string

func loadProjection(file string) ([][]float32, error) {
	r := &reader{rest: file}
	rows := make([][]float32, RowDim)
	for i := range rows {
		rows[i] = r.floats(hidden)
	}
	if r.short || r.rest != "" {
		return nil, errors.New("encoder: projection file has the wrong length")
	}
	return rows, nil
}

// project makes rows of a text's first n tokens; x is the last layer's, of all tokens.
func (e *Encoder) project(x []float32, n int) vector.Rows {
	rows := vector.Rows{Bytes: make([]uint8, 0, n*RowDim), Scales: make([]float32, 0, n)}
	var row [RowDim]float32
	for i := range n {
		vector.Dots(row[:], centred(x[(e.lead+i)*hidden:][:hidden], e.meanRow), e.rows)
		square := 0.0
		for _, v := range row {
			square += float64(float64(v) * float64(v))
		}
		scale := float32(1 / math.Sqrt(square)) // not of zero: the last layer adds a shift of its own to each row
		for k := range row {
			row[k] *= scale
		}
		rows.Append(row[:])
	}
	return rows
}
