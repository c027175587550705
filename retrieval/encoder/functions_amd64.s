#include "textflag.h"

// These do, in eight lanes, the operations of their twins in plain Go in the same order. Products are
// rounded before they are added, so that the results are the same to the bit; there is no fused
// multiply-add. Of two operands, VMINPS and VMAXPS give the second, which Go writes first, where
// either is not a number.

DATA geluNumbers<>+0(SB)/4, $(0.70710678118654752)
DATA geluNumbers<>+4(SB)/4, $(4.0)
DATA geluNumbers<>+8(SB)/4, $(-4.0)
DATA geluNumbers<>+12(SB)/4, $(0.5)
DATA geluNumbers<>+16(SB)/4, $(-2.72614225801306e-10)
DATA geluNumbers<>+20(SB)/4, $(2.77068142495902e-08)
DATA geluNumbers<>+24(SB)/4, $(-2.10102402082508e-06)
DATA geluNumbers<>+28(SB)/4, $(-5.69250639462346e-05)
DATA geluNumbers<>+32(SB)/4, $(-7.34990630326855e-04)
DATA geluNumbers<>+36(SB)/4, $(-2.95459980854025e-03)
DATA geluNumbers<>+40(SB)/4, $(-1.60960333262415e-02)
DATA geluNumbers<>+44(SB)/4, $(-1.45660718464996e-05)
DATA geluNumbers<>+48(SB)/4, $(-2.13374055278905e-04)
DATA geluNumbers<>+52(SB)/4, $(-1.68282697438203e-03)
DATA geluNumbers<>+56(SB)/4, $(-7.37332916720468e-03)
DATA geluNumbers<>+60(SB)/4, $(-1.42647390514189e-02)
GLOBL geluNumbers<>(SB), RODATA, $64

// HORNER sets p to p·x + c.
#define HORNER(x, c, p) \
	VMULPS x, p, p; \
	VADDPS c, p, p

// func geluEights(x *float32, eights int)
TEXT ·geluEights(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), DI
	MOVQ eights+8(FP), CX
	VBROADCASTSS geluNumbers<>+20(SB), Y6
	VBROADCASTSS geluNumbers<>+24(SB), Y7
	VBROADCASTSS geluNumbers<>+28(SB), Y8
	VBROADCASTSS geluNumbers<>+32(SB), Y9
	VBROADCASTSS geluNumbers<>+36(SB), Y10
	VBROADCASTSS geluNumbers<>+40(SB), Y11
	VBROADCASTSS geluNumbers<>+48(SB), Y12
	VBROADCASTSS geluNumbers<>+52(SB), Y13
	VBROADCASTSS geluNumbers<>+56(SB), Y14
	VBROADCASTSS geluNumbers<>+60(SB), Y15

geluStep:
	VMOVUPS (DI), Y0
	VBROADCASTSS geluNumbers<>+0(SB), Y1
	VMULPS Y0, Y1, Y1
	VBROADCASTSS geluNumbers<>+4(SB), Y2
	VMINPS Y1, Y2, Y1
	VBROADCASTSS geluNumbers<>+8(SB), Y2
	VMAXPS Y1, Y2, Y1
	VMULPS Y1, Y1, Y2
	VBROADCASTSS geluNumbers<>+16(SB), Y3
	HORNER(Y2, Y6, Y3)
	HORNER(Y2, Y7, Y3)
	HORNER(Y2, Y8, Y3)
	HORNER(Y2, Y9, Y3)
	HORNER(Y2, Y10, Y3)
	HORNER(Y2, Y11, Y3)
	VBROADCASTSS geluNumbers<>+44(SB), Y4
	HORNER(Y2, Y12, Y4)
	HORNER(Y2, Y13, Y4)
	HORNER(Y2, Y14, Y4)
	HORNER(Y2, Y15, Y4)
	VMULPS Y1, Y3, Y3
	VDIVPS Y4, Y3, Y3
	VBROADCASTSS geluNumbers<>+12(SB), Y5
	VMULPS Y0, Y5, Y0
	VMULPS Y0, Y3, Y3
	VADDPS Y3, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	DECQ CX
	JNZ geluStep
	VZEROUPPER
	RET

