// FlatBuffers against bytes worked out by hand (flatbuffers.dev, "FlatBuffer Internals").
#include "exporting/wire/flatbuffer.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/exporting/flat_reader.hpp"

using yolov7::exporting::FlatFile;
using yolov7::exporting::FlatTable;
using yolov7::testing::FlatView;

namespace {

std::string bytes(const FlatFile& file) {
  std::ostringstream out;
  file.write(out);
  EXPECT_EQ(out.str().size(), file.size());
  return out.str();
}

}  // namespace

TEST(FlatBuffer, BytesByHand) {
  FlatTable root;
  root.scalar(0, std::int32_t{7}).text(2, "ab").scalar(3, std::int8_t{-2});
  const std::string expected(
      "\x14\0\0\0"                        // 0: the root table is at 20
      "TEST"                              // 4
      "\x0c\0\x0d\0\4\0\0\0\x08\0\x0c\0"  // 8: 12 bytes, of a table of 13; fields at 4, none, 8, 12
      "\x0c\0\0\0"                        // 20: the vtable is 12 before
      "\7\0\0\0"                          // 24
      "\x08\0\0\0"                        // 28: the text is at 36
      "\xfe\0\0\0"                        // 32: -2, and three bytes that fill up
      "\2\0\0\0ab\0",                     // 36: the length, and a zero behind
      43);
  EXPECT_EQ(bytes(FlatFile(root, "TEST")), expected);
}

TEST(FlatBuffer, EveryKindOfFieldIsReadBack) {
  FlatTable inner, other, root;
  inner.scalar(1, std::uint8_t{200}).text(0, "");
  other.scalar(1, std::uint8_t{201});
  root.tables(3, {inner, other, FlatTable()})
      .scalar(5, 0.25F)
      .table(4, inner)
      .scalar(6, true)
      .values(0, std::vector<std::int64_t>{1, -2, std::int64_t{1} << 40})
      .values(1, std::vector<float>{})
      .tables(2, {});
  const std::string file = bytes(FlatFile(root, "TEST"));
  const FlatView view = FlatView::root(file);
  EXPECT_EQ(view.values<std::int64_t>(0),
            (std::vector<std::int64_t>{1, -2, std::int64_t{1} << 40}));
  EXPECT_TRUE(view.values<float>(1).empty());
  EXPECT_TRUE(view.tables(2).empty());
  ASSERT_EQ(view.tables(3).size(), 3U);
  EXPECT_EQ(view.tables(3)[0].text(0), "");
  EXPECT_EQ(view.tables(3)[0].scalar<std::uint8_t>(1), 200);
  EXPECT_EQ(view.tables(3)[1].scalar<std::uint8_t>(1), 201);
  EXPECT_FALSE(view.tables(3)[1].has(0));
  EXPECT_FALSE(view.tables(3)[2].has(0));
  EXPECT_EQ(view.table(4).scalar<std::uint8_t>(1), 200);
  EXPECT_EQ(view.scalar<float>(5), 0.25F);
  EXPECT_EQ(view.scalar<std::uint8_t>(6), 1);
  EXPECT_FALSE(view.has(7));
}

TEST(FlatBuffer, LaterContentsAreNotHeldAndStandAtMultiplesOf16) {
  int asked = 0;
  std::vector<FlatTable> buffers;
  std::vector<std::string> contents;
  for (const std::size_t size : {5U, 0U, 16U, 1000U, 1U}) {
    contents.emplace_back(size, static_cast<char>('a' + contents.size()));
    FlatTable one;
    one.later(0, size, [&asked, content = contents.back()](std::ostream& out) {
      ++asked;
      out << content;
    });
    buffers.push_back(one);
  }
  FlatTable root;
  root.tables(4, buffers).text(3, "behind");
  const FlatFile file(root, "TEST");
  EXPECT_EQ(asked, 0);
  const std::string first = bytes(file);
  EXPECT_EQ(asked, 5);
  EXPECT_EQ(first, bytes(file)) << "may be written again";
  const FlatView view = FlatView::root(first);
  EXPECT_EQ(view.text(3), "behind");
  const auto found = view.tables(4);
  ASSERT_EQ(found.size(), contents.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto values = found[i].values<char>(0);
    EXPECT_EQ(std::string(values.begin(), values.end()), contents[i]);
    EXPECT_EQ(found[i].begin(0) % 16, 0U);
  }
}

// Nothing of them is made: only their size counts.
TEST(FlatBuffer, SizesBeyondTwoGigabytesAreCounted) {
  FlatTable root;
  root.later(0, yolov7::exporting::flatbuffer_limit, [](std::ostream&) {});
  EXPECT_GT(FlatFile(root, "TEST").size(), yolov7::exporting::flatbuffer_limit);
}
