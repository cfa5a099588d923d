// CUDA's runtime, but for streams: the device and its memory. An H100's numbers, where a number is asked for.
#include <cstdlib>

#include "table.h"

using namespace device;
using table::none;
using table::raised;

namespace table {

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

PyObject* of_runtime(const char* name) {
  static PyObject* module = PyImport_ImportModule("cupy_backends.cuda.api.runtime");
  return PyObject_GetAttrString(module, name);
}

bool raised(int status) {
  if (!status) return false;
  static PyObject* type = of_runtime("CUDARuntimeError");
  PyObject* number = PyLong_FromLong(status);
  PyErr_SetObject(type, number);
  Py_DecRef(number);
  return true;
}

PyObject* none(int status) {
  if (raised(status)) return nullptr;
  Py_IncRef(&_Py_NoneStruct);
  return &_Py_NoneStruct;
}

}  // namespace table

extern "C" {  // for runtime.py

size_t cupy_on_cpu_entries() { return table::entries().size(); }
void cupy_on_cpu_entry(size_t i, const char** name, const char** signature, void** address) {
  const table::Entry& e = table::entries()[i];
  *name = e.name, *signature = e.signature.c_str(), *address = e.address;
}

}  // extern "C"

RUNTIME(PyObject*, _ensure_context) { return none(SUCCESS); }
RUNTIME(PyObject*, setDevice, int number, int) { return none(number ? INVALID_DEVICE : SUCCESS); }
RUNTIME(int, getDevice, int) { return 0; }
RUNTIME(int, getDeviceCount, int) { return 1; }
RUNTIME(int, driverGetVersion, int) { return 12090; }
RUNTIME(int, runtimeGetVersion, int) { return 12090; }
RUNTIME(int, _getCUDAMajorVersion, int) { return 12; }
RUNTIME(int, deviceCanAccessPeer, int, int, int) { return 0; }
RUNTIME(PyObject*, _deviceEnsurePeerAccess, int, int) { return none(SUCCESS); }
RUNTIME(PyObject*, profilerStart, int) { return none(SUCCESS); }
RUNTIME(PyObject*, profilerStop, int) { return none(SUCCESS); }
RUNTIME(int, deviceGetAttribute, int attribute, int, int) {
  switch (attribute) {
    case 1: case 2: case 3: return 1024;  // threads of a block: all; along x; along y
    case 4: return 64;                    // along z
    case 5: return 2147483647;            // blocks of a grid along x
    case 6: case 7: return 65535;         // along y; along z
    case 8: return 48 << 10;              // bytes of shared memory
    case 10: return 32;                   // threads of a warp
    case 16: return 132;                  // multiprocessors
    case 39: return 2048;                 // threads of a multiprocessor
    case 75: return 9;                    // compute capability 9.0
    case 76: return 0;
    case 97: return sizeof cupy_on_cpu_dynamic_shared;
    case 115: return 0;                   // memory pools of CUDA's own
    default: return 1;
  }
}
RUNTIME(PyObject*, getDeviceProperties, int, int) {
  return Py_BuildValue("{s:y,s:n,s:i,s:i,s:i,s:i,s:i,s:i}", "name", "the host (cupy_on_cpu)", "totalGlobalMem",
                       ptrdiff_t(TOTAL_MEMORY), "major", 9, "minor", 0, "multiProcessorCount", 132, "maxThreadsPerBlock",
                       1024, "sharedMemPerBlock", 48 << 10, "warpSize", 32);
}
extern "C" size_t cupy_on_cpu_allocated();
RUNTIME(PyObject*, memGetInfo, int) {
  return Py_BuildValue("(nn)", ptrdiff_t(TOTAL_MEMORY - cupy_on_cpu_allocated()), ptrdiff_t(TOTAL_MEMORY));
}
RUNTIME(int, pointerGetMemoryType, intptr_t pointer, int) {
  Lock lock;
  return is_device(pointer) ? 2 : 1;
}
RUNTIME(PyObject*, pointerGetAttributes, intptr_t pointer, int) {
  PyObject* type = table::of_runtime("PointerAttributes");
  PyObject* attributes = PyObject_CallFunction(type, "inni", 0, pointer, pointer, pointerGetMemoryType_(pointer, 0));
  return Py_DecRef(type), attributes;
}

