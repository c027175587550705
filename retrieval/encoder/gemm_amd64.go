package encoder

import "golang.org/x/sys/cpu"

const vnniRows = 12 // rows whose sums the VNNI kernel holds in registers

// kernels lists the kernels that this machine can run, the quickest first.
func kernels() []kernel {
	var list []kernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI && cpu.X86.HasAVX2 {
		list = append(list, withAVX2(kernel{name: "avx512vnni", panel: panelVNNI}))
	}
	if cpu.X86.HasAVX2 {
		list = append(list, withAVX2(kernel{name: "avx2", panel: panelAVX2}))
	}
	return append(list, goKernel())
}

// panelVNNI is kernel.panel. Rows are split evenly over as few calls as will hold them, because few
// rows leave the multipliers waiting for their own results.
func panelVNNI(tile []int32, u []uint8, w []int8, sums []int32, rows, k int) {
	tile, u, w, sums = tile[:rows*panelColumns], u[:rows*k], w[:panelColumns*k], sums[:panelColumns]
	for calls := (rows + vnniRows - 1) / vnniRows; calls > 0; calls-- {
		n := (rows + calls - 1) / calls
		rowsVNNI(&tile[0], &u[0], &w[0], &sums[0], n, k)
		tile, u, rows = tile[n*panelColumns:], u[n*k:], rows-n
	}
}

// panelAVX2 is kernel.panel.
func panelAVX2(tile []int32, u []uint8, w []int8, _ []int32, rows, k int) {
	tile, u, w = tile[:rows*panelColumns], u[:rows*k], w[:panelColumns*k]
	r := 0
	for ; r+2 <= rows; r += 2 {
		twoRowsAVX2(&tile[r*panelColumns], &u[r*k], &w[0], k)
	}
	if r < rows {
		oneRowAVX2(&tile[r*panelColumns], &u[r*k], &w[0], k)
	}
}

// rowsVNNI is kernel.panel for 1 to vnniRows rows.
//
//go:noescape
func rowsVNNI(tile *int32, u *uint8, w *int8, sums *int32, rows, k int)

// twoRowsAVX2 is kernel.panel for two rows.
//
//go:noescape
func twoRowsAVX2(tile *int32, u *uint8, w *int8, k int)

// oneRowAVX2 is kernel.panel for one row.
//
//go:noescape
func oneRowAVX2(tile *int32, u *uint8, w *int8, k int)
