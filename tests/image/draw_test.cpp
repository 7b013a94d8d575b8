#include "image/drawing/draw.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "image/drawing/text.hpp"

using namespace yolov7;

namespace {

const std::vector<std::string> names = {"cat", "traffic light", "dog"};

cv::Vec3b pixel(const cv::Scalar& colour) {
  return {static_cast<uchar>(colour[0]), static_cast<uchar>(colour[1]),
          static_cast<uchar>(colour[2])};
}

// WCAG 2, from its text: relative luminance of sRGB, contrast (L1 + 0.05) / (L2 + 0.05).
double luminance(const cv::Scalar& bgr) {
  double sum = 0;
  const double weights[] = {0.0722, 0.7152, 0.2126};
  for (int k = 0; k < 3; ++k) {
    const double v = bgr[k] / 255;
    sum += weights[k] * (v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return sum;
}
double contrast(const cv::Scalar& a, const cv::Scalar& b) {
  const double la = luminance(a) + 0.05, lb = luminance(b) + 0.05;
  return std::max(la, lb) / std::min(la, lb);
}

// The largest difference of a channel.
double distance(const cv::Vec3b& found, const cv::Scalar& wanted) {
  double largest = 0;
  for (int k = 0; k < 3; ++k) largest = std::max(largest, std::abs(found[k] - wanted[k]));
  return largest;
}

cv::Mat grey(int width, int height) { return {height, width, CV_8UC3, cv::Scalar::all(100)}; }

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0;
}

}  // namespace

TEST(Draw, TenFixedColours) {
  EXPECT_EQ(class_colour(0), cv::Scalar(0xb4, 0x77, 0x1f));
  EXPECT_EQ(class_colour(3), cv::Scalar(0x28, 0x27, 0xd6));
  EXPECT_EQ(class_colour(9), cv::Scalar(0xcf, 0xbe, 0x17));
}

TEST(Draw, FurtherColoursAreDifferentAndFixed) {
  std::set<std::vector<int>> colours;
  for (int c = 0; c < 200; ++c) {
    const cv::Scalar colour = class_colour(c);
    for (int k = 0; k < 3; ++k) {
      EXPECT_GE(colour[k], 0);
      EXPECT_LE(colour[k], 255);
      EXPECT_EQ(colour[k], std::floor(colour[k]));
    }
    colours.insert(
        {static_cast<int>(colour[0]), static_cast<int>(colour[1]), static_cast<int>(colour[2])});
    EXPECT_EQ(colour, class_colour(c));
  }
  EXPECT_GE(colours.size(), 198u);
  EXPECT_NE(class_colour(0, 1), class_colour(0));
  EXPECT_NE(class_colour(0, 1), class_colour(0, 2));
  EXPECT_NO_THROW(class_colour(-1));
}

TEST(Draw, CaptionsContrastWithEveryColour) {
  // The worst background lies where black and white are equal: sqrt(21) = 4.58.
  for (int c = 0; c < 500; ++c)
    EXPECT_GE(contrast(readable_on(class_colour(c)), class_colour(c)), 4.58) << c;
  for (int v = 0; v < 256; ++v)
    EXPECT_GE(contrast(readable_on(cv::Scalar::all(v)), cv::Scalar::all(v)), 4.55) << v;
  EXPECT_EQ(readable_on({255, 255, 255}), cv::Scalar(0, 0, 0));
  EXPECT_EQ(readable_on({0, 0, 0}), cv::Scalar(255, 255, 255));
}

TEST(Draw, RectangleLiesOnTheBox) {
  cv::Mat picture = grey(200, 150);
  DrawOptions options;
  options.line_thickness = 1;
  options.hide_labels = true;
  const Detection detection{{40, 30, 120, 90}, 0.87f, 1};
  draw_detections(picture, {&detection, 1}, names, options);
  for (const cv::Point p :
       {cv::Point(80, 30), cv::Point(80, 90), cv::Point(40, 60), cv::Point(120, 60)})
    EXPECT_LE(distance(picture.at<cv::Vec3b>(p), class_colour(1)), 16)
        << p;  // anti-aliased: a line of 1 px is not opaque
  for (const cv::Point p : {cv::Point(80, 60), cv::Point(80, 33), cv::Point(80, 27),
                            cv::Point(36, 60), cv::Point(124, 60)})
    EXPECT_EQ(picture.at<cv::Vec3b>(p), cv::Vec3b::all(100)) << p;
}

TEST(Draw, AutomaticLineThickness) {
  // round(0.001 · (1500 + 1500)) + 1 = 4 px of line.
  cv::Mat picture = grey(1500, 1500);
  DrawOptions options;
  options.hide_labels = true;
  const Detection detection{{500, 500, 1000, 1000}, 0.87f, 0};
  draw_detections(picture, {&detection, 1}, names, options);
  int full = 0;
  for (int y = 480; y < 520; ++y) full += picture.at<cv::Vec3b>(y, 750) == pixel(class_colour(0));
  // An even width cannot lie symmetrically on whole pixels: one pixel more or less.
  EXPECT_GE(full, 3);
  EXPECT_LE(full, 5);
}

TEST(Draw, CaptionSaysNameAndScore) {
  const Caption caption = place_caption("cat", " 0.87", {100, 100, 200, 200}, {640, 480}, 2);
  EXPECT_EQ(caption.text, "cat 0.87");
  EXPECT_EQ(caption.background.x, 100);
  EXPECT_EQ(caption.background.y + caption.background.height, 100);  // stands on the box
}

TEST(Draw, CaptionStaysInsideEverywhere) {
  for (const cv::Size size : {cv::Size(64, 48), cv::Size(160, 120), cv::Size(640, 480),
                              cv::Size(1920, 1080), cv::Size(6000, 4000)})
    for (const double fx : {-0.2, 0.0, 0.3, 0.95, 1.0, 1.3})
      for (const double fy : {-0.2, 0.0, 0.01, 0.5, 0.99, 1.0, 1.3})
        for (const char* name :
             {"x", "traffic light",
              "a class name that is much longer than anybody would like to read in an image",
              "\u0442\u0440\u043e\u043c\u0431\u043e\u0446\u0438\u0442",
              "\u062e\u0644\u064a\u0629 \u062d\u0645\u0631\u0627\u0621"}) {
          const Xyxy box{fx * size.width, fy * size.height, fx * size.width + 20,
                         fy * size.height + 20};
          const Caption caption = place_caption(name, " 0.87", box, size, 2);
          SCOPED_TRACE(testing::Message() << size << ' ' << fx << ' ' << fy << ' ' << name);
          ASSERT_FALSE(caption.background.empty());
          EXPECT_EQ(caption.background & cv::Rect({0, 0}, size), caption.background);
          const TextExtent text = text_extent(caption.text, {caption.size});
          const cv::Rect letters(caption.origin.x - text.left, caption.origin.y - text.above,
                                 text.width(), text.height());
          EXPECT_EQ(letters & caption.background, letters);
          EXPECT_TRUE(caption.text.ends_with("0.87"));
          // The capitals of the delivered font are 1493 of 2048 units high.
          const double capitals = caption.size * 1493 / 2048;
          EXPECT_GE(capitals, 7);                               // legible
          EXPECT_GE(capitals * 200, size.width + size.height);  // also on a large picture
        }
}

// Letters lie on the caption's rectangle alone, in names of any script, also with marks piled up.
TEST(Draw, NoLetterLeavesItsCaption) {
  std::string piled = "a";
  for (int i = 0; i < 30; ++i) piled += "\u0301";
  for (const std::string& name :
       {std::string("Globule/\u00e9 \u00df"), std::string("\u0442\u0440\u043e\u043c\u0431"),
        std::string("\u062e\u0644\u064a\u0629"), std::string("\u7ea2\u7ec6\u80de"), piled}) {
    const Caption caption = place_caption(name, " 0.87", {40, 60, 200, 140}, {320, 200}, 2);
    ASSERT_FALSE(caption.background.empty());
    cv::Mat picture = grey(320, 200);
    draw_caption(picture, caption, cv::Scalar::all(100),
                 {0, 0, 255});  // the letters alone are seen
    int inside = 0;
    for (int y = 0; y < picture.rows; ++y)
      for (int x = 0; x < picture.cols; ++x)
        if (picture.at<cv::Vec3b>(y, x) != cv::Vec3b::all(100)) {
          EXPECT_TRUE(caption.background.contains({x, y})) << name << ' ' << x << ' ' << y;
          ++inside;
        }
    EXPECT_GT(inside, 50) << name;
  }
}

TEST(Draw, CaptionsAvoidEachOther) {
  // Side by side, nearer than a caption is wide; and two on the same box.
  const cv::Size size(640, 480);
  std::vector<cv::Rect> taken;
  for (const Xyxy& box : {Xyxy{100, 100, 200, 300}, Xyxy{140, 100, 240, 300},
                          Xyxy{100, 100, 200, 300}, Xyxy{100, 0, 200, 300}}) {
    const cv::Rect place = place_caption("traffic light", " 0.87", box, size, 1, taken).background;
    ASSERT_FALSE(place.empty());
    EXPECT_EQ(place & cv::Rect({0, 0}, size), place);
    for (const cv::Rect& other : taken) EXPECT_TRUE((other & place).empty());
    taken.push_back(place);
  }
}

TEST(Draw, NoLineCrossesACaption) {
  // The second box's upper edge runs through the place above the first one's.
  cv::Mat picture = grey(300, 200);
  const std::vector<Detection> detections = {{{20, 92, 280, 180}, 0.9f, 0},
                                             {{100, 100, 200, 150}, 0.4f, 2}};
  draw_detections(picture, detections, names, {});
  const cv::Rect first = place_caption("cat", " 0.90", detections[0].box, {300, 200}, 0).background;
  const cv::Rect second =
      place_caption("dog", " 0.40", detections[1].box, {300, 200}, 0, {&first, 1}).background;
  ASSERT_TRUE(second.contains({second.x, 92}));
  for (int x = second.x; x < second.x + second.width; ++x)
    EXPECT_NE(picture.at<cv::Vec3b>(92, x), pixel(class_colour(0))) << x;
}

TEST(Draw, LongNamesAreShortenedAndScoresKept) {
  const Caption caption =
      place_caption("aeroplane of the second kind", " 0.87", {0, 0, 50, 50}, {100, 100}, 1);
  EXPECT_EQ(caption.text.substr(0, 4), "aero");
  EXPECT_NE(caption.text.find(".. 0.87"), std::string::npos) << caption.text;
}

TEST(Draw, NothingWhereNothingFits) {
  EXPECT_TRUE(place_caption("cat", " 0.87", {0, 0, 5, 5}, {9, 200}, 1).background.empty());
  EXPECT_TRUE(place_caption("cat", " 0.87", {0, 0, 5, 5}, {200, 5}, 1).background.empty());
  cv::Mat picture = grey(3, 2);
  const Detection detection{{0, 0, 3, 2}, 0.9f, 0};
  EXPECT_NO_THROW(draw_detections(picture, {&detection, 1}, names, {}));
}

TEST(Draw, OptionsHideLabelAndScore) {
  const Detection detection{{40, 60, 120, 110}, 0.87f, 0};
  const auto drawn = [&](bool labels, bool conf) {
    cv::Mat picture = grey(200, 150);
    DrawOptions options;
    options.hide_labels = labels;
    options.hide_conf = conf;
    draw_detections(picture, {&detection, 1}, names, options);
    return picture;
  };
  const auto coloured = [](const cv::Mat& picture) {
    int count = 0;
    for (int y = 40; y < 58; ++y)
      for (int x = 0; x < 200; ++x) count += picture.at<cv::Vec3b>(y, x) == pixel(class_colour(0));
    return count;
  };
  EXPECT_EQ(coloured(drawn(true, false)), 0);
  EXPECT_GT(coloured(drawn(false, true)), 50);
  EXPECT_GT(coloured(drawn(false, false)), coloured(drawn(false, true)));  // a wider caption
  EXPECT_TRUE(same(drawn(false, false), drawn(false, false)));
}

TEST(Draw, BestDetectionStaysOnTop) {
  cv::Mat picture = grey(100, 100);
  DrawOptions options;
  options.hide_labels = true;
  options.line_thickness = 3;
  const std::vector<Detection> detections = {{{20, 20, 80, 80}, 0.9f, 2},
                                             {{20, 20, 80, 80}, 0.4f, 0}};
  draw_detections(picture, detections, names, options);
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 50), pixel(class_colour(2)));
}

TEST(Draw, StrangeDetections) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               inf = std::numeric_limits<double>::infinity();
  const std::vector<Detection> invalid = {{{nan, 0, 10, 10}, 0.9f, 0}, {{0, 0, inf, 10}, 0.9f, 0}};
  cv::Mat picture = grey(100, 80);
  draw_detections(picture, invalid, names, {});
  EXPECT_TRUE(same(picture, grey(100, 80)));
  const std::vector<Detection> outside = {{{-1e300, -5, 1e300, 1e9}, 0.9f, 77},
                                          {{500, 500, 600, 600}, 0.9f, -3}};
  EXPECT_NO_THROW(draw_detections(picture, outside, names, {}));
  EXPECT_FALSE(same(picture, grey(100, 80)));
  cv::Mat gray(10, 10, CV_8UC1);
  EXPECT_THROW(draw_detections(gray, outside, names, {}), Error);
}
