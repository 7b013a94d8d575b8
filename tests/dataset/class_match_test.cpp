#include "dataset/index/class_match.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

TEST(ClassMatch, ByNameInAnotherOrder) {
  const auto match = match_classes({"cat", "dog", "eel"}, {"eel", "cat", "dog"});
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->model_class, (std::vector<int>{2, 0, 1}));
  EXPECT_FALSE(match->same_order);
  EXPECT_EQ(
      describe(*match, {"eel", "cat", "dog"}),
      "data and model have the same classes in another order, matched by name: data class 0 'eel' "
      "is class 2 of the model, "
      "data class 1 'cat' is class 0 of the model, data class 2 'dog' is class 1 of the model");
}

TEST(ClassMatch, TheSameOrder) {
  const auto match = match_classes({"a", "b"}, {"a", "b"});
  ASSERT_TRUE(match.has_value());
  EXPECT_TRUE(match->same_order);
  EXPECT_EQ(describe(*match, {"a", "b"}), "data and model have the same classes in the same order");
}

TEST(ClassMatch, NothingWhereNamesDifferOrRepeat) {
  EXPECT_FALSE(match_classes({"a", "b"}, {"a"}).has_value());
  EXPECT_FALSE(match_classes({"a", "b"}, {"a", "c"}).has_value());
  EXPECT_FALSE(match_classes({"a", "b"}, {"a", "a"}).has_value());
  EXPECT_FALSE(match_classes({"a", "a"}, {"a", "a"}).has_value());
  EXPECT_FALSE(match_classes({"A"}, {"a"}).has_value());
}

}  // namespace
}  // namespace yolov7::dataset
