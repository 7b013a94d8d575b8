#include "runtime/openvino/flatbuffer_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/error.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

/// Ends the walk; the message says what is wrong.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Bytes {
 public:
  explicit Bytes(const fs::path& path) : in_(path, std::ios::binary), size_(fs::file_size(path)) {
    if (!in_) throw Error(fmt::format("{}: cannot be read", path.string()));
  }
  std::uint64_t size() const { return size_; }

  /// `field` is whose value stands there.
  template <class T>
  std::vector<T> numbers(std::uint64_t at, std::uint64_t count, const std::string& field) {
    if (at > size_ || count > (size_ - at) / sizeof(T))
      throw Fault(fmt::format("expected {} bytes of the field '{}' at byte {}, found the end at {}",
                              count * sizeof(T), field, at, size_));
    read_ += count * sizeof(T);
    if (read_ / most_often > size_ + (1 << 20))
      throw Fault(
          fmt::format("expected tables of their own, found one that many stand for: {}", field));
    std::vector<T> all(static_cast<std::size_t>(count));
    in_.seekg(static_cast<std::streamoff>(at));
    in_.read(reinterpret_cast<char*>(all.data()),
             static_cast<std::streamsize>(all.size() * sizeof(T)));
    return all;
  }
  template <class T>
  T number(std::uint64_t at, const std::string& field) {
    return numbers<T>(at, 1, field).front();
  }
  void require(std::uint64_t at, std::uint64_t bytes, const std::string& field) const {
    if (at > size_ || bytes > size_ - at)
      throw Fault(fmt::format("expected {} bytes of the field '{}' at byte {}, found the end at {}",
                              bytes, field, at, size_));
  }

 private:
  /// Tables may share their fields, so that a small file could fill the memory; in real ones a byte
  /// is read a few times.
  static constexpr std::uint64_t most_often = 16;

  std::ifstream in_;
  std::uint64_t size_, read_ = 0;
};

/// A table by the numbers of its fields.
class Table {
 public:
  Table(Bytes& bytes, std::uint64_t at, std::string name)
      : bytes_(bytes), at_(at), name_(std::move(name)) {
    const auto back = bytes.number<std::int32_t>(at, name_);
    const std::int64_t vtable = static_cast<std::int64_t>(at) - back;
    if (vtable < 0)
      throw Fault(
          fmt::format("expected the table of '{}' at byte {}, found other bytes", name_, at));
    const auto sizes = bytes.numbers<std::uint16_t>(static_cast<std::uint64_t>(vtable), 2, name_);
    if (sizes[0] < 4 || sizes[0] % 2 != 0)
      throw Fault(
          fmt::format("expected the table of '{}' at byte {}, found other bytes", name_, at));
    bytes.require(at, sizes[1], name_);
    length_ = sizes[1];
    slots_ = bytes.numbers<std::uint16_t>(static_cast<std::uint64_t>(vtable) + 4, sizes[0] / 2 - 2,
                                          name_);
  }

  bool has(std::size_t field) const { return field < slots_.size() && slots_[field] != 0; }
  template <class T>
  T scalar(std::size_t field, const char* name, T otherwise) const {
    return has(field) ? bytes_.number<T>(place(field, sizeof(T), name), inside(name)) : otherwise;
  }
  /// Whether a list, where there is one, ends in the file.
  template <class T>
  std::vector<T> list(std::size_t field, const char* name) const {
    if (!has(field)) return {};
    const std::uint64_t at = target(field, name);
    return bytes_.numbers<T>(at + 4, bytes_.number<std::uint32_t>(at, inside(name)), inside(name));
  }
  /// The same without its content; returns its length.
  std::uint64_t passed(std::size_t field, const char* name) const {
    if (!has(field)) return 0;
    const std::uint64_t at = target(field, name);
    const auto length = bytes_.number<std::uint32_t>(at, inside(name));
    bytes_.require(at + 4, length, inside(name));
    return length;
  }
  std::vector<Table> tables(std::size_t field, const char* name) const {
    std::vector<Table> all;
    if (!has(field)) return all;
    const std::uint64_t first = target(field, name) + 4;
    const auto offsets = list<std::uint32_t>(field, name);
    for (std::size_t i = 0; i < offsets.size(); ++i)
      all.push_back({bytes_, first + 4 * i + offsets[i], fmt::format("{}[{}]", inside(name), i)});
    return all;
  }
  std::string inside(const char* name) const {
    return name_ == "model" ? std::string(name) : name_ + "." + name;
  }

 private:
  std::uint64_t place(std::size_t field, std::size_t size, const char* name) const {
    if (slots_[field] + size > length_)
      throw Fault(fmt::format("expected the field '{}' in its table of {} bytes, found it at {}",
                              inside(name), length_, slots_[field]));
    return at_ + slots_[field];
  }
  std::uint64_t target(std::size_t field, const char* name) const {
    const std::uint64_t at = place(field, 4, name);
    return at + bytes_.number<std::uint32_t>(at, inside(name));
  }

  Bytes& bytes_;
  std::uint64_t at_;
  std::string name_;
  std::uint16_t length_ = 0;
  std::vector<std::uint16_t> slots_;
};

void require_below(std::int64_t index, std::size_t count, const std::string& field,
                   const char* of) {
  if (index < 0 || index >= static_cast<std::int64_t>(count))
    throw Fault(
        fmt::format("expected one of {} {} in the field '{}', found {}", count, of, field, index));
}

void require_some(std::size_t count, const char* field) {
  if (count == 0)
    throw Fault(fmt::format("expected the field '{}' with something in it, found none", field));
}

