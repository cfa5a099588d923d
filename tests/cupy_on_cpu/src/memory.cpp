// Device memory is host memory: allocated, freed, copied, filled.
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>

#include "device.h"

namespace {

const int POISON = 0xff;  // NaN as a float, -1 as an integer
std::map<uintptr_t, size_t> allocations;
size_t allocated = 0;

char* at(uintptr_t pointer) { return reinterpret_cast<char*>(pointer); }

const char* name_of(int kind) {  // cudaMemcpyKind
  const char* names[] = {"h2h", "h2d", "d2h", "d2d"};
  return kind >= 0 && kind < 4 ? names[kind] : "copy";
}

}  // namespace

namespace device {

int allocate(size_t bytes, uintptr_t* pointer) {
  const size_t margin = 512;  // CuPy may read past the end of an array of size 0
  void* memory = nullptr;
  if (is_forbidden("malloc")) return NOT_PERMITTED;
  if (bytes > TOTAL_MEMORY - allocated || posix_memalign(&memory, margin, bytes + margin)) return OUT_OF_MEMORY;
  note("malloc", "", bytes, 0, "run");
  std::memset(memory, POISON, bytes + margin);
  *pointer = reinterpret_cast<uintptr_t>(memory);
  allocations[*pointer] = bytes;
  allocated += bytes;
  return SUCCESS;
}

int release(uintptr_t pointer) {
  if (!pointer) return SUCCESS;
  auto found = allocations.find(pointer);
  if (found == allocations.end()) return INVALID_VALUE;
  allocated -= found->second;
  allocations.erase(found);
  std::free(at(pointer));
  return SUCCESS;
}

bool is_device(uintptr_t pointer) {
  auto after = allocations.upper_bound(pointer);
  return after != allocations.begin() && pointer < std::prev(after)->first + std::prev(after)->second;
}

int copy(uintptr_t to, uintptr_t from, size_t bytes, int kind, Handle stream) {
  return submit(stream, name_of(kind), "", bytes, [=] { return std::memmove(at(to), at(from), bytes), int(SUCCESS); });
}

int copy_rows(uintptr_t to, size_t to_pitch, uintptr_t from, size_t from_pitch, size_t width, size_t height, int kind,
              Handle stream) {
  return submit(stream, name_of(kind), "rows", width * height, [=] {
    for (size_t row = 0; row < height; ++row) std::memmove(at(to) + row * to_pitch, at(from) + row * from_pitch, width);
    return int(SUCCESS);
  });
}

int fill(uintptr_t to, int value, size_t bytes, Handle stream) {
  return submit(stream, "memset", "", bytes, [=] { return std::memset(at(to), value, bytes), int(SUCCESS); });
}

}  // namespace device

extern "C" {

size_t cupy_on_cpu_allocated() { return allocated; }
void cupy_on_cpu_poison(uintptr_t pointer, size_t bytes) {
  device::Lock lock;
  if (device::is_device(pointer)) std::memset(at(pointer), POISON, bytes);
}

}  // extern "C"
