// What cuBLAS, cuSOLVER and cuRAND have in common. CuPy's modules find these functions before those of the stubs of the same
// names (libraries.py). Matrices are stored by columns; `ld` is the distance between two columns.
#pragma once
#include <complex>

#include "device.h"

enum { OK = 0, NOT_SUPPORTED = 15 };  // of cuBLAS
enum { AS_IS = 0, TRANSPOSED = 1, ADJOINT = 2 };

typedef std::complex<float> C32;
typedef std::complex<double> C64;
typedef _Float16 F16;

struct Library {  // what a handle points to
  uintptr_t stream = 0;
  int pointer_mode = 0, math_mode = 0;
};

// Work on the handle's stream.
template <class F>
int submit(void* handle, const char* name, const F& work) {
  device::Lock lock;
  return device::submit(static_cast<Library*>(handle)->stream, "blas", name, 0, [=] { return work(), int(OK); });
}

template <class T>
T conjugate(T v) { return v; }
template <class T>
std::complex<T> conjugate(std::complex<T> v) { return std::conj(v); }

template <class T>
double magnitude(T v) { return v < 0 ? -double(v) : double(v); }
template <class T>
double magnitude(std::complex<T> v) { return magnitude(v.real()) + magnitude(v.imag()); }  // as BLAS measures

// op(A)[row, column]
template <class T>
T element(const T* a, int ld, int op, size_t row, size_t column) {
  if (op == AS_IS) return a[column * ld + row];
  return op == TRANSPOSED ? a[row * ld + column] : conjugate(a[row * ld + column]);
}

template <class T>
void solve_triangular(bool left, bool upper, int op, bool unit, int m, int n, T alpha, const T* a, int lda, T* b, int ldb);
