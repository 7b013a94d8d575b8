#include "core/text.hpp"

#include <gtest/gtest.h>

namespace yolov7::text {
namespace {

// What `printf '%s' WORD` of a POSIX shell prints is the text again.
TEST(Text, WordsForAShell) {
  EXPECT_EQ(text::shell_word("runs/train/exp"), "runs/train/exp");
  EXPECT_EQ(text::shell_word("läufe/1"), "läufe/1");
  EXPECT_EQ(text::shell_word("my runs/exp"), "'my runs/exp'");
  EXPECT_EQ(text::shell_word("a'b"), "'a'\\''b'");
  EXPECT_EQ(text::shell_word("$HOME;rm *"), "'$HOME;rm *'");
  EXPECT_EQ(text::shell_word(""), "''");
}

TEST(Text, CsvCells) {
  EXPECT_EQ(text::csv("plain name"), "plain name");
  EXPECT_EQ(text::csv("a,b"), "\"a,b\"");
  EXPECT_EQ(text::csv("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(text::csv("two\nlines"), "two\\x0alines") << "a cell stays in its line";
}

TEST(Text, NumbersAreStrict) {
  EXPECT_EQ(parse_double("1.5"), 1.5);
  EXPECT_EQ(parse_double("+2"), 2.0);
  EXPECT_EQ(parse_double("1e-3"), 0.001);
  for (const char* bad : {"", "1,5", "1.5x", " 1", "0x10", "--1", "+-5", "++5", "+"})
    EXPECT_FALSE(parse_double(bad)) << bad;
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("+7"), 7);
  for (const char* bad : {"", "1.0", "12a", "99999999999999999999", "+-5", "++5", "+"})
    EXPECT_FALSE(parse_int(bad)) << bad;
}

TEST(Text, LinesDropMarksAndReturns) {
  const auto found = lines(
      "\xEF\xBB\xBF"
      "a\r\n\nb");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0], "a");
  EXPECT_EQ(found[1], "");
  EXPECT_EQ(found[2], "b");
}

TEST(Text, SplitKeepsAndDropsEmptyParts) {
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split_blank("  a \t b ").size(), 2u);
  EXPECT_TRUE(split_blank("   ").empty());
}

TEST(Text, PrintableDisarmsTerminals) {
  EXPECT_EQ(printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // C1 control sequence introducer
  EXPECT_EQ(printable("Zürich 猫"), "Zürich 猫");
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate is not valid UTF-8
}

TEST(Text, HtmlEscapesMarkup) {
  EXPECT_EQ(html("<script>'\"&`"), "&lt;script&gt;&#39;&quot;&amp;&#96;");
}

TEST(Text, FileNamesStayInTheirFolder) {
  EXPECT_EQ(file_name("../etc/passwd"), "___etc_passwd");
  EXPECT_EQ(file_name("a:b*c"), "a_b_c");
  EXPECT_EQ(file_name(""), "_");
  EXPECT_EQ(file_name("ok.v2.jpg"), "ok.v2.jpg");
}

TEST(Text, NearestNeedsToBeNear) {
  const std::vector<std::string> names = {"weights", "img-size", "epochs"};
  EXPECT_EQ(nearest("weigths", names), "weights");
  EXPECT_EQ(nearest("epoch", names), "epochs");
  EXPECT_EQ(nearest("eopchs", names), "epochs");  // one exchange of neighbours
  EXPECT_FALSE(nearest("zzzzzz", names));
}

TEST(Text, GeneralIsPercentG) {
  EXPECT_EQ(general(0.5), "0.5");
  EXPECT_EQ(general(1234567), "1.23457e+06");
  EXPECT_EQ(general(0.1234567891, 3), "0.123");
}

}  // namespace
}  // namespace yolov7::text
