#include "exporting/coreml_weights.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

constexpr std::size_t alignment = 64;

struct Header {
  std::uint32_t count = 0, version = 2;
  std::uint64_t unused[7] = {};
};
struct Record {
  std::uint32_t mark = 0xDEADBEEF, type = 0;
  std::uint64_t bytes = 0, place = 0;
  std::uint64_t unused[5] = {};
};
static_assert(sizeof(Header) == alignment && sizeof(Record) == alignment);

constexpr std::uint32_t float16_type = 1, float32_type = 2, uint8_type = 3;

std::uint32_t type_of(const network::Tensor& tensor) {
  if (tensor.type == network::DataType::uint8) return uint8_type;
  return tensor.type == network::DataType::float16 ? float16_type : float32_type;
}

template <class T>
void write(std::ofstream& out, const T& value) {
  out.write(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

CoremlWeights::CoremlWeights(const std::filesystem::path& path)
    : path_(path), out_(path, std::ios::binary) {
  zeros(alignment);
}

void CoremlWeights::zeros(std::size_t count) {
  constexpr char none[alignment] = {};
  out_.write(none, static_cast<std::streamsize>(count));
  size_ += count;
}

std::uint64_t CoremlWeights::add(const network::Tensor& tensor) {
  const std::uint64_t place = size_;
  Record record;
  record.type = type_of(tensor);
  record.bytes = tensor.bytes.size();
  record.place = place + sizeof record;
  write(out_, record);
  out_.write(reinterpret_cast<const char*>(tensor.bytes.data()),
             static_cast<std::streamsize>(tensor.bytes.size()));
  size_ += sizeof record + tensor.bytes.size();
  zeros((alignment - size_ % alignment) % alignment);
  ++count_;
  return place;
}

void CoremlWeights::finish() {
  Header header;
  header.count = count_;
  out_.seekp(0);
  write(out_, header);
  if (!out_.flush()) throw Error(fmt::format("{}: cannot be written", path_.string()));
}

}  // namespace yolov7::exporting
