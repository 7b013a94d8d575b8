#include "core/escaped_field.hpp"

#include <gtest/gtest.h>

namespace yolov7::text {

TEST(EscapedField, TabsLineFeedsAndBackslashesComeBack) {
  EXPECT_EQ(escaped_field("a\tb\nc\\d"), R"(a\tb\nc\\d)");
  EXPECT_EQ(escaped_field("plain é"), "plain é");
  for (const char* field : {"", "a\tb\nc\\d", "\\t", "\\\\n", "ends\\"})
    EXPECT_EQ(unescaped_field(escaped_field(field)), field);
  EXPECT_EQ(unescaped_field("ends\\"), "ends\\") << "nothing follows";
}

}  // namespace yolov7::text
