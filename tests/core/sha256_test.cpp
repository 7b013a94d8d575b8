// Digests of FIPS 180-4 and of the NIST's test vectors.
#include "core/sha256.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7 {

TEST(Sha256, PublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnySizeGiveTheSame) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37 % 251);
  for (const std::size_t size : {1U, 7U, 63U, 64U, 65U, 999U}) {
    Sha256 sum;
    for (std::size_t at = 0; at < text.size(); at += size)
      sum.add(std::string_view(text).substr(at, size));
    EXPECT_EQ(sum.digest(), sha256(text)) << size;
  }
}

TEST(Sha256, OfAFile) {
  const test::ScratchFolder folder;
  // More than one piece.
  const std::string text(std::size_t{3} << 19, 'a');
  EXPECT_EQ(sha256_of_file(folder.write("file", text)), sha256(text));
  EXPECT_NE(test::error_of([&] { sha256_of_file(folder / "missing"); }).find("missing"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] { sha256_of_file(folder.path()); }), "no error");
}

}  // namespace yolov7
