// The few OpenBLAS calls in use, whichever library is linked: the pinned wheel prefixes its symbols with scipy_, so it
// can live in one process with a system OpenBLAS that another library brings.
#ifndef MITORI_BLAS_SGEMM_H
#define MITORI_BLAS_SGEMM_H
#ifdef MITORI_SYSTEM_BLAS
#define OPENBLAS(name) name
#else
#define OPENBLAS(name) scipy_##name
#endif

enum { mitori_row_major = 101, mitori_no_trans = 111, mitori_trans = 112 }; // CBLAS

char *OPENBLAS(openblas_get_corename)(void);
char *OPENBLAS(openblas_get_config)(void);
void OPENBLAS(openblas_set_num_threads)(int n);
void OPENBLAS(cblas_sgemm)(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                           const float *b, int ldb, float beta, float *c, int ldc);

static inline const char *mitori_corename(void) { return OPENBLAS(openblas_get_corename)(); }
static inline const char *mitori_config(void) { return OPENBLAS(openblas_get_config)(); }
static inline void mitori_threads(int n) { OPENBLAS(openblas_set_num_threads)(n); }
static inline void mitori_sgemm(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
                                float beta, float *c, int ldc) {
  OPENBLAS(cblas_sgemm)
  (mitori_row_major, ta ? mitori_trans : mitori_no_trans, tb ? mitori_trans : mitori_no_trans, m, n, k, 1, a, lda, b,
   ldb, beta, c, ldc);
}
#endif
