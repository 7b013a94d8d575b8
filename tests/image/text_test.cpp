#include "image/drawing/text.hpp"

#include <ft2build.h>
#include <gtest/gtest.h>
#include FT_FREETYPE_H

#include <cmath>
#include <opencv2/core.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "image/drawing/code_points.hpp"
#include "image/drawing/fonts.hpp"
#include "image/drawing/text_line.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

const std::string bundled = YOLOV7_SOURCE_DIR "/fonts/DejaVuSans.ttf";

/// The delivered font, read by FreeType alone.
class Reference {
 public:
  Reference() {
    if (FT_Init_FreeType(&library_) != 0 || FT_New_Face(library_, bundled.c_str(), 0, &face_) != 0)
      throw Error("no reference font");
  }
  ~Reference() { FT_Done_FreeType(library_); }
  /// px, by the widths that stand in the file.
  double advance(char32_t c, double size) const {
    FT_Load_Char(face_, c, FT_LOAD_NO_SCALE);
    return static_cast<double>(face_->glyph->metrics.horiAdvance) * size / face_->units_per_EM;
  }
  bool has(char32_t c) const { return FT_Get_Char_Index(face_, c) != 0; }

 private:
  FT_Library library_ = nullptr;
  FT_Face face_ = nullptr;
};

cv::Mat white(int width, int height) { return {height, width, CV_8UC3, cv::Scalar::all(255)}; }

/// Where a white image is no longer white.
cv::Rect ink(const cv::Mat& picture) {
  cv::Rect found;
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      if (picture.at<cv::Vec3b>(y, x) != cv::Vec3b::all(255)) found |= cv::Rect(x, y, 1, 1);
  return found;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0;
}

cv::Mat drawn(std::string_view text, double size = 32) {
  cv::Mat picture = white(600, 80);
  draw_text(picture, text, {100, 50}, {size});
  return picture;
}

enum class Side { left, right };
/// How far the end of a text is from a letter drawn alone: 0 = the same, 1 = as far as white is.
/// The letter may stand a fraction of a pixel elsewhere.
double unlikeness(const cv::Mat& text, Side side, const cv::Mat& letter) {
  const cv::Rect one = ink(letter), all = ink(text);
  const int x = side == Side::left ? all.x : all.br().x - one.width;
  return cv::norm(text(cv::Rect(x, one.y, one.width, one.height)), letter(one), cv::NORM_L1) /
         cv::norm(white(one.width, one.height), letter(one), cv::NORM_L1);
}

// U+0378 belongs to no script, U+10FFFD is private: no font of any machine has them.
const std::string unassigned = "\u0378", private_use = "\U0010fffd";
const std::string arabic = "\u062e\u0644\u064a\u0629";  // a cell
const std::string chinese = "\u7ea2\u7ec6\u80de";

}  // namespace

// HHIIHH has no kerning: the widths in the file, summed up.
TEST(Text, WidthIsTheSumOfTheFontsAdvances) {
  const Reference font;
  for (const double size : {10.0, 12.0, 16.5, 40.0, 123.0}) {
    double sum = 0;
    for (const char c : std::string("HHIIHH")) sum += font.advance(static_cast<char32_t>(c), size);
    EXPECT_NEAR(lay_out(U"HHIIHH", size, false)->advance, sum, 6 / 64.0) << size;
    EXPECT_EQ(text_width("HHIIHH", {size}),
              static_cast<int>(std::ceil(lay_out(U"HHIIHH", size, false)->advance)));
  }
}

TEST(Text, InkLiesInTheExtentAndNowhereElse) {
  for (const char* text :
       {"cat 0.87", "Agjpq|()", "\u0442\u0440\u043e\u043c\u0431", "Globule/\u00e9 \u00df",
        "\u062e\u0644\u064a\u0629 \u062d\u0645\u0631\u0627\u0621", "j", "\u00c5\u0301\u0328x"})
    for (const double size : {10.0, 13.0, 30.0})
      for (const bool bold : {false, true}) {
        cv::Mat picture = white(700, 120);
        draw_text(picture, text, {60, 70}, {size, bold});
        const TextExtent extent = text_extent(text, {size, bold});
        const cv::Rect place(60 - extent.left, 70 - extent.above, extent.width(), extent.height());
        const cv::Rect found = ink(picture);
        SCOPED_TRACE(testing::Message() << text << ' ' << size << ' ' << bold);
        ASSERT_FALSE(found.empty());
        EXPECT_EQ(found & place, found) << found << ' ' << place;
        EXPECT_GT(found.width * 2, place.width * (found.width > size ? 1 : 0));
      }
}

