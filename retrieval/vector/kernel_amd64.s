#include "textflag.h"

// Every function ends with VZEROUPPER, as dirty upper halves slow down later SSE code. Rows are read
// four at a time: the sums of four do not wait for each other, and are added up together at the end.

DATA ones<>+0(SB)/4, $0x00010001 // int16 1
GLOBL ones<>(SB), RODATA, $4
DATA zeroPoints<>+0(SB)/4, $0x80808080
GLOBL zeroPoints<>(SB), RODATA, $4

// SCOREFOUR stores the scores of four rows, with their sums in X0, and moves on by four; SCOREONE
// does so with one. X12 has the query's length.
#define SCOREFOUR \
	VCVTDQ2PS X0, X0; \
	VMULPS (BX), X0, X0; \
	VMULPS (R13), X12, X1; \
	VADDPS X1, X0, X0; \
	VMOVUPS X0, (DI); \
	ADDQ $16, BX; \
	ADDQ $16, R13; \
	ADDQ $16, DI

#define SCOREONE \
	VCVTDQ2PS X0, X0; \
	VMULSS (BX), X0, X0; \
	VMULSS (R13), X12, X1; \
	VADDSS X1, X0, X0; \
	VMOVSS X0, (DI); \
	ADDQ $4, BX; \
	ADDQ $4, R13; \
	ADDQ $4, DI

// AVX-512 VNNI. VPDPBUSD adds four products of unsigned and signed bytes to an int32 without
// saturating. The rows are unsigned, d + 128, so that offset, 128 · (sum of the query), is too much.

// Prefetching 6 KiB ahead is what reads the slab at the speed of main memory where it lies there.

// HALVE adds the upper half of the 512-bit sum to the lower.
#define HALVE(z, y, tmp) \
	VEXTRACTI64X4 $1, z, tmp; \
	VPADDD tmp, y, y

// func scanVNNI(scores *float32, query *int8, docs *uint8, scales, losses *float32, rows, stride, offset int, length float32)
TEXT ·scanVNNI(SB), NOSPLIT, $0-68
	MOVQ scores+0(FP), DI
	MOVQ query+8(FP), SI
	MOVQ docs+16(FP), DX
	MOVQ scales+24(FP), BX
	MOVQ losses+32(FP), R13
	MOVQ rows+40(FP), AX
	MOVQ stride+48(FP), R8
	VPBROADCASTD offset+56(FP), X15
	VBROADCASTSS length+64(FP), X12
	LEAQ (R8)(R8*2), R9 // 3 rows on
	MOVQ R8, R12
	SHRQ $6, R12        // steps of 64 bytes

vnniFour:
	CMPQ AX, $4
	JLT vnniOne
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	MOVQ SI, R10
	MOVQ DX, R11
	MOVQ R12, CX

vnniFourStep:
	VMOVDQU32 (R10), Z4
	VMOVDQU32 (R11), Z5
	VMOVDQU32 (R11)(R8*1), Z6
	VMOVDQU32 (R11)(R8*2), Z7
	VMOVDQU32 (R11)(R9*1), Z8
	PREFETCHT0 6144(R11)
	PREFETCHT0 6144(R11)(R8*1)
	PREFETCHT0 6144(R11)(R8*2)
	PREFETCHT0 6144(R11)(R9*1)
	VPDPBUSD Z4, Z5, Z0
	VPDPBUSD Z4, Z6, Z1
	VPDPBUSD Z4, Z7, Z2
	VPDPBUSD Z4, Z8, Z3
	ADDQ $64, R10
	ADDQ $64, R11
	DECQ CX
	JNZ vnniFourStep

	HALVE(Z0, Y0, Y5)
	HALVE(Z1, Y1, Y6)
	HALVE(Z2, Y2, Y7)
	HALVE(Z3, Y3, Y8)
	VPHADDD Y1, Y0, Y0
	VPHADDD Y3, Y2, Y2
	VPHADDD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPSUBD X15, X0, X0
	SCOREFOUR
	LEAQ (DX)(R8*4), DX
	SUBQ $4, AX
	JMP vnniFour

