// cuRAND: numbers of the same distributions, but other numbers.
#include <random>

#include "library.h"

namespace {

struct Generator {
  uintptr_t stream = 0;
  std::mt19937_64 bits;
};

template <class T, class Distribution>
int draw(void* generator, T* out, size_t n, Distribution distribution) {
  device::Lock lock;
  Generator* g = static_cast<Generator*>(generator);
  return device::submit(g->stream, "random", "", 0, [=]() mutable {
    for (size_t i = 0; i < n; ++i) out[i] = T(distribution(g->bits));
    return int(OK);
  });
}

template <class T>
struct AboveZero {  // uniform in (0, 1], as cuRAND's
  T operator()(std::mt19937_64& bits) { return T(1) - std::uniform_real_distribution<T>()(bits); }
};

}  // namespace

extern "C" {

int curandGetVersion(int* version) { return *version = 10300, OK; }
int curandCreateGenerator(void** g, int) { return *g = new Generator(), OK; }
int curandDestroyGenerator(void* g) { return delete static_cast<Generator*>(g), OK; }
int curandSetStream(void* g, uintptr_t stream) { return static_cast<Generator*>(g)->stream = stream, OK; }
int curandSetPseudoRandomGeneratorSeed(void* g, unsigned long long seed) {
  return static_cast<Generator*>(g)->bits.seed(seed), OK;
}
int curandSetGeneratorOffset(void* g, unsigned long long n) { return static_cast<Generator*>(g)->bits.discard(n), OK; }
int curandSetGeneratorOrdering(void*, int) { return OK; }
int curandGenerate(void* g, unsigned* out, size_t n) { return draw(g, out, n, std::uniform_int_distribution<unsigned>()); }
int curandGenerateLongLong(void* g, unsigned long long* out, size_t n) {
  return draw(g, out, n, std::uniform_int_distribution<unsigned long long>());
}
int curandGeneratePoisson(void* g, unsigned* out, size_t n, double rate) {
  return draw(g, out, n, std::poisson_distribution<unsigned>(rate));
}

#define REAL(suffix, T)                                                                                         \
  int curandGenerateUniform##suffix(void* g, T* out, size_t n) { return draw(g, out, n, AboveZero<T>()); }      \
  int curandGenerateNormal##suffix(void* g, T* out, size_t n, T mean, T scale) {                                \
    return draw(g, out, n, std::normal_distribution<T>(mean, scale));                                           \
  }                                                                                                             \
  int curandGenerateLogNormal##suffix(void* g, T* out, size_t n, T mean, T scale) {                             \
    return draw(g, out, n, std::lognormal_distribution<T>(mean, scale));                                        \
  }
REAL(, float)
REAL(Double, double)

}  // extern "C"
