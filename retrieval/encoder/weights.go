package encoder

import (
	_ "embed" // for the weights
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// english is the English model's file. model/README.md describes it.
//
//go:embed model/english.bin
var english string

// The shape that both models share; the files state it too.
const (
	hidden    = Dim
	heads     = 12
	headWidth = hidden / heads
	ffn       = 4 * hidden

	englishWords  = 30522
	englishLayers = 6
)

// loadEnglish makes a network and its tokenizer of the English model's file. The 8-bit weights are not copied: they
// stay in the binary, where the system reads them in when first used and shares them between processes.
func loadEnglish(file string, k kernel) (*network, *wordPiece, error) {
	r := &reader{rest: file}
	if err := r.head("FAQENC01", englishWords, maxEnglish, englishLayers); err != nil {
		return nil, nil, err
	}
	words := r.take(r.number())
	net := r.network(int8Words{scales: r.floats(englishWords), rows: r.bytes(englishWords * hidden)}, maxEnglish, englishLayers, k)
	if err := r.end(); err != nil {
		return nil, nil, err
	}
	tokens, err := newWordPiece(words)
	return net, tokens, err
}

// int8Words are word embeddings as 8-bit integers with one scale per word.
type int8Words struct {
	scales []float32
	rows   []int8
}

func (w int8Words) row(dst []float32, id int32) {
	scale := w.scales[id]
	for i, q := range w.rows[int(id)*hidden:][:hidden] {
		dst[i] = scale * float32(q)
	}
}

// A reader cuts a model's file into its parts. Once the file proves too short it gives zeros or
// nothing.
type reader struct {
	rest  string
	short bool
}

func (r *reader) take(n int) string {
	if n < 0 || n > len(r.rest) {
		r.short, r.rest = true, ""
		return ""
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

// head reads what a file begins with.
func (r *reader) head(magic string, words, positions, layers int) error {
	if r.take(len(magic)) != magic {
		return errors.New("encoder: not a model file")
	}
	var shape [6]int
	for i := range shape {
		shape[i] = r.number()
	}
	if want := [6]int{words, positions, hidden, heads, layers, ffn}; shape != want {
		return fmt.Errorf("encoder: model has shape %v, want %v", shape, want)
	}
	return nil
}

// network reads all that follows the word embeddings.
func (r *reader) network(words wordTable, positions, layers int, k kernel) *network {
	net := &network{kernel: k, words: words, positions: r.floats(positions * hidden), norm: r.norm(), layers: make([]layer, layers)}
	for i := range net.layers {
		net.layers[i] = layer{
			qkv:     r.linear(hidden, 3*hidden, k),
			output:  r.linear(hidden, hidden, k),
			norm:    r.norm(),
			expand:  r.linear(hidden, ffn, k),
			reduce:  r.linear(ffn, hidden, k),
			ffnNorm: r.norm(),
		}
	}
	return net
}

// end returns an error unless the file was read to its end, and no further.
func (r *reader) end() error {
	if r.short || r.rest != "" {
		return errors.New("encoder: model file has the wrong length")
	}
	return nil
}

func (r *reader) number() int { return int(r.ints(1)[0]) }

// bytes shares memory with the file, which must not be written to.
func (r *reader) bytes(n int) []int8 {
	part := r.take(n)
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.StringData(part))), len(part))
}

// words copies, as the file's numbers are not aligned and may have the other byte order.
func (r *reader) words(n int, set func(i int, bits uint32)) {
	part := r.take(4 * n)
	for i := range len(part) / 4 {
		b := part[4*i : 4*i+4]
		set(i, uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24)
	}
}

func (r *reader) floats(n int) []float32 {
	list := make([]float32, n)
	r.words(n, func(i int, bits uint32) { list[i] = math.Float32frombits(bits) })
	return list
}

func (r *reader) ints(n int) []int32 {
	list := make([]int32, n)
	r.words(n, func(i int, bits uint32) { list[i] = int32(bits) })
	return list
}

func (r *reader) norm() layerNorm {
	return layerNorm{scale: r.floats(hidden), shift: r.floats(hidden)}
}

func (r *reader) linear(inputs, outputs int, k kernel) linear {
	return &int8Linear{
		inputs: inputs, outputs: outputs, kernel: k,
		factors: r.floats(inputs), scales: r.floats(outputs), bias: r.floats(outputs), sums: r.ints(outputs),
		weights: r.bytes(inputs * outputs),
	}
}
