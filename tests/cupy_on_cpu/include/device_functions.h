// CUDA's functions for kernels, by the host's. Only one thread runs at a time, so atomics are plain arithmetic.
#pragma once

#define CUPY_ON_CPU_ATOMIC(name, T, next) \
  inline T name(T* address, T v) {        \
    T old = *address;                     \
    *address = next;                      \
    return old;                           \
  }
#define CUPY_ON_CPU_ATOMICS(name, next)    \
  CUPY_ON_CPU_ATOMIC(name, int, next)      \
  CUPY_ON_CPU_ATOMIC(name, unsigned, next) \
  CUPY_ON_CPU_ATOMIC(name, unsigned long long, next)
CUPY_ON_CPU_ATOMICS(atomicAdd, old + v)
CUPY_ON_CPU_ATOMIC(atomicAdd, float, old + v)
CUPY_ON_CPU_ATOMIC(atomicAdd, double, old + v)
CUPY_ON_CPU_ATOMIC(atomicSub, int, old - v)
CUPY_ON_CPU_ATOMIC(atomicSub, unsigned, old - v)
CUPY_ON_CPU_ATOMICS(atomicExch, v)
CUPY_ON_CPU_ATOMIC(atomicExch, float, v)
CUPY_ON_CPU_ATOMICS(atomicMin, v < old ? v : old)
CUPY_ON_CPU_ATOMIC(atomicMin, long long, v < old ? v : old)
CUPY_ON_CPU_ATOMICS(atomicMax, v > old ? v : old)
CUPY_ON_CPU_ATOMIC(atomicMax, long long, v > old ? v : old)
CUPY_ON_CPU_ATOMICS(atomicAnd, old & v)
CUPY_ON_CPU_ATOMICS(atomicOr, old | v)
CUPY_ON_CPU_ATOMICS(atomicXor, old ^ v)
CUPY_ON_CPU_ATOMIC(atomicInc, unsigned, old >= v ? 0 : old + 1)
CUPY_ON_CPU_ATOMIC(atomicDec, unsigned, old == 0 || old > v ? v : old - 1)
template <class T>
T atomicCAS(T* address, std::common_type_t<T> compare, std::common_type_t<T> v) {
  T old = *address;
  if (old == compare) *address = v;
  return old;
}

// --- min and max of mixed types ----------------------------------------------------------------------------------------

namespace cupy_on_cpu {
template <class A, class B>
using Common = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>, std::common_type_t<A, B>>;
}
template <class A, class B>
inline cupy_on_cpu::Common<A, B> min(A a, B b) {
  typedef cupy_on_cpu::Common<A, B> C;
  if constexpr (std::is_floating_point_v<C>) return std::fmin(C(a), C(b));
  else return C(b) < C(a) ? C(b) : C(a);
}
template <class A, class B>
inline cupy_on_cpu::Common<A, B> max(A a, B b) {
  typedef cupy_on_cpu::Common<A, B> C;
  if constexpr (std::is_floating_point_v<C>) return std::fmax(C(a), C(b));
  else return C(a) < C(b) ? C(b) : C(a);
}

// --- bits ----------------------------------------------------------------------------------------------------------------

