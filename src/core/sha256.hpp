#pragma once
// SHA-256 (FIPS 180-4): fingerprints that other programs make, too (sha256sum), and names of
// contents that stay the same for years. For what only this program compares,
// file::content_hash() is faster.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace yolov7 {

using Digest = std::array<std::uint8_t, 32>;

/// How blocks are worked on: by the processor's own instructions where it has them.
enum class Sha256Path { best, portable };

/// Bytes in pieces of any size, then the digest.
class Sha256 {
 public:
  explicit Sha256(Sha256Path path = Sha256Path::best);
  void add(std::string_view bytes);
  /// Ends the computation.
  Digest finish();
  /// The same as 64 hexadecimal digits.
  std::string digest();

 private:
  using Blocks = void (*)(std::uint32_t* state, const std::uint8_t* data, std::size_t count);
  Blocks blocks_;
  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> rest_{};
  std::uint64_t bytes_ = 0;
};

Digest sha256_digest(std::string_view bytes);
std::string sha256(std::string_view bytes);  ///< 64 hexadecimal digits
/// Of a regular file of any size, piece by piece. Errors: it cannot be read, stopped_error().
std::string sha256_of_file(const std::filesystem::path& path, const std::stop_token& stop = {});
/// Whether this processor has instructions for it (SHA-NI).
bool has_sha256_instructions();

/// 64 hexadecimal digits, small letters.
std::string hex(const Digest& digest);
/// Nothing unless it is 64 hexadecimal digits.
std::optional<Digest> digest_of(std::string_view hex);

/// For hash maps: a digest is as good as random already.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const;
};

}  // namespace yolov7