vnniOne:
	TESTQ AX, AX
	JZ vnniDone
	VPXORD Z0, Z0, Z0
	MOVQ SI, R10
	MOVQ R12, CX

vnniOneStep:
	VMOVDQU32 (R10), Z4
	VMOVDQU32 (DX), Z5
	VPDPBUSD Z4, Z5, Z0
	ADDQ $64, R10
	ADDQ $64, DX
	DECQ CX
	JNZ vnniOneStep

	HALVE(Z0, Y0, Y5)
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPHADDD X0, X0, X0
	VPHADDD X0, X0, X0
	VPSUBD X15, X0, X0
	SCOREONE
	DECQ AX
	JMP vnniOne

vnniDone:
	VZEROUPPER
	RET

// AVX2. VPMADDUBSW multiplies unsigned by signed bytes and adds pairs in int16, which saturates.
// With |q| ≤ 127 as the unsigned operand and d with q's sign, |d| ≤ 127, as the signed one a pair
// is at most 2·127·127 = 32258 and cannot.

// ADD adds the products of 32 bytes of a row with the query, signed in Y4 and absolute in Y5, to
// eight int32 sums.
#define ADD(from, tmp, sum) \
	VPXOR from, Y13, tmp; \
	VPSIGNB Y4, tmp, tmp; \
	VPMADDUBSW tmp, Y5, tmp; \
	VPMADDWD Y14, tmp, tmp; \
	VPADDD tmp, sum, sum

// func scanAVX2(scores *float32, query *int8, docs *uint8, scales, losses *float32, rows, stride int, length float32)
TEXT ·scanAVX2(SB), NOSPLIT, $0-60
	MOVQ scores+0(FP), DI
	MOVQ query+8(FP), SI
	MOVQ docs+16(FP), DX
	MOVQ scales+24(FP), BX
	MOVQ losses+32(FP), R13
	MOVQ rows+40(FP), AX
	MOVQ stride+48(FP), R8
	VBROADCASTSS length+56(FP), X12
	VPBROADCASTD zeroPoints<>(SB), Y13
	VPBROADCASTD ones<>(SB), Y14
	LEAQ (R8)(R8*2), R9 // 3 rows on
	MOVQ R8, R12
	SHRQ $5, R12        // steps of 32 bytes

avx2Four:
	CMPQ AX, $4
	JLT avx2One
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	MOVQ SI, R10
	MOVQ DX, R11
	MOVQ R12, CX

avx2FourStep:
	VMOVDQU (R10), Y4
	VPABSB Y4, Y5
	ADD((R11), Y6, Y0)
	ADD((R11)(R8*1), Y7, Y1)
	ADD((R11)(R8*2), Y8, Y2)
	ADD((R11)(R9*1), Y9, Y3)
	ADDQ $32, R10
	ADDQ $32, R11
	DECQ CX
	JNZ avx2FourStep

	VPHADDD Y1, Y0, Y0
	VPHADDD Y3, Y2, Y2
	VPHADDD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	SCOREFOUR
	LEAQ (DX)(R8*4), DX
	SUBQ $4, AX
	JMP avx2Four

avx2One:
	TESTQ AX, AX
	JZ avx2Done
	VPXOR Y0, Y0, Y0
	MOVQ SI, R10
	MOVQ R12, CX

avx2OneStep:
	VMOVDQU (R10), Y4
	VPABSB Y4, Y5
	ADD((DX), Y6, Y0)
	ADDQ $32, R10
	ADDQ $32, DX
	DECQ CX
	JNZ avx2OneStep

	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPHADDD X0, X0, X0
	VPHADDD X0, X0, X0
	SCOREONE
	DECQ AX
	JMP avx2One

avx2Done:
	VZEROUPPER
	RET

