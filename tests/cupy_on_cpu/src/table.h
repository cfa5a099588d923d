// The functions of `cupy_backends.cuda.api.runtime`, as CuPy's compiled modules call them through its table of pointers.
//
//     RUNTIME(intptr_t, malloc, size_t bytes, int) { ... }
//
// defines one and lists it under its name, with its signature in Cython's words: runtime.py compares that with CuPy's. The
// trailing int is Cython's own; a pointer after it holds optional arguments.
#pragma once
#include <string>
#include <vector>

#include "device.h"

extern "C" {  // the little of Python that is needed; the interpreter has it
struct _object;
typedef _object PyObject;
extern PyObject _Py_NoneStruct;
void Py_IncRef(PyObject*);
void Py_DecRef(PyObject*);
PyObject* Py_BuildValue(const char*, ...);
PyObject* PyImport_ImportModule(const char*);
PyObject* PyObject_GetAttrString(PyObject*, const char*);
PyObject* PyObject_CallFunction(PyObject*, const char*, ...);
PyObject* PyLong_FromLong(long);
PyObject* PyTuple_GetItem(PyObject*, ptrdiff_t);
void PyErr_SetObject(PyObject*, PyObject*);
}

namespace table {

struct Entry {
  const char* name;
  std::string signature;
  void* address;
};
std::vector<Entry>& entries();

PyObject* none(int status);         // None; or the exception of that status
bool raised(int status);            // whether that status is an error, which then is raised
PyObject* of_runtime(const char*);  // an attribute of CuPy's module

enum CopyKind : int {};
template <class T>
const char* name_of();
template <> inline const char* name_of<int>() { return "int"; }
template <> inline const char* name_of<unsigned>() { return "unsigned int"; }
template <> inline const char* name_of<intptr_t>() { return "intptr_t"; }
template <> inline const char* name_of<size_t>() { return "size_t"; }
template <> inline const char* name_of<float>() { return "float"; }
template <> inline const char* name_of<PyObject*>() { return "PyObject *"; }
template <> inline const char* name_of<CopyKind>() { return "cudaMemcpyKind"; }
template <> inline const char* name_of<void*>() { return "optional"; }

struct Listed {
  template <class R, class... A>
  Listed(const char* name, R (*function)(A...)) {
    std::string arguments;
    ((arguments += std::string(arguments.empty() ? "" : ", ") + name_of<A>()), ...);
    if (arguments.empty()) arguments = "void";
    entries().push_back({name, name_of<R>() + (" (" + arguments + ")"), reinterpret_cast<void*>(function)});
  }
};

}  // namespace table

#define RUNTIME(result, name, ...)                       \
  static result name##_(__VA_ARGS__);                    \
  static const table::Listed name##_listed(#name, name##_); \
  static result name##_(__VA_ARGS__)