/// Bytes of an element by the number of its type; 0: not known, or no whole number of bytes.
std::uint64_t element_bytes(int type) {
  constexpr std::array<std::uint64_t, 17> sizes{4, 2, 4, 1, 8, 0, 1, 2, 8, 1, 8, 16, 8, 0, 0, 4, 2};
  return type >= 0 && static_cast<std::size_t>(type) < sizes.size()
             ? sizes[static_cast<std::size_t>(type)]
             : 0;
}

/// `bytes`: of the numbers that the file has for it; 0: none.
void check_shape(const Table& tensor, const std::vector<std::int32_t>& shape, std::uint64_t bytes) {
  constexpr std::int32_t open = -1;  // a side that is not known
  const bool constant = bytes > 0;
  std::uint64_t wanted = element_bytes(tensor.scalar<std::int8_t>(1, "type", 0));
  const bool known = wanted > 0 && !tensor.has(6);  // sparse ones are stored in another way
  for (const std::int32_t side : shape) {
    if (side < (constant ? 0 : open))
      throw Fault(fmt::format("expected sides of at least {} in the field '{}', found {}",
                              constant ? 0 : open, tensor.inside("shape"), side));
    if (constant && __builtin_mul_overflow(wanted, static_cast<std::uint64_t>(side), &wanted))
      throw Fault(fmt::format("expected sides whose product 64 bits hold in the field '{}'",
                              tensor.inside("shape")));
  }
  if (constant && known && wanted != bytes)
    throw Fault(fmt::format("expected the {} bytes of the numbers in the field '{}', found {}",
                            wanted, tensor.inside("shape"), bytes));
}

using Shapes = std::vector<std::vector<std::int32_t>>;

/// CONV_2D of [B, H, W, C] by a filter of [out, h, w, C / groups]: OpenVINO divides by the number
/// of groups and does not ask whether there is one.
void check_convolution(const Table& operation, const std::vector<std::int32_t>& inputs,
                       const Shapes& shapes) {
  if (inputs.size() < 2 || inputs[0] < 0 || inputs[1] < 0) return;
  const auto &images = shapes[static_cast<std::size_t>(inputs[0])],
             &filter = shapes[static_cast<std::size_t>(inputs[1])];
  if (images.size() != 4 || filter.size() != 4) return;
  if (filter[3] < 1 || images[3] < 1 || images[3] % filter[3] != 0)
    throw Fault(
        fmt::format("expected a filter whose channels divide the {} of its input in the field "
                    "'{}', found {}",
                    images[3], operation.inside("inputs"), filter[3]));
}

/// Numbers of the fields, and of the operation, as TensorFlow's schema (Apache-2.0) has them
/// (export 4). `codes`: the operations by their index.
void check_graph(const Table& graph, const std::vector<std::uint64_t>& buffers,
                 const std::vector<std::int32_t>& codes) {
  constexpr std::int32_t conv_2d = 3;
  const std::vector<Table> tensors = graph.tables(0, "tensors");
  Shapes shapes;
  for (const Table& tensor : tensors) {
    shapes.push_back(tensor.list<std::int32_t>(0, "shape"));
    const auto buffer = tensor.scalar<std::uint32_t>(2, "buffer", 0);
    require_below(buffer, buffers.size(), tensor.inside("buffer"), "buffers");
    check_shape(tensor, shapes.back(), buffers[buffer]);
    tensor.passed(3, "name");
  }
  for (const auto& [field, name] : {std::pair{std::size_t{1}, "inputs"}, {2, "outputs"}})
    for (const std::int32_t index : graph.list<std::int32_t>(field, name))
      require_below(index, tensors.size(), graph.inside(name), "tensors");
  for (const Table& operation : graph.tables(3, "operators")) {
    const auto code = operation.scalar<std::uint32_t>(0, "opcode_index", 0);
    require_below(code, codes.size(), operation.inside("opcode_index"), "operator codes");
    const auto inputs = operation.list<std::int32_t>(1, "inputs");
    for (const auto& [list, name] :
         {std::pair{inputs, "inputs"}, {operation.list<std::int32_t>(2, "outputs"), "outputs"}})
      for (const std::int32_t index : list)
        if (index != -1)  // an input that is left out
          require_below(index, tensors.size(), operation.inside(name), "tensors");
    if (codes[code] == conv_2d) check_convolution(operation, inputs, shapes);
  }
}

void check_model(Bytes& bytes) {
  const Table model(bytes, bytes.number<std::uint32_t>(0, "root"), "model");
  const std::vector<Table> codes = model.tables(1, "operator_codes"),
                           graphs = model.tables(2, "subgraphs"),
                           buffers = model.tables(4, "buffers");
  require_some(codes.size(), "operator_codes");
  require_some(graphs.size(), "subgraphs");
  require_some(buffers.size(), "buffers");
  model.passed(3, "description");
  std::vector<std::uint64_t> sizes;
  for (const Table& buffer : buffers) {
    sizes.push_back(buffer.passed(0, "data"));
    const auto offset = buffer.scalar<std::uint64_t>(1, "offset", 0),
               size = buffer.scalar<std::uint64_t>(2, "size", 0);
    if (offset <= 1) continue;
    bytes.require(offset, size, buffer.inside("size"));  // outside the tables
    sizes.back() = size;
  }
  std::vector<std::int32_t> operations;  // old files have the number in the first field alone
  for (const Table& code : codes)
    operations.push_back(
        std::max(code.scalar<std::int32_t>(3, "builtin_code", 0),
                 std::int32_t{code.scalar<std::int8_t>(0, "deprecated_builtin_code", 0)}));
  for (const Table& graph : graphs) check_graph(graph, sizes, operations);
}

}  // namespace

std::string tflite_fault(const fs::path& path) {
  Bytes bytes(path);
  try {
    check_model(bytes);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return {};
}

}  // namespace yolov7::runtime