// The capitals of DejaVu Sans are 1493 of 2048 units high.
TEST(Text, CapitalsStandOnTheBaseLine) {
  const cv::Rect found = ink(drawn("H", 40));
  EXPECT_NEAR(found.height, 40 * 1493.0 / 2048, 1.5);
  EXPECT_EQ(found.br().y, 50);
}

TEST(Text, AnchorsAreThePartThatIsPlaced) {
  const TextStyle style{30};
  cv::Mat left = white(600, 80), centre = left.clone(), right = left.clone();
  draw_text(left, "HHH", {300, 50}, style);
  draw_text(centre, "HHH", {300, 50}, style, TextAnchor::centre);
  draw_text(right, "HHH", {300, 50}, style, TextAnchor::right);
  const double width = lay_out(U"HHH", 30, false)->advance;
  EXPECT_NEAR(ink(left).x - ink(right).x, width, 1);
  EXPECT_NEAR(ink(left).x - ink(centre).x, width / 2, 1);
}

TEST(Text, UpwardTextIsTheSameTurned) {
  cv::Mat picture = white(80, 600);
  draw_upward_text(picture, "Half", {40, 300}, {32});
  cv::Mat turned;
  cv::rotate(picture, turned, cv::ROTATE_90_CLOCKWISE);
  const cv::Mat level = drawn("Half");
  ASSERT_EQ(ink(turned).size(), ink(level).size());
  EXPECT_TRUE(same(turned(ink(turned)), level(ink(level))));
  EXPECT_NEAR(ink(picture).x + ink(picture).width / 2.0, 40, 2);
  EXPECT_NEAR(ink(picture).y + ink(picture).height / 2.0, 300, 2);
}

TEST(Text, TheColourIsTheOneAskedFor) {
  cv::Mat picture(80, 200, CV_8UC3, cv::Scalar(10, 200, 30));
  draw_text(picture, "\u2588", {50, 60}, {40, false, {200, 20, 250}});  // a full block
  EXPECT_EQ(picture.at<cv::Vec3b>(45, 60), cv::Vec3b(200, 20, 250));
  EXPECT_EQ(picture.at<cv::Vec3b>(45, 150), cv::Vec3b(10, 200, 30));
}

TEST(Text, WhatLiesOutsideIsCut) {
  cv::Mat picture = white(40, 20);
  for (const cv::Point at : {cv::Point(-30, 15), cv::Point(35, 15), cv::Point(0, -100),
                             cv::Point(0, 300), cv::Point(10000, 10)})
    EXPECT_NO_THROW(draw_text(picture, "a long text", at, {20}));
  cv::Mat grey(10, 10, CV_8UC1);
  EXPECT_THROW(draw_text(grey, "a", {2, 8}, {8}), Error);
}

// Logical order alef, beh, jeem: alef stands at the right, jeem at the left. An alef does not join
// what follows it, so it looks as it does alone.
TEST(Text, RightToLeftIsOrderedForDisplay) {
  const cv::Mat alef = drawn("\u0627"), word = drawn("\u0627\u0628\u062c");
  EXPECT_LT(unlikeness(word, Side::right, alef), 0.4);
  EXPECT_GT(unlikeness(word, Side::left, alef), 0.6);
}

// Letters in the middle of a word are narrower than alone: lam alone and between two others.
TEST(Text, ArabicLettersAreJoined) {
  const double alone = lay_out(U"\u0644", 64, false)->advance,
               three = lay_out(U"\u0644\u0644\u0644", 64, false)->advance;
  EXPECT_LT(three, 3 * alone - 10);
  const cv::Rect all = ink(drawn("\u0644\u0644\u0644"));
  const cv::Mat word = drawn("\u0644\u0644\u0644");
  for (int x = all.x; x < all.br().x; ++x)  // no gap between the letters
    EXPECT_FALSE(ink(word(cv::Rect(x, 0, 1, word.rows))).empty()) << x;
}

// The name stays left of the score, whatever its direction.
TEST(Text, ANameKeepsItsPlaceBesideTheScore) {
  for (const std::string& name : {arabic, arabic + " (3", "\u05d3\u05dd " + arabic}) {
    const cv::Mat whole = drawn(isolated(name) + " H"), score = drawn("H");
    EXPECT_LT(unlikeness(whole, Side::right, score), 0.4) << name;
    EXPECT_GT(unlikeness(whole, Side::left, score), 0.6) << name;
  }
  EXPECT_EQ(isolated("plain"), "plain");
  EXPECT_EQ(isolated(chinese), chinese);
}

