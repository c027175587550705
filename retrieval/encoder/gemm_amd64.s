#include "textflag.h"

// Both kernels read a panel four inputs of all 32 outputs at a time: 128 bytes, four neighbouring
// bytes per output. They end with VZEROUPPER, as dirty upper halves slow down later SSE code.

DATA ones<>+0(SB)/4, $0x00010001 // int16 1
GLOBL ones<>(SB), RODATA, $4
DATA zeroPoints<>+0(SB)/4, $0x80808080
GLOBL zeroPoints<>(SB), RODATA, $4

// AVX2. VPMADDUBSW multiplies unsigned by signed bytes and adds pairs in int16, which saturates.
// With |a| ≤ 128 as the unsigned operand and ±w, |w| ≤ 127, as the signed one a pair is at most
// 2·128·127 = 32512 and cannot. VPSIGNB gives ±w (and 0 where a is 0).

// ACTIVATIONS loads four activations of a row into every lane, signed and absolute.
#define ACTIVATIONS(from, signed, absolute) \
	VPBROADCASTD from, signed; \
	VPXOR Y13, signed, signed; \
	VPABSB signed, absolute

// ADD adds the products with the weights in Y12 to eight int32 sums.
#define ADD(signed, absolute, tmp, sum) \
	VPSIGNB signed, Y12, tmp; \
	VPMADDUBSW tmp, absolute, tmp; \
	VPMADDWD Y14, tmp, tmp; \
	VPADDD tmp, sum, sum

// func twoRowsAVX2(tile *int32, u *uint8, w *int8, k int)
TEXT ·twoRowsAVX2(SB), NOSPLIT, $0-32
	MOVQ tile+0(FP), DI
	MOVQ u+8(FP), SI
	MOVQ w+16(FP), DX
	MOVQ k+24(FP), R8
	MOVQ R8, CX
	SHRQ $2, CX
	VPBROADCASTD zeroPoints<>(SB), Y13
	VPBROADCASTD ones<>(SB), Y14
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

twoRowsLoop:
	ACTIVATIONS((SI), Y8, Y9)
	ACTIVATIONS((SI)(R8*1), Y10, Y11)
	VMOVDQU 0(DX), Y12
	ADD(Y8, Y9, Y15, Y0)
	ADD(Y10, Y11, Y15, Y4)
	VMOVDQU 32(DX), Y12
	ADD(Y8, Y9, Y15, Y1)
	ADD(Y10, Y11, Y15, Y5)
	VMOVDQU 64(DX), Y12
	ADD(Y8, Y9, Y15, Y2)
	ADD(Y10, Y11, Y15, Y6)
	VMOVDQU 96(DX), Y12
	ADD(Y8, Y9, Y15, Y3)
	ADD(Y10, Y11, Y15, Y7)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ twoRowsLoop

	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	VMOVDQU Y4, 128(DI)
	VMOVDQU Y5, 160(DI)
	VMOVDQU Y6, 192(DI)
	VMOVDQU Y7, 224(DI)
	VZEROUPPER
	RET

// func oneRowAVX2(tile *int32, u *uint8, w *int8, k int)
TEXT ·oneRowAVX2(SB), NOSPLIT, $0-32
	MOVQ tile+0(FP), DI
	MOVQ u+8(FP), SI
	MOVQ w+16(FP), DX
	MOVQ k+24(FP), CX
	SHRQ $2, CX
	VPBROADCASTD zeroPoints<>(SB), Y13
	VPBROADCASTD ones<>(SB), Y14
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

oneRowLoop:
	ACTIVATIONS((SI), Y8, Y9)
	VMOVDQU 0(DX), Y12
	ADD(Y8, Y9, Y15, Y0)
	VMOVDQU 32(DX), Y12
	ADD(Y8, Y9, Y15, Y1)
	VMOVDQU 64(DX), Y12
	ADD(Y8, Y9, Y15, Y2)
	VMOVDQU 96(DX), Y12
	ADD(Y8, Y9, Y15, Y3)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ oneRowLoop

	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	VZEROUPPER
	RET

// AVX-512 VNNI. VPDPBUSD adds four products of unsigned and signed bytes to an int32 without
// saturating. The unsigned operand is a + 128, as the activations are stored, so that each sum
// starts at −128 · (sum of the output's weights).

// WEIGHTS loads four inputs' weights of all outputs.
#define WEIGHTS \
	VMOVDQU32 (DX), Z24; \
	VMOVDQU32 64(DX), Z25

// ROW adds a row's products to its 32 sums.
#define ROW(from, low, high) \
	VPBROADCASTD from, Z26; \
	VPDPBUSD Z24, Z26, low; \
	VPDPBUSD Z25, Z26, high

// NEXT moves on to the next four inputs; the flags say whether there are any.
#define NEXT \
	ADDQ $4, SI; \
	ADDQ $4, R10; \
	ADDQ $4, R11; \
	ADDQ $128, DX; \
	DECQ CX

#define ROW1 ROW((SI), Z0, Z1)
#define ROW2 ROW((SI)(R8*1), Z2, Z3)
#define ROW3 ROW((SI)(R8*2), Z4, Z5)
#define ROW4 ROW((SI)(R9*1), Z6, Z7)
#define ROW5 ROW((R10), Z8, Z9)
#define ROW6 ROW((R10)(R8*1), Z10, Z11)
#define ROW7 ROW((R10)(R8*2), Z12, Z13)
#define ROW8 ROW((R10)(R9*1), Z14, Z15)
#define ROW9 ROW((R11), Z16, Z17)
#define ROW10 ROW((R11)(R8*1), Z18, Z19)
#define ROW11 ROW((R11)(R8*2), Z20, Z21)
#define ROW12 ROW((R11)(R9*1), Z22, Z23)