DATA expNumbers<>+0(SB)/4, $(-87.0)
DATA expNumbers<>+4(SB)/4, $(1.44269504088896341)
DATA expNumbers<>+8(SB)/4, $(12582912.0)
DATA expNumbers<>+12(SB)/4, $(0.693359375)
DATA expNumbers<>+16(SB)/4, $(-2.12194440e-4)
DATA expNumbers<>+20(SB)/4, $(1.9875691500e-4)
DATA expNumbers<>+24(SB)/4, $(1.3981999507e-3)
DATA expNumbers<>+28(SB)/4, $(8.3334519073e-3)
DATA expNumbers<>+32(SB)/4, $(4.1665795894e-2)
DATA expNumbers<>+36(SB)/4, $(1.6666665459e-1)
DATA expNumbers<>+40(SB)/4, $(5.0000001201e-1)
DATA expNumbers<>+44(SB)/4, $(1.0)
DATA expNumbers<>+48(SB)/4, $127
GLOBL expNumbers<>(SB), RODATA, $52

// func expEights(x *float32, eights int, peak float32)
TEXT ·expEights(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), DI
	MOVQ eights+8(FP), CX
	VBROADCASTSS peak+16(FP), Y15
	VBROADCASTSS expNumbers<>+8(SB), Y14
	VBROADCASTSS expNumbers<>+44(SB), Y13

expStep:
	VMOVUPS (DI), Y0
	VSUBPS Y15, Y0, Y0
	VBROADCASTSS expNumbers<>+0(SB), Y1
	VMAXPS Y0, Y1, Y0
	VBROADCASTSS expNumbers<>+4(SB), Y1
	VMULPS Y0, Y1, Y1
	VADDPS Y14, Y1, Y1
	VSUBPS Y14, Y1, Y1 // n
	VBROADCASTSS expNumbers<>+12(SB), Y2
	VMULPS Y1, Y2, Y2
	VSUBPS Y2, Y0, Y0
	VBROADCASTSS expNumbers<>+16(SB), Y2
	VMULPS Y1, Y2, Y2
	VSUBPS Y2, Y0, Y0
	VBROADCASTSS expNumbers<>+20(SB), Y3
	VBROADCASTSS expNumbers<>+24(SB), Y4
	HORNER(Y0, Y4, Y3)
	VBROADCASTSS expNumbers<>+28(SB), Y4
	HORNER(Y0, Y4, Y3)
	VBROADCASTSS expNumbers<>+32(SB), Y4
	HORNER(Y0, Y4, Y3)
	VBROADCASTSS expNumbers<>+36(SB), Y4
	HORNER(Y0, Y4, Y3)
	VBROADCASTSS expNumbers<>+40(SB), Y4
	HORNER(Y0, Y4, Y3)
	VMULPS Y0, Y0, Y4
	VMULPS Y4, Y3, Y3
	VADDPS Y0, Y3, Y3
	VADDPS Y13, Y3, Y3
	VCVTPS2DQ Y1, Y1
	VPBROADCASTD expNumbers<>+48(SB), Y2
	VPADDD Y2, Y1, Y1
	VPSLLD $23, Y1, Y1
	VMULPS Y1, Y3, Y3
	VMOVUPS Y3, (DI)
	ADDQ $32, DI
	DECQ CX
	JNZ expStep
	VZEROUPPER
	RET

// ADDPRODUCT adds the products of eight numbers to eight sums.
#define ADDPRODUCT(from, with, tmp, sum) \
	VMULPS from, with, tmp; \
	VADDPS tmp, sum, sum

// func scoresAVX2(scores, query, keys *float32, rows, stride int, scale float32)
TEXT ·scoresAVX2(SB), NOSPLIT, $0-44
	MOVQ scores+0(FP), DI
	MOVQ query+8(FP), SI
	MOVQ keys+16(FP), DX
	MOVQ rows+24(FP), CX
	MOVQ stride+32(FP), R8
	VMOVSS scale+40(FP), X15
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3

scoresStep:
	VXORPS Y4, Y4, Y4
	ADDPRODUCT((DX), Y0, Y5, Y4)
	ADDPRODUCT(32(DX), Y1, Y6, Y4)
	ADDPRODUCT(64(DX), Y2, Y7, Y4)
	ADDPRODUCT(96(DX), Y3, Y8, Y4)
	VEXTRACTF128 $1, Y4, X5
	VADDPS X5, X4, X4
	VHADDPS X4, X4, X4
	VHADDPS X4, X4, X4
	VMULSS X15, X4, X4
	VMOVSS X4, (DI)
	ADDQ $4, DI
	LEAQ (DX)(R8*4), DX
	DECQ CX
	JNZ scoresStep
	VZEROUPPER
	RET