RUNTIME(intptr_t, malloc, size_t bytes, int) {
  Lock lock;
  uintptr_t pointer = 0;
  raised(allocate(bytes, &pointer));
  return pointer;
}
RUNTIME(intptr_t, mallocAsync, size_t bytes, intptr_t, int) { return malloc_(bytes, 0); }
RUNTIME(intptr_t, mallocManaged, size_t bytes, int, void*) { return malloc_(bytes, 0); }
RUNTIME(PyObject*, free, intptr_t pointer, int) {
  Lock lock;
  return none(release(pointer));
}
RUNTIME(PyObject*, freeAsync, intptr_t pointer, intptr_t, int) { return free_(pointer, 0); }
RUNTIME(intptr_t, hostAlloc, size_t bytes, unsigned, int) { return reinterpret_cast<intptr_t>(std::malloc(bytes + 1)); }
RUNTIME(PyObject*, freeHost, intptr_t pointer, int) { return std::free(reinterpret_cast<void*>(pointer)), none(SUCCESS); }
RUNTIME(PyObject*, hostRegister, intptr_t, size_t, unsigned, int) { return none(SUCCESS); }
RUNTIME(PyObject*, hostUnregister, intptr_t, int) { return none(SUCCESS); }
RUNTIME(PyObject*, memAdvise, intptr_t, size_t, int, int, int) { return none(SUCCESS); }
RUNTIME(PyObject*, memPrefetchAsync, intptr_t, size_t, int, intptr_t, int) { return none(SUCCESS); }

// A copy that returns when it is done waits for the default stream, unless it is from device to device.
RUNTIME(PyObject*, memcpy, intptr_t to, intptr_t from, size_t bytes, int kind, int) {
  Lock lock;
  const int DEVICE_TO_DEVICE = 3;
  int status = kind == DEVICE_TO_DEVICE ? int(SUCCESS) : wait_for_stream(0, "memcpy");
  return none(status ? status : copy(to, from, bytes, kind, 0));
}
RUNTIME(PyObject*, memcpyAsync, intptr_t to, intptr_t from, size_t bytes, int kind, intptr_t stream, int) {
  Lock lock;
  return none(copy(to, from, bytes, kind, stream));
}
RUNTIME(PyObject*, memcpyPeer, intptr_t to, int, intptr_t from, int, size_t bytes, int) {
  return memcpy_(to, from, bytes, 3, 0);
}
RUNTIME(PyObject*, memcpyPeerAsync, intptr_t to, int, intptr_t from, int, size_t bytes, intptr_t stream, int) {
  return memcpyAsync_(to, from, bytes, 3, stream, 0);
}
RUNTIME(PyObject*, memcpy2D, intptr_t to, size_t to_pitch, intptr_t from, size_t from_pitch, size_t width, size_t height,
        table::CopyKind kind, int) {
  Lock lock;
  return none(copy_rows(to, to_pitch, from, from_pitch, width, height, kind, 0));
}
RUNTIME(PyObject*, memcpy2DAsync, intptr_t to, size_t to_pitch, intptr_t from, size_t from_pitch, size_t width,
        size_t height, table::CopyKind kind, intptr_t stream, int) {
  Lock lock;
  return none(copy_rows(to, to_pitch, from, from_pitch, width, height, kind, stream));
}
RUNTIME(PyObject*, memset, intptr_t to, int value, size_t bytes, int) {
  Lock lock;
  return none(fill(to, value, bytes, 0));
}
RUNTIME(PyObject*, memsetAsync, intptr_t to, int value, size_t bytes, intptr_t stream, int) {
  Lock lock;
  return none(fill(to, value, bytes, stream));
}
