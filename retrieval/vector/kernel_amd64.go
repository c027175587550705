package vector

import "golang.org/x/sys/cpu"

// kernels lists the kernels that this machine can run, the quickest first.
func kernels() []kernel {
	var list []kernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI && cpu.X86.HasAVX2 {
		list = append(list, kernel{name: "avx512vnni", scan: scanRowsVNNI, dots: dotsAVX2})
	}
	if cpu.X86.HasAVX2 {
		list = append(list, kernel{name: "avx2", scan: scanRowsAVX2, dots: dotsAVX2})
	}
	return append(list, goKernel())
}

// dot is dotGo.
func dot(a, b []float32) float32 {
	if !cpu.X86.HasAVX2 || len(a) == 0 {
		return dotGo(a, b)
	}
	b = b[:len(a)]
	return dotOneAVX2(&a[0], &b[0], len(a))
}

// dots is dotsGo. Callers have seen to it that dst and the rows are long enough.
func dots(dst, query []float32, rows [][]float32) {
	if !cpu.X86.HasAVX2 || len(query) == 0 {
		dotsGo(dst, query, rows)
		return
	}
	dotsAVX2(dst, query, rows)
}

// scanRowsVNNI is kernel.scan.
func scanRowsVNNI(scores []float32, q *scanQuery, rows slabRows) {
	n := len(scores)
	if n == 0 {
		return
	}
	bytes, scales, losses := rows.bytes[:n*len(q.bytes)], rows.scales[:n], rows.losses[:n]
	scanVNNI(&scores[0], &q.bytes[0], &bytes[0], &scales[0], &losses[0], n, len(q.bytes), q.offset, q.length)
}

// scanRowsAVX2 is kernel.scan.
func scanRowsAVX2(scores []float32, q *scanQuery, rows slabRows) {
	n := len(scores)
	if n == 0 {
		return
	}
	bytes, scales, losses := rows.bytes[:n*len(q.bytes)], rows.scales[:n], rows.losses[:n]
	scanAVX2(&scores[0], &q.bytes[0], &bytes[0], &scales[0], &losses[0], n, len(q.bytes), q.length)
}

// dotsAVX2 is kernel.dots.
func dotsAVX2(dst, query []float32, rows [][]float32) {
	dst = dst[:len(rows)]
	for len(rows) >= 4 {
		dotFourAVX2(&dst[0], &query[0], &rows[0], len(query))
		dst, rows = dst[4:], rows[4:]
	}
	for i, row := range rows {
		dst[i] = dotOneAVX2(&query[0], &row[0], len(query))
	}
}

//go:noescape
func scanVNNI(scores *float32, query *int8, docs *uint8, scales, losses *float32, rows, stride, offset int, length float32)

//go:noescape
func scanAVX2(scores *float32, query *int8, docs *uint8, scales, losses *float32, rows, stride int, length float32)

// dotFourAVX2 sets dst to the dot products of four rows.
//
//go:noescape
func dotFourAVX2(dst, query *float32, rows *[]float32, n int)

//go:noescape
func dotOneAVX2(a, b *float32, n int) float32