// The dot products below are dotGo's, operation by operation: eight lanes, the rest to the first,
// products and sums rounded apart, lanes added up in the same order.

// MULTIPLY adds the products of eight numbers with those in Y4 to eight sums.
#define MULTIPLY(from, tmp, sum) \
	VMULPS from, Y4, tmp; \
	VADDPS tmp, sum, sum

// MULTIPLYONE does so with one number, in X4, and the first sum.
#define MULTIPLYONE(from, tmp, sum) \
	VMULSS from, X4, tmp; \
	VADDSS tmp, sum, sum

// func dotFourAVX2(dst, query *float32, rows *[]float32, n int)
TEXT ·dotFourAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ query+8(FP), SI
	MOVQ rows+16(FP), AX
	MOVQ n+24(FP), CX
	MOVQ 0(AX), R8 // slice headers are 24 bytes apart
	MOVQ 24(AX), R9
	MOVQ 48(AX), R10
	MOVQ 72(AX), R11
	MOVQ CX, BX
	ANDQ $7, BX
	XORQ DX, DX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SHRQ $3, CX
	JZ dotFourRest

dotFourStep:
	VMOVUPS (SI)(DX*4), Y4
	MULTIPLY((R8)(DX*4), Y5, Y0)
	MULTIPLY((R9)(DX*4), Y6, Y1)
	MULTIPLY((R10)(DX*4), Y7, Y2)
	MULTIPLY((R11)(DX*4), Y8, Y3)
	ADDQ $8, DX
	DECQ CX
	JNZ dotFourStep

dotFourRest:
	VEXTRACTF128 $1, Y0, X8
	VEXTRACTF128 $1, Y1, X9
	VEXTRACTF128 $1, Y2, X10
	VEXTRACTF128 $1, Y3, X11
	TESTQ BX, BX
	JZ dotFourAdd

dotFourRestStep:
	VMOVSS (SI)(DX*4), X4
	MULTIPLYONE((R8)(DX*4), X5, X0)
	MULTIPLYONE((R9)(DX*4), X5, X1)
	MULTIPLYONE((R10)(DX*4), X5, X2)
	MULTIPLYONE((R11)(DX*4), X5, X3)
	INCQ DX
	DECQ BX
	JNZ dotFourRestStep

dotFourAdd:
	VHADDPS X1, X0, X0 // lanes 0+1 and 2+3 of two rows
	VHADDPS X3, X2, X2
	VHADDPS X2, X0, X0
	VHADDPS X9, X8, X8 // 4+5 and 6+7
	VHADDPS X11, X10, X10
	VSHUFPS $0x88, X10, X8, X9
	VSHUFPS $0xDD, X10, X8, X11
	VADDPS X9, X0, X0
	VADDPS X11, X0, X0
	VMOVUPS X0, (DI)
	VZEROUPPER
	RET

// func dotOneAVX2(a, b *float32, n int) float32
TEXT ·dotOneAVX2(SB), NOSPLIT, $0-28
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), R8
	MOVQ n+16(FP), CX
	MOVQ CX, BX
	ANDQ $7, BX
	XORQ DX, DX
	VXORPS Y0, Y0, Y0
	SHRQ $3, CX
	JZ dotOneRest

dotOneStep:
	VMOVUPS (SI)(DX*4), Y4
	MULTIPLY((R8)(DX*4), Y5, Y0)
	ADDQ $8, DX
	DECQ CX
	JNZ dotOneStep

dotOneRest:
	VEXTRACTF128 $1, Y0, X8
	TESTQ BX, BX
	JZ dotOneAdd

dotOneRestStep:
	VMOVSS (SI)(DX*4), X4
	MULTIPLYONE((R8)(DX*4), X5, X0)
	INCQ DX
	DECQ BX
	JNZ dotOneRestStep

dotOneAdd:
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X8, X8, X8
	VMOVSHDUP X8, X9
	VADDSS X8, X0, X0
	VADDSS X9, X0, X0
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET
