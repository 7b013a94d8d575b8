#include "core/record_file.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "core/error.hpp"

namespace yolov7 {
namespace {

// Little-endian machines only, as everywhere in this program.
static_assert(std::endian::native == std::endian::little);

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> all{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? c >> 1 ^ 0x82F63B78U : c >> 1;
      all[i] = c;
    }
    return all;
  }();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes)
    crc = crc >> 8 ^ table[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

std::string framed_record(std::string_view data) {
  const std::string length = bytes_of<std::uint64_t>(data.size());
  std::string record = length + bytes_of(masked_crc32c(length));
  record.append(data);
  return record + bytes_of(masked_crc32c(data));
}

bool RecordReader::next() {
  if (at_ == file_.size()) return false;
  constexpr std::size_t head = 12, tail = 4;
  const auto fail = [&](const std::string& reason) {
    return Error(fmt::format("record {} at byte {}: {}", number_, at_, reason));
  };
  const std::size_t left = file_.size() - at_;
  if (left < head) throw fail(fmt::format("expected its length, found the last {} bytes", left));
  if (number_at<std::uint32_t>(file_, at_ + 8) != masked_crc32c(file_.substr(at_, 8)))
    throw fail("the checksum of its length does not fit");
  const auto size = number_at<std::uint64_t>(file_, at_);
  if (size > left - head || left - head - size < tail)
    throw fail(fmt::format("expected {} bytes, found the end of the file", size));
  data_ = file_.substr(at_ + head, size);
  if (number_at<std::uint32_t>(file_, at_ + head + size) != masked_crc32c(data_))
    throw fail("the checksum of its data does not fit");
  at_ += head + size + tail;
  ++number_;
  return true;
}

}  // namespace yolov7
