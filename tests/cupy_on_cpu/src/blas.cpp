// What CuPy calls of cuBLAS, as plain loops: right numbers matter here, and tests multiply small matrices.
#include <algorithm>
#include <cmath>
#include <vector>

#include "library.h"

namespace {

// C = alpha op(A) op(B) + beta C, for matrices of T, C of R, and sums of S
template <class T, class R, class S>
void gemm(int op_a, int op_b, int m, int n, int k, S alpha, const T* a, int lda, const T* b, int ldb, S beta, R* c, int ldc) {
  std::vector<S> left(size_t(m) * k), sums(m);
  for (int l = 0; l < k; ++l)
    for (int i = 0; i < m; ++i) left[size_t(l) * m + i] = S(element(a, lda, op_a, i, l));
  for (int j = 0; j < n; ++j) {
    std::fill(sums.begin(), sums.end(), S(0));
    for (int l = 0; l < k; ++l) {
      S factor = S(element(b, ldb, op_b, l, j));
      const S* column = &left[size_t(l) * m];
      for (int i = 0; i < m; ++i) sums[i] += column[i] * factor;
    }
    R* out = c + size_t(j) * ldc;
    for (int i = 0; i < m; ++i) out[i] = R(beta == S(0) ? alpha * sums[i] : alpha * sums[i] + beta * S(out[i]));
  }
}

// y = alpha op(A) x + beta y; C = alpha op(A) + beta op(B); C = A diag(x) or diag(x) A; A += alpha x yᵀ
template <class T>
void gemv(int op, int m, int n, T alpha, const T* a, int lda, const T* x, int step_x, T beta, T* y, int step_y) {
  int rows = op == AS_IS ? m : n, columns = op == AS_IS ? n : m;
  for (int i = 0; i < rows; ++i) {
    T sum = 0, &out = y[size_t(i) * step_y];
    for (int j = 0; j < columns; ++j) sum += element(a, lda, op, i, j) * x[size_t(j) * step_x];
    out = beta == T(0) ? alpha * sum : alpha * sum + beta * out;
  }
}
template <class T>
void geam(int op_a, int op_b, int m, int n, T alpha, const T* a, int lda, T beta, const T* b, int ldb, T* c, int ldc) {
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      T left = alpha == T(0) ? T(0) : alpha * element(a, lda, op_a, i, j);
      T right = beta == T(0) ? T(0) : beta * element(b, ldb, op_b, i, j);
      c[size_t(j) * ldc + i] = left + right;
    }
}
template <class T>
void dgmm(bool right, int m, int n, const T* a, int lda, const T* x, int step, T* c, int ldc) {
  if (step < 0) x += ptrdiff_t(1 - (right ? n : m)) * step;  // backwards, from the end
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) c[size_t(j) * ldc + i] = a[size_t(j) * lda + i] * x[ptrdiff_t(right ? j : i) * step];
}
template <class T>
void ger(bool adjoint, int m, int n, T alpha, const T* x, int step_x, const T* y, int step_y, T* a, int lda) {
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      T right = y[size_t(j) * step_y];
      a[size_t(j) * lda + i] += alpha * x[size_t(i) * step_x] * (adjoint ? conjugate(right) : right);
    }
}

template <class T>
T dot(bool adjoint, int n, const T* x, int step_x, const T* y, int step_y) {
  T sum = 0;
  for (int i = 0; i < n; ++i) {
    T left = x[size_t(i) * step_x];
    sum += (adjoint ? conjugate(left) : left) * y[size_t(i) * step_y];
  }
  return sum;
}
template <class T>
double norm_of(int n, const T* x, int step) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += std::norm(C64(x[size_t(i) * step]));
  return std::sqrt(sum);
}
template <class T>
double sum_of_magnitudes(int n, const T* x, int step) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += magnitude(x[size_t(i) * step]);
  return sum;
}
template <class T>
int extreme(int n, const T* x, int step, int sign) {  // counted from 1
  int best = 0;
  for (int i = 1; i < n; ++i)
    if (sign * magnitude(x[size_t(i) * step]) > sign * magnitude(x[size_t(best) * step])) best = i;
  return n > 0 ? best + 1 : 0;
}

// --- products of types that are told at run time -----------------------------------------------------------------------

enum Type { R_32F = 0, R_64F = 1, R_16F = 2, C_32F = 4, C_64F = 5 };
enum { COMPUTE_16F = 64, COMPUTE_16F_PEDANTIC = 65, COMPUTE_32F = 68 };

struct Matrix {
  const void* data;
  int type, ld;
  long long step;  // from one matrix of a batch to the next
  template <class T>
  T* at(int i) const { return static_cast<T*>(const_cast<void*>(data)) + i * step; }
};

template <class T, class R, class S>
int products(void* h, int op_a, int op_b, int m, int n, int k, S alpha, Matrix a, Matrix b, S beta, Matrix c, int count) {
  return submit(h, "gemm", [=] {
    for (int i = 0; i < count; ++i)
      gemm<T, R, S>(op_a, op_b, m, n, k, alpha, a.at<T>(i), a.ld, b.at<T>(i), b.ld, beta, c.at<R>(i), c.ld);
  });
}