// func weighAVX2(dst, weights, values *float32, rows, stride int)
TEXT ·weighAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ weights+8(FP), SI
	MOVQ values+16(FP), DX
	MOVQ rows+24(FP), CX
	MOVQ stride+32(FP), R8
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3

weighStep:
	VBROADCASTSS (SI), Y4
	ADDPRODUCT((DX), Y4, Y5, Y0)
	ADDPRODUCT(32(DX), Y4, Y6, Y1)
	ADDPRODUCT(64(DX), Y4, Y7, Y2)
	ADDPRODUCT(96(DX), Y4, Y8, Y3)
	ADDQ $4, SI
	LEAQ (DX)(R8*4), DX
	DECQ CX
	JNZ weighStep
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VZEROUPPER
	RET

// func peakAVX2(src, factors *float32, eights int) uint32
TEXT ·peakAVX2(SB), NOSPLIT, $0-28
	MOVQ src+0(FP), SI
	MOVQ factors+8(FP), DX
	MOVQ eights+16(FP), CX
	VPXOR Y0, Y0, Y0

peakStep:
	VMOVUPS (SI), Y1
	VMULPS (DX), Y1, Y1
	VPSLLD $1, Y1, Y1 // off with the sign
	VPMAXUD Y1, Y0, Y0
	ADDQ $32, SI
	ADDQ $32, DX
	DECQ CX
	JNZ peakStep

	VEXTRACTI128 $1, Y0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0x4E, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xB1, X0, X1
	VPMAXUD X1, X0, X0
	VPSRLD $1, X0, X0
	VMOVD X0, AX
	MOVL AX, ret+24(FP)
	VZEROUPPER
	RET

DATA quantiseNumbers<>+0(SB)/4, $(12583040.0) // 3·2²² + zeroPoint
DATA quantiseNumbers<>+4(SB)/4, $0xFF
GLOBL quantiseNumbers<>(SB), RODATA, $8

// The packing instructions work on each half apart; this puts the eights in order.
DATA quantiseOrder<>+0(SB)/8, $0x0000000400000000
DATA quantiseOrder<>+8(SB)/8, $0x0000000500000001
DATA quantiseOrder<>+16(SB)/8, $0x0000000600000002
DATA quantiseOrder<>+24(SB)/8, $0x0000000700000003
GLOBL quantiseOrder<>(SB), RODATA, $32

// BYTES turns eight numbers into the bytes that stand for them, as int32.
#define BYTES(at, y) \
	VMOVUPS at(SI), y; \
	VMULPS at(DX), y, y; \
	VMULPS Y15, y, y; \
	VADDPS Y14, y, y; \
	VPAND Y13, y, y

// func bytesAVX2(u *uint8, src, factors *float32, n int, inverse float32)
TEXT ·bytesAVX2(SB), NOSPLIT, $0-36
	MOVQ u+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ factors+16(FP), DX
	MOVQ n+24(FP), CX
	SHRQ $5, CX
	VBROADCASTSS inverse+32(FP), Y15
	VBROADCASTSS quantiseNumbers<>+0(SB), Y14
	VPBROADCASTD quantiseNumbers<>+4(SB), Y13
	VMOVDQU quantiseOrder<>(SB), Y12

bytesStep:
	BYTES(0, Y0)
	BYTES(32, Y1)
	BYTES(64, Y2)
	BYTES(96, Y3)
	VPACKUSDW Y1, Y0, Y0
	VPACKUSDW Y3, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPERMD Y0, Y12, Y0
	VMOVDQU Y0, (DI)
	ADDQ $128, SI
	ADDQ $128, DX
	ADDQ $32, DI
	DECQ CX
	JNZ bytesStep
	VZEROUPPER
	RET

// DEQUANTISE writes eight numbers of a row.
#define DEQUANTISE(at, scales, bias, tmp, y) \
	VMULPS Y15, scales, tmp; \
	VCVTDQ2PS at(SI), y; \
	VMULPS tmp, y, y; \
	VADDPS bias, y, y; \
	VMOVUPS y, at(DI)

