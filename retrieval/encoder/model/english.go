//go:build ignore

// English writes english.bin, which package encoder embeds, from the published weights. README.md beside it says
// where they come from and how the file is laid out.
//
//	go run english.go write.go float.go -weights model.safetensors -vocab vocab.txt -out english.bin
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"strings"
)

const (
	weightsSum = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
	vocabSum   = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

	vocab     = 30522
	positions = 256 // the model is trained on at most 256 tokens, so no further rows are shipped
	layers    = 6
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
	m, embeddings := newModel(src)
	if src.err != nil {
		return src.err
	}
	text, err := os.ReadFile(sentences)
	if err != nil {
		return err
	}
	m.calibrate(string(list), string(text))
	q, scales := quantise(embeddings, hidden)
	w.values(scales)
	w.values(q)
	w.model(m)
	return w.save(out)
}

func newModel(src *source) (m *model, words []float32) {
	words = src.tensor("embeddings.word_embeddings.weight", vocab*hidden)
	m = &model{
		word:      func(dst []float32, id int) { copy(dst, words[id*hidden:]) },
		positions: src.tensor("embeddings.position_embeddings.weight", 512*hidden)[:positions*hidden],
		norm:      normOf(src, "embeddings.LayerNorm."),
	}
	// A single sentence only ever has token type 0, so its row is added to every position's.
	types := src.tensor("embeddings.token_type_embeddings.weight", 2*hidden)
	for i := range m.positions {
		m.positions[i] += types[i%hidden]
	}
	for i := range layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		m.layers = append(m.layers, layer{
			// Query, key and value read the same input, so they are one matrix here.
			qkv: linearOf(src, hidden, hidden, at+"attention.self.query.",
				at+"attention.self.key.", at+"attention.self.value."),
			output:  linearOf(src, hidden, hidden, at+"attention.output.dense."),
			norm:    normOf(src, at+"attention.output.LayerNorm."),
			expand:  linearOf(src, ffn, hidden, at+"intermediate.dense."),
			reduce:  linearOf(src, hidden, ffn, at+"output.dense."),
			ffnNorm: normOf(src, at+"output.LayerNorm."),
		})
	}
	return m, words
}

func normOf(src *source, at string) norm {
	return norm{scale: src.tensor(at+"weight", hidden), shift: src.tensor(at+"bias", hidden)}
}

func linearOf(src *source, outputs, inputs int, parts ...string) linear {
	var weights, bias []float32
	for _, at := range parts {
		weights = append(weights, src.tensor(at+"weight", outputs*inputs)...)
		bias = append(bias, src.tensor(at+"bias", outputs)...)
	}
	return newLinear(inputs, weights, bias)
}

// calibrate runs the model over sentences, one per line, to find every linear layer's peaks.
func (m *model) calibrate(vocabulary, sentences string) {
	ids := make(map[string]int)
	for i, token := range strings.Fields(vocabulary) {
		ids[token] = i
	}
	for line := range strings.Lines(sentences) {
		tokens := []int{ids["[CLS]"]}
		for _, word := range strings.Fields(line) {
			tokens = append(tokens, pieces(ids, word)...)
		}
		m.forward(append(tokens, ids["[SEP]"]))
	}
}

// pieces is WordPiece for a lower-case word that the vocabulary can spell.
func pieces(ids map[string]int, word string) (tokens []int) {
	for prefix := ""; word != ""; prefix = "##" {
		end := len(word)
		for ; end > 0; end-- {
			if id, ok := ids[prefix+word[:end]]; ok {
				tokens = append(tokens, id)
				break
			}
		}
		if end == 0 {
			panic("calibration: cannot spell " + word)
		}
		word = word[end:]
	}
	return tokens
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
