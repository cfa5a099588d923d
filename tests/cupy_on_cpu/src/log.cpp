// What the device did, while somebody listens; and what it must not do.
#include <set>
#include <vector>

#include "device.h"

namespace {

struct Event {
  const char* kind;
  std::string name;
  size_t bytes;
  device::Handle stream;
  const char* phase;
};
std::vector<Event> events;
int listeners = 0;
std::multiset<std::string> forbidden;

}  // namespace

namespace device {

void note(const char* kind, const std::string& name, size_t bytes, Handle stream, const char* phase) {
  if (listeners) events.push_back({kind, name, bytes, stream, phase});
}

bool is_forbidden(const char* kind) { return !forbidden.empty() && forbidden.count(kind); }

}  // namespace device

extern "C" {

size_t cupy_on_cpu_listen() {  // the number of the first event to come
  device::Lock lock;
  ++listeners;
  return events.size();
}
size_t cupy_on_cpu_events() { return events.size(); }
void cupy_on_cpu_event(size_t i, const char** kind, const char** name, size_t* bytes, uintptr_t* stream, const char** phase) {
  const Event& e = events[i];
  *kind = e.kind, *name = e.name.c_str(), *bytes = e.bytes, *stream = e.stream, *phase = e.phase;
}
void cupy_on_cpu_stop_listening() {
  device::Lock lock;
  if (!--listeners) events.clear();
}
void cupy_on_cpu_forbid(const char* kind) {
  device::Lock lock;
  forbidden.insert(kind);
}
void cupy_on_cpu_allow(const char* kind) {
  device::Lock lock;
  forbidden.erase(forbidden.find(kind));
}
void cupy_on_cpu_submit_nothing(const char* kind, const char* name, uintptr_t stream) {
  device::Lock lock;
  device::submit(stream, kind, name, 0, [] { return int(device::SUCCESS); });
}

}  // extern "C"
