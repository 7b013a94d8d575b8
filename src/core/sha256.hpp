#pragma once
// SHA-256 (FIPS 180-4): fingerprints that other programs make, too (sha256sum).
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

namespace yolov7 {

/// Bytes in pieces of any size, then the digest.
class Sha256 {
 public:
  void add(std::string_view bytes);
  /// 64 hexadecimal digits. Ends the computation.
  std::string digest();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};
  std::size_t held_ = 0;  // bytes in rest_
  std::uint64_t length_ = 0;
};

std::string sha256(std::string_view bytes);
/// Of a regular file of any size, piece by piece. Errors: it cannot be read, stopped_error().
std::string sha256_of_file(const std::filesystem::path& path, const std::stop_token& stop = {});

}  // namespace yolov7
