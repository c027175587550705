// Package encoder turns sentences into unit vectors whose cosine says how close two sentences are
// in meaning. Two models are built into the binary: no files, no network, no cgo.
//
// The English one is all-MiniLM-L6-v2 (Apache-2.0; model/README.md), a six-layer BERT (Devlin et al. 2019,
// arXiv:1810.04805) distilled as MiniLM (Wang et al. 2020, arXiv:2002.10957) and trained for
// sentence similarity as Sentence-BERT (Reimers and Gurevych 2019, arXiv:1908.10084): mean pooling
// over all tokens, then L2 norm. Weights and activations of the linear layers are 8-bit integers
// (Jacob et al. 2018, arXiv:1712.05877) with int32 sums; everything between them is float32.
//
// The multilingual one is multilingual-e5-small (MIT; model/README.md), a twelve-layer BERT of about a hundred
// languages (Wang et al. 2024, arXiv:2402.05672). It takes twice as long, and tells English texts apart a little less
// well. The build tag "english" leaves it out.
//
// The package is not for training, nor for running other models. Of a text it reads at most 256 tokens, in the
// multilingual model 512.
package encoder
