// Systems of linear equations, of cuBLAS and cuSOLVER: A = P L U as LAPACK's getrf leaves it. Pivots count from 1; `info` is the
// place of the first pivot that is zero.
#include <algorithm>
#include <utility>

#include "library.h"

template <class T>
void solve_triangular(bool left, bool upper, int op, bool unit, int m, int n, T alpha, const T* a, int lda, T* b, int ldb) {
  bool forward = left ? upper != (op == AS_IS) : upper == (op == AS_IS);
  int size = left ? m : n, others = left ? n : m;
  auto unknown = [&](int i, int k) -> T& { return left ? b[size_t(k) * ldb + i] : b[size_t(i) * ldb + k]; };
  auto known = [&](int i, int j) { return left ? element(a, lda, op, i, j) : element(a, lda, op, j, i); };
  for (int k = 0; k < others; ++k)
    for (int step = 0; step < size; ++step) {
      int i = forward ? step : size - 1 - step;
      T sum = alpha * unknown(i, k);
      for (int before = 0; before < step; ++before) {
        int j = forward ? before : size - 1 - before;
        sum -= known(i, j) * unknown(j, k);
      }
      unknown(i, k) = unit ? sum : sum / known(i, i);
    }
}

namespace {

template <class T>
int factorise(int m, int n, T* a, int lda, int* pivots) {  // without pivots, rows stay where they are
  int info = 0;
  auto at = [&](int i, int j) -> T& { return a[size_t(j) * lda + i]; };
  for (int k = 0; k < std::min(m, n); ++k) {
    int best = k;
    for (int i = k + 1; pivots && i < m; ++i)
      if (magnitude(at(i, k)) > magnitude(at(best, k))) best = i;
    if (pivots) pivots[k] = best + 1;
    for (int j = 0; j < n && best != k; ++j) std::swap(at(k, j), at(best, j));
    if (at(k, k) == T(0)) {
      info = info ? info : k + 1;
      continue;
    }
    for (int i = k + 1; i < m; ++i) at(i, k) /= at(k, k);
    for (int j = k + 1; j < n; ++j)
      for (int i = k + 1; i < m; ++i) at(i, j) -= at(i, k) * at(k, j);
  }
  return info;
}

template <class T>
void exchange_rows(int n, int columns, const int* pivots, T* b, int ldb, bool backwards) {
  for (int step = 0; pivots && step < n; ++step) {
    int k = backwards ? n - 1 - step : step;
    for (int j = 0; j < columns; ++j) std::swap(b[size_t(j) * ldb + k], b[size_t(j) * ldb + pivots[k] - 1]);
  }
}

template <class T>
void solve(int op, int n, int columns, const T* lu, int lda, const int* pivots, T* b, int ldb) {
  bool as_is = op == AS_IS;
  if (as_is) exchange_rows(n, columns, pivots, b, ldb, false);
  solve_triangular<T>(true, !as_is, op, as_is, n, columns, 1, lu, lda, b, ldb);
  solve_triangular<T>(true, as_is, op, !as_is, n, columns, 1, lu, lda, b, ldb);
  if (!as_is) exchange_rows(n, columns, pivots, b, ldb, true);
}

template <class T>
void invert(int n, const T* lu, int lda, const int* pivots, T* inverse, int ld) {
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) inverse[size_t(j) * ld + i] = T(i == j);
  solve(AS_IS, n, n, lu, lda, pivots, inverse, ld);
}

const int* nth(const int* pivots, int n, int i) { return pivots ? pivots + size_t(i) * n : nullptr; }

}  // namespace

extern "C" {

int cusolverDnCreate(void** handle) { return *handle = new Library(), OK; }
int cusolverDnDestroy(void* h) { return delete static_cast<Library*>(h), OK; }
int cusolverDnSetStream(void* h, uintptr_t stream) { return static_cast<Library*>(h)->stream = stream, OK; }
int cusolverDnGetStream(void* h, uintptr_t* stream) { return *stream = static_cast<Library*>(h)->stream, OK; }

#define SYSTEMS(X, T)                                                                                                      \
  template void solve_triangular<T>(bool, bool, int, bool, int, int, T, const T*, int, T*, int);                           \
  int cublas##X##getrfBatched(void* h, int n, T* const* a, int lda, int* pivots, int* info, int count) {                   \
    return submit(h, "getrfBatched", [=] {                                                                                 \
      for (int i = 0; i < count; ++i) info[i] = factorise(n, n, a[i], lda, const_cast<int*>(nth(pivots, n, i)));           \
    });                                                                                                                    \
  }                                                                                                                        \
  int cublas##X##getrsBatched(void* h, int op, int n, int columns, const T* const* a, int lda, const int* pivots,          \
                              T* const* b, int ldb, int* info, int count) {                                                \
    *info = 0;                                                                                                             \
    return submit(h, "getrsBatched", [=] {                                                                                 \
      for (int i = 0; i < count; ++i) solve(op, n, columns, a[i], lda, nth(pivots, n, i), b[i], ldb);                      \
    });                                                                                                                    \
  }                                                                                                                        \
  int cublas##X##getriBatched(void* h, int n, const T* const* a, int lda, const int* pivots, T* const* c, int ldc, int* info, \
                              int count) {                                                                                 \
    return submit(h, "getriBatched", [=] {                                                                                 \
      for (int i = 0; i < count; ++i) invert(n, a[i], lda, nth(pivots, n, i), c[i], ldc), info[i] = 0;                     \
    });                                                                                                                    \
  }                                                                                                                        \
  int cusolverDn##X##getrf_bufferSize(void*, int, int, T*, int, int* size) { return *size = 1, OK; }                       \
  int cusolverDn##X##getrf(void* h, int m, int n, T* a, int lda, T*, int* pivots, int* info) {                             \
    return submit(h, "getrf", [=] { *info = factorise(m, n, a, lda, pivots); });                                           \
  }                                                                                                                        \
  int cusolverDn##X##getrs(void* h, int op, int n, int columns, const T* a, int lda, const int* pivots, T* b, int ldb,     \
                           int* info) {                                                                                    \
    return submit(h, "getrs", [=] { solve(op, n, columns, a, lda, pivots, b, ldb), *info = 0; });                          \
  }
SYSTEMS(S, float)
SYSTEMS(D, double)
SYSTEMS(C, C32)
SYSTEMS(Z, C64)

}  // extern "C"
