#include "core/encoding.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::text {
namespace {

using namespace std::string_literals;

std::string utf8(const std::string& text) { return as_utf8(text, "a.xml"); }
std::string declared(const std::string& name, const std::string& text) {
  return "<?xml version=\"1.0\" encoding=\"" + name + "\"?>\n<a>" + text + "</a>";
}

// Bytes by the tables of the encodings: "кот" in windows-1251 and KOI8-R, "猫" (U+732B) in GBK,
// Shift JIS and Big5, "ü" in ISO-8859-1, "고" (U+ACE0) in EUC-KR.
TEST(Encoding, OfXmlDeclarationsIsHonoured) {
  EXPECT_EQ(utf8(declared("windows-1251", "\xEA\xEE\xF2")), declared("UTF-8", "кот"));
  EXPECT_EQ(utf8(declared("KOI8-R", "\xCB\xCF\xD4")), declared("UTF-8", "кот"));
  EXPECT_EQ(utf8(declared("gb2312", "\xC3\xA8")), declared("UTF-8", "猫"));
  EXPECT_EQ(utf8(declared("Shift_JIS", "\x94\x4C")), declared("UTF-8", "猫"));
  EXPECT_EQ(utf8(declared("big5", "\xBF\xDF")), declared("UTF-8", "貓"));
  EXPECT_EQ(utf8(declared("ISO-8859-1", "\xFC")), declared("UTF-8", "ü"));
  EXPECT_EQ(utf8(declared("euc-kr", "\xB0\xED")), declared("UTF-8", "고"));
}

TEST(Encoding, ASecondCallChangesNothing) {
  const std::string once = utf8(declared("windows-1251", "\xEA\xEE\xF2"));
  EXPECT_EQ(utf8(once), once);
}

TEST(Encoding, Utf8AsciiAndNoDeclarationStayAsTheyAre) {
  for (const std::string& text :
       {declared("UTF-8", "кот"), declared("us-ascii", "cat"), "a,b\n1,2\n"s, ""s,
        "no declaration: encoding=\"windows-1251\"?>"s,
        // A declaration that can be read as bytes is none of UTF-16.
        declared("UTF-16", "cat")})
    EXPECT_EQ(utf8(text), text);
  EXPECT_EQ(utf8("\xEF\xBB\xBF"
                 "a"),
            "a");
}

// "aü猫" followed by U+1F408 (a pair of surrogates: D83D DC08).
TEST(Encoding, ByteOrderMarks) {
  const std::string expected = "aü猫\U0001F408";
  EXPECT_EQ(utf8("\xFF\xFE"
                 "a\0\xFC\0\x2B\x73\x3D\xD8\x08\xDC"s),
            expected);
  EXPECT_EQ(utf8("\xFE\xFF\0a\0\xFC\x73\x2B\xD8\x3D\xDC\x08"s), expected);
  EXPECT_EQ(utf8("\xFF\xFE\0\0a\0\0\0"s), "a");
  EXPECT_EQ(utf8("\0\0\xFE\xFF\0\0\0a"s), "a");
  EXPECT_EQ(utf8("<\0?\0x\0m\0l\0 \0?\0>\0"s), "<?xml ?>");
}

TEST(Encoding, WhatIsUnknownOrBrokenIsRefusedByName) {
  EXPECT_EQ(test::error_of([] { utf8(declared("klingon-8", "x")); }),
            "a.xml:1: expected an encoding that this machine can read (UTF-8 is the safe one), "
            "found 'klingon-8'");
  EXPECT_NE(test::error_of([] { utf8(declared("../../x", "x")); }).find("found '../../x'"),
            std::string::npos);
  EXPECT_EQ(test::error_of([] { utf8(declared("gb2312", "\n\xFF\xFF")); }),
            "a.xml:3: expected text in gb18030, found bytes that are none");
  EXPECT_EQ(test::error_of([] {
              utf8(
                  "\xFF\xFE"
                  "a\0b"s);
            }),
            "a.xml:1: expected text in UTF-16LE, found bytes that are none (the file ends within a "
            "character)");
}

TEST(Encoding, HeadsMayEndAnywhere) {
  EXPECT_EQ(head_as_utf8("\xFF\xFE"
                         "a\0b"s),
            "a");
  EXPECT_EQ(head_as_utf8(declared("klingon-8", "x")), declared("klingon-8", "x"));
  EXPECT_EQ(head_as_utf8(declared("gb2312", "\xC3")),
            declared("gb2312", "\xC3"));  // \xC3 and '<' are no character
  EXPECT_EQ(head_as_utf8("plain"), "plain");
}

TEST(Encoding, LongTextsAreConvertedInPieces) {
  std::string latin = declared("ISO-8859-1", std::string(100'001, '\xE9'));
  std::string expected;
  for (int i = 0; i < 100'001; ++i) expected += "é";
  EXPECT_EQ(utf8(latin), declared("UTF-8", expected));
}

}  // namespace
}  // namespace yolov7::text