// func dequantiseAVX2(dst *float32, tile *int32, rowScales, columnScales, bias *float32, rows, stride int)
TEXT ·dequantiseAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ tile+8(FP), SI
	MOVQ rowScales+16(FP), BX
	MOVQ columnScales+24(FP), DX
	MOVQ bias+32(FP), R9
	MOVQ rows+40(FP), CX
	MOVQ stride+48(FP), R8
	VMOVUPS (DX), Y4
	VMOVUPS 32(DX), Y5
	VMOVUPS 64(DX), Y6
	VMOVUPS 96(DX), Y7
	VMOVUPS (R9), Y8
	VMOVUPS 32(R9), Y9
	VMOVUPS 64(R9), Y10
	VMOVUPS 96(R9), Y11

dequantiseStep:
	VBROADCASTSS (BX), Y15
	DEQUANTISE(0, Y4, Y8, Y0, Y1)
	DEQUANTISE(32, Y5, Y9, Y2, Y3)
	DEQUANTISE(64, Y6, Y10, Y12, Y13)
	DEQUANTISE(96, Y7, Y11, Y14, Y0)
	ADDQ $4, BX
	ADDQ $128, SI
	LEAQ (DI)(R8*4), DI
	DECQ CX
	JNZ dequantiseStep
	VZEROUPPER
	RET

// func addEights(a, b *float32, eights int)
TEXT ·addEights(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), DI
	MOVQ b+8(FP), SI
	MOVQ eights+16(FP), CX

addStep:
	VMOVUPS (DI), Y0
	VADDPS (SI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	DECQ CX
	JNZ addStep
	VZEROUPPER
	RET

DATA hiddenNumber<>+0(SB)/4, $(384.0)
GLOBL hiddenNumber<>(SB), RODATA, $4

// Sums over a row have four lanes, so that the lower half of a register is one row's and the upper
// half the next one's.

// ACROSS adds up the four lanes of each half, as sum and sumSquares do.
#define ACROSS(y, tmp) \
	VPERMILPS $0x4E, y, tmp; \
	VADDPS tmp, y, y; \
	VPERMILPS $0xB1, y, tmp; \
	VADDPS tmp, y, y

// func centreTwo(squares, x *float32)
TEXT ·centreTwo(SB), NOSPLIT, $0-16
	MOVQ squares+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ SI, DX
	MOVQ $96, CX // hidden / 4
	VXORPS Y0, Y0, Y0
	VXORPS Y3, Y3, Y3

centreSum:
	VMOVUPS (DX), X1
	VINSERTF128 $1, 1536(DX), Y1, Y1
	VADDPS Y1, Y0, Y0
	ADDQ $16, DX
	DECQ CX
	JNZ centreSum

	ACROSS(Y0, Y1)
	VBROADCASTSS hiddenNumber<>(SB), Y1
	VDIVPS Y1, Y0, Y0
	MOVQ $96, CX

centreStep:
	VMOVUPS (SI), X1
	VINSERTF128 $1, 1536(SI), Y1, Y1
	VSUBPS Y0, Y1, Y1
	VMOVUPS X1, (SI)
	VEXTRACTF128 $1, Y1, 1536(SI)
	VMULPS Y1, Y1, Y1
	VADDPS Y1, Y3, Y3
	ADDQ $16, SI
	DECQ CX
	JNZ centreStep

	ACROSS(Y3, Y1)
	VMOVSS X3, (DI)
	VEXTRACTF128 $1, Y3, X3
	VMOVSS X3, 4(DI)
	VZEROUPPER
	RET

// STRETCH writes eight numbers of a row.
#define STRETCH(at, inverse, y) \
	VMULPS at(DI), inverse, y; \
	VMULPS Y2, y, y; \
	VADDPS Y3, y, y; \
	VMOVUPS y, at(DI)

// func stretchTwo(x, scale, shift *float32, first, second float32)
TEXT ·stretchTwo(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), DI
	MOVQ scale+8(FP), SI
	MOVQ shift+16(FP), DX
	VBROADCASTSS first+24(FP), Y0
	VBROADCASTSS second+28(FP), Y1
	MOVQ $48, CX // hidden / 8

stretchStep:
	VMOVUPS (SI), Y2
	VMOVUPS (DX), Y3
	STRETCH(0, Y0, Y4)
	STRETCH(1536, Y1, Y5)
	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, DX
	DECQ CX
	JNZ stretchStep
	VZEROUPPER
	RET
