#include "textflag.h"

// Constants of tanh: see tanhScalar in kernel.go, which is the same sequence of operations.
DATA tanhMax<>+0(SB)/4, $0x41100000 // 9
GLOBL tanhMax<>(SB), RODATA|NOPTR, $4
DATA tanhMin<>+0(SB)/4, $0xc1100000 // -9
GLOBL tanhMin<>(SB), RODATA|NOPTR, $4
DATA tanhScale<>+0(SB)/4, $0x4038aa3b // 2/ln 2
GLOBL tanhScale<>(SB), RODATA|NOPTR, $4
DATA one<>+0(SB)/4, $0x3f800000
GLOBL one<>(SB), RODATA|NOPTR, $4
DATA two<>+0(SB)/4, $0x40000000
GLOBL two<>(SB), RODATA|NOPTR, $4
DATA exp1<>+0(SB)/4, $0x3f317218
GLOBL exp1<>(SB), RODATA|NOPTR, $4
DATA exp2<>+0(SB)/4, $0x3e75fdf0
GLOBL exp2<>(SB), RODATA|NOPTR, $4
DATA exp3<>+0(SB)/4, $0x3d635766
GLOBL exp3<>(SB), RODATA|NOPTR, $4
DATA exp4<>+0(SB)/4, $0x3c1d950e
GLOBL exp4<>(SB), RODATA|NOPTR, $4
DATA exp5<>+0(SB)/4, $0x3aafa460
GLOBL exp5<>(SB), RODATA|NOPTR, $4
DATA exp6<>+0(SB)/4, $0x39222000
GLOBL exp6<>(SB), RODATA|NOPTR, $4

// func tanhAVX2(x *float32, blocks int)
// In place, blocks of 8.
TEXT ·tanhAVX2(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), DI
	MOVQ         blocks+8(FP), CX
	VBROADCASTSS tanhMax<>(SB), Y4
	VBROADCASTSS tanhMin<>(SB), Y5
	VBROADCASTSS tanhScale<>(SB), Y6
	VBROADCASTSS one<>(SB), Y7
	VBROADCASTSS two<>(SB), Y8
	VBROADCASTSS exp1<>(SB), Y9
	VBROADCASTSS exp2<>(SB), Y10
	VBROADCASTSS exp3<>(SB), Y11
	VBROADCASTSS exp4<>(SB), Y12
	VBROADCASTSS exp5<>(SB), Y13
	VBROADCASTSS exp6<>(SB), Y14

tanhLoop:
	VMOVUPS     (DI), Y0
	VMINPS      Y4, Y0, Y0
	VMAXPS      Y5, Y0, Y0
	VMULPS      Y6, Y0, Y0     // t = x 2/ln 2
	VROUNDPS    $0, Y0, Y1     // n, nearest even
	VSUBPS      Y1, Y0, Y0     // f = t - n
	VCVTPS2DQ   Y1, Y2
	VPSLLD      $23, Y2, Y2    // n in the exponent field
	VMOVAPS     Y14, Y3
	VFMADD213PS Y13, Y0, Y3    // Horner
	VFMADD213PS Y12, Y0, Y3
	VFMADD213PS Y11, Y0, Y3
	VFMADD213PS Y10, Y0, Y3
	VFMADD213PS Y9, Y0, Y3
	VFMADD213PS Y7, Y0, Y3     // 2^f
	VPADDD      Y2, Y3, Y3     // e = 2^(n+f)
	VADDPS      Y7, Y3, Y3
	VDIVPS      Y3, Y8, Y3     // 2/(e+1)
	VSUBPS      Y3, Y7, Y3     // 1 - 2/(e+1)
	VMOVUPS     Y3, (DI)
	ADDQ        $32, DI
	DECQ        CX
	JNZ         tanhLoop
	VZEROUPPER
	RET

// func gemv64AVX2(dst, bias, x, w *float32, in int)
// dst[0:64] = bias[0:64] + sum_i x[i] w[64 i : 64 i + 64].
TEXT ·gemv64AVX2(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    bias+8(FP), SI
	MOVQ    x+16(FP), DX
	MOVQ    w+24(FP), BX
	MOVQ    in+32(FP), CX
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VMOVUPS 128(SI), Y4
	VMOVUPS 160(SI), Y5
	VMOVUPS 192(SI), Y6
	VMOVUPS 224(SI), Y7

gemv64Loop:
	VBROADCASTSS (DX), Y8
	VFMADD231PS  (BX), Y8, Y0
	VFMADD231PS  32(BX), Y8, Y1
	VFMADD231PS  64(BX), Y8, Y2
	VFMADD231PS  96(BX), Y8, Y3
	VFMADD231PS  128(BX), Y8, Y4
	VFMADD231PS  160(BX), Y8, Y5
	VFMADD231PS  192(BX), Y8, Y6
	VFMADD231PS  224(BX), Y8, Y7
	ADDQ         $4, DX
	ADDQ         $256, BX
	DECQ         CX
	JNZ          gemv64Loop
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	VMOVUPS      Y4, 128(DI)
	VMOVUPS      Y5, 160(DI)
	VMOVUPS      Y6, 192(DI)
	VMOVUPS      Y7, 224(DI)
	VZEROUPPER
	RET

// func gemv32AVX2(dst, bias, x, w *float32, in int)
// dst[0:32] = bias[0:32] + sum_i x[i] w[32 i : 32 i + 32].
TEXT ·gemv32AVX2(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    bias+8(FP), SI
	MOVQ    x+16(FP), DX
	MOVQ    w+24(FP), BX
	MOVQ    in+32(FP), CX
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3

gemv32Loop:
	VBROADCASTSS (DX), Y8
	VFMADD231PS  (BX), Y8, Y0
	VFMADD231PS  32(BX), Y8, Y1
	VFMADD231PS  64(BX), Y8, Y2
	VFMADD231PS  96(BX), Y8, Y3
	ADDQ         $4, DX
	ADDQ         $128, BX
	DECQ         CX
	JNZ          gemv32Loop
	VMOVUPS      Y0, (DI)
	VMOVUPS      Y1, 32(DI)
	VMOVUPS      Y2, 64(DI)
	VMOVUPS      Y3, 96(DI)
	VZEROUPPER
	RET
