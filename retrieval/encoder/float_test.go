package encoder

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestForwardPassInFloat32 runs everything but the 8-bit arithmetic on the published weights. They
// are not shipped: model/README.md says where to get them.
func TestForwardPassInFloat32(t *testing.T) {
	path := os.Getenv("FAQBOT_ENCODER_F32")
	if path == "" {
		t.Skip("FAQBOT_ENCODER_F32 does not name the published model.safetensors")
	}
	net := openPublished(t, path).network()
	refs := references(t)
	vectors := make([][]float32, len(refs))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i, r := range refs {
		group.Go(func() {
			free <- struct{}{}
			vectors[i] = make([]float32, Dim)
			net.embed(vectors[i], r.IDs, new(scratch))
			<-free
		})
	}
	group.Wait()
	mean, least := meanAndLeast(vectors, refs)
	t.Logf("cosine mean %.8f, least %.8f", mean, least)
	assert.GreaterOrEqual(t, least, .99999)
}

// A published is the float32 model in the safetensors format.
type published struct {
	t       *testing.T
	data    []byte
	offsets map[string][2]int
}

func openPublished(t *testing.T, path string) published {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	n := binary.LittleEndian.Uint64(raw)
	var tensors map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw[8:8+n], &all))
	delete(all, "__metadata__")
	header, err := json.Marshal(all)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(header, &tensors))
	p := published{t: t, data: raw[8+n:], offsets: make(map[string][2]int)}
	for name, tensor := range tensors {
		p.offsets[name] = tensor.Offsets
	}
	return p
}

func (p published) tensor(name string) []float32 {
	at, ok := p.offsets[name]
	require.True(p.t, ok, name)
	list := make([]float32, (at[1]-at[0])/4)
	for i := range list {
		list[i] = math.Float32frombits(binary.LittleEndian.Uint32(p.data[at[0]+4*i:]))
	}
	return list
}

func (p published) network() *network {
	net := &network{
		kernel:    kernels()[0],
		words:     floatWords(p.tensor("embeddings.word_embeddings.weight")),
		positions: p.tensor("embeddings.position_embeddings.weight")[:maxEnglish*hidden],
		norm:      p.norm("embeddings.LayerNorm."),
	}
	types := p.tensor("embeddings.token_type_embeddings.weight")
	for i := range net.positions {
		net.positions[i] += types[i%hidden]
	}
	for i := range net.layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		net.layers[i] = layer{
			qkv: p.linear(hidden, at+"attention.self.query.", at+"attention.self.key.",
				at+"attention.self.value."),
			output:  p.linear(hidden, at+"attention.output.dense."),
			norm:    p.norm(at + "attention.output.LayerNorm."),
			expand:  p.linear(hidden, at+"intermediate.dense."),
			reduce:  p.linear(ffn, at+"output.dense."),
			ffnNorm: p.norm(at + "output.LayerNorm."),
		}
	}
	return net
}

func (p published) norm(at string) layerNorm {
	return layerNorm{scale: p.tensor(at + "weight"), shift: p.tensor(at + "bias")}
}

func (p published) linear(inputs int, parts ...string) linear {
	l := floatLinear{inputs: inputs}
	for _, at := range parts {
		l.weights = append(l.weights, p.tensor(at+"weight")...)
		l.bias = append(l.bias, p.tensor(at+"bias")...)
	}
	return l
}

type floatWords []float32

func (w floatWords) row(dst []float32, id int32) { copy(dst, w[int(id)*hidden:][:hidden]) }

// A floatLinear is a linear without quantisation.
type floatLinear struct {
	inputs        int
	weights, bias []float32 // one row per output
}

func (l floatLinear) apply(dst, src []float32, rows int, _ *scratch) {
	for r := range rows {
		x := src[r*l.inputs:][:l.inputs]
		for c, b := range l.bias {
			w := l.weights[c*l.inputs:][:l.inputs]
			var s0, s1, s2, s3 float32
			for i := 0; i < l.inputs; i += 4 {
				s0 += w[i] * x[i]
				s1 += w[i+1] * x[i+1]
				s2 += w[i+2] * x[i+2]
				s3 += w[i+3] * x[i+3]
			}
			dst[r*len(l.bias)+c] = b + (s0 + s1) + (s2 + s3)
		}
	}
}
