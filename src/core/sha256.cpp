#include "core/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "core/error.hpp"
#include "core/stop.hpp"

namespace yolov7 {
namespace {

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr std::size_t piece = std::size_t{1} << 20;

}  // namespace

void Sha256::block(const unsigned char* bytes) {
  std::uint32_t w[64];
  for (std::size_t t = 0; t < 16; ++t)
    w[t] = static_cast<std::uint32_t>(bytes[4 * t]) << 24 |
           static_cast<std::uint32_t>(bytes[4 * t + 1]) << 16 |
           static_cast<std::uint32_t>(bytes[4 * t + 2]) << 8 |
           static_cast<std::uint32_t>(bytes[4 * t + 3]);
  for (std::size_t t = 16; t < 64; ++t) {
    const std::uint32_t a = w[t - 15], b = w[t - 2];
    w[t] = w[t - 16] + w[t - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  std::array<std::uint32_t, 8> s = state_;
  for (std::size_t t = 0; t < 64; ++t) {
    const std::uint32_t sum1 = std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25),
                        choice = (s[4] & s[5]) ^ (~s[4] & s[6]),
                        one = s[7] + sum1 + choice + constants[t] + w[t],
                        sum0 = std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22),
                        majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    s = {one + sum0 + majority, s[0], s[1], s[2], s[3] + one, s[4], s[5], s[6]};
  }
  for (std::size_t i = 0; i < 8; ++i) state_[i] += s[i];
}

void Sha256::add(std::string_view bytes) {
  length_ += bytes.size();
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  if (held_ > 0) {
    const std::size_t taken = std::min(left, rest_.size() - held_);
    std::copy_n(data, taken, rest_.begin() + static_cast<std::ptrdiff_t>(held_));
    held_ += taken, data += taken, left -= taken;
    if (held_ < rest_.size()) return;
    block(rest_.data());
    held_ = 0;
  }
  for (; left >= rest_.size(); left -= rest_.size(), data += rest_.size()) block(data);
  std::copy_n(data, left, rest_.begin());
  held_ = left;
}

std::string Sha256::digest() {
  const std::uint64_t bits = 8 * length_;
  std::string end(1, '\x80');
  while ((length_ + end.size()) % 64 != 56) end += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) end += static_cast<char>(bits >> shift & 255);
  add(end);
  std::string text;
  for (const std::uint32_t word : state_) text += fmt::format("{:08x}", word);
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.digest();
}

std::string sha256_of_file(const std::filesystem::path& path, const std::stop_token& stop) {
  // Looked at first: opening a named pipe would wait for a writer.
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  std::ifstream in;
  if (regular) in.open(path, std::ios::binary);
  if (!regular || !in)
    throw Error(fmt::format("{}: expected a file to read, found none", path.string()));
  Sha256 sum;
  std::vector<char> bytes(piece);
  while (in) {
    check_stop(stop);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    sum.add({bytes.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (in.bad())
    throw Error(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
  return sum.digest();
}

}  // namespace yolov7
