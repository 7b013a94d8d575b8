#include "runtime/openvino/flatbuffer_check.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/small_tflite.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using runtime::tflite_fault;
using test::u16;
using test::u32;

namespace {

std::string fault(const std::string& bytes) {
  const test::ScratchFolder folder;
  return tflite_fault(folder.write("x.tflite", bytes));
}

const std::string whole = test::small_tflite();

std::string with(std::size_t at, const std::string& bytes) {
  std::string changed = whole;
  return changed.replace(at, bytes.size(), bytes);
}

}  // namespace

TEST(FlatbufferCheck, AWholeFile) { EXPECT_EQ(fault(whole), ""); }

TEST(FlatbufferCheck, ACutFileNamesTheFieldThatEnds) {
  EXPECT_EQ(fault(""), "expected 4 bytes of the field 'root' at byte 0, found the end at 0");
  EXPECT_EQ(fault(whole.substr(0, 24)),
            "expected 4 bytes of the field 'model' at byte 24, found the end at 24");
  EXPECT_EQ(fault(whole.substr(0, 47)),
            "expected 4 bytes of the field 'operator_codes' at byte 44, found the end at 47");
  EXPECT_EQ(fault(whole.substr(0, 60)),
            "expected 4 bytes of the field 'operator_codes[0]' at byte 68, found the end at 60");
}

TEST(FlatbufferCheck, OffsetsThatLeadNowhere) {
  EXPECT_EQ(fault(with(0, u32(1000))),
            "expected 4 bytes of the field 'model' at byte 1000, found the end at 72");
  EXPECT_EQ(fault(with(24, u32(25))),
            "expected the table of 'model' at byte 24, found other bytes");
  EXPECT_EQ(fault(with(32, u32(500))),
            "expected 4 bytes of the field 'subgraphs' at byte 532, found the end at 72");
  EXPECT_EQ(fault(with(48, u32(0xFFFFFFFF))),
            "expected 17179869180 bytes of the field 'subgraphs' at byte 52, found the end at 72");
  EXPECT_EQ(fault(with(14, u16({14}))),
            "expected the field 'operator_codes' in its table of 16 bytes, found it at 14");
}

TEST(FlatbufferCheck, WhatEveryModelHas) {
  EXPECT_EQ(fault(with(14, u16({0}))),
            "expected the field 'operator_codes' with something in it, found none");
  EXPECT_EQ(fault(with(48, u32(0))),
            "expected the field 'subgraphs' with something in it, found none");
  EXPECT_EQ(fault(with(56, u32(0))),
            "expected the field 'buffers' with something in it, found none");
}

// 2,000 operator codes, all the same table, of 32,765 fields: 131 MB out of 74 kB.
TEST(FlatbufferCheck, SharedTablesAreNotReadWithoutABound) {
  constexpr std::uint32_t codes = 2000, list = 76, fields = list + 4 * codes,
                          table = fields + 65534;
  std::string tail = u32(codes);  // 72
  for (std::uint32_t i = 0; i < codes; ++i) tail += u32(table - list - 4 * i);
  tail += u16({65534, 4}) + std::string(65530, '\0') + u32(65534);
  EXPECT_NE(fault(with(28, u32(72 - 28)) + tail).find("found one that many stand for"),
            std::string::npos);
}

// The graph at 80, whose one input is tensor 3 of none.
TEST(FlatbufferCheck, IndicesOfWhatIsNotThere) {
  const std::string graph = u16({8, 8, 0, 4}) +  // 72: its second field is at 4
                            u32(8) + u32(4) +    // 80: a table, whose list is 4 further on
                            u32(1) + u32(3);     // 88
  EXPECT_EQ(fault(with(52, u32(80 - 52)) + graph),
            "expected one of 0 tensors in the field 'subgraphs[0].inputs', found 3");
}