// An override in a name cannot turn the score round.
TEST(Text, DirectionControlsAreShownNotObeyed) {
  EXPECT_EQ(drawable_text("a\u202eb"), "a\\u202eb");
  EXPECT_EQ(drawable_text("a\u2028b"), "a\\u2028b");
  EXPECT_EQ(isolated("a\u2069b"), "\u2068a\\u2069b\u2069");
}

TEST(Text, CombiningMarksTakeNoWidthAndStayWithTheirLetter) {
  EXPECT_NEAR(lay_out(U"e\u0301", 32, false)->advance, lay_out(U"e", 32, false)->advance, 0.1);
  const std::u32string text = U"ae\u0301\u0323b";
  EXPECT_EQ(whole_start(text, 1), U"a");
  EXPECT_EQ(whole_start(text, 2), U"a");
  EXPECT_EQ(whole_start(text, 3), U"a");
  EXPECT_EQ(whole_start(text, 4), U"ae\u0301\u0323");
  EXPECT_EQ(whole_start(text, 9), text);
}

TEST(Text, FittingTextLosesTheEndOfTheName) {
  const TextStyle style{20};
  const int room = text_width("aeropl.. 0.87", style);
  EXPECT_EQ(fitting_text("aeroplane", " 0.87", style, room), "aeropl.. 0.87");
  EXPECT_EQ(fitting_text("aeroplane", " 0.87", style, 1000), "aeroplane 0.87");
  EXPECT_EQ(fitting_text("aeroplane", " 0.87", style, text_width("0.87", style)), "0.87");
  EXPECT_EQ(fitting_text("aeroplane", " 0.87", style, 10), "");
  // Marks never lose their letter: the name is cut before the e, not between it and its accent.
  const std::string marked = "xe\u0301\u0301\u0301\u0301";
  EXPECT_EQ(fitting_text(marked + marked, "", style, text_width("xe\u0301..", style) - 1), "x..");
  for (int width = 30; width < 400; width += 7)
    EXPECT_LE(
        text_width(fitting_text(arabic + " \u062d\u0645\u0631\u0627\u0621", " 0.5", style, width),
                   style),
        width);
}

TEST(Text, WhatNoFontHasIsDrawnAsItsCodeAndSaid) {
  const test::KeptMessages kept;
  EXPECT_EQ(drawable_text("a" + unassigned + "b", "class 3"), "a\\u0378b");
  EXPECT_EQ(drawable_text(unassigned, "class 4"), "\\u0378");  // said once
  const std::string said = kept.text();
  EXPECT_NE(said.find("class 3"), std::string::npos) << said;
  EXPECT_NE(said.find("\\u0378"), std::string::npos) << said;
  EXPECT_NE(said.find("YOLOV7_FONT"), std::string::npos) << said;
  EXPECT_EQ(said.find("class 4"), std::string::npos) << said;
  EXPECT_EQ(drawable_text(private_use), "\\U0010fffd");
  EXPECT_TRUE(same(drawn(unassigned), drawn("\\u0378")));
}

