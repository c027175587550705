package vector

// A kernel does the sums. All kernels give the same ones, to the bit; goKernel is the definition.
// Assembly cannot be preempted and the garbage collector waits for it, so callers pass scan no more
// than blockBytes; dots leaves it every four rows.
type kernel struct {
	name string

	// scan sets the score of each row: Σ_i (bytes[i]−zeroPoint)·q.bytes[i]·scale + q.length·loss.
	// The sum is of integers, the rest float32. len(q.bytes) is a multiple of rowAlign; it holds no
	// −128, and rows no 0.
	scan func(scores []float32, q *scanQuery, rows slabRows)

	// dots sets dst[r] to the dot product of query with rows[r]. All have query's length, not 0.
	dots func(dst, query []float32, rows [][]float32)
}

// goKernel is the kernel in plain Go.
func goKernel() kernel { return kernel{name: "go", scan: scanGo, dots: dotsGo} }

// scanGo is kernel.scan. The race detector is kept out, as it is of assembly: the loops only touch
// what the caller owns, and would be ten times as slow.
//
//go:norace
func scanGo(scores []float32, q *scanQuery, rows slabRows) {
	stride := len(q.bytes)
	for r := range scores {
		sum := sumGo(rows.bytes[r*stride:][:stride], q.bytes) - int32(q.offset)
		scores[r] = float32(float32(sum)*rows.scales[r]) + float32(q.length*rows.losses[r])
	}
}

//go:norace
func sumGo(row []uint8, query []int8) int32 {
	var s0, s1, s2, s3 int32
	for len(query) >= 8 && len(row) >= 8 {
		s0 += int32(row[0])*int32(query[0]) + int32(row[4])*int32(query[4])
		s1 += int32(row[1])*int32(query[1]) + int32(row[5])*int32(query[5])
		s2 += int32(row[2])*int32(query[2]) + int32(row[6])*int32(query[6])
		s3 += int32(row[3])*int32(query[3]) + int32(row[7])*int32(query[7])
		row, query = row[8:], query[8:]
	}
	return s0 + s1 + s2 + s3
}

// dotsGo is kernel.dots.
func dotsGo(dst, query []float32, rows [][]float32) {
	for r, row := range rows {
		dst[r] = dotGo(query, row)
	}
}

// dotGo is the dot product. It adds in eight lanes, which is several times as fast as one after the
// other. The products are converted to float32 before they are added: that forbids fused
// multiply-add, so that every architecture computes the same bits.
//
//go:norace
func dotGo(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += float32(a[0] * b[0])
		s1 += float32(a[1] * b[1])
		s2 += float32(a[2] * b[2])
		s3 += float32(a[3] * b[3])
		s4 += float32(a[4] * b[4])
		s5 += float32(a[5] * b[5])
		s6 += float32(a[6] * b[6])
		s7 += float32(a[7] * b[7])
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s0 += float32(x * b[i])
	}
	return (s0 + s1) + (s2 + s3) + (s4 + s5) + (s6 + s7)
}
