// Framing and checksums of event files, by the published vectors and by a second reader written
// here.
#include "monitoring/tensorboard.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "core/record_file.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::monitoring {
namespace {

namespace fs = std::filesystem;

class TensorBoard : public testing::Test {
 protected:
  /// The payloads; every checksum is compared.
  static std::vector<std::string> records(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    const std::string bytes = text.str();
    std::vector<std::string> all;
    for (std::size_t at = 0; at < bytes.size();) {
      std::uint64_t length = 0;
      std::uint32_t stored = 0;
      std::memcpy(&length, bytes.data() + at, 8);
      std::memcpy(&stored, bytes.data() + at + 8, 4);
      EXPECT_EQ(stored, mask(crc32c(bytes.substr(at, 8))));
      all.push_back(bytes.substr(at + 12, length));
      std::memcpy(&stored, bytes.data() + at + 12 + length, 4);
      EXPECT_EQ(stored, mask(crc32c(all.back())));
      at += 16 + length;
    }
    return all;
  }
  /// TensorFlow's rule: rotate right by 15, add a constant.
  static std::uint32_t mask(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8U; }
  test::ScratchFolder scratch;
  const fs::path& folder = scratch.path();
};

// Event { wall_time = 1 (double), step = 2, file_version = 3, summary = 5 { value = 1 { tag = 1,
// simple_value = 2 } } }, byte for byte.
TEST_F(TensorBoard, EventsByteForByte) {
  fs::path path;
  {
    TensorBoardWriter writer(folder, 0);
    path = writer.path();
    writer.scalars(300, {{"a", 1.5}, {"bc", -2}});
  }
  EXPECT_TRUE(path.filename().string().starts_with("events.out.tfevents."));
  const auto all = records(path);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0][0], '\x09');  // field 1, 64 bits
  EXPECT_EQ(all[0].substr(9), std::string("\x1A\x0D") + "brain.Event:2");
  const std::string a = std::string("\x0A\x08\x0A\x01") + "a" +
                        std::string("\x15\x00\x00\xC0\x3F", 5),
                    b = std::string("\x0A\x09\x0A\x02") + "bc" +
                        std::string("\x15\x00\x00\x00\xC0", 5);
  EXPECT_EQ(all[2].substr(9),
            std::string("\x10\xAC\x02\x2A\x15") + a + b);  // step 300 = AC 02; 10 + 11 bytes
}

// A continuation says where it begins: session_log = 7 { status = 1: START }.
TEST_F(TensorBoard, AContinuationSaysSo) {
  TensorBoardWriter first(folder, 0), second(folder, 7);
  EXPECT_NE(first.path(), second.path());
  EXPECT_EQ(records(first.path()).at(1).substr(9), std::string("\x3A\x02\x08\x01"));
  const auto all = records(second.path());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].substr(9), std::string("\x10\x07\x3A\x02\x08\x01"));
}

TEST_F(TensorBoard, AFolderThatIsNotThereIsNamed) {
  try {
    TensorBoardWriter writer(folder / "missing", 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace yolov7::monitoring
