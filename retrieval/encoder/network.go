package encoder

import "math"

// A network is the model between token IDs and the sentence's vector. Its methods only read it.
type network struct {
	kernel    kernel
	words     wordTable
	positions []float32 // a row for each position; token type 0 is added in
	norm      layerNorm
	layers    []layer
}

// A wordTable holds one row of hidden numbers per token ID.
type wordTable interface {
	row(dst []float32, id int32)
}

// A layer is one transformer block, normalised after each half.
type layer struct {
	qkv     linear // query, key and value side by side
	output  linear
	norm    layerNorm
	expand  linear
	reduce  linear
	ffnNorm layerNorm
}

// A scratch is the working memory of one forward pass, kept between passes.
type scratch struct {
	tokenScratch
	ids []int32

	rows      int       // tokens that the rest has room for
	x, y, z   []float32 // hidden wide
	wide      []float32 // ffn wide; also holds query, key and value
	scores    []float32 // one per token
	quantised []uint8   // ffn wide
	rowScales []float32
	tile      []int32 // panelColumns wide
}

func (s *scratch) grow(rows int) {
	if rows <= s.rows {
		return
	}
	s.rows = 2 * rows
	s.x = make([]float32, s.rows*hidden)
	s.y = make([]float32, s.rows*hidden)
	s.z = make([]float32, s.rows*hidden)
	s.wide = make([]float32, s.rows*ffn)
	s.scores = make([]float32, s.rows)
	s.quantised = make([]uint8, s.rows*ffn)
	s.rowScales = make([]float32, s.rows)
	s.tile = make([]int32, s.rows*panelColumns)
}

// embed writes the unit vector of at most as many tokens as there are positions to dst, and leaves the last layer's rows in s.x.
func (n *network) embed(dst []float32, ids []int32, s *scratch) {
	rows := len(ids)
	s.grow(rows)
	x, y, z := s.x[:rows*hidden], s.y[:rows*hidden], s.z[:rows*hidden]
	for i, id := range ids {
		n.words.row(x[i*hidden:][:hidden], id)
	}
	k := &n.kernel
	k.add(x, n.positions[:len(x)])
	k.normalise(n.norm, x)
	for i := range n.layers {
		l := &n.layers[i]
		qkv := s.wide[:rows*3*hidden]
		l.qkv.apply(qkv, x, rows, s)
		k.attend(y, qkv, s.scores[:rows])
		l.output.apply(z, y, rows, s)
		k.add(x, z)
		k.normalise(l.norm, x)

		wide := s.wide[:rows*ffn]
		l.expand.apply(wide, x, rows, s)
		k.gelu(wide)
		l.reduce.apply(y, wide, rows, s)
		k.add(x, y)
		k.normalise(l.ffnNorm, x)
	}
	pool(dst, x)
}

// pool writes the direction of the rows' mean to dst, as a unit vector.
func pool(dst, x []float32) {
	clear(dst)
	for ; len(x) > 0; x = x[hidden:] {
		add(dst, x[:hidden])
	}
	unit(dst)
}

// unit scales dst to length one.
func unit(dst []float32) {
	var square float64
	for _, v := range dst {
		square += float64(float64(v) * float64(v))
	}
	scale := float32(1 / math.Sqrt(square))
	for i := range dst {
		dst[i] *= scale
	}
}

// attend is multi-head scaled dot-product attention. Each of qkv's rows is a query, a key and a
// value, all heads of each side by side; scores is working memory, one per row.
func attend(dst, qkv, scores []float32) {
	scale := float32(1 / math.Sqrt(headWidth))
	for h := range heads {
		at := h * headWidth
		for i := range scores {
			query := (*[headWidth]float32)(qkv[i*3*hidden+at:])
			for j := range scores {
				scores[j] = scale * dot(query, (*[headWidth]float32)(qkv[(j*3+1)*hidden+at:]))
			}
			softmax(scores)
			weigh((*[headWidth]float32)(dst[i*hidden+at:]), scores, qkv[2*hidden+at:])
		}
	}
}

// dot sums in eight lanes, so that additions need not wait for each other.
func dot(a, b *[headWidth]float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for i := 0; i < headWidth; i += 8 {
		s0 += float32(a[i] * b[i])
		s1 += float32(a[i+1] * b[i+1])
		s2 += float32(a[i+2] * b[i+2])
		s3 += float32(a[i+3] * b[i+3])
		s4 += float32(a[i+4] * b[i+4])
		s5 += float32(a[i+5] * b[i+5])
		s6 += float32(a[i+6] * b[i+6])
		s7 += float32(a[i+7] * b[i+7])
	}
	return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))
}

// weigh sets dst to the weighted sum of one head's values, which lie 3·hidden apart. Eight columns
// at a time stay in registers.
func weigh(dst *[headWidth]float32, weights, values []float32) {
	for c := 0; c < headWidth; c += 8 {
		var s0, s1, s2, s3, s4, s5, s6, s7 float32
		for j, w := range weights {
			v := (*[8]float32)(values[j*3*hidden+c:])
			s0 += float32(w * v[0])
			s1 += float32(w * v[1])
			s2 += float32(w * v[2])
			s3 += float32(w * v[3])
			s4 += float32(w * v[4])
			s5 += float32(w * v[5])
			s6 += float32(w * v[6])
			s7 += float32(w * v[7])
		}
		*(*[8]float32)(dst[c:]) = [8]float32{s0, s1, s2, s3, s4, s5, s6, s7}
	}
}
