// CUDA's driver: CuPy finds this library under the name libcuda.so.1. Kernels are loaded and launched here.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "device.h"

using namespace device;

namespace {

struct Image {  // "object code": this header, then a shared library. Written by compiler.py.
  char magic[8];
  uint64_t bytes;
  uint32_t meets, loops;
};
struct Module {
  void* library;
  bool meets;  // its threads meet at barriers
  bool loops;  // its kernels are loops over all elements: one thread does the work of many
};
struct Described {  // as in include/cuda_on_host.h
  Thread thread;
  const size_t* sizes;
  size_t count;
};
struct Function {
  std::string name;
  const Described* kernel;
  const Module* module;
};

int run_block(const Function& f, void** arguments) {
  if (f.module->meets) return run_block_of_meeting_threads(f.kernel->thread, arguments, f.name);
  for (threadIdx.z = 0; threadIdx.z < blockDim.z; ++threadIdx.z)
    for (threadIdx.y = 0; threadIdx.y < blockDim.y; ++threadIdx.y)
      for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) f.kernel->thread(arguments);
  return SUCCESS;
}

int run_grid(const Function& f, Dim grid, Dim threads, void** arguments) {
  const Dim one = {1, 1, 1};
  gridDim = f.module->loops ? one : grid;
  blockDim = f.module->loops ? one : threads;
  for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
        if (int status = run_block(f, arguments)) return status;
  return SUCCESS;
}

// The values of a launch's arguments, for a graph, which runs when those of the capture are gone.
std::vector<std::vector<char>> values_of(const Described& kernel, void** arguments) {
  std::vector<std::vector<char>> values;
  for (size_t i = 0; i < kernel.count; ++i) {
    const char* value = static_cast<char*>(arguments[i]);
    values.emplace_back(value, value + kernel.sizes[i]);
  }
  return values;
}

int launch(const Function& f, Dim grid, Dim threads, size_t shared, Handle stream, void** arguments) {
  if (!grid.size() || !threads.size() || threads.size() > 1024) return INVALID_VALUE;
  if (shared > sizeof cupy_on_cpu_dynamic_shared) return INVALID_VALUE;
  if (!is_capturing(stream))
    return submit(stream, "kernel", f.name, 0, [&] { return run_grid(f, grid, threads, arguments); });
  auto values = values_of(*f.kernel, arguments);
  return submit(stream, "kernel", f.name, 0, [=]() mutable {
    std::vector<void*> pointers;
    for (auto& value : values) pointers.push_back(value.data());
    return run_grid(f, grid, threads, pointers.data());
  });
}

// The loader knows a library by its path, so each image is written to a file of its own; it is not needed after loading.
void* load(const char* bytes, size_t count) {
  std::string path = std::filesystem::temp_directory_path() / "cupy_on_cpu_XXXXXX";
  int file = mkstemp(path.data());
  if (file < 0) return nullptr;
  close(file);
  bool written = bool(std::ofstream(path, std::ios::binary).write(bytes, count));
  void* library = written ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (!library) std::fprintf(stderr, "cupy_on_cpu: a kernel cannot be loaded: %s\n", written ? dlerror() : path.c_str());
  unlink(path.c_str());
  return library;
}

void* const CONTEXT = reinterpret_cast<void*>(1);

}  // namespace

extern "C" {

int cuModuleLoadData(void** module, const void* data) {
  Lock lock;
  const Image* image = static_cast<const Image*>(data);
  if (std::memcmp(image->magic, "ON_A_CPU", 8)) return INVALID_IMAGE;
  void* library = load(reinterpret_cast<const char*>(image + 1), image->bytes);
  if (!library) return INVALID_IMAGE;
  *module = new Module{library, image->meets != 0, image->loops != 0};
  return SUCCESS;
}
int cuModuleLoad(void** module, const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return image.size() < sizeof(Image) ? int(INVALID_IMAGE) : cuModuleLoadData(module, image.data());
}
int cuModuleUnload(void*) { return SUCCESS; }  // a graph may still call its kernels
int cuModuleGetFunction(void** function, void* module, const char* name) {
  Lock lock;
  Module* m = static_cast<Module*>(module);
  void* kernel = dlsym(m->library, (std::string("cupy_on_cpu_kernel_") + name).c_str());
  if (!kernel) return NOT_FOUND;
  *function = new Function{name, static_cast<Described*>(kernel), m};
  return SUCCESS;
}
int cuModuleGetGlobal_v2(uintptr_t* pointer, size_t* bytes, void* module, const char* name) {
  void* found = dlsym(static_cast<Module*>(module)->library, name);
  if (!found) return NOT_FOUND;
  *pointer = reinterpret_cast<uintptr_t>(found);
  if (bytes) *bytes = 0;
  return SUCCESS;
}
int cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   uintptr_t stream, void** arguments, void**) {
  Lock lock;
  return launch(*static_cast<Function*>(f), {gx, gy, gz}, {bx, by, bz}, shared, stream, arguments);
}
int cuLaunchCooperativeKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                              unsigned shared, uintptr_t stream, void** arguments) {  // a barrier of the grid does not compile
  return cuLaunchKernel(f, gx, gy, gz, bx, by, bz, shared, stream, arguments, nullptr);
}

int cuFuncGetAttribute(int* value, int attribute, void*) { return *value = attribute == 0 ? 1024 : 0, SUCCESS; }
int cuFuncSetAttribute(void*, int, int) { return SUCCESS; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int, size_t) { return *blocks = 2, SUCCESS; }
int cuOccupancyMaxPotentialBlockSize(int* grid, int* threads, void*, void*, size_t, int) {
  return *grid = 132, *threads = 1024, SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
int cuCtxGetCurrent(void** context) { return *context = CONTEXT, SUCCESS; }
int cuCtxSetCurrent(void*) { return SUCCESS; }
int cuCtxCreate_v2(void** context, unsigned, int) { return *context = CONTEXT, SUCCESS; }
int cuCtxDestroy_v2(void*) { return SUCCESS; }
int cuCtxGetDevice(int* number) { return *number = 0, SUCCESS; }
int cuStreamGetCtx(void*, void** context) { return *context = CONTEXT, SUCCESS; }
int cuLinkCreate_v2(unsigned, void*, void*, void*) { return NOT_SUPPORTED; }

int cuGetErrorName(int status, const char** name) {
  static const std::unordered_map<int, const char*> names = {
      {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
      {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
      {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE"},
      {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
      {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
      {NOT_PERMITTED, "CUDA_ERROR_NOT_PERMITTED"},
      {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED"},
      {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
      {CAPTURE_IMPLICIT, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT"},
  };
  auto found = names.find(status);
  return *name = found == names.end() ? "CUDA_ERROR_UNKNOWN" : found->second, SUCCESS;
}
int cuGetErrorString(int, const char** text) { return *text = "said by the device on the CPU", SUCCESS; }

int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 9, SUCCESS; }
const char* nvrtcGetErrorString(int) { return "NVRTC is not there: cupy_on_cpu compiles with g++"; }

}  // extern "C"