TEST(Text, DrawableTextIsOrdinaryTextUnchanged) {
  EXPECT_EQ(drawable_text("traffic light ?!"), "traffic light ?!");
  EXPECT_EQ(drawable_text("Tor\u00fcr \u0416 \u03a9"), "Tor\u00fcr \u0416 \u03a9");
  EXPECT_EQ(drawable_text("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(drawable_text("<script>`'\""), "<script>`'\"");
  EXPECT_EQ(drawable_text("\xff"), "\\xff");
  EXPECT_EQ(drawable_text(std::string(5000, 'x')), std::string(400, 'x') + "..");
}

TEST(Text, AClassWithoutLettersIsItsNumber) {
  const std::vector<std::string> names = {"cat", unassigned + private_use, "x" + unassigned,
                                          arabic};
  EXPECT_EQ(class_label(0, names), "cat");
  EXPECT_EQ(class_label(1, names), "class 1");
  EXPECT_EQ(class_label(2, names), "x\\u0378");
  EXPECT_EQ(class_label(3, names), arabic);
  EXPECT_EQ(class_label(4, names), "class 4");
  EXPECT_EQ(class_label(-2, names), "class -2");
}

TEST(Text, ScriptsHaveNames) {
  EXPECT_EQ(script_name(0x732B), "Chinese (Han)");
  EXPECT_EQ(script_name(0x0416), "Cyrillic");
  EXPECT_EQ(script_name(0x1F600), "symbol");
  EXPECT_EQ(script_name(0x10330), "Goth");
  EXPECT_EQ(script_name(0x0378), "private or unassigned");
  EXPECT_EQ(font_package(0x732B), "fonts-noto-cjk");
}

TEST(Text, CodePointsAndBack) {
  for (const std::string& text : {std::string("a\u00e9\u732b\U0001f600"), arabic, std::string()})
    EXPECT_EQ(utf8(code_points(text)), text);
  EXPECT_EQ(code_points("\u00e9\u732b\U0001f600"), (std::u32string{0xE9, 0x732B, 0x1F600}));
}

// Many threads, sizes and texts: as one thread draws them (and no race under -fsanitize=thread).
TEST(Text, ThreadsDrawTheSame) {
  const auto pictures = [] {
    std::vector<cv::Mat> all;
    for (int i = 0; i < 40; ++i)
      all.push_back(drawn("name " + std::to_string(i) + " " + arabic, 10 + i % 7));
    return all;
  };
  const std::vector<cv::Mat> wanted = pictures();
  std::vector<std::vector<cv::Mat>> found(4);
  {
    std::vector<std::jthread> threads;
    for (auto& one : found) threads.emplace_back([&] { one = pictures(); });
  }
  for (const auto& one : found)
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(same(one[i], wanted[i])) << i;
}

// More shapes than the cache keeps (8 MB): what is drawn after it was emptied is the same.
TEST(Text, AFullCacheChangesNothing) {
  const cv::Mat before = drawn("ABCDEFG");
  cv::Mat large = white(900, 900);
  for (int size = 500; size < 600; ++size)
    draw_text(large, "MW", {0, 700}, {static_cast<double>(size)});
  EXPECT_TRUE(same(drawn("ABCDEFG"), before));
}

TEST(Text, WideScriptsWhereAFontIsThere) {
  if (!has_font(0x7EA2))
    GTEST_SKIP() << "no font of this machine has Chinese characters (Debian: fonts-noto-cjk)";
  // An em each, as Chinese type is set.
  EXPECT_NEAR(lay_out(U"\u7ea2\u7ec6\u80de", 40, false)->advance, 3 * 40, 1);
  const cv::Rect found = ink(drawn(chinese));
  EXPECT_GT(found.width, 2.6 * 32);
  EXPECT_EQ(class_label(0, std::vector<std::string>{chinese}), chinese);
}

TEST(Fonts, SansSerifOfUsualWeightComesFirst) {
  const test::ScratchFolder folder;
  for (const char* name :
       {"a/Zapf.otf", "a/NotoSans-Bold.ttf", "b/NotoSansCJK-Regular.ttc", "b/DejaVuSans.ttf",
        "b/OpenSans-Regular.TTF", "b/readme.txt", "b/LastResort.otf", "b/NotoSerif-Regular.ttf"})
    folder.write(name, "no font");
  std::vector<std::string> order;
  for (const auto& file : font_files({folder.path(), folder / "missing"}))
    order.push_back(file.filename().string());
  EXPECT_EQ(order, (std::vector<std::string>{"NotoSansCJK-Regular.ttc", "DejaVuSans.ttf",
                                             "OpenSans-Regular.TTF", "Zapf.otf",
                                             "NotoSans-Bold.ttf", "NotoSerif-Regular.ttf"}));
}

TEST(Fonts, FurtherFilesAreOpenedWhenTheyAreNeeded) {
  const test::ScratchFolder folder;
  folder.write("broken.ttf", "no font");
  Fonts fonts({bundled}, {folder / "broken.ttf", bundled});
  EXPECT_EQ(fonts.opened(), 1u);
  EXPECT_EQ(fonts.find('A'), 0u);
  EXPECT_EQ(fonts.find(0x0416), 0u);
  EXPECT_EQ(fonts.opened(), 1u);
  EXPECT_EQ(fonts.find(0x0378),
            std::nullopt);  // no font has it: all are looked at, also broken ones
  EXPECT_EQ(fonts.opened(), 2u);
}

TEST(Fonts, ErrorsNameTheFile) {
  const test::ScratchFolder folder;
  folder.write("broken.ttf", "no font");
  for (const char* name : {"broken.ttf", "missing.ttf"}) {
    const std::string said = test::error_of([&] { Fonts({folder / name}, {}); });
    EXPECT_NE(said.find(name), std::string::npos) << said;
  }
  EXPECT_THROW(Fonts({}, {}), Error);
  EXPECT_FALSE(first_fonts().empty());  // the delivered one
}

}  // namespace yolov7
