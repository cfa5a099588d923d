// Streams do their work at once, in order; while a stream captures, its work is recorded into a graph instead.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "table.h"

using namespace device;
using table::none;
using table::raised;

std::recursive_mutex device::mutex;

namespace {

struct Node {
  const char* kind;
  std::string name;
  size_t bytes;
  Work work;
};
typedef std::vector<Node> Graph;

struct Stream;
typedef std::map<const Stream*, size_t> Progress;  // how many things of each stream have been done before

struct Capture {
  Graph graph;
  std::vector<Stream*> members;  // the stream that began, and those that joined through an event
  bool spoilt = false, ended = false;
};
typedef std::shared_ptr<Capture> CapturePtr;

struct Stream {
  unsigned flags;
  CapturePtr capture;
  Progress progress;
};
struct Event {
  std::chrono::steady_clock::time_point at;
  CapturePtr capture;  // where it was last recorded
  Progress progress;
};

const unsigned NON_BLOCKING = 1;
std::set<Stream*> streams;
int hidden_captures = 0;  // from CuPy, which then calls cuBLAS in captures

Stream* known(Handle handle) {  // null for the default streams
  auto found = streams.find(reinterpret_cast<Stream*>(handle));
  return found == streams.end() ? nullptr : *found;
}

Capture* capture_of(Handle stream) {
  Stream* s = known(stream);
  return s ? s->capture.get() : nullptr;
}

// Work on the default stream would wait for all blocking streams. One that captures cannot be waited for.
Capture* in_the_way_of(Handle stream) {
  for (Stream* s : streams)
    if (s->capture && !(s->flags & NON_BLOCKING)) return known(stream) ? nullptr : s->capture.get();
  return nullptr;
}
bool breaks_a_capture(Handle stream) {
  Capture* broken = in_the_way_of(stream);
  if (broken) broken->spoilt = true;
  return broken;
}

int record(Stream* stream, const Node& node) {
  Capture& capture = *stream->capture;
  if (capture.spoilt) return CAPTURE_INVALIDATED;
  note(node.kind, node.name, node.bytes, reinterpret_cast<Handle>(stream), "captured");
  capture.graph.push_back(node);
  ++stream->progress[stream];
  return SUCCESS;
}

int launch(const Graph& graph, Handle stream) {
  if (is_capturing(stream)) {
    for (const Node& node : graph)
      if (int status = record(known(stream), node)) return status;
    return SUCCESS;
  }
  return submit(stream, "graph", "", graph.size(), [&] {
    for (const Node& node : graph) {
      note(node.kind, node.name, node.bytes, stream, "replayed");
      if (int status = node.work()) return status;
    }
    return int(SUCCESS);
  });
}

// Whether the first stream of a capture has waited for all that the others were given.
bool joined(const Capture& capture) {
  Progress& first = capture.members[0]->progress;
  return std::all_of(capture.members.begin(), capture.members.end(),
                     [&](Stream* s) { return first[s] >= s->progress[s]; });
}

void leave(const Capture& capture) {
  for (Stream* s : capture.members) s->capture.reset(), s->progress.clear();
}

int end(Stream* stream, Graph** graph) {
  CapturePtr capture = stream->capture;
  if (!capture) return ILLEGAL_STATE;
  if (stream != capture->members[0]) return capture->spoilt = true, CAPTURE_UNMATCHED;
  bool complete = joined(*capture);
  leave(*capture);
  capture->ended = true;
  if (capture->spoilt) return CAPTURE_INVALIDATED;
  if (!complete) return CAPTURE_UNJOINED;
  *graph = new Graph(std::move(capture->graph));
  return SUCCESS;
}

int wait_for_event(Stream* stream, const Event& event) {
  if (!stream) return SUCCESS;
  bool live = event.capture && !event.capture->ended;
  if (stream->capture && stream->capture != event.capture) return stream->capture->spoilt = true, CAPTURE_ISOLATION;
  if (!live) return SUCCESS;
  if (!stream->capture) {  // the stream joins the capture
    stream->capture = event.capture;
    event.capture->members.push_back(stream);
  }
  for (auto& [other, done] : event.progress) stream->progress[other] = std::max(stream->progress[other], done);
  return SUCCESS;
}

int call(PyObject* function, PyObject* argument) {
  PyObject* result = PyObject_CallFunction(function, "O", argument);
  if (result) Py_DecRef(result);
  return result ? SUCCESS : LAUNCH_FAILED;
}

Stream* stream_at(intptr_t handle) { return reinterpret_cast<Stream*>(handle); }
Event* event_at(intptr_t handle) { return reinterpret_cast<Event*>(handle); }
Graph* graph_at(intptr_t handle) { return reinterpret_cast<Graph*>(handle); }

}  // namespace

