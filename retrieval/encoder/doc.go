// Package encoder turns sentences into unit vectors whose cosine says how close two sentences are
// in meaning. The English model is built into the binary: no files, no network, no cgo.
//
// It is all-MiniLM-L6-v2 (Apache-2.0; model/README.md), a six-layer BERT (Devlin et al. 2019,
// arXiv:1810.04805) distilled as MiniLM (Wang et al. 2020, arXiv:2002.10957) and trained for
// sentence similarity as Sentence-BERT (Reimers and Gurevych 2019, arXiv:1908.10084): mean pooling
// over all tokens, then L2 norm. Weights and activations of the linear layers are 8-bit integers
// (Jacob et al. 2018, arXiv:1712.05877) with int32 sums; everything between them is float32.
//
// It is not for training, nor for running other models; it reads at most 256 tokens of a text and
// knows no language but English well.
package encoder
