#include "runtime/onnxruntime/ort_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::runtime {
namespace {

using network::DataType;
using network::Tensor;

/// What the library hands out, all opaque.
struct Opaque;
using Handle = Opaque*;

/// Version 11 (ONNX Runtime 1.11) is the oldest that is asked for; every later library gives its
/// table too.
constexpr std::uint32_t api_version = 11;

/// Places in the table: those below 102 are of version 1, whose size the library's own source
/// asserts; 111 and 116 are of version 2.
enum Place : std::size_t {
  get_error_message = 2,
  create_env = 3,
  create_session = 7,
  run_session = 9,
  create_session_options = 10,
  set_graph_optimization = 23,
  set_intra_threads = 24,
  input_count = 30,
  output_count = 31,
  input_type = 33,
  output_type = 34,
  input_name = 36,
  output_name = 37,
  create_tensor = 49,
  tensor_data = 51,
  cast_to_tensor_info = 55,
  element_type = 60,
  side_count = 61,
  sides = 62,
  tensor_info_of_value = 65,
  create_cpu_memory = 69,
  free_memory = 76,
  default_allocator = 78,
  release_env = 92,
  release_status = 93,
  release_memory = 94,
  release_session = 95,
  release_value = 96,
  release_type = 98,
  release_tensor_info = 99,
  release_options = 100,
  session_metadata = 111,
  lookup_metadata = 116,
  release_metadata = 118,
};

struct Base {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

/// Numbers of the interface.
constexpr int log_errors_only = 3, all_optimizations = 99, arena_allocator = 1, default_memory = 0;
constexpr int float32_elements = 1, float16_elements = 10;

class Library {
 public:
  Library() {
    std::vector<std::string> tried;
    const char* told = std::getenv("YOLOV7_ONNXRUNTIME");
    const std::vector<std::string> names =
        told != nullptr && *told != '\0'
            ? std::vector<std::string>{told}
            : std::vector<std::string>{"libonnxruntime.so.1", "libonnxruntime.so"};
    void* handle = nullptr;
    for (const std::string& name : names) {
      handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle != nullptr) break;
      tried.push_back(text::printable(dlerror()));
    }
    if (handle == nullptr)
      throw Error(
          fmt::format("{} onnxruntime: expected the library of ONNX Runtime, found none ({}); "
                      "install it, or give its path in YOLOV7_ONNXRUNTIME",
                      setting_name("backend"), text::join(tried, "; ")));
    const auto entry = reinterpret_cast<const Base* (*)()>(dlsym(handle, "OrtGetApiBase"));
    if (entry == nullptr)
      throw Error(
          fmt::format("{}: expected the library of ONNX Runtime, found another", names.front()));
    base_ = entry();
    table_ = base_->table(api_version);
    if (table_ == nullptr)
      throw Error(fmt::format("ONNX Runtime {}: expected 1.11 or newer", base_->version()));
    check(call<Handle(int, const char*, Handle*)>(create_env)(log_errors_only, "yolov7", &env_));
    check(call<Handle(int, int, Handle*)>(create_cpu_memory)(arena_allocator, default_memory,
                                                             &memory_));
    check(call<Handle(Handle*)>(default_allocator)(&allocator_));
  }

  template <class Function>
  Function* call(Place place) const {
    return reinterpret_cast<Function*>(table_[place]);
  }
  /// A status that is not null is an error.
  void check(Handle status) const {
    if (status == nullptr) return;
    const std::string what = call<const char*(Handle)>(get_error_message)(status);
    release(release_status, status);
    throw Error(ort_reason(what));
  }
  void release(Place place, Handle handle) const {
    if (handle != nullptr) call<void(Handle)>(place)(handle);
  }
  std::string version() const { return base_->version(); }
  Handle env() const { return env_; }
  Handle memory() const { return memory_; }
  Handle allocator() const { return allocator_; }
  /// A text that the library allocated.
  std::string taken(char* words) const {
    if (words == nullptr) return {};
    std::string all(words);
    static_cast<void>(call<Handle(Handle, void*)>(free_memory)(allocator_, words));
    return all;
  }

