// The threads of one block that meet at barriers: each has a stack of its own, and runs until it has to wait for others.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "device.h"

extern "C" {
device::Dim threadIdx, blockIdx, blockDim, gridDim;
alignas(64) char cupy_on_cpu_dynamic_shared[232448];

// Saves the registers that a call must preserve on the running stack, whose top it stores, and goes on with another stack.
void cupy_on_cpu_switch_stack(void** top, void* other);
}
asm(R"(
.text
.globl cupy_on_cpu_switch_stack
.type cupy_on_cpu_switch_stack, @function
cupy_on_cpu_switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");

namespace {

const size_t WARP = 32, STACK = 64 << 10;

struct Barrier {  // each time all have arrived, it opens a new round
  size_t arrived = 0, round = 0;
  void open() { arrived = 0, ++round; }
};

struct Fiber {
  char* stack = static_cast<char*>(
      mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  void* top = nullptr;
  bool done = false;
  device::Dim index;            // its threadIdx
  const Barrier* at = nullptr;  // the barrier at which it waits,
  size_t round = 0;             // for the end of this round

  bool can_run() const { return !done && (!at || at->round != round); }
};

struct Warp {
  Barrier barrier;
  unsigned running = 0, expected = 0;  // lanes, as bits
  alignas(16) char slots[WARP][16];

  bool complete() const { return barrier.arrived >= size_t(__builtin_popcount(running & expected)); }
};

std::vector<Fiber> fibers(1024);
std::vector<Warp> warps(1024 / WARP);
Barrier barrier;
size_t current, threads, running, votes;
void* scheduler;
device::Thread kernel;
void** arguments;

void switch_from(void** top, size_t to) {
  current = to;
  threadIdx = fibers[to].index;
  cupy_on_cpu_switch_stack(top, fibers[to].top);
}

void leave() {  // to the next thread that can run; after the last, to the scheduler
  void** top = &fibers[current].top;
  for (size_t i = current + 1; i < threads; ++i)
    if (fibers[i].can_run()) return switch_from(top, i);
  cupy_on_cpu_switch_stack(top, scheduler);
}

void wait_at(const Barrier& b) {
  fibers[current].at = &b;
  fibers[current].round = b.round;
  leave();
}

void meet_block() {
  if (++barrier.arrived == running) barrier.open();
  else wait_at(barrier);
}

void meet_warp(unsigned mask) {
  Warp& warp = warps[current / WARP];
  warp.expected = mask;
  ++warp.barrier.arrived;
  if (warp.complete()) warp.barrier.open();
  else wait_at(warp.barrier);
}

void finish() {  // whoever waits need not wait for this thread
  Warp& warp = warps[current / WARP];
  fibers[current].done = true;
  warp.running &= ~(1u << current % WARP);
  if (--running && barrier.arrived == running) barrier.open();
  if (warp.barrier.arrived && warp.complete()) warp.barrier.open();
}

void live() {  // a fiber's life: the same thread of one block after the other
  for (;;) {
    kernel(arguments);
    finish();
    leave();
  }
}

void prepare(size_t i) {
  Fiber& fiber = fibers[i];
  unsigned x = blockDim.x, y = blockDim.y;
  fiber.index = {unsigned(i % x), unsigned(i / x % y), unsigned(i / x / y)};
  fiber.done = false;
  fiber.at = nullptr;
  if (fiber.top) return;  // it stands in `live`
  size_t colour = i % WARP * 320;  // else all stacks compete for the same lines of the cache
  void** frame = reinterpret_cast<void**>(fiber.stack + STACK - 64 - colour);
  frame[6] = reinterpret_cast<void*>(&live);  // after six registers, the address to which the switch returns
  fiber.top = frame;
}

}  // namespace

int device::run_block_of_meeting_threads(Thread thread, void** values, const std::string& name) {
  kernel = thread, arguments = values;
  threads = running = blockDim.size();
  barrier = Barrier();
  for (size_t w = 0; w * WARP < threads; ++w) {
    size_t lanes = std::min(WARP, threads - w * WARP);
    warps[w].barrier = Barrier();
    warps[w].running = lanes == WARP ? ~0u : (1u << lanes) - 1;
  }
  for (size_t i = 0; i < threads; ++i) prepare(i);
  while (running) {
    size_t first = 0;
    while (first < threads && !fibers[first].can_run()) ++first;
    if (first < threads) {
      switch_from(&scheduler, first);
      continue;
    }
    std::fprintf(stderr, "cupy_on_cpu: the threads of %s wait for each other for ever\n", name.c_str());
    for (size_t i = 0; i < threads; ++i) fibers[i].top = nullptr;  // they start anew
    return LAUNCH_FAILED;
  }
  return SUCCESS;
}

extern "C" {  // for kernels: include/cuda_on_host.h. A kernel whose code names `cupy_on_cpu_meet_` runs on fibers.

void cupy_on_cpu_meet_block() { meet_block(); }
int cupy_on_cpu_meet_and_count(int vote) {
  votes += vote;
  meet_block();
  int counted = int(votes);
  meet_block();
  votes = 0;
  meet_block();
  return counted;
}
void cupy_on_cpu_meet_warp(unsigned mask) { meet_warp(mask); }
unsigned cupy_on_cpu_meet_lane() { return unsigned(current % WARP); }
unsigned cupy_on_cpu_meet_active() { return warps[current / WARP].running; }
void* cupy_on_cpu_meet_slot(unsigned lane) { return warps[current / WARP].slots[lane % WARP]; }

}  // extern "C"
