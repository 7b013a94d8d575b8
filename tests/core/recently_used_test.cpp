#include "core/recently_used.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace yolov7 {
namespace {

TEST(RecentlyUsed, TheLongestUnaskedMakesRoom) {
  RecentlyUsed<int, std::string> kept(2);
  int made = 0;
  const auto get = [&](int key) {
    return kept.get(key, [&] { return std::to_string(key) + "/" + std::to_string(++made); });
  };
  EXPECT_EQ(get(1), "1/1");
  EXPECT_EQ(get(2), "2/2");
  EXPECT_EQ(get(1), "1/1");
  EXPECT_EQ(get(3), "3/3");  // 2 goes
  EXPECT_EQ(get(1), "1/1");
  EXPECT_EQ(get(2), "2/4");  // 3 goes
  EXPECT_EQ(get(3), "3/5");
}

TEST(RecentlyUsed, TheOldGoesBeforeTheNewIsMade) {
  RecentlyUsed<int, std::shared_ptr<int>> kept(0);  // one is the least
  const std::weak_ptr<int> first = kept.get(1, [] { return std::make_shared<int>(1); });
  EXPECT_FALSE(first.expired());
  EXPECT_THROW(kept.get(2,
                        [&]() -> std::shared_ptr<int> {
                          EXPECT_TRUE(first.expired());
                          throw std::runtime_error("no memory");
                        }),
               std::runtime_error);
  EXPECT_EQ(*kept.get(2, [] { return std::make_shared<int>(22); }), 22)
      << "what was not made is not kept";
}

}  // namespace
}  // namespace yolov7