namespace device {

bool is_capturing(Handle stream) { return capture_of(stream); }

int spoil_capture(Handle stream, int status) {
  Capture* capture = capture_of(stream);
  return capture ? capture->spoilt = true, status : int(SUCCESS);
}

int submit(Handle stream, const char* kind, const std::string& name, size_t bytes, const Work& work) {
  if (is_forbidden(kind)) return NOT_PERMITTED;
  if (breaks_a_capture(stream)) return CAPTURE_IMPLICIT;
  if (is_capturing(stream)) return record(known(stream), {kind, name, bytes, work});
  note(kind, name, bytes, stream, "run");
  return work();
}

int wait_for_stream(Handle stream, const char* why) {
  if (is_forbidden("sync")) return NOT_PERMITTED;
  if (breaks_a_capture(stream)) return CAPTURE_IMPLICIT;
  if (int status = spoil_capture(stream, CAPTURE_UNSUPPORTED)) return status;
  note("sync", why, 0, stream, "run");
  return SUCCESS;
}

int wait_for_device() {
  if (is_forbidden("sync")) return NOT_PERMITTED;
  int status = SUCCESS;
  for (Stream* s : streams)
    if (s->capture) s->capture->spoilt = true, status = CAPTURE_UNSUPPORTED;
  if (!status) note("sync", "device", 0, 0, "run");
  return status;
}

}  // namespace device

extern "C" void cupy_on_cpu_hide_captures(int more) {
  Lock lock;
  hidden_captures += more;
}

RUNTIME(intptr_t, streamCreateWithFlags, unsigned flags, int) {
  Lock lock;
  return reinterpret_cast<intptr_t>(*streams.insert(new Stream{flags, nullptr, {}}).first);
}
RUNTIME(intptr_t, streamCreate, int) { return streamCreateWithFlags_(0, 0); }
RUNTIME(intptr_t, streamCreateWithPriority, unsigned flags, int, int) { return streamCreateWithFlags_(flags, 0); }
RUNTIME(int, streamGetPriority, intptr_t, int) { return 0; }
RUNTIME(unsigned, streamGetFlags, intptr_t stream, int) { return known(stream) ? known(stream)->flags : 0; }
RUNTIME(PyObject*, streamDestroy, intptr_t stream, int) {
  Lock lock;
  if (!known(stream)) return none(INVALID_HANDLE);
  if (CapturePtr capture = stream_at(stream)->capture) {
    capture->spoilt = true;
    leave(*capture);
  }
  streams.erase(stream_at(stream));
  delete stream_at(stream);
  return none(SUCCESS);
}
RUNTIME(PyObject*, streamSynchronize, intptr_t stream, int) {
  Lock lock;
  return none(wait_for_stream(stream, "stream"));
}
RUNTIME(PyObject*, deviceSynchronize, int) {
  Lock lock;
  return none(wait_for_device());
}
RUNTIME(PyObject*, streamQuery, intptr_t stream, int) {
  Lock lock;
  return PyLong_FromLong(spoil_capture(stream, CAPTURE_UNSUPPORTED));
}

