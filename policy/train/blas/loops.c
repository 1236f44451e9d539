//go:build openblas && cgo

// sqrtf must be one vector instruction: no errno. (cgo refuses the command-line form.)
#pragma GCC optimize("no-math-errno", "no-trapping-math")

#include "loops.h"

#include <math.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MULTIVERSION __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define MULTIVERSION
#endif

MULTIVERSION void mitori_tanh_grad(float *restrict dz, const float *restrict dy, const float *restrict y,
                                   float *restrict sum, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < cols; c++) {
      float g = dy[c] * (1 - y[c] * y[c]);
      dz[c] = g;
      sum[c] += g;
    }
    dz += cols, dy += cols, y += cols;
  }
}

MULTIVERSION void mitori_col_sum(const float *restrict x, float *restrict sum, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++, x += cols)
    for (int64_t c = 0; c < cols; c++) sum[c] += x[c];
}

MULTIVERSION void mitori_adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v,
                              int64_t n, float scale, float rate, float beta1, float beta2, float correct2,
                              float eps) {
  for (int64_t i = 0; i < n; i++) {
    float x = g[i] * scale;
    float mi = beta1 * m[i] + (1 - beta1) * x;
    float vi = beta2 * v[i] + (1 - beta2) * x * x;
    m[i] = mi;
    v[i] = vi;
    w[i] -= rate * mi / (sqrtf(vi * correct2) + eps);
  }
}

MULTIVERSION double mitori_sum_squares(const float *restrict x, int64_t n) {
  float lane[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < 16; k++) lane[k] += x[i + k] * x[i + k];
  double s = 0;
  for (int k = 0; k < 16; k++) s += lane[k];
  for (; i < n; i++) s += (double)x[i] * x[i];
  return s;
}

MULTIVERSION void mitori_add(float *restrict dst, const float *restrict a, const float *restrict b, int64_t n) {
  for (int64_t i = 0; i < n; i++) dst[i] = a[i] + b[i];
}
