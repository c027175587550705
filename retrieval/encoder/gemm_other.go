//go:build !amd64

package encoder

// kernels lists the kernels that this machine can run, the quickest first.
func kernels() []kernel { return []kernel{goKernel()} }
