// Element-wise loops of a training step. Vectorised by the compiler, one clone an instruction set.
#ifndef MITORI_BLAS_LOOPS_H
#define MITORI_BLAS_LOOPS_H
#include <stdint.h>

void mitori_tanh_grad(float *restrict dz, const float *restrict dy, const float *restrict y, float *restrict sum,
                      int64_t rows, int64_t cols);
void mitori_col_sum(const float *restrict x, float *restrict sum, int64_t rows, int64_t cols);
void mitori_adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, int64_t n,
                 float scale, float rate, float beta1, float beta2, float correct2, float eps);
double mitori_sum_squares(const float *restrict x, int64_t n);
void mitori_add(float *restrict dst, const float *restrict a, const float *restrict b, int64_t n);
#endif
