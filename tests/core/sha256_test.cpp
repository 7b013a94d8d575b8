// SHA-256 against the examples of FIPS 180-4 and its two implementations against one another.
#include "core/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

std::string hash_of(std::string_view bytes, Sha256Path path) {
  Sha256 hash(path);
  hash.add(bytes);
  return hash.digest();
}

// The examples that NIST publishes beside FIPS 180-4: no byte, one block, two blocks, a million.
TEST(Sha256, GivesThePublishedValues) {
  for (const Sha256Path path : {Sha256Path::best, Sha256Path::portable}) {
    EXPECT_EQ(hash_of("", path),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hash_of("abc", path),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", path),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hash_of(std::string(1'000'000, 'a'), path),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST(Sha256, DoesNotDependOnHowTheBytesCome) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 31 + i / 7);
  for (std::size_t length = 0; length <= 260; ++length) {
    const std::string_view part(bytes.data(), length);
    const std::string expected = hash_of(part, Sha256Path::portable);
    EXPECT_EQ(hash_of(part, Sha256Path::best), expected) << length;
    for (const std::size_t step : {std::size_t{1}, std::size_t{63}, std::size_t{64}}) {
      Sha256 hash;
      for (std::size_t at = 0; at < length; at += step) hash.add(part.substr(at, step));
      EXPECT_EQ(hash.digest(), expected) << length << " in steps of " << step;
    }
  }
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const test::ScratchFolder scratch;
  const std::string bytes(3'000'000, 'x');  // more than one piece
  EXPECT_EQ(sha256_of_file(scratch.write("x", bytes)), sha256(bytes));
  EXPECT_NE(test::error_of([&] { sha256_of_file(scratch / "none"); }).find("none: expected a file"),
            std::string::npos);
}

TEST(Sha256, DigitsAndBack) {
  const Digest digest = sha256_digest("abc");
  EXPECT_EQ(digest_of(hex(digest)), digest);
  EXPECT_EQ(digest_of("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), digest);
  EXPECT_FALSE(digest_of(hex(digest).substr(1)).has_value());
  EXPECT_FALSE(digest_of(std::string(64, 'g')).has_value());
}

}  // namespace
}  // namespace yolov7
