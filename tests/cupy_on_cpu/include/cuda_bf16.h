// bfloat16: the upper half of a float, rounded to even.
#pragma once
#include <cstdint>
#include <cstring>

struct __nv_bfloat16 {
  unsigned short bits;

  __nv_bfloat16() = default;
  __nv_bfloat16(float v) {
    uint32_t whole;
    std::memcpy(&whole, &v, 4);
    bits = v != v ? 0x7fff : static_cast<unsigned short>((whole + 0x7fff + (whole >> 16 & 1)) >> 16);
  }
  operator float() const {
    uint32_t whole = uint32_t(bits) << 16;
    float v;
    std::memcpy(&v, &whole, 4);
    return v;
  }
};

inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 v) { return v.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  __nv_bfloat16 v;
  v.bits = bits;
  return v;
}
inline bool __hisnan(__nv_bfloat16 v) { return float(v) != float(v); }
inline bool __hisinf(__nv_bfloat16 v) { return (v.bits & 0x7fff) == 0x7f80; }