// func rowsVNNI(tile *int32, u *uint8, w *int8, sums *int32, rows, k int)
TEXT ·rowsVNNI(SB), NOSPLIT, $0-48
	MOVQ tile+0(FP), DI
	MOVQ u+8(FP), SI
	MOVQ w+16(FP), DX
	MOVQ sums+24(FP), BX
	MOVQ rows+32(FP), AX
	MOVQ k+40(FP), R8
	MOVQ R8, CX
	SHRQ $2, CX
	LEAQ (R8)(R8*2), R9  // 3 rows on
	LEAQ (SI)(R8*4), R10 // from the fifth row
	LEAQ (SI)(R8*8), R11 // from the ninth

	VPXORD Z26, Z26, Z26
	VMOVDQU32 (BX), Z24
	VMOVDQU32 64(BX), Z25
	VPSLLD $7, Z24, Z24
	VPSLLD $7, Z25, Z25
	VPSUBD Z24, Z26, Z0
	VPSUBD Z25, Z26, Z1
	VMOVDQA32 Z0, Z2
	VMOVDQA32 Z1, Z3
	VMOVDQA32 Z0, Z4
	VMOVDQA32 Z1, Z5
	VMOVDQA32 Z0, Z6
	VMOVDQA32 Z1, Z7
	VMOVDQA32 Z0, Z8
	VMOVDQA32 Z1, Z9
	VMOVDQA32 Z0, Z10
	VMOVDQA32 Z1, Z11
	VMOVDQA32 Z0, Z12
	VMOVDQA32 Z1, Z13
	VMOVDQA32 Z0, Z14
	VMOVDQA32 Z1, Z15
	VMOVDQA32 Z0, Z16
	VMOVDQA32 Z1, Z17
	VMOVDQA32 Z0, Z18
	VMOVDQA32 Z1, Z19
	VMOVDQA32 Z0, Z20
	VMOVDQA32 Z1, Z21
	VMOVDQA32 Z0, Z22
	VMOVDQA32 Z1, Z23

	CMPQ AX, $12
	JEQ rows12
	CMPQ AX, $11
	JEQ rows11
	CMPQ AX, $10
	JEQ rows10
	CMPQ AX, $9
	JEQ rows9
	CMPQ AX, $8
	JEQ rows8
	CMPQ AX, $7
	JEQ rows7
	CMPQ AX, $6
	JEQ rows6
	CMPQ AX, $5
	JEQ rows5
	CMPQ AX, $4
	JEQ rows4
	CMPQ AX, $3
	JEQ rows3
	CMPQ AX, $2
	JEQ rows2

rows1:
	WEIGHTS
	ROW1
	NEXT
	JNZ rows1
	JMP store1

rows2:
	WEIGHTS
	ROW1
	ROW2
	NEXT
	JNZ rows2
	JMP store2

rows3:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	NEXT
	JNZ rows3
	JMP store3

rows4:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	NEXT
	JNZ rows4
	JMP store4

rows5:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	NEXT
	JNZ rows5
	JMP store5

rows6:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	NEXT
	JNZ rows6
	JMP store6

rows7:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	NEXT
	JNZ rows7
	JMP store7

rows8:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	ROW8
	NEXT
	JNZ rows8
	JMP store8

rows9:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	ROW8
	ROW9
	NEXT
	JNZ rows9
	JMP store9

rows10:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	ROW8
	ROW9
	ROW10
	NEXT
	JNZ rows10
	JMP store10

rows11:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	ROW8
	ROW9
	ROW10
	ROW11
	NEXT
	JNZ rows11
	JMP store11

rows12:
	WEIGHTS
	ROW1
	ROW2
	ROW3
	ROW4
	ROW5
	ROW6
	ROW7
	ROW8
	ROW9
	ROW10
	ROW11
	ROW12
	NEXT
	JNZ rows12
	JMP store12

store12:
	VMOVDQU32 Z22, 1408(DI)
	VMOVDQU32 Z23, 1472(DI)
store11:
	VMOVDQU32 Z20, 1280(DI)
	VMOVDQU32 Z21, 1344(DI)
store10:
	VMOVDQU32 Z18, 1152(DI)
	VMOVDQU32 Z19, 1216(DI)
store9:
	VMOVDQU32 Z16, 1024(DI)
	VMOVDQU32 Z17, 1088(DI)
store8:
	VMOVDQU32 Z14, 896(DI)
	VMOVDQU32 Z15, 960(DI)
store7:
	VMOVDQU32 Z12, 768(DI)
	VMOVDQU32 Z13, 832(DI)
store6:
	VMOVDQU32 Z10, 640(DI)
	VMOVDQU32 Z11, 704(DI)
store5:
	VMOVDQU32 Z8, 512(DI)
	VMOVDQU32 Z9, 576(DI)
store4:
	VMOVDQU32 Z6, 384(DI)
	VMOVDQU32 Z7, 448(DI)
store3:
	VMOVDQU32 Z4, 256(DI)
	VMOVDQU32 Z5, 320(DI)
store2:
	VMOVDQU32 Z2, 128(DI)
	VMOVDQU32 Z3, 192(DI)
store1:
	VMOVDQU32 Z0, 0(DI)
	VMOVDQU32 Z1, 64(DI)
	VZEROUPPER
	RET