// The factors are of the type in which sums are made.
template <class S>
S factor(const void* p, int) { return *static_cast<const S*>(p); }
float factor_of_half(const void* p, int compute) {
  bool in_half = compute == COMPUTE_16F || compute == COMPUTE_16F_PEDANTIC;
  return in_half ? float(*static_cast<const F16*>(p)) : *static_cast<const float*>(p);
}

int products_of_types(void* h, int op_a, int op_b, int m, int n, int k, const void* alpha, Matrix a, Matrix b,
                      const void* beta, Matrix c, int compute, int count) {
#define CASE(from, to, T, R, S, read)       \
  if (a.type == from && b.type == from && c.type == to) \
    return products<T, R, S>(h, op_a, op_b, m, n, k, read(alpha, compute), a, b, read(beta, compute), c, count);
  CASE(R_32F, R_32F, float, float, float, factor<float>)
  CASE(R_64F, R_64F, double, double, double, factor<double>)
  CASE(C_32F, C_32F, C32, C32, C32, factor<C32>)
  CASE(C_64F, C_64F, C64, C64, C64, factor<C64>)
  CASE(R_16F, R_16F, F16, F16, float, factor_of_half)
  CASE(R_16F, R_32F, F16, float, float, factor_of_half)
  return NOT_SUPPORTED;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) { return *handle = new Library(), OK; }
int cublasDestroy_v2(void* h) { return delete static_cast<Library*>(h), OK; }
int cublasGetVersion_v2(void*, int* version) { return *version = 120900, OK; }
int cublasSetStream_v2(void* h, uintptr_t stream) { return static_cast<Library*>(h)->stream = stream, OK; }
int cublasGetStream_v2(void* h, uintptr_t* stream) { return *stream = static_cast<Library*>(h)->stream, OK; }
int cublasSetPointerMode_v2(void* h, int mode) { return static_cast<Library*>(h)->pointer_mode = mode, OK; }
int cublasGetPointerMode_v2(void* h, int* mode) { return *mode = static_cast<Library*>(h)->pointer_mode, OK; }
int cublasSetMathMode(void* h, int mode) { return static_cast<Library*>(h)->math_mode = mode, OK; }
int cublasGetMathMode(void* h, int* mode) { return *mode = static_cast<Library*>(h)->math_mode, OK; }

int cublasGemmEx(void* h, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int type_a, int lda,
                 const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc, int compute, int) {
  return products_of_types(h, op_a, op_b, m, n, k, alpha, {a, type_a, lda, 0}, {b, type_b, ldb, 0}, beta,
                           {c, type_c, ldc, 0}, compute, 1);
}
int cublasSgemmEx(void* h, int op_a, int op_b, int m, int n, int k, const float* alpha, const void* a, int type_a, int lda,
                  const void* b, int type_b, int ldb, const float* beta, void* c, int type_c, int ldc) {
  return cublasGemmEx(h, op_a, op_b, m, n, k, alpha, a, type_a, lda, b, type_b, ldb, beta, c, type_c, ldc, COMPUTE_32F, 0);
}
int cublasGemmStridedBatchedEx(void* h, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int type_a,
                               int lda, long long step_a, const void* b, int type_b, int ldb, long long step_b,
                               const void* beta, void* c, int type_c, int ldc, long long step_c, int count, int compute, int) {
  return products_of_types(h, op_a, op_b, m, n, k, alpha, {a, type_a, lda, step_a}, {b, type_b, ldb, step_b}, beta,
                           {c, type_c, ldc, step_c}, compute, count);
}