 private:
  const Base* base_ = nullptr;
  void* const* table_ = nullptr;
  Handle env_ = nullptr, memory_ = nullptr, allocator_ = nullptr;
};

/// Loaded once and never unloaded: its threads outlive a session.
const Library& library() {
  static const Library loaded;
  return loaded;
}

/// Released at the end.
class Owned {
 public:
  explicit Owned(Place release) : release_(release) {}
  ~Owned() { library().release(release_, handle_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Place release_;
  Handle handle_ = nullptr;
};

OrtType type_of(int element) {
  return element == float32_elements   ? OrtType::float32
         : element == float16_elements ? OrtType::float16
                                       : OrtType::other;
}

std::vector<std::int64_t> sides_of(Handle info) {
  const Library& lib = library();
  std::size_t count = 0;
  lib.check(lib.call<Handle(Handle, std::size_t*)>(side_count)(info, &count));
  std::vector<std::int64_t> all(count, 0);
  lib.check(lib.call<Handle(Handle, std::int64_t*, std::size_t)>(sides)(info, all.data(), count));
  return all;
}

OrtTensor described(Handle session, std::size_t index, Place type, Place name) {
  const Library& lib = library();
  OrtTensor tensor;
  char* words = nullptr;
  lib.check(lib.call<Handle(Handle, std::size_t, Handle, char**)>(name)(session, index,
                                                                        lib.allocator(), &words));
  tensor.name = lib.taken(words);
  Owned info(release_type);
  lib.check(lib.call<Handle(Handle, std::size_t, Handle*)>(type)(session, index, info.out()));
  Handle sides_info = nullptr;  // owned by `info`
  lib.check(lib.call<Handle(Handle, Handle*)>(cast_to_tensor_info)(info.get(), &sides_info));
  if (sides_info == nullptr) return tensor;  // a sequence or a map
  int element = 0;
  lib.check(lib.call<Handle(Handle, int*)>(element_type)(sides_info, &element));
  tensor.type = type_of(element);
  tensor.sides = sides_of(sides_info);
  return tensor;
}

/// Values of a tensor as float32. Error: of another type.
OrtSession::Output output_of(Handle value, const std::string& name) {
  const Library& lib = library();
  Owned info(release_tensor_info);
  lib.check(lib.call<Handle(Handle, Handle*)>(tensor_info_of_value)(value, info.out()));
  OrtSession::Output output;
  std::size_t count = 1;
  for (const std::int64_t side : sides_of(info.get())) {
    output.sides.push_back(static_cast<std::size_t>(side));
    count *= static_cast<std::size_t>(side);
  }
  int element = 0;
  lib.check(lib.call<Handle(Handle, int*)>(element_type)(info.get(), &element));
  void* data = nullptr;
  lib.check(lib.call<Handle(Handle, void**)>(tensor_data)(value, &data));
  if (type_of(element) == OrtType::float32) {
    const float* values = static_cast<const float*>(data);
    output.values.assign(values, values + count);
    return output;
  }
  if (type_of(element) != OrtType::float16)
    throw Error(fmt::format("{}: expected an output of float32 or float16, found another", name));
  Tensor half;
  half.type = DataType::float16;
  half.shape = {static_cast<std::int64_t>(count)};
  half.bytes.resize(2 * count);
  std::memcpy(half.bytes.data(), data, half.bytes.size());
  output.values = half.to_floats();
  return output;
}

}  // namespace

struct OrtSession::Impl {
  Owned options{release_options}, session{release_session};
  std::vector<OrtTensor> inputs, outputs;
};

OrtSession::OrtSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OrtSession::~OrtSession() = default;
const std::vector<OrtTensor>& OrtSession::inputs() const { return impl_->inputs; }
const std::vector<OrtTensor>& OrtSession::outputs() const { return impl_->outputs; }

std::string OrtSession::metadata(const char* key) const {
  const Library& lib = library();
  Owned all(release_metadata);
  lib.check(lib.call<Handle(Handle, Handle*)>(session_metadata)(impl_->session.get(), all.out()));
  char* words = nullptr;
  lib.check(lib.call<Handle(Handle, Handle, const char*, char**)>(lookup_metadata)(
      all.get(), lib.allocator(), key, &words));
  return lib.taken(words);
}

std::vector<OrtSession::Output> OrtSession::run(const std::vector<std::int64_t>& sides,
                                                std::vector<float>& values) {
  const Library& lib = library();
  const OrtTensor& input = impl_->inputs.front();
  std::optional<Tensor> half;
  void* data = values.data();
  std::size_t bytes = values.size() * sizeof(float);
  if (input.type == OrtType::float16) {
    half = Tensor::from(values, {static_cast<std::int64_t>(values.size())})
               .converted(DataType::float16);
    data = half->bytes.data(), bytes = half->bytes.size();
  }
  Owned tensor(release_value);
  lib.check(
      lib.call<Handle(Handle, void*, std::size_t, const std::int64_t*, std::size_t, int, Handle*)>(
          create_tensor)(lib.memory(), data, bytes, sides.data(), sides.size(),
                         input.type == OrtType::float16 ? float16_elements : float32_elements,
                         tensor.out()));
  std::vector<const char*> names;
  for (const OrtTensor& one : impl_->outputs) names.push_back(one.name.c_str());
  const char* input_name = input.name.c_str();
  const Handle inputs[] = {tensor.get()};
  std::vector<Handle> found(names.size(), nullptr);
  const Handle status = lib.call<Handle(Handle, Handle, const char* const*, const Handle*,
                                        std::size_t, const char* const*, std::size_t, Handle*)>(
      run_session)(impl_->session.get(), nullptr, &input_name, inputs, 1, names.data(),
                   names.size(), found.data());
  std::vector<Output> outputs;
  std::string failure;
  try {
    lib.check(status);
    for (std::size_t i = 0; i < found.size(); ++i)
      outputs.push_back(output_of(found[i], impl_->outputs[i].name));
  } catch (const Error& error) {
    failure = error.what();
  }
  for (const Handle one : found) lib.release(release_value, one);
  if (!failure.empty()) throw Error("ONNX Runtime cannot run the model: " + failure);
  return outputs;
}

std::string ort_version() { return library().version(); }

std::shared_ptr<OrtSession> open_ort_session(const std::string& path, int threads) {
  const Library& lib = library();
  auto impl = std::make_unique<OrtSession::Impl>();
  lib.check(lib.call<Handle(Handle*)>(create_session_options)(impl->options.out()));
  const Handle options = impl->options.get();
  lib.check(lib.call<Handle(Handle, int)>(set_intra_threads)(options, threads));
  lib.check(lib.call<Handle(Handle, int)>(set_graph_optimization)(options, all_optimizations));
  lib.check(lib.call<Handle(Handle, const char*, Handle, Handle*)>(create_session)(
      lib.env(), path.c_str(), options, impl->session.out()));
  const Handle session = impl->session.get();
  const auto describe = [&](Place count_place, Place type, Place name,
                            std::vector<OrtTensor>& all) {
    std::size_t count = 0;
    lib.check(lib.call<Handle(Handle, std::size_t*)>(count_place)(session, &count));
    for (std::size_t i = 0; i < count; ++i) all.push_back(described(session, i, type, name));
  };
  describe(input_count, input_type, input_name, impl->inputs);
  describe(output_count, output_type, output_name, impl->outputs);
  return std::make_shared<OrtSession>(std::move(impl));
}

std::string ort_reason(std::string_view what) {
  std::string all;
  constexpr std::size_t longest = 240;
  for (const std::string_view line : text::lines(what))
    for (const std::string_view word : text::split_blank(line)) {
      // "/…/graph.cc:180" is a place of theirs.
      if (word.find(".cc:") != std::string_view::npos || word.find(".h:") != std::string_view::npos)
        continue;
      if (!all.empty()) all += ' ';
      all += word;
    }
  if (all.empty()) return "ONNX Runtime gave no reason";
  if (all.size() <= longest) return text::printable(all);
  std::size_t end = longest;  // not inside a character
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return text::printable(all.substr(0, end)) + " ...";
}

}  // namespace yolov7::runtime
