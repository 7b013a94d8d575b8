// Framing and checksums of TensorFlow's records, by the published vectors and by hand.
#include "core/record_file.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

// RFC 3720, appendix B.4, and the usual check value.
TEST(Crc32c, PublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(RecordFile, MaskTurnsAndAdds) {
  const std::uint32_t crc = 0xE3069283U;  // of "123456789"
  EXPECT_EQ(masked_crc32c("123456789"), ((crc >> 15) | (crc << 17)) + 0xa282ead8U);
}

// The first twelve bytes of a file that TensorFlow wrote: length 0x41B and its masked checksum.
TEST(RecordFile, ChecksumOfARealFile) {
  const std::string head("\x1b\x04\0\0\0\0\0\0\x5b\x54\x3b\x9d", 12);
  EXPECT_EQ(masked_crc32c(head.substr(0, 8)), 0x9D3B545BU);
}

TEST(RecordFile, ThereAndBack) {
  const std::string file = framed_record("abc") + framed_record("") + framed_record("xyz12");
  EXPECT_EQ(file.size(), 3 * 16 + 8u);
  RecordReader reader(file);
  for (const char* expected : {"abc", "", "xyz12"}) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.data(), expected);
  }
  EXPECT_EQ(reader.number(), 2u);
  EXPECT_FALSE(reader.next());
}

std::string fault_of(const std::string& file) {
  RecordReader reader(file);
  return test::error_of([&] {
    while (reader.next()) {
    }
  });
}

TEST(RecordFile, EveryCutAndEveryChangedBitIsFound) {
  const std::string file = framed_record("abc") + framed_record("de");
  for (std::size_t size = 1; size < file.size(); ++size) {
    if (size == 19) continue;  // the end of the first record
    EXPECT_NE(fault_of(file.substr(0, size)), "no error") << size;
  }
  for (std::size_t i = 0; i < file.size() * 8; ++i) {
    std::string changed = file;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    EXPECT_NE(fault_of(changed), "no error") << "bit " << i;
  }
  EXPECT_EQ(fault_of(file.substr(0, 25)),
            "record 1 at byte 19: expected its length, found the last 6 bytes");
}

}  // namespace
}  // namespace yolov7
