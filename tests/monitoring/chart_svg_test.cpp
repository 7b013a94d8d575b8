#include "monitoring/chart_svg.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/error.hpp"

namespace yolov7::monitoring {
namespace {

SvgChart chart() {
  SvgChart one;
  one.chart.title = "a < b";
  one.chart.x = "cost";
  one.chart.lines = {{"first & best", {{10, 0}, {100, 0.5}, {1000, 1}}},
                     {"second", {{10, 1}, {1000, 1}}}};
  one.y = "mAP";
  return one;
}

/// What the line with this colour draws.
std::string path_of(const std::string& svg, const std::string& colour) {
  const std::size_t end = svg.find("\" fill=\"none\" stroke=\"" + colour);
  if (end == std::string::npos) return "";
  const std::size_t begin = svg.rfind('"', end - 1) + 1;
  return svg.substr(begin, end - begin);
}

TEST(ChartSvg, PointsLieWhereTheAxesSay) {
  SvgChart one = chart();
  one.logarithmic = true;
  // 70 … 740 across, 404 … 40 upwards: the middle decade in the middle.
  EXPECT_EQ(path_of(chart_svg(one), "#0072b2"), "M70.0 404.0 L405.0 222.0 L740.0 40.0");
  one.logarithmic = false;
  // 100 is 90 of 990: 70 + 670 / 11.
  EXPECT_EQ(path_of(chart_svg(one), "#0072b2"), "M70.0 404.0 L130.9 222.0 L740.0 40.0");
}

TEST(ChartSvg, TextIsEscapedAndNothingIsLoaded) {
  const std::string svg = chart_svg(chart());
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find("first &amp; best"), std::string::npos);
  EXPECT_EQ(svg.find("href"), std::string::npos);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
}

TEST(ChartSvg, IntervalsAndTheLevelAreInsideTheAxes) {
  SvgChart one = chart();
  one.intervals = {{{-0.5, 0.2}, {0.4, 0.6}, {0.9, 1.5}}};
  one.level = 1.9;
  one.level_name = "target";
  const std::string svg = chart_svg(one);
  EXPECT_NE(svg.find("target"), std::string::npos);
  // The axis goes from −.5 to 2: 0 lies at a fifth of the height.
  EXPECT_EQ(path_of(svg, "#0072b2").substr(0, 11), "M70.0 331.2");
}

TEST(ChartSvg, ValuesThatAreNotFiniteAreLeftOut) {
  SvgChart one = chart();
  one.chart.lines[0].points[1].y = std::nan("");
  EXPECT_EQ(path_of(chart_svg(one), "#0072b2"), "M70.0 404.0 M740.0 40.0");
  one.chart.lines.clear();
  EXPECT_THROW(chart_svg(one), Error);
}

}  // namespace
}  // namespace yolov7::monitoring
