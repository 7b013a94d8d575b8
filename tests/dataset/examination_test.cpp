// What is told beside the index, while each file is read once.
#include "dataset/index/examination.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/index/read_index.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

TEST(Examination, IsToldWhatEachLabelFileHoldsWhileItIsRead) {
  const test::TemporaryFolder folder;
  const auto label = [&](const std::string& name) { return folder / "labels/train" / name; };
  test::write_small_set(folder.path(), 4);
  fs::remove(label("1.txt"));
  test::write_text(label("2.txt"), "\xFF\xFE\x30");  // UTF-16 that ends within a character
  const std::vector<std::string> key_points(2, "0 .5 .5 .4 .2 .4 .45 1 .6 .55 0\n");
  for (const bool pose : {false, true}) {
    for (const char* name : {"0.txt", "3.txt"})
      test::write_text(label(name), pose ? key_points[0] + key_points[1] : "1 .5 .5 .25 .5\n");
    std::array<int, 4> calls{};
    std::array<std::string, 4> texts;
    std::array<bool, 4> found{}, fault{};
    std::array<int, 4> columns{};
    Examination examination;
    examination.label = [&](std::size_t i, const LabelText& one) {
      ++calls[i], texts[i] = one.text, found[i] = one.found, fault[i] = !one.fault.empty();
      columns[i] = examination.key_point_columns;
    };
    IndexOptions options;
    options.examination = &examination;
    read_index(read_description(folder / "data.yaml"), "train", options);
    // Key points without kpt_shape are known once all files are read; then they are read again.
    EXPECT_EQ(calls, (pose ? std::array{2, 2, 2, 2} : std::array{1, 1, 1, 1}));
    EXPECT_EQ(columns[3], pose ? 6 : 0);
    EXPECT_EQ(texts[0], test::read_text(label("0.txt")));
    EXPECT_EQ(found, (std::array{true, false, true, true}));
    EXPECT_EQ(fault, (std::array{false, false, true, false}));
  }
}

}  // namespace
}  // namespace yolov7::dataset
