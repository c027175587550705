package main

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// contestants of the encode rows. onnxruntime is given tokens, ours and hugot read the text; reading
// it takes ours about 1 % of the time.
type contestants struct {
	ours, oursGo, int8, float32, hugot *peer
}

// goOnly leaves the packages nothing but their kernels in Go.
const goOnly = "GODEBUG=cpu.avx2=off,cpu.avx512f=off"

func (b *bench) onnxruntime(ctx context.Context, graph string, threads int) (*peer, error) {
	return b.start(ctx, "onnxruntime "+graph, nil, b.python(), b.path("ort.py"), "serve", graph, b.path("model", "tokenizer.json"), fmt.Sprint(threads))
}

func (b *bench) contestants(ctx context.Context) (c contestants, err error) {
	const oneCore = "GOMAXPROCS=1"
	for _, s := range []struct {
		to    **peer
		start func() (*peer, error)
	}{
		{&c.ours, func() (*peer, error) { return b.start(ctx, "ours", []string{oneCore}, "/proc/self/exe", encoderWorker) }},
		{&c.oursGo, func() (*peer, error) {
			return b.start(ctx, "ours in Go", []string{oneCore, goOnly}, "/proc/self/exe", encoderWorker)
		}},
		{&c.int8, func() (*peer, error) { return b.onnxruntime(ctx, "int8", 1) }},
		{&c.float32, func() (*peer, error) { return b.onnxruntime(ctx, b.path("model", "model.onnx"), 1) }},
		{&c.hugot, func() (*peer, error) {
			return b.start(ctx, "hugot", []string{oneCore}, b.path("hugot", "hugot"), b.path("model"))
		}},
	} {
		if *s.to, err = s.start(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// encode measures a question of 14 tokens.
func encode(ctx context.Context, b *bench) ([]row, error) {
	defer b.close()
	c, err := b.contestants(ctx)
	if err != nil {
		return nil, err
	}
	texts := questions()
	var lengths []int
	if err := c.int8.ask(request{Lengths: texts}, &lengths); err != nil {
		return nil, err
	}
	for i, n := range lengths {
		if n != questionTokens {
			return nil, fmt.Errorf("%q has %d tokens, not %d", texts[i], n, questionTokens)
		}
	}
	if err := sameMeaning(texts, c.ours, c.oursGo, c.int8, c.float32, c.hugot); err != nil {
		return nil, err
	}
	quick := []*peer{c.ours, c.int8, c.float32}
	times, err := takeTurns(b.rounds, texts, quick)
	if err != nil {
		return nil, err
	}
	slow, err := takeTurns(max(2, b.rounds/5), texts[:2], []*peer{c.oursGo, c.hugot})
	if err != nil {
		return nil, err
	}
	theirs, name := times[1], "int8"
	if times[2] < times[1] {
		theirs, name = times[2], "float32"
	}
	return []row{
		{"encode 14 tokens, against onnxruntime " + name, milliseconds(times[0]), milliseconds(theirs), times[0] / theirs, "×", .45},
		{"encode 14 tokens in Go, against hugot", milliseconds(slow[0]), milliseconds(slow[1]), slow[0] / slow[1], "×", .4},
	}, nil
}

// takeTurns lets each peer embed the texts, rounds times in turn, and returns the medians in seconds.
func takeTurns(rounds int, texts []string, peers []*peer) ([]float64, error) {
	all := make([][]float64, len(peers))
	for range rounds {
		for i, p := range peers {
			var seconds []float64
			if err := p.ask(request{Each: texts}, &seconds); err != nil {
				return nil, err
			}
			all[i] = append(all[i], seconds...)
		}
	}
	medians := make([]float64, len(peers))
	for i := range all {
		medians[i] = median(all[i])
	}
	return medians, nil
}

// sameMeaning sees to it that all peers compute the same model: their vectors lie within what 8-bit
// integers cost.
func sameMeaning(texts []string, peers ...*peer) error {
	const alike = .97 // cosine, as the encoder's own test asks
	var first [][]float32
	for _, p := range peers {
		var vectors [][]float32
		if err := p.ask(request{Vectors: texts}, &vectors); err != nil {
			return err
		}
		if first == nil {
			first = vectors
		}
		for i, v := range vectors {
			if c := cosine(v, first[i]); !(c >= alike) {
				return fmt.Errorf("%s computes another model: cosine %.3f for %q", p.name, c, texts[i])
			}
		}
	}
	return nil
}

func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	var product, squareA, squareB float64
	for i := range a {
		product += float64(a[i]) * float64(b[i])
		squareA += float64(a[i]) * float64(a[i])
		squareB += float64(b[i]) * float64(b[i])
	}
	return product / math.Sqrt(squareA*squareB)
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func milliseconds(seconds float64) string { return fmt.Sprintf("%.3g ms", seconds*1e3) }
