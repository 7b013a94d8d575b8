// What report pages are made of.
#include "monitoring/html_page.hpp"

#include <gtest/gtest.h>

namespace yolov7::monitoring {
namespace {

// RFC 4648, section 10.
TEST(Base64, PublishedVectors) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE"), "//4=");
}

TEST(HtmlPage, EscapesCellsAndShortensNumbers) {
  const std::string table = html_table({{"a<b", "n"}, {{"<i>", "0.123456"}}});
  EXPECT_NE(table.find("<th>a&lt;b</th>"), std::string::npos) << table;
  EXPECT_NE(table.find("<td>&lt;i&gt;</td><td>0.1235</td>"), std::string::npos) << table;
}

// Classes may be called by numbers.
TEST(HtmlPage, NamesStayAsTheyAre) {
  const std::string table = html_table({{"class", "AP"}, {{"1.50", "0.500000"}}});
  EXPECT_NE(table.find("<td>1.50</td><td>0.5</td>"), std::string::npos) << table;
  const std::string by_round = html_table({{"round", "class"}, {{"1", "1.50"}}, 2});
  EXPECT_NE(by_round.find("<td>1</td><td>1.50</td>"), std::string::npos) << by_round;
}

TEST(HtmlPage, RunsAScriptOnlyWhereOneIsAskedFor) {
  EXPECT_EQ(page_head("x", "Check").find("script-src"), std::string::npos);
  EXPECT_NE(page_head("x", "Check", true).find("script-src 'unsafe-inline'"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::monitoring
