// CUDA C++ on the host: the language and the threads. It is included before a kernel's own source, which g++ then compiles to
// a shared library. One thread of a kernel is one call of its function; src/driver.cpp makes the calls.
#pragma once
#include <math.h>

#include <cassert>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <tuple>
#include <type_traits>
#include <utility>

#define __CUDACC_VER_MAJOR__ 12  // so that CuPy's float16 is that of cuda_fp16.h: ours
#define __CUDACC_VER_MINOR__ 9
#define CUDART_VERSION 12090
#define CUDA_VERSION 12090

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __shared__ static  // blocks run one after the other. compiler.py replaces `extern __shared__` before.
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict __restrict__
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

extern "C" {  // of src/threads.cpp
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
extern char cupy_on_cpu_dynamic_shared[];
void cupy_on_cpu_meet_block();
int cupy_on_cpu_meet_and_count(int vote);  // how many threads of the block have voted 1
void cupy_on_cpu_meet_warp(unsigned mask);
unsigned cupy_on_cpu_meet_lane();
unsigned cupy_on_cpu_meet_active();           // the lanes that have not ended
void* cupy_on_cpu_meet_slot(unsigned lane);  // 16 bytes of each lane that the whole warp can read
}

static const int warpSize = 32;

inline void __syncthreads() { cupy_on_cpu_meet_block(); }
inline int __syncthreads_count(int p) { return cupy_on_cpu_meet_and_count(p != 0); }
inline int __syncthreads_or(int p) { return __syncthreads_count(p) > 0; }
inline int __syncthreads_and(int p) { return __syncthreads_count(!p) == 0; }
inline void __syncwarp(unsigned mask = ~0u) { cupy_on_cpu_meet_warp(mask); }
inline unsigned __activemask() { return cupy_on_cpu_meet_active(); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

namespace cupy_on_cpu {

// Every lane shows its value before any reads, and all have read before any shows its next.
template <class T, class Read>
auto shown(unsigned mask, T value, Read read) {
  static_assert(sizeof(T) <= 16, "values of more than 16 bytes are not exchanged");
  std::memcpy(cupy_on_cpu_meet_slot(cupy_on_cpu_meet_lane()), &value, sizeof(T));
  cupy_on_cpu_meet_warp(mask);
  auto result = read();
  cupy_on_cpu_meet_warp(mask);
  return result;
}
template <class T>
T of_lane(unsigned lane) {
  T value;
  std::memcpy(&value, cupy_on_cpu_meet_slot(lane), sizeof(T));
  return value;
}
template <class T>
T shuffled(unsigned mask, T value, unsigned from) {
  return shown(mask, value, [=] { return of_lane<T>(from); });
}
inline unsigned first_lane(int width) { return cupy_on_cpu_meet_lane() & ~(unsigned(width) - 1); }

}  // namespace cupy_on_cpu

template <class T>
T __shfl_sync(unsigned mask, T v, int from, int width = 32) {
  return cupy_on_cpu::shuffled(mask, v, cupy_on_cpu::first_lane(width) + (unsigned(from) & (width - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32) {
  unsigned lane = cupy_on_cpu_meet_lane();
  return cupy_on_cpu::shuffled(mask, v, lane >= cupy_on_cpu::first_lane(width) + delta ? lane - delta : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32) {
  unsigned lane = cupy_on_cpu_meet_lane();
  return cupy_on_cpu::shuffled(mask, v, lane + delta < cupy_on_cpu::first_lane(width) + width ? lane + delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int bits, int width = 32) {
  unsigned lane = cupy_on_cpu_meet_lane(), from = lane ^ unsigned(bits);
  return cupy_on_cpu::shuffled(mask, v, from < cupy_on_cpu::first_lane(width) + width ? from : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned voters = mask & cupy_on_cpu_meet_active();
  return cupy_on_cpu::shown(mask, unsigned(predicate != 0), [=] {
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
      if (voters >> lane & 1) votes |= cupy_on_cpu::of_lane<unsigned>(lane) << lane;
    return votes;
  });
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

#include "device_functions.h"

// --- what a kernel's library tells src/driver.cpp ------------------------------------------------------------------------

namespace cupy_on_cpu {

struct Kernel {
  void (*thread)(void** arguments);
  const size_t* sizes;  // of the arguments, in bytes
  size_t count;
};

template <auto kernel>
struct Described;

template <class... P, void (*kernel)(P...)>
struct Described<kernel> {
  static constexpr size_t sizes[] = {sizeof(P)..., 0};

  template <size_t... i>
  static void call([[maybe_unused]] void** arguments, std::index_sequence<i...>) {
    kernel(*reinterpret_cast<std::remove_cv_t<std::remove_reference_t<P>>*>(arguments[i])...);
  }
  static void thread(void** arguments) { call(arguments, std::index_sequence_for<P...>()); }
  static constexpr Kernel value = {&thread, sizes, sizeof...(P)};
};

}  // namespace cupy_on_cpu
