// An archive behind other content: through libzip, and what its reader needs by hand.
#include "exporting/wire/stored_zip.hpp"

#include <gtest/gtest.h>

#include "core/archive.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;

TEST(StoredZip, ChecksumIsThatOfThePublishedExample) {
  EXPECT_EQ(exporting::crc32("123456789"), 0xCBF43926U);  // the check value of CRC-32
  EXPECT_EQ(exporting::crc32(""), 0U);
}

TEST(StoredZip, BytesByHand) {
  // CRC-32 of "a" is E8B7BE43.
  const std::string facts("\x14\0\0\0\0\0\0\0\x21\0\x43\xbe\xb7\xe8\1\0\0\0\1\0\0\0\1\0\0\0", 26);
  const std::string expected =
      std::string("PK\3\4", 4) + facts + "na" + std::string("PK\1\2\x14\0", 6) + facts +
      std::string("\0\0\0\0\0\0\0\0\0\0\7\0\0\0n", 15) + std::string("PK\5\6\0\0\0\0\1\0\1\0", 12) +
      std::string("\x2f\0\0\0\x27\0\0\0\0\0", 10);
  // The entry takes 30 + 2 bytes behind 7; its line of the directory 46 + 1.
  EXPECT_EQ(exporting::stored_zip("n", "a", 7), expected);
}

TEST(StoredZip, IsReadBehindOtherContent) {
  const test::ScratchFolder folder;
  for (const std::string& before : {std::string(), std::string(1000, '\1')}) {
    const std::string content = "{\"a\": \"b\"}";
    const auto path = folder.write(
        "x.zip", before + exporting::stored_zip("metadata.json", content, before.size()));
    const auto bytes = network::ArchiveReader(path).read("metadata.json", 100);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), content);
  }
}
