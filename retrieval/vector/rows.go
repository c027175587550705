package vector

import "math"

// Rows are unit vectors of one length as 8-bit integers with a scale each, like a slab's: a byte for each
// number and four for the scale. The length is a multiple of 64.
type Rows struct {
	Bytes  []uint8   // row after row
	Scales []float32 // vector ≈ scale · (bytes − 128), one for each row
}

// Len is how many rows there are.
func (r Rows) Len() int { return len(r.Scales) }

// Append adds v, which must be a unit vector of the other rows' length.
func (r *Rows) Append(v []float32) {
	at := len(r.Bytes)
	r.Bytes = append(r.Bytes, make([]uint8, len(v))...)
	scale, _ := quantise(r.Bytes[at:], v)
	r.Scales = append(r.Scales, scale)
}

// probeRows is how many rows one call of a kernel compares with a row of a probe.
const probeRows = 64

// A Probe is rows made ready to be compared with others. It is not for concurrent use.
type Probe struct {
	queries []scanQuery
	kernel  kernel
	scores  [probeRows]float32
	zero    [probeRows]float32 // losses, which bound what rounding may hide; nobody asks for that here
}

// NewProbe makes r ready.
func NewProbe(r Rows) *Probe { return probeOn(r, kernels()[0]) }

func probeOn(r Rows, k kernel) *Probe {
	p := &Probe{queries: make([]scanQuery, r.Len()), kernel: k}
	for i := range p.queries {
		width := len(r.Bytes) / r.Len()
		q := scanQuery{bytes: make([]int8, width), scale: r.Scales[i]}
		for j, u := range r.Bytes[i*width:][:width] {
			number := int(u) - zeroPoint
			q.bytes[j] = int8(number)
			q.offset += zeroPoint * number
		}
		p.queries[i] = q
	}
	return p
}

// Len is how many rows p has.
func (p *Probe) Len() int { return len(p.queries) }

// Nearest sets dst[i] to the largest cosine of p's i-th row with one of rows, which have the same length;
// −∞ if there are none.
func (p *Probe) Nearest(dst []float32, rows Rows) {
	for i := range p.queries {
		dst[i] = float32(math.Inf(-1))
	}
	if rows.Len() == 0 {
		return
	}
	width := len(rows.Bytes) / rows.Len()
	for from := 0; from < rows.Len(); from += probeRows {
		n := min(probeRows, rows.Len()-from)
		some := slabRows{bytes: rows.Bytes[from*width:][:n*width], scales: rows.Scales[from:][:n], losses: p.zero[:n]}
		for i := range p.queries {
			q := &p.queries[i]
			p.kernel.scan(p.scores[:n], q, some)
			for _, score := range p.scores[:n] {
				dst[i] = max(dst[i], float32(score*q.scale))
			}
		}
	}
}
