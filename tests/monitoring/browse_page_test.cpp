#include "monitoring/browse_page.hpp"

#include <gtest/gtest.h>

namespace yolov7::monitoring {
namespace {

TEST(BrowsePage, HasBoxesFiltersAndOnlyItsOwnScript) {
  BrowsePage page;
  page.title = "s</title><script>x()</script>";
  page.classes = {"a\"b", "c"};
  page.sizes = {"small", "large"};
  page.cards = {{"1.jpg", "val", "\xFF\xD8", 100, 50, {{0.1, 0.2, 0.3, 0.4, 1, 0}}, {"box-twice"}}};
  const std::string text = browse_page(page);
  const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  // 0.1 · 100, 0.2 · 50, 0.3 · 100, 0.4 · 50.
  EXPECT_TRUE(has("<rect x=\"10.0\" y=\"10.0\" width=\"30.0\" height=\"20.0\"")) << text;
  EXPECT_TRUE(has("data-c=\"1\" data-s=\"0\"><title>c</title>"));
  EXPECT_TRUE(has("data-p=\"val\" data-f=\"box-twice\""));
  EXPECT_TRUE(has("<option value=\"0\">a&quot;b</option>"));
  EXPECT_TRUE(has("<option value=\"box-twice\">"));
  EXPECT_TRUE(has("src=\"data:image/jpeg;base64,/9g=\""));
  EXPECT_FALSE(has("<script>x()"));
  EXPECT_EQ(text.find("<script>"), text.rfind("<script>"));
  EXPECT_FALSE(has("://"));
}

}  // namespace
}  // namespace yolov7::monitoring
