package vector

import "math"

const (
	rowAlign   = 64  // rows are padded to whole reads of the widest kernel
	zeroPoint  = 128 // the byte that stands for 0
	blockRows  = 1024
	blockBytes = 384 << 10 // read in about 20 µs from main memory

	// maxDim keeps the sums of products, at most 127² each, within int32.
	maxDim = 1 << 17
)

// A slab holds vectors as 8-bit integers, one scale per vector: a quarter of the memory to read.
// What the rounding may have cost a vector's dot product is known, so that a scan gives not only an
// estimate of it but a limit.
type slab struct {
	slabRows
	stride int // bytes per row, the vector's and padding
}

type slabRows struct {
	bytes  []uint8
	scales []float32 // vector ≈ scale · (bytes − zeroPoint)
	losses []float32 // at least |vector − scale · (bytes − zeroPoint)|
}

// part returns n rows from the first on.
func (s *slab) part(first, n int) slabRows {
	return slabRows{
		bytes:  s.bytes[first*s.stride:][:n*s.stride],
		scales: s.scales[first:][:n],
		losses: s.losses[first:][:n],
	}
}

func newSlab(vectors [][]float32, dim int) slab {
	stride := (dim + rowAlign - 1) / rowAlign * rowAlign
	s := slab{stride: stride, slabRows: slabRows{
		bytes:  make([]uint8, len(vectors)*stride),
		scales: make([]float32, len(vectors)),
		losses: make([]float32, len(vectors)),
	}}
	for i, v := range vectors {
		row := s.bytes[i*stride:][:stride]
		var loss float64
		s.scales[i], loss = quantise(row, v)
		s.losses[i] = roundUp(loss)
		for j := dim; j < stride; j++ {
			row[j] = zeroPoint
		}
	}
	return s
}

// roundUp converts x ≥ 0 to a float32 that is no less.
func roundUp(x float64) float32 { return float32(x * (1 + 1e-6)) }

// quantise writes v/scale + zeroPoint to row, rounded, and returns the scale, max |v| / 127, and
// the length of what the rounding left out.
func quantise(row []uint8, v []float32) (scale float32, loss float64) {
	// Comparing absolute values as integers orders non-negative floats and is quicker than max.
	var peakBits uint32
	for _, x := range v {
		peakBits = max(peakBits, math.Float32bits(x)&^(1<<31))
	}
	peak := math.Float32frombits(peakBits)
	scale = peak / 127
	inverse := 127 / peak // a unit vector of at most maxDim numbers has none too small a peak
	row = row[:len(v)]
	// Adding 1.5·2²³ rounds to an integer that then lies in the lowest bits.
	const shift = 3<<22 + zeroPoint
	for i, x := range v {
		shifted := float32(x*inverse) + shift
		row[i] = uint8(math.Float32bits(shifted))
		left := float64(x) - float64(scale)*float64(shifted-shift)
		loss += left * left
	}
	return scale, math.Sqrt(loss)
}

// A scanQuery is a unit vector made ready for a scan.
type scanQuery struct {
	bytes  []int8
	offset int     // zeroPoint · the sum of bytes, what rows' zero points add to a sum
	length float32 // of bytes, as a vector
	scale  float32
	margin float64 // see limit
}

func (s *slab) query(q []float32) scanQuery {
	shifted := make([]uint8, len(q))
	scale, loss := quantise(shifted, q)
	made := scanQuery{bytes: make([]int8, s.stride), scale: scale}
	square := 0
	for i, u := range shifted {
		number := int(u) - zeroPoint
		made.bytes[i] = int8(number)
		made.offset += zeroPoint * number
		square += number * number
	}
	made.length = roundUp(math.Sqrt(float64(square)))
	// Rounding in float32, of scores and of cosines, is covered many times over by one part in 2²⁴
	// for each number; so are vectors a little longer than one.
	made.margin = loss + float64(len(q)+64)/(1<<24)
	return made
}

// limit is what the cosine of a vector that got score is at most. With q and d for the query and
// the vector, and q′ and d′ for what is left of them as bytes times scale, q·d = q′·d′ + q′·(d−d′)
// + (q−q′)·d, where by Cauchy and Schwarz the second is at most |q′|·|d−d′| and the third |q−q′|.
// The first two make the score, apart from q's scale; the third is the margin.
func (q *scanQuery) limit(score float32) float64 {
	return float64(q.scale)*float64(score) + q.margin
}

// scan gives top every vector's score. scores is working memory, of blockRows.
func (s *slab) scan(k kernel, q *scanQuery, top *top, scores []float32, stop func() error) error {
	block := max(1, min(blockRows, blockBytes/s.stride))
	for from := 0; from < len(s.scales); from += block {
		if err := stop(); err != nil {
			return err
		}
		scores := scores[:min(block, len(s.scales)-from)]
		k.scan(scores, q, s.part(from, len(scores)))
		floor := top.floor
		for i, score := range scores {
			if score > floor {
				floor = top.add(score, from+i)
			}
		}
	}
	return nil
}
