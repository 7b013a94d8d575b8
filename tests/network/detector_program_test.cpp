// The program around a network, walked through with numbers by hand.
#include "network/graph/detector_program.hpp"

#include <gtest/gtest.h>

namespace yolov7::network {
namespace {

/// Value 0 is the image, 1 the lead map of stride 8, 2 that of stride 16, 3 an auxiliary one.
Network two_levels() {
  Network network;
  network.class_count = 1;
  network.anchors_per_level = 2;
  network.value_count = 4;
  network.levels = {{1, 8, {{10, 20}, {30, 40}}, false},
                    {2, 16, {{50, 60}, {70, 80}}, false},
                    {3, 8, {{10, 20}, {30, 40}}, true}};
  return network;
}

template <class P>
std::vector<const P*> all(const DetectorProgram& program) {
  std::vector<const P*> found;
  for (const DetectorOperation& op : program.after)
    if (const P* one = std::get_if<P>(&op.primitive)) found.push_back(one);
  return found;
}

TEST(DetectorProgram, BytesComeInThroughAValueOfTheirOwn) {
  const DetectorProgram bytes = lower_detector(two_levels(), 32, 64, true);
  ASSERT_EQ(bytes.before.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<PixelsToUnit>(bytes.before[0].primitive));
  EXPECT_EQ(bytes.input, 4);
  EXPECT_EQ(bytes.before[0].inputs, std::vector<int>{4});
  EXPECT_EQ(bytes.before[0].output, 0);
  const DetectorProgram unit = lower_detector(two_levels(), 32, 64, false);
  EXPECT_TRUE(unit.before.empty());
  EXPECT_EQ(unit.input, 0);
}

TEST(DetectorProgram, EveryValueIsMadeBeforeItIsRead) {
  const DetectorProgram program = lower_detector(two_levels(), 32, 64, true);
  std::vector<char> made(static_cast<std::size_t>(program.value_count), 0);
  for (const int value : {1, 2, 3, program.input}) made[static_cast<std::size_t>(value)] = 1;
  for (const auto* part : {&program.before, &program.after})
    for (const DetectorOperation& op : *part) {
      for (const int input : op.inputs) EXPECT_EQ(made.at(static_cast<std::size_t>(input)), 1);
      char& output = made.at(static_cast<std::size_t>(op.output));
      EXPECT_EQ(output, 0);
      output = 1;
    }
  EXPECT_EQ(made, std::vector<char>(made.size(), 1));
}

/// σ = 0.75 in every element: x = (2 · 0.75 − 0.5 + 2) · 8 in column 2 of the first level and so on
/// (architecture 3.4).
TEST(DetectorProgram, ConstantsGiveTheFormulas) {
  const DetectorProgram program = lower_detector(two_levels(), 32, 64, false);
  const auto scales = all<ScaleRows>(program);
  const auto shifts = all<ShiftRows>(program);
  const auto offsets = all<AddCellOffsets>(program);
  ASSERT_EQ(scales.size(), 2U);  // the auxiliary level is not decoded
  ASSERT_EQ(shifts.size(), 2U);
  ASSERT_EQ(offsets.size(), 2U);
  const double s = 0.75;
  const auto value = [&](std::size_t level, std::size_t anchor, std::size_t column) {
    return (scales[level]->factors.at(anchor * 6 + column) * s + shifts[level]->terms.at(column)) *
           s;
  };
  EXPECT_EQ(value(0, 0, 0) + offsets[0]->stride * (2 - 0.5), (2 * s - 0.5 + 2) * 8);
  EXPECT_EQ(value(1, 1, 1) + offsets[1]->stride * (1 - 0.5), (2 * s - 0.5 + 1) * 16);
  EXPECT_EQ(value(0, 1, 2), 4 * s * s * 30);
  EXPECT_EQ(value(1, 0, 3), 4 * s * s * 60);
  for (const std::size_t column : {4U, 5U}) EXPECT_EQ(value(1, 1, column), s);
  EXPECT_EQ(offsets[0]->height, 4);
  EXPECT_EQ(offsets[0]->width, 8);
  EXPECT_EQ(offsets[1]->height, 2);
  EXPECT_EQ(offsets[1]->width, 4);
}

TEST(DetectorProgram, CellOffsetsGoRowByRow) {
  // Stride 8, two rows of three cells: x = 8 · (0, 1, 2) − 4, y = 8 · (0, 1) − 4, columns 2 … stay.
  EXPECT_EQ(cell_offsets({8, 2, 3, 6}),
            (std::vector<float>{-4, -4, 0, 0, 0, 0, 4, -4, 0, 0, 0, 0, 12, -4, 0, 0, 0, 0,
                                -4, 4,  0, 0, 0, 0, 4, 4,  0, 0, 0, 0, 12, 4,  0, 0, 0, 0}));
}

TEST(DetectorProgram, RowsOfAllLeadLevelsAreJoinedLast) {
  const DetectorProgram program = lower_detector(two_levels(), 32, 64, false);
  const DetectorOperation& last = program.after.back();
  ASSERT_TRUE(std::holds_alternative<JoinRows>(last.primitive));
  EXPECT_EQ(std::get<JoinRows>(last.primitive).columns, 6);
  EXPECT_EQ(last.inputs.size(), 2U);
  EXPECT_EQ(last.output, program.rows);
}

}  // namespace
}  // namespace yolov7::network
