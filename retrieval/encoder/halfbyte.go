package encoder

import "math"

const (
	halfByteBlock = 32 // weights that share a scale of 16 bits
	halfByteBytes = 2 + halfByteBlock/2
	halfByteRow   = hidden / halfByteBlock * halfByteBytes
)

// halfByteWords are word embeddings of 4 bits: a row of blocks for each token. A block is its scale, then the weights,
// those of its first half in the low bits. (llama.cpp's Q4_0.)
type halfByteWords string

func (w halfByteWords) row(dst []float32, id int32) {
	for packed := w[int(id)*halfByteRow:][:halfByteRow]; len(packed) > 0; packed = packed[halfByteBytes:] {
		scale := float16(uint16(packed[0]) | uint16(packed[1])<<8)
		for i := range halfByteBlock / 2 {
			b := packed[2+i]
			dst[i] = scale * float32(int(b&15)-8)
			dst[i+halfByteBlock/2] = scale * float32(int(b>>4)-8)
		}
		dst = dst[halfByteBlock:]
	}
}

// float16 is a number of 16 bits (IEEE 754 binary16) that is neither infinite nor subnormal: no scale is.
func float16(bits uint16) float32 {
	if bits&0x7fff == 0 {
		return 0
	}
	return math.Float32frombits(uint32(bits&0x8000)<<16 | (uint32(bits>>10&31)+127-15)<<23 | uint32(bits&1023)<<13)
}
