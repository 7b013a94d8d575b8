#include "core/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

#include "core/error.hpp"
#include "core/stop.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace yolov7 {
namespace {

constexpr std::size_t block = 64;

/// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

/// FIPS 180-4, section 6.2.2.
void portable_blocks(std::uint32_t* state, const std::uint8_t* data, std::size_t count) {
  for (; count > 0; --count, data += block) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t) w[t] = big_endian(data + 4 * t);
    for (std::size_t t = 16; t < 64; ++t) {
      const std::uint32_t a = w[t - 15], b = w[t - 2];
      const std::uint32_t s0 = std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
      const std::uint32_t s1 = std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    std::array<std::uint32_t, 8> v;
    std::copy(state, state + 8, v.begin());
    for (std::size_t t = 0; t < 64; ++t) {
      const std::uint32_t a = v[0], e = v[4];
      const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const std::uint32_t one = v[7] + s1 + ((e & v[5]) ^ (~e & v[6])) + constants[t] + w[t];
      const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const std::uint32_t two = s0 + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
      v = {one + two, a, v[1], v[2], v[3] + one, e, v[5], v[6]};
    }
    for (std::size_t i = 0; i < 8; ++i) state[i] += v[i];
  }
}

#if defined(__x86_64__)
/// The same by SHA-NI, whose rounds want the state as A B E F and C D G H.
__attribute__((target("sha,sse4.1"))) void instruction_blocks(std::uint32_t* state,
                                                              const std::uint8_t* data,
                                                              std::size_t count) {
  const auto load = [](const void* from) __attribute__((target("sha,sse4.1"))) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  };
  const __m128i bytes_of_words = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i dcba = _mm_shuffle_epi32(load(state), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1B);
  __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, dcba, 0xF0);
  for (; count > 0; --count, data += block) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (std::size_t i = 0; i < 4; ++i)
      w[i] = _mm_shuffle_epi8(load(data + 16 * i), bytes_of_words);
#pragma GCC unroll 16
    for (std::size_t group = 0; group < 16; ++group) {  // of four rounds
      const __m128i now = w[group % 4], last = w[(group + 3) % 4];
      const __m128i sum = _mm_add_epi32(now, load(constants.data() + 4 * group));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
      if (group >= 12) continue;
      const __m128i seven_before = _mm_alignr_epi8(last, w[(group + 2) % 4], 4);
      w[group % 4] = _mm_sha256msg2_epu32(
          _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(group + 1) % 4]), seven_before), last);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#endif

}  // namespace

bool has_sha256_instructions() {
#if defined(__x86_64__)
  static const bool has = [] {  // not all compilers know the name
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned sha = 1u << 29;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
           (b & sha) != 0;
  }();
  return has;
#else
  return false;
#endif
}

Sha256::Sha256(Sha256Path path)
    : blocks_(portable_blocks), state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
#if defined(__x86_64__)
  if (path == Sha256Path::best && has_sha256_instructions()) blocks_ = instruction_blocks;
#else
  (void)path;
#endif
}

void Sha256::add(std::string_view bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t count = bytes.size();
  const std::size_t waiting = bytes_ % block;
  bytes_ += count;
  if (waiting > 0) {
    const std::size_t more = std::min(count, block - waiting);
    std::copy_n(data, more, rest_.begin() + static_cast<std::ptrdiff_t>(waiting));
    data += more, count -= more;
    if (waiting + more < block) return;
    blocks_(state_.data(), rest_.data(), 1);
  }
  blocks_(state_.data(), data, count / block);
  std::copy_n(data + count / block * block, count % block, rest_.begin());
}

Digest Sha256::finish() {
  const std::uint64_t bits = bytes_ * 8;
  std::array<std::uint8_t, 2 * block> end{0x80};
  const std::size_t waiting = bytes_ % block;
  const std::size_t padding = (waiting < block - 8 ? block : 2 * block) - waiting;
  for (std::size_t i = 0; i < 8; ++i)
    end[padding - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  add({reinterpret_cast<const char*>(end.data()), padding});
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string Sha256::digest() { return hex(finish()); }

Digest sha256_digest(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

std::string sha256(std::string_view bytes) { return hex(sha256_digest(bytes)); }

std::string sha256_of_file(const std::filesystem::path& path, const std::stop_token& stop) {
  // Looked at first: opening a named pipe would wait for a writer.
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  std::ifstream file;
  if (regular) file.open(path, std::ios::binary);
  if (!regular || !file)
    throw Error(fmt::format("{}: expected a file to read, found none", path.string()));
  Sha256 hash;
  std::vector<char> bytes(std::size_t{1} << 20);
  while (file) {
    check_stop(stop);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    hash.add({bytes.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad())
    throw Error(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
  return hash.digest();
}

std::string hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<Digest> digest_of(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (value < 0) return std::nullopt;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] << 4 | value);
  }
  return digest;
}

std::size_t DigestHash::operator()(const Digest& digest) const {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

}  // namespace yolov7
