// Half precision: g++'s _Float16, under CUDA's names.
#pragma once
#include <cstring>
#include <type_traits>

struct __half_raw {
  unsigned short x;
};

struct __half {
  unsigned short bits;

  __half() = default;
  __half(const __half_raw& raw) : bits(raw.x) {}
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  __half(T v) {
    _Float16 rounded = static_cast<_Float16>(v);
    std::memcpy(&bits, &rounded, 2);
  }
  operator float() const {
    _Float16 v;
    std::memcpy(&v, &bits, 2);
    return static_cast<float>(v);
  }
  operator __half_raw() const { return {bits}; }
};
typedef __half half;

inline unsigned short __half_as_ushort(__half v) { return v.bits; }
inline __half __ushort_as_half(unsigned short bits) { return __half_raw{bits}; }
inline float __half2float(__half v) { return v; }
inline __half __float2half(float v) { return v; }
inline __half __float2half_rn(float v) { return v; }