// X: the letter in the function's name; T: the type it stands for. Factors are read at once; results are written as work.
#define FUNCTIONS(X, T, type)                                                                                              \
  int cublas##X##gemm_v2(void* h, int op_a, int op_b, int m, int n, int k, const T* alpha, const T* a, int lda, const T* b, \
                         int ldb, const T* beta, T* c, int ldc) {                                                          \
    return products<T, T, T>(h, op_a, op_b, m, n, k, *alpha, {a, type, lda, 0}, {b, type, ldb, 0}, *beta,                  \
                             {c, type, ldc, 0}, 1);                                                                        \
  }                                                                                                                        \
  int cublas##X##gemmStridedBatched(void* h, int op_a, int op_b, int m, int n, int k, const T* alpha, const T* a, int lda, \
                                    long long step_a, const T* b, int ldb, long long step_b, const T* beta, T* c, int ldc, \
                                    long long step_c, int count) {                                                         \
    return products<T, T, T>(h, op_a, op_b, m, n, k, *alpha, {a, type, lda, step_a}, {b, type, ldb, step_b}, *beta,        \
                             {c, type, ldc, step_c}, count);                                                               \
  }                                                                                                                        \
  int cublas##X##gemmBatched(void* h, int op_a, int op_b, int m, int n, int k, const T* alpha, const T* const* a, int lda, \
                             const T* const* b, int ldb, const T* beta, T* const* c, int ldc, int count) {                 \
    T f = *alpha, g = *beta;                                                                                               \
    return submit(h, "gemm of pointers", [=] {                                                                             \
      for (int i = 0; i < count; ++i) gemm<T, T, T>(op_a, op_b, m, n, k, f, a[i], lda, b[i], ldb, g, c[i], ldc);           \
    });                                                                                                                    \
  }                                                                                                                        \
  int cublas##X##gemv_v2(void* h, int op, int m, int n, const T* alpha, const T* a, int lda, const T* x, int step_x,       \
                         const T* beta, T* y, int step_y) {                                                                \
    T f = *alpha, g = *beta;                                                                                               \
    return submit(h, "gemv", [=] { gemv(op, m, n, f, a, lda, x, step_x, g, y, step_y); });                                 \
  }                                                                                                                        \
  int cublas##X##geam(void* h, int op_a, int op_b, int m, int n, const T* alpha, const T* a, int lda, const T* beta,       \
                      const T* b, int ldb, T* c, int ldc) {                                                                \
    T f = *alpha, g = *beta;                                                                                               \
    return submit(h, "geam", [=] { geam(op_a, op_b, m, n, f, a, lda, g, b, ldb, c, ldc); });                               \
  }                                                                                                                        \
  int cublas##X##dgmm(void* h, int right, int m, int n, const T* a, int lda, const T* x, int step, T* c, int ldc) {        \
    return submit(h, "dgmm", [=] { dgmm(right, m, n, a, lda, x, step, c, ldc); });                                         \
  }                                                                                                                        \
  int cublas##X##trsm_v2(void* h, int right, int upper, int op, int unit, int m, int n, const T* alpha, const T* a, int lda, \
                         T* b, int ldb) {                                                                                  \
    T f = *alpha;                                                                                                          \
    return submit(h, "trsm", [=] { solve_triangular<T>(!right, upper, op, unit, m, n, f, a, lda, b, ldb); });              \
  }                                                                                                                        \
  int cublas##X##axpy_v2(void* h, int n, const T* alpha, const T* x, int step_x, T* y, int step_y) {                       \
    return submit(h, "axpy", [=] {                                                                                         \
      for (int i = 0; i < n; ++i) y[size_t(i) * step_y] += *alpha * x[size_t(i) * step_x];                                 \
    });                                                                                                                    \
  }                                                                                                                        \
  int cublas##X##scal_v2(void* h, int n, const T* alpha, T* x, int step) {                                                 \
    return submit(h, "scal", [=] {                                                                                         \
      for (int i = 0; i < n; ++i) x[size_t(i) * step] *= *alpha;                                                           \
    });                                                                                                                    \
  }
FUNCTIONS(S, float, R_32F)
FUNCTIONS(D, double, R_64F)
FUNCTIONS(C, C32, C_32F)
FUNCTIONS(Z, C64, C_64F)

#define PAIRS(dot_name, ger_name, T, adjoint)                                                                              \
  int cublas##dot_name##_v2(void* h, int n, const T* x, int step_x, const T* y, int step_y, T* result) {                   \
    return submit(h, "dot", [=] { *result = dot(adjoint, n, x, step_x, y, step_y); });                                     \
  }                                                                                                                        \
  int cublas##ger_name##_v2(void* h, int m, int n, const T* alpha, const T* x, int step_x, const T* y, int step_y, T* a,   \
                            int lda) {                                                                                     \
    return submit(h, "ger", [=] { ger(adjoint, m, n, *alpha, x, step_x, y, step_y, a, lda); });                            \
  }
PAIRS(Sdot, Sger, float, false)
PAIRS(Ddot, Dger, double, false)
PAIRS(Cdotu, Cgeru, C32, false)
PAIRS(Cdotc, Cgerc, C32, true)
PAIRS(Zdotu, Zgeru, C64, false)
PAIRS(Zdotc, Zgerc, C64, true)

#define SIZES(x_, norm, sum, T, R)                                                                                        \
  int cublas##norm##_v2(void* h, int n, const T* x, int step, R* result) {                                                \
    return submit(h, "nrm2", [=] { *result = R(norm_of(n, x, step)); });                                                  \
  }                                                                                                                       \
  int cublas##sum##_v2(void* h, int n, const T* x, int step, R* result) {                                                 \
    return submit(h, "asum", [=] { *result = R(sum_of_magnitudes(n, x, step)); });                                        \
  }                                                                                                                       \
  int cublasI##x_##amax_v2(void* h, int n, const T* x, int step, int* result) {                                           \
    return submit(h, "amax", [=] { *result = extreme(n, x, step, 1); });                                                  \
  }                                                                                                                       \
  int cublasI##x_##amin_v2(void* h, int n, const T* x, int step, int* result) {                                           \
    return submit(h, "amin", [=] { *result = extreme(n, x, step, -1); });                                                 \
  }
SIZES(s, Snrm2, Sasum, float, float)
SIZES(d, Dnrm2, Dasum, double, double)
SIZES(c, Scnrm2, Scasum, C32, float)
SIZES(z, Dznrm2, Dzasum, C64, double)

}  // extern "C"
