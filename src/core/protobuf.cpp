#include "core/protobuf.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace yolov7 {

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) throw Error("a message ends within a number");
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  throw Error("a message has a number of more than 64 bits");
}

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t key = varint();
  constexpr std::uint64_t most_fields = (1u << 29) - 1;
  if (key >> 3 == 0 || key >> 3 > most_fields)
    throw Error(fmt::format("a message has the field number {}", key >> 3));
  field_ = static_cast<int>(key >> 3);
  wire_ = static_cast<int>(key & 7);
  number_ = 0;
  std::uint64_t size = 0;
  switch (wire_) {
    case 0: number_ = varint(); break;
    case 1: size = 8; break;
    case 2: size = varint(); break;
    case 5: size = 4; break;
    default: throw Error(fmt::format("field {} has the wire type {}", field_, wire_));
  }
  if (size > rest_.size())
    throw Error(fmt::format("field {} has {} bytes, but {} are left", field_, size, rest_.size()));
  bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

void ProtobufReader::append_to(std::vector<std::int64_t>& values) const {
  if (is_number()) {
    values.push_back(static_cast<std::int64_t>(number_));
    return;
  }
  if (!is_bytes()) throw Error(fmt::format("field {} is no list of whole numbers", field_));
  ProtobufReader packed(bytes_);
  while (!packed.rest_.empty()) values.push_back(static_cast<std::int64_t>(packed.varint()));
}

void ProtobufReader::append_to(std::vector<float>& values) const {
  if ((wire_ != 5 && !is_bytes()) || bytes_.size() % sizeof(float) != 0)
    throw Error(fmt::format("field {} is no list of 32-bit numbers", field_));
  for (std::size_t at = 0; at < bytes_.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, bytes_.data() + at, sizeof value);  // little-endian, as our machines
    values.push_back(value);
  }
}

}  // namespace yolov7
