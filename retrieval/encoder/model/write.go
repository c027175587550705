//go:build ignore

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
)

const panelColumns = 32

func readVerified(path, want string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != want {
		return nil, fmt.Errorf("%s: sha256 is %s, want %s", path, got, want)
	}
	return raw, nil
}

// A writer collects a model's file.
type writer struct{ bytes.Buffer }

// values writes fixed-size little-endian numbers.
func (w *writer) values(v any) {
	if err := binary.Write(w, binary.LittleEndian, v); err != nil {
		panic(err) // only for a type without a fixed size
	}
}

// model writes everything but the word embeddings.
func (w *writer) model(m *model) {
	w.values(m.positions)
	w.norm(m.norm)
	for i := range m.layers {
		l := &m.layers[i]
		w.linear(&l.qkv)
		w.linear(&l.output)
		w.norm(l.norm)
		w.linear(&l.expand)
		w.linear(&l.reduce)
		w.norm(l.ffnNorm)
	}
}

func (w *writer) save(path string) error {
	sum := sha256.Sum256(w.Bytes())
	fmt.Printf("%s  %s (%d bytes)\n", hex.EncodeToString(sum[:]), path, w.Len())
	return os.WriteFile(path, w.Bytes(), 0o644)
}

func (w *writer) norm(n norm) {
	w.values(n.scale)
	w.values(n.shift)
}

// linear writes a layer: the factor for each input, then for each output scale, bias and the sum
// of its quantised weights (the VNNI kernel needs it), then the panels.
//
// A few inputs are ten times as large as the rest, and would leave the rest few of the 256 steps
// that activations are rounded to. As SmoothQuant (Xiao et al. 2022, arXiv:2211.10438) does with
// α = ½, each input is multiplied by a factor √(largest weight / largest activation), and its
// weights are divided by it.
func (w *writer) linear(l *linear) {
	factors := make([]float32, l.inputs)
	for i := range factors {
		var peak float32
		for at := i; at < len(l.weights); at += l.inputs {
			peak = max(peak, float32(math.Abs(float64(l.weights[at]))))
		}
		const least = 1e-3 // for inputs that calibration never saw move
		factors[i] = float32(math.Sqrt(float64(max(peak, least) / max(l.peaks[i], least))))
	}
	smooth := make([]float32, len(l.weights))
	for i, v := range l.weights {
		smooth[i] = v / factors[i%l.inputs]
	}
	q, scales := quantise(smooth, l.inputs)
	sums := make([]int32, len(l.bias))
	for i, v := range q {
		sums[i/l.inputs] += int32(v)
	}
	w.values(factors)
	w.values(scales)
	w.values(l.bias)
	w.values(sums)
	w.values(pack(q, l.inputs))
}

// quantise maps each row to −127…127 with the scale max/127, round to nearest. −128 is never
// produced: the AVX2 kernel negates weights.
func quantise(rows []float32, width int) ([]int8, []float32) {
	q := make([]int8, len(rows))
	scales := make([]float32, len(rows)/width)
	for r := range scales {
		row := rows[r*width : (r+1)*width]
		var peak float64
		for _, v := range row {
			peak = max(peak, math.Abs(float64(v)))
		}
		if peak == 0 {
			continue
		}
		scales[r] = float32(peak / 127)
		for i, v := range row {
			n := math.RoundToEven(float64(v) * 127 / peak)
			q[r*width+i] = int8(max(-127, min(127, n)))
		}
	}
	return q, scales
}

// pack reorders rows (one per output) into panels of 32 outputs: within a panel, four inputs of
// the first output, the same four of the second, and so on; then the next four inputs.
func pack(q []int8, inputs int) []int8 {
	packed := make([]int8, 0, len(q))
	for first := 0; first < len(q)/inputs; first += panelColumns {
		for k := 0; k < inputs; k += 4 {
			for c := first; c < first+panelColumns; c++ {
				packed = append(packed, q[c*inputs+k:c*inputs+k+4]...)
			}
		}
	}
	return packed
}
