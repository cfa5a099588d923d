// What the parts of the device on the CPU know of each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace device {

enum Status {  // numbers that CUDA's driver and runtime share
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_HANDLE = 400,
  ILLEGAL_STATE = 401,
  NOT_FOUND = 500,
  LAUNCH_FAILED = 719,
  NOT_PERMITTED = 800,
  NOT_SUPPORTED = 801,
  CAPTURE_UNSUPPORTED = 900,
  CAPTURE_INVALIDATED = 901,
  CAPTURE_UNMATCHED = 903,
  CAPTURE_UNJOINED = 904,
  CAPTURE_ISOLATION = 905,
  CAPTURE_IMPLICIT = 906,
  CAPTURED_EVENT = 907,
};

extern std::recursive_mutex mutex;  // CuPy calls the driver without Python's lock
struct Lock : std::lock_guard<std::recursive_mutex> {
  Lock() : lock_guard(mutex) {}
};

typedef std::function<int()> Work;  // returns a Status
typedef uintptr_t Handle;           // a stream, an event, a graph: the address of ours, or one of the default streams 0, 1, 2

// log.cpp
void note(const char* kind, const std::string& name, size_t bytes, Handle stream, const char* phase);
bool is_forbidden(const char* kind);

// streams.cpp
int submit(Handle stream, const char* kind, const std::string& name, size_t bytes, const Work& work);
int wait_for_stream(Handle stream, const char* why);
int wait_for_device();
bool is_capturing(Handle stream);
int spoil_capture(Handle stream, int status);  // if the stream is in a capture: that status, and the capture is invalid

// memory.cpp
int allocate(size_t bytes, uintptr_t* pointer);
int release(uintptr_t pointer);
bool is_device(uintptr_t pointer);
int copy(uintptr_t to, uintptr_t from, size_t bytes, int kind, Handle stream);
int copy_rows(uintptr_t to, size_t to_pitch, uintptr_t from, size_t from_pitch, size_t width, size_t height, int kind,
              Handle stream);
int fill(uintptr_t to, int value, size_t bytes, Handle stream);
const size_t TOTAL_MEMORY = size_t(16) << 30;

// threads.cpp
struct Dim {
  unsigned x, y, z;
  size_t size() const { return size_t(x) * y * z; }
};
typedef void (*Thread)(void** arguments);  // one thread of a kernel
int run_block_of_meeting_threads(Thread kernel, void** arguments, const std::string& name);

}  // namespace device

extern "C" {  // read by kernels; see include/cuda_on_host.h
extern device::Dim threadIdx, blockIdx, blockDim, gridDim;
extern char cupy_on_cpu_dynamic_shared[232448];
}
