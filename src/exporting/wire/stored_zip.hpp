#pragma once
// A zip archive of one stored entry, to stand behind the content of another format (PKWARE,
// APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.16).
#include <cstdint>
#include <string>
#include <string_view>

namespace yolov7::exporting {

/// CRC-32 of zip.
inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// `before`: bytes of the file in front of the archive; offsets count from the file's begin. The
/// time stamp is 1980-01-01, so that a repeat gives equal bytes.
inline std::string stored_zip(std::string_view name, std::string_view content,
                              std::uint64_t before) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i, value >>= 8) text.push_back(static_cast<char>(value & 255));
    return text;
  };
  const std::string facts = number(20, 2) + number(0, 2) + number(0, 2) + number(0, 2) +
                            number(0x21, 2) + number(crc32(content), 4) +
                            number(content.size(), 4) + number(content.size(), 4) +
                            number(name.size(), 2) + number(0, 2);
  const std::string local =
      std::string("PK\x03\x04") + facts + std::string(name) + std::string(content);
  const std::string central = std::string("PK\x01\x02") + number(20, 2) + facts + number(0, 2) +
                              number(0, 2) + number(0, 2) + number(0, 4) + number(before, 4) +
                              std::string(name);
  return local + central + "PK\x05\x06" + number(0, 4) + number(1, 2) + number(1, 2) +
         number(central.size(), 4) + number(before + local.size(), 4) + number(0, 2);
}

}  // namespace yolov7::exporting
