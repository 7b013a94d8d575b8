#pragma once
// What is behind the handles of yolov7.h, and how its functions fail: no exception leaves them.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "api/model.hpp"
#include "core/error.hpp"
#include "runtime/detect.hpp"
#include "yolov7/yolov7.h"

struct yolov7_error {
  std::string message;
  int code = 0;
};

struct yolov7_model {
  yolov7::api::OpenModel open;
  std::string description;
  std::mutex mutex;                    ///< of all below, and of the detector
  int wanted_size = 0, used_size = 0;  ///< of the call before; a warning about it comes once
  yolov7::runtime::DetectBuffers buffers;
};

struct yolov7_results {
  struct Image {
    std::vector<yolov7_box> boxes;
    int width = 0, height = 0;
    yolov7::runtime::DetectTiming timing;
  };
  std::vector<Image> images;
};

namespace yolov7::bindings {

inline int failed(yolov7_error** out, const char* message, int code) noexcept {
  if (out == nullptr) return code;
  try {
    *out = new yolov7_error{message, code};
  } catch (...) {
    *out = nullptr;  // not even memory for the message
  }
  return code;
}

template <class Action>
int guarded(yolov7_error** error, const Action& action) noexcept {
  try {
    action();
    return 0;
  } catch (const Error& e) {
    return failed(error, e.what(), static_cast<int>(e.code()));
  } catch (const std::bad_alloc&) {
    return failed(error, "not enough memory", 1);
  } catch (const std::exception& e) {
    return failed(error, first_line(e).c_str(), 1);
  } catch (...) {
    return failed(error, "unknown error", 1);
  }
}

template <class Handle>
Handle& required(Handle* handle, const char* what) {
  if (handle == nullptr) throw usage_error(fmt::format("{}: expected a handle, found NULL", what));
  return *handle;
}

/// Writes the defaults into the caller's struct, `size` bytes of this or of an earlier header. What
/// a later header adds becomes zero.
template <class Struct>
void init(Struct* out, std::size_t size, Struct defaults) {
  if (out == nullptr || size < sizeof(std::size_t)) return;
  defaults.size = size;
  std::memset(static_cast<void*>(out), 0, size);
  std::memcpy(static_cast<void*>(out), &defaults, std::min(size, sizeof defaults));
}

/// The caller's struct, of this or of an earlier header, over the defaults.
template <class Struct>
Struct over_defaults(const Struct* given, Struct defaults, const char* what) {
  Struct own = defaults;
  own.size = sizeof own;
  if (given == nullptr) return own;
  // A struct of a later header begins with all that is known here; what it adds is unknown.
  if (given->size < sizeof(std::size_t) || given->size > sizeof own)
    throw usage_error(fmt::format("{}: size: expected {} to {}, which {}_init() sets, found {}",
                                  what, sizeof(std::size_t), sizeof own, what, given->size));
  std::memcpy(&own, given, given->size);
  own.size = sizeof own;
  return own;
}

template <class Struct>
void fill_in(Struct* out, Struct values, const char* what) {
  if (out == nullptr || out->size < sizeof(std::size_t))
    throw usage_error(
        fmt::format("{}: expected a struct that {}_init() has filled in", what, what));
  const std::size_t size = std::min(out->size, sizeof values);
  values.size = out->size;
  std::memcpy(out, &values, size);
}

inline std::string text_or(const char* given, const char* instead) {
  return given == nullptr ? instead : given;
}

}  // namespace yolov7::bindings
