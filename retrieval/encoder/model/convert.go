//go:build ignore

// Convert writes english.bin, the file that package encoder embeds, from the published weights.
// README.md beside it says where they come from and how the file is laid out.
//
//	go run convert.go float.go -weights model.safetensors -vocab vocab.txt -out english.bin
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
)

const (
	weightsSum = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
	vocabSum   = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

	vocab     = 30522
	positions = 256 // the model is trained on at most 256 tokens, so no further rows are shipped
	hidden    = 384
	heads     = 12
	layers    = 6
	ffn       = 1536

	panelColumns = 32
)

func main() {
	log.SetFlags(0)
	weights := flag.String("weights", "model.safetensors", "published weights")
	words := flag.String("vocab", "vocab.txt", "published vocabulary")
	sentences := flag.String("calibration", "calibration.txt", "sentences to calibrate with")
	out := flag.String("out", "english.bin", "file to write")
	flag.Parse()
	if err := convert(*weights, *words, *sentences, *out); err != nil {
		log.Fatal(err)
	}
}

func convert(weights, words, sentences, out string) error {
	raw, err := readVerified(weights, weightsSum)
	if err != nil {
		return err
	}
	list, err := readVerified(words, vocabSum)
	if err != nil {
		return err
	}
	src, err := parseSafetensors(raw)
	if err != nil {
		return err
	}
	w := new(writer)
	w.WriteString("FAQENC01")
	w.values([]uint32{vocab, positions, hidden, heads, layers, ffn, uint32(len(list))})
	w.Write(list)
	m := newModel(src)
	if src.err != nil {
		return src.err
	}
	text, err := os.ReadFile(sentences)
	if err != nil {
		return err
	}
	m.calibrate(string(list), string(text))
	w.model(m)
	sum := sha256.Sum256(w.Bytes())
	fmt.Printf("%s  %s (%d bytes)\n", hex.EncodeToString(sum[:]), out, w.Len())
	return os.WriteFile(out, w.Bytes(), 0o644)
}

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

// A source gives the published tensors by name. The first failure is kept in err.
type source struct {
	data    []byte
	tensors map[string]struct {
		DType   string `json:"dtype"`
		Offsets [2]int `json:"data_offsets"`
	}
	err error
}

func parseSafetensors(raw []byte) (*source, error) {
	if len(raw) < 8 {
		return nil, errors.New("safetensors: no header")
	}
	n := binary.LittleEndian.Uint64(raw)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw[8:8+n], &fields); err != nil {
		return nil, err
	}
	delete(fields, "__metadata__")
	tensors, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	s := &source{data: raw[8+n:]}
	return s, json.Unmarshal(tensors, &s.tensors)
}

// tensor returns n values.
func (s *source) tensor(name string, n int) []float32 {
	t, ok := s.tensors[name]
	if !ok || t.DType != "F32" || t.Offsets[1]-t.Offsets[0] != 4*n {
		s.err = errors.Join(s.err, fmt.Errorf("%s: missing, or not %d float32", name, n))
		return make([]float32, n)
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.data[t.Offsets[0]+4*i:]))
	}
	return out
}

type writer struct{ bytes.Buffer }

// values writes fixed-size little-endian numbers.
func (w *writer) values(v any) {
	if err := binary.Write(w, binary.LittleEndian, v); err != nil {
		panic(err) // only for a type without a fixed size
	}
}

func (w *writer) model(m *model) {
	q, scales := quantise(m.words, hidden)
	w.values(scales)
	w.values(q)
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
