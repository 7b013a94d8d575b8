#include "core/error.hpp"
#include "network/torch_file/pickle.hpp"

namespace yolov7::network {
namespace {

const char* storage_class(DataType type) {
  switch (type) {
    case DataType::float16: return "HalfStorage";
    case DataType::bfloat16: return "BFloat16Storage";
    case DataType::float32: return "FloatStorage";
    case DataType::float64: return "DoubleStorage";
    case DataType::int64: return "LongStorage";
    case DataType::uint8: return "ByteStorage";
  }
  throw Error("pickle: unknown tensor type");
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

}  // namespace

PickleWriter::PickleWriter() { out_ = "\x80\x02"; }

void PickleWriter::begin_dictionary() { out_ += "}("; }  // EMPTY_DICT MARK
void PickleWriter::end_dictionary() { out_ += 'u'; }     // SETITEMS
void PickleWriter::key(const std::string& name) { text(name); }

void PickleWriter::text(const std::string& value) {
  if (value.size() > 0xFFFFFFFFu) throw Error("pickle: text over 4 GB");
  out_ += 'X';  // BINUNICODE
  append_u32(out_, static_cast<std::uint32_t>(value.size()));
  out_ += value;
}

void PickleWriter::integer(std::int64_t value) {
  out_ += '\x8a';  // LONG1
  out_ += '\x08';
  for (int i = 0; i < 8; ++i)
    out_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
}

void PickleWriter::global(const char* module, const char* name) {
  out_ += std::string("c") + module + "\n" + name + "\n";
}

void PickleWriter::tuple(std::span<const std::int64_t> values) {
  out_ += '(';
  for (const std::int64_t value : values) integer(value);
  out_ += 't';
}

void PickleWriter::tensor(const Tensor& tensor, const std::string& storage_key) {
  // torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)
  global("torch._utils", "_rebuild_tensor_v2");
  out_ += "((";
  text("storage");
  global("torch", storage_class(tensor.type));
  text(storage_key);
  text("cpu");
  integer(tensor.elements());
  out_ += "tQ";  // TUPLE BINPERSID
  integer(0);
  tuple(tensor.shape);
  std::vector<std::int64_t> strides(tensor.shape.size(), 1);
  for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.shape[i];
  tuple(strides);
  out_ += '\x89';  // NEWFALSE
  global("collections", "OrderedDict");
  out_ += ")R";  // EMPTY_TUPLE REDUCE
  out_ += "tR";
}

std::string PickleWriter::finish() {
  out_ += '.';
  return std::move(out_);
}

}  // namespace yolov7::network