namespace cupy_on_cpu {
template <class To, class From>
inline To bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &v, sizeof to);
  return to;
}
}  // namespace cupy_on_cpu
inline int __float_as_int(float v) { return cupy_on_cpu::bits<int>(v); }
inline unsigned __float_as_uint(float v) { return cupy_on_cpu::bits<unsigned>(v); }
inline float __int_as_float(int v) { return cupy_on_cpu::bits<float>(v); }
inline float __uint_as_float(unsigned v) { return cupy_on_cpu::bits<float>(v); }
inline long long __double_as_longlong(double v) { return cupy_on_cpu::bits<long long>(v); }
inline double __longlong_as_double(long long v) { return cupy_on_cpu::bits<double>(v); }
inline int __double2hiint(double v) { return int(__double_as_longlong(v) >> 32); }
inline int __double2loint(double v) { return int(__double_as_longlong(v)); }
inline double __hiloint2double(int high, int low) {
  return __longlong_as_double((long long)((unsigned long long)unsigned(high) << 32 | unsigned(low)));
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll((unsigned long long)v) : 64; }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline int __mulhi(int a, int b) { return int((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// --- arithmetic ------------------------------------------------------------------------------------------------------------

template <class T>
inline T __ldg(const T* p) { return *p; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float v) { return std::exp(v); }
inline float __logf(float v) { return std::log(v); }
inline float __sinf(float v) { return std::sin(v); }
inline float __cosf(float v) { return std::cos(v); }
inline float __powf(float a, float b) { return std::pow(a, b); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline int __float2int_rn(float v) { return int(std::rint(v)); }
inline int __double2int_rn(double v) { return int(std::rint(v)); }
inline long long __float2ll_rn(float v) { return (long long)std::rint(v); }
inline long long __double2ll_rn(double v) { return (long long)std::rint(v); }

inline float rsqrt(float v) { return 1 / std::sqrt(v); }
inline double rsqrt(double v) { return 1 / std::sqrt(v); }
inline float rsqrtf(float v) { return 1 / std::sqrt(v); }
inline float rcbrt(float v) { return 1 / std::cbrt(v); }
inline double rcbrt(double v) { return 1 / std::cbrt(v); }
inline float exp10(float v) { return std::pow(10.f, v); }
inline double sinpi(double v) { return std::sin(M_PI * std::fmod(v, 2)); }
inline double cospi(double v) { return std::cos(M_PI * std::fmod(v, 2)); }
inline float sinpi(float v) { return float(sinpi(double(v))); }
inline float cospi(float v) { return float(cospi(double(v))); }
inline float sinpif(float v) { return sinpi(v); }
inline float cospif(float v) { return cospi(v); }

inline double normcdf(double v) { return 0.5 * std::erfc(-v * M_SQRT1_2); }
inline double normcdfinv(double p) {  // Newton's method, from the rational approximation of Abramowitz and Stegun, 26.2.23
  if (!(p > 0 && p < 1)) return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
  double q = std::fmin(p, 1 - p), t = std::sqrt(-2 * std::log(q));
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 4; ++i) x -= (normcdf(x) - q) / (std::exp(-x * x / 2) / std::sqrt(2 * M_PI));
  return p < 0.5 ? x : -x;
}
inline double erfinv(double v) { return normcdfinv((v + 1) / 2) * M_SQRT1_2; }
inline double erfcinv(double v) { return -normcdfinv(v / 2) * M_SQRT1_2; }
inline float normcdf(float v) { return float(normcdf(double(v))); }
inline float normcdfinv(float v) { return float(normcdfinv(double(v))); }
inline float erfinv(float v) { return float(erfinv(double(v))); }
inline float erfcinv(float v) { return float(erfcinv(double(v))); }
inline float j0(float v) { return float(::j0(double(v))); }
inline float j1(float v) { return float(::j1(double(v))); }
inline float y0(float v) { return float(::y0(double(v))); }
inline float y1(float v) { return float(::y1(double(v))); }
inline double cyl_bessel_i0(double v) { return std::cyl_bessel_i(0., std::fabs(v)); }
inline double cyl_bessel_i1(double v) { return std::copysign(std::cyl_bessel_i(1., std::fabs(v)), v); }
inline float cyl_bessel_i0(float v) { return float(cyl_bessel_i0(double(v))); }
inline float cyl_bessel_i1(float v) { return float(cyl_bessel_i1(double(v))); }
inline long long clock64() { return 0; }
inline void __trap() { std::abort(); }

// --- pairs and the like ----------------------------------------------------------------------------------------------------

#define CUPY_ON_CPU_VECTOR(T, name)                                 \
  struct name##1 { T x; };                                          \
  struct alignas(2 * sizeof(T)) name##2 { T x, y; };                \
  struct name##4 { T x, y, z, w; };                                 \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }        \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
CUPY_ON_CPU_VECTOR(char, char)
CUPY_ON_CPU_VECTOR(unsigned char, uchar)
CUPY_ON_CPU_VECTOR(short, short)
CUPY_ON_CPU_VECTOR(unsigned short, ushort)
CUPY_ON_CPU_VECTOR(int, int)
CUPY_ON_CPU_VECTOR(unsigned, uint)
CUPY_ON_CPU_VECTOR(long long, longlong)
CUPY_ON_CPU_VECTOR(float, float)
CUPY_ON_CPU_VECTOR(double, double)
struct int3 { int x, y, z; };
struct float3 { float x, y, z; };
struct double3 { double x, y, z; };
