#include "run/class_pairs.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

TEST(ClassPairs, AreMatchedByName) {
  const ClassPairs pairs = pair_classes({"a", "b", "c"}, {"c", "x", "a"});
  EXPECT_EQ(pairs.pairs, (std::vector<std::pair<int, int>>{{0, 2}, {2, 0}}));
  EXPECT_EQ(pairs.missing, std::vector<std::string>{"b"});
  EXPECT_EQ(pairs.unused, std::vector<std::string>{"x"});
  EXPECT_EQ(describe(pairs),
            "2 of 3 classes are the teacher's; it does not have 1: 'b'; of its own, 1 are not "
            "used: 'x'");
  EXPECT_EQ(describe(pair_classes({"a"}, {"a"})), "1 of 1 classes are the teacher's");
}

TEST(ClassPairs, ANameTwiceIsAnError) {
  EXPECT_EQ(test::error_of([] {
              pair_classes({"a", "b"}, {"b", "a", "b"});
            }),
            "classes are matched by name: expected each name once, found 'b' as 0 and 2 of the "
            "teacher");
}

}  // namespace
}  // namespace yolov7::run
