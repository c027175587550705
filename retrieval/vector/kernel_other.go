//go:build !amd64

package vector

// kernels lists the kernels that this machine can run, the quickest first.
func kernels() []kernel { return []kernel{goKernel()} }

// dot is dotGo.
func dot(a, b []float32) float32 { return dotGo(a, b) }

func dots(dst, query []float32, rows [][]float32) { dotsGo(dst, query, rows) }