RUNTIME(int, streamIsCapturing, intptr_t stream, int) {
  Lock lock;
  if (hidden_captures) return 0;
  if (in_the_way_of(stream)) return raised(CAPTURE_IMPLICIT) ? -1 : 0;  // a question spoils nothing
  Capture* capture = capture_of(stream);
  return capture && capture->spoilt && raised(CAPTURE_INVALIDATED) ? -1 : capture != nullptr;
}
RUNTIME(PyObject*, streamBeginCapture, intptr_t stream, int, void*) {
  Lock lock;
  if (!known(stream)) return none(CAPTURE_UNSUPPORTED);
  if (is_capturing(stream)) return none(ILLEGAL_STATE);
  stream_at(stream)->capture = std::make_shared<Capture>();
  stream_at(stream)->capture->members.push_back(stream_at(stream));
  return none(SUCCESS);
}
RUNTIME(intptr_t, streamEndCapture, intptr_t stream, int) {
  Lock lock;
  Graph* graph = nullptr;
  raised(known(stream) ? end(stream_at(stream), &graph) : int(ILLEGAL_STATE));
  return reinterpret_cast<intptr_t>(graph);
}
RUNTIME(intptr_t, graphInstantiate, intptr_t graph, int) {
  Lock lock;
  return reinterpret_cast<intptr_t>(new Graph(*graph_at(graph)));
}
RUNTIME(PyObject*, graphDestroy, intptr_t graph, int) { return delete graph_at(graph), none(SUCCESS); }
RUNTIME(PyObject*, graphExecDestroy, intptr_t graph, int) { return delete graph_at(graph), none(SUCCESS); }
RUNTIME(PyObject*, graphUpload, intptr_t, intptr_t, int) { return none(SUCCESS); }
RUNTIME(PyObject*, graphLaunch, intptr_t graph, intptr_t stream, int) {
  Lock lock;
  return none(launch(*graph_at(graph), stream));
}

RUNTIME(intptr_t, eventCreateWithFlags, unsigned, int) { return reinterpret_cast<intptr_t>(new Event()); }
RUNTIME(intptr_t, eventCreate, int) { return eventCreateWithFlags_(0, 0); }
RUNTIME(PyObject*, eventDestroy, intptr_t event, int) { return delete event_at(event), none(SUCCESS); }
RUNTIME(PyObject*, eventRecord, intptr_t event, intptr_t stream, int) {
  Lock lock;
  if (breaks_a_capture(stream)) return none(CAPTURE_IMPLICIT);
  Stream* s = known(stream);
  *event_at(event) = {std::chrono::steady_clock::now(), s ? s->capture : nullptr, s ? s->progress : Progress()};
  return none(SUCCESS);
}
RUNTIME(PyObject*, eventSynchronize, intptr_t event, int) {
  Lock lock;
  if (CapturePtr capture = event_at(event)->capture) return capture->spoilt = true, none(CAPTURED_EVENT);
  if (is_forbidden("sync")) return none(NOT_PERMITTED);
  note("sync", "event", 0, 0, "run");
  return none(SUCCESS);
}
RUNTIME(PyObject*, eventQuery, intptr_t event, int) {
  Lock lock;
  CapturePtr capture = event_at(event)->capture;
  if (capture) capture->spoilt = true;
  return PyLong_FromLong(capture ? CAPTURED_EVENT : SUCCESS);
}
RUNTIME(float, eventElapsedTime, intptr_t begin, intptr_t end, int) {
  return std::chrono::duration<float, std::milli>(event_at(end)->at - event_at(begin)->at).count();
}
RUNTIME(PyObject*, streamWaitEvent, intptr_t stream, intptr_t event, int, void*) {
  Lock lock;
  return none(wait_for_event(known(stream), *event_at(event)));
}

// A function of the host in a stream. CuPy gives a function and its argument, as a pair if it keeps them alive itself.
RUNTIME(PyObject*, _launchHostFuncUnmanaged, intptr_t stream, PyObject* pair, int) {
  Lock lock;
  return none(submit(stream, "host", "", 0, [=] { return call(PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1)); }));
}
RUNTIME(PyObject*, launchHostFunc, intptr_t stream, PyObject* function, intptr_t argument, int) {
  Lock lock;
  Py_IncRef(function);
  return none(submit(stream, "host", "", 0, [=] { return call(function, PyLong_FromLong(argument)); }));
}
RUNTIME(PyObject*, streamAddCallback, intptr_t stream, PyObject* function, intptr_t argument, int, void*) {
  Lock lock;
  if (int status = spoil_capture(stream, CAPTURE_UNSUPPORTED)) return none(status);
  note("host", "", 0, stream, "run");
  return PyObject_CallFunction(function, "nin", stream, 0, argument);
}
