// Colour and tone (data 13.1): pixels by hand, by a plain loop of the formula, or by what is known
// of the light of black bodies.
#include "dataset/augment/transforms/colour.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

using Pixels = std::vector<cv::Vec3b>;

cv::Mat one(const cv::Vec3b& bgr) { return flat({1, 1}, bgr); }
cv::Mat result(std::string_view name, const std::string& parameters, const cv::Mat& picture,
               std::uint64_t seed = 1) {
  return applied_to(colour_transforms(), name, parameters, picture, seed);
}
std::uint8_t rounded(double v) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(v + 0.5), 0.0, 255.0));
}

TEST(ColourTransforms, KeepTheCommonRules) { check_common_rules(colour_transforms()); }

struct ByHand {
  const char* name;
  const char* parameters;
  Pixels in, out;  // B G R
};

// Rows whose result a few pixels show; the arithmetic stands behind each.
const std::vector<ByHand> by_hand{
    {"RandomBrightnessContrast",
     "{brightness_limit: [0.1, 0.1], contrast_limit: [-0.5, -0.5]}",
     {{0, 100, 255}},
     {{26, 76, 153}}},  // 25.5, 75.5, 153 by 0.5 x + 25.5
    {"RandomBrightnessContrast",
     "{brightness_limit: [-0.5, -0.5], contrast_limit: [0, 0], brightness_by_max: false}",
     {{60, 120, 180}},
     {{0, 60, 120}}},                                                          // mean 120
    {"Brightness", "{limit: [0.5, 0.5]}", {{0, 101, 200}}, {{0, 152, 255}}},   // 151.5
    {"Brightness", "{limit: [-0.5, -0.5]}", {{0, 101, 200}}, {{0, 51, 100}}},  // 50.5
    {"Brightness", "{limit: [-0.5, -0.2], darken: false}", {{0, 101, 200}}, {{0, 101, 200}}},
    {"Exposure", "{limit: [1, 1]}", {{0, 64, 255}}, {{0, 128, 255}}},   // 255 √(64/255) = 127.7
    {"Exposure", "{limit: [-1, -1]}", {{0, 64, 255}}, {{0, 16, 255}}},  // 64² / 255 = 16.06
    {"RandomGamma",
     "{gamma_limit: [200, 200]}",
     {{0, 128, 255}},
     {{0, 64, 255}}},  // 128² / 255 = 64.25
    {"HueSaturationValue",
     "{hue_shift: [30, 30], sat_shift: [0, 0], val_shift: [0, 0]}",
     {{0, 0, 255}},
     {{0, 255, 255}}},  // red + 60° = yellow
    {"HueSaturationValue",
     "{hue_shift: [-30, -30], sat_shift: [0, 0], val_shift: [0, 0]}",
     {{0, 0, 255}},
     {{255, 0, 255}}},  // magenta: modulo
    {"HueSaturationValue",
     "{hue_shift: [0, 0], sat_shift: [0, 0], val_shift: [-55, -55]}",
     {{0, 0, 255}, {90, 90, 90}},
     {{0, 0, 200}, {35, 35, 35}}},
    {"HueSaturationValue",
     "{hue_shift: [0, 0], sat_shift: [-255, -255], val_shift: [0, 0]}",
     {{0, 0, 255}},
     {{255, 255, 255}}},  // no saturation: white
    {"Hue",
     "{limit: [120, 120]}",
     {{0, 0, 255}, {70, 70, 70}},
     {{0, 255, 0}, {70, 70, 70}}},  // red → green, grey stays
    {"Hue", "{limit: [-120, -120]}", {{0, 0, 255}}, {{255, 0, 0}}},
    {"Saturation",
     "{limit: [-1, -1]}",
     {{0, 0, 255}, {10, 20, 30}},
     {{255, 255, 255}, {30, 30, 30}}},  // value stays
    {"YoloHSV",
     "{hsv_h: 0, hsv_s: 0, hsv_v: 0}",
     {{0, 0, 255}, {90, 90, 90}},
     {{0, 0, 255}, {90, 90, 90}}},
    {"ColorJitter",
     "{brightness: [0.5, 0.5], contrast: [1, 1], saturation: [1, 1], hue: [0, 0]}",
     {{0, 0, 200}, {90, 90, 90}},
     {{0, 0, 100}, {45, 45, 45}}},
    {"ColorJitter",
     "{brightness: [1, 1], contrast: [0, 0], saturation: [1, 1], hue: [0, 0]}",
     {{90, 90, 90}, {30, 30, 30}},
     {{60, 60, 60}, {60, 60, 60}}},  // mean grey
    {"ColorJitter",
     "{brightness: [1, 1], contrast: [1, 1], saturation: [0, 0], hue: [0, 0]}",
     {{0, 0, 200}, {0, 100, 0}},
     {{60, 60, 60}, {59, 59, 59}}},  // 59.8, 58.7
    {"ColorJitter",
     "{brightness: [1, 1], contrast: [1, 1], saturation: [1, 1], hue: [0.3333, 0.3333]}",
     {{0, 0, 255}},
     {{0, 255, 0}}},  // 59.994 of 180: 60
    {"RGBShift",
     "{r_shift_limit: [10, 10], g_shift_limit: [-20, -20], b_shift_limit: [250, 250]}",
     {{10, 10, 10}},
     {{255, 0, 20}}},
    {"ChannelDropout", "{channel_drop_range: [2, 2], fill: 7}", {{7, 7, 7}}, {{7, 7, 7}}},
    {"ToGray", "{}", {{10, 100, 200}}, {{120, 120, 120}}},  // 1.14 + 58.7 + 59.8 = 119.64
    {"ToGray", "{method: average}", {{10, 100, 201}}, {{104, 104, 104}}},  // 103.67
    {"ToGray", "{method: max}", {{10, 100, 201}}, {{201, 201, 201}}},
    {"ToGray", "{method: desaturation}", {{10, 100, 201}}, {{106, 106, 106}}},  // 105.5
    {"ToSepia",
     "{}",
     {{10, 100, 50}, {255, 255, 255}},
     {{68, 88, 98},
      {239, 255,
       255}}},  // B 13.6+53.4+1.31, G 17.45+68.6+1.68, R 19.65+76.9+1.89; 0.937 · 255 = 238.9
    {"InvertImg", "{}", {{0, 100, 255}}, {{255, 155, 0}}},
    {"Solarize",
     "{threshold_range: [0.5, 0.5]}",
     {{127, 128, 255}},
     {{127, 127, 0}}},  // from 127.5 on
    {"Posterize", "{num_bits: 3}", {{31, 32, 255}}, {{0, 32, 224}}},
    {"Posterize", "{num_bits: 8}", {{31, 32, 255}}, {{31, 32, 255}}},
    {"AutoContrast",
     "{}",
     {{50, 10, 7}, {100, 20, 7}, {150, 60, 7}},
     {{0, 0, 7}, {128, 51, 7}, {255, 255, 7}}},  // 50/100, 10/50; a flat channel stays
    {"AutoContrast",
     "{cutoff: 26}",
     {{0, 0, 0}, {100, 100, 100}, {150, 150, 150}, {255, 255, 255}},
     {{0, 0, 0}, {0, 0, 0}, {255, 255, 255}, {255, 255, 255}}},  // 1.04 of 4 pixels at each end
    {"ContrastStretch",
     "{percentiles: [0, 100]}",
     {{50, 50, 50}, {100, 100, 100}, {150, 150, 150}},
     {{0, 0, 0}, {128, 128, 128}, {255, 255, 255}}},
    {"ContrastStretch",
     "{percentiles: [30, 60]}",
     {{10, 10, 10}, {20, 20, 20}, {30, 30, 30}, {40, 40, 40}},
     {{0, 0, 0}, {0, 0, 0}, {255, 255, 255}, {255, 255, 255}}},  // 1.2 and 1.6 of 4
    {"RandomToneCurve",
     "{scale: 0}",
     {{0, 128, 255}, {64, 64, 64}},
     {{0, 128, 255}, {58, 58, 58}}},  // 128/255 = t: see below; 64/255: 57.6
    {"FancyPCA", "{alpha: 0}", {{1, 2, 3}, {200, 100, 50}}, {{1, 2, 3}, {200, 100, 50}}},
    {"PlanckianJitter", "{temperature_limit: [6500, 6500]}", {{0, 100, 255}}, {{0, 100, 255}}},
};

TEST(ColourTransforms, PixelsByHand) {
  for (const ByHand& c : by_hand) {
    const cv::Size size(static_cast<int>(c.in.size()), 1);
    const cv::Mat found = result(c.name, c.parameters, pixels(size, c.in));
    EXPECT_EQ(largest_difference(found, pixels(size, c.out)), 0)
        << c.name << ' ' << c.parameters << ": " << found;
  }
}

// A single limit is drawn from both sides: over many keys the factor 1 ± 0.5 reaches both quarters
// of its range, and stays in it.
TEST(ColourTransforms, LimitsReachToBothSides) {
  for (const auto& [name, parameters] :
       {std::pair<const char*, const char*>{"Brightness", "{limit: 0.5}"},
        {"RandomBrightnessContrast", "{contrast_limit: 0.5, brightness_limit: 0}"}}) {
    int low = 255, high = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const int v = result(name, parameters, one({100, 100, 100}), seed).at<cv::Vec3b>(0, 0)[0];
      low = std::min(low, v), high = std::max(high, v);
    }
    EXPECT_TRUE(low >= 50 && low < 75 && high > 125 && high <= 150)
        << name << ' ' << low << ' ' << high;
  }
}

TEST(ChannelShuffle, IsOneOfTheSixOrders) {
  std::set<std::vector<int>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const cv::Mat found =
        result("ChannelShuffle", "{}", pixels({2, 1}, {{1, 2, 3}, {4, 5, 6}}), seed);
    const cv::Vec3b a = found.at<cv::Vec3b>(0, 0), b = found.at<cv::Vec3b>(0, 1);
    EXPECT_EQ(a[0] + a[1] + a[2], 6);
    for (int c = 0; c < 3; ++c) EXPECT_EQ(b[c], a[c] + 3);
    seen.insert({a[0], a[1], a[2]});
  }
  EXPECT_EQ(seen.size(), 6u);
}

TEST(ChannelDropout, DropsSoManyAndLeavesOne) {
  for (const int count : {1, 2}) {
    std::set<int> dropped;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const cv::Vec3b p =
          result("ChannelDropout", "{channel_drop_range: " + std::to_string(count) + ", fill: 9}",
                 one({1, 2, 3}), seed)
              .at<cv::Vec3b>(0, 0);
      int gone = 0;
      for (int c = 0; c < 3; ++c) {
        EXPECT_TRUE(p[c] == 9 || p[c] == c + 1);
        if (p[c] == 9) ++gone, dropped.insert(c);
      }
      EXPECT_EQ(gone, count);
    }
    EXPECT_EQ(dropped.size(), 3u);
  }
}

// The drawn gains by the stream: pure red keeps hue 0 and saturation 255, value 200 · (1 + u₃ ·
// 0.4) truncated.
TEST(YoloHSV, TakesTheThreeDrawsInOrder) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random draws(seed, 0, 0, 0);
    draws.uniform(-1, 1), draws.uniform(-1, 1);
    const double gain = 1 + 0.4 * draws.uniform(-1, 1);
    EXPECT_EQ(result("YoloHSV", "{hsv_h: 0, hsv_s: 0, hsv_v: 0.4}", one({0, 0, 200}), seed)
                  .at<cv::Vec3b>(0, 0)[2],
              std::min(255, static_cast<int>(200 * gain)));
  }
}

// Brightness before or after contrast 0: the mean is halved either way, but saturation and hue
// commute with neither; over keys both orders occur.
TEST(ColorJitter, RunsInRandomOrder) {
  std::set<int> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    seen.insert(
        result("ColorJitter",
               "{brightness: [2, 2], contrast: [0.5, 0.5], saturation: [1, 1], hue: [0, 0]}",
               pixels({2, 1}, {{200, 200, 200}, {20, 20, 20}}), seed)
            .at<cv::Vec3b>(0, 0)[0]);
  // First brighter: 255 and 40, mean 147.5 → 201. First contrast: 155 and 65 → 255 (310).
  EXPECT_EQ(seen, (std::set<int>{201, 255}));
}

// Sixteen pixels of 0, 10, 20, 30: 4 each. Step (16 − 4) / 255 = 0: unchanged. 510 pixels of two
// values: step (510 − 255) / 255 = 1: below + 0.
TEST(Equalize, ByHand) {
  cv::Mat small(1, 16, CV_8UC3), large(2, 255, CV_8UC3);
  for (int i = 0; i < 16; ++i)
    small.at<cv::Vec3b>(0, i) = cv::Vec3b::all(static_cast<std::uint8_t>(10 * (i % 4)));
  for (int i = 0; i < 255; ++i)
    large.at<cv::Vec3b>(0, i) = {50, 60, 70}, large.at<cv::Vec3b>(1, i) = {51, 61, 71};
  EXPECT_EQ(largest_difference(result("Equalize", "{}", small), small), 0);
  const cv::Mat found = result("Equalize", "{}", large);
  EXPECT_EQ(found.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(found.at<cv::Vec3b>(1, 0), cv::Vec3b(255, 255, 255));
  // The luma alone: grey in, the same table on grey.
  cv::Mat grey(2, 255, CV_8UC3);
  grey.row(0).setTo(cv::Scalar::all(50)), grey.row(1).setTo(cv::Scalar::all(51));
  EXPECT_EQ(largest_difference(result("Equalize", "{by_channels: false}", grey),
                               result("Equalize", "{}", grey)),
            0);
}

/// CLAHE (data 12.3), one plane by a plain loop: tiles, clipped histograms with the excess spread
/// evenly, bilinear maps.
cv::Mat plain_clahe(const cv::Mat& plane, double limit, int tiles) {
  const int th = plane.rows / tiles, tw = plane.cols / tiles;  // whole tiles here
  std::vector<std::array<double, 256>> maps(static_cast<std::size_t>(tiles * tiles));
  for (int t = 0; t < tiles * tiles; ++t) {
    std::array<int, 256> bins{};
    for (int y = 0; y < th; ++y)
      for (int x = 0; x < tw; ++x)
        ++bins[plane.at<std::uint8_t>(t / tiles * th + y, t % tiles * tw + x)];
    const int cut = std::max(1, static_cast<int>(limit * th * tw / 256));
    int excess = 0;
    for (int& bin : bins) excess += std::max(0, bin - cut), bin = std::min(bin, cut);
    for (int& bin : bins) bin += excess / 256;
    const int rest = excess % 256;
    if (rest > 0)
      for (int i = 0, step = std::max(256 / rest, 1), left = rest; i < 256 && left > 0;
           i += step, --left)
        ++bins[static_cast<std::size_t>(i)];
    double sum = 0;
    for (std::size_t v = 0; v < 256; ++v)
      maps[static_cast<std::size_t>(t)][v] = std::round((sum += bins[v]) * 255 / (th * tw));
  }
  cv::Mat out(plane.size(), CV_8U);
  for (int y = 0; y < plane.rows; ++y)
    for (int x = 0; x < plane.cols; ++x) {
      const double fy = static_cast<double>(y) / th - 0.5, fx = static_cast<double>(x) / tw - 0.5;
      const int y0 = static_cast<int>(std::floor(fy)), x0 = static_cast<int>(std::floor(fx));
      const auto at = [&](int ty, int tx) {
        return maps[static_cast<std::size_t>(std::clamp(ty, 0, tiles - 1) * tiles +
                                             std::clamp(tx, 0, tiles - 1))]
                   [plane.at<std::uint8_t>(y, x)];
      };
      out.at<std::uint8_t>(y, x) =
          rounded((at(y0, x0) * (1 - fx + x0) + at(y0, x0 + 1) * (fx - x0)) * (1 - fy + y0) +
                  (at(y0 + 1, x0) * (1 - fx + x0) + at(y0 + 1, x0 + 1) * (fx - x0)) * (fy - y0));
    }
  return out;
}

TEST(CLAHE, IsThePlainLoopOnTheChosenChannel) {
  const cv::Mat picture = textured({64, 48});
  for (const bool lab : {true, false}) {
    cv::Mat converted, plane, expected;
    cv::cvtColor(picture, converted, lab ? cv::COLOR_BGR2Lab : cv::COLOR_BGR2YUV);
    cv::extractChannel(converted, plane, 0);
    cv::insertChannel(plain_clahe(plane, 3, 4), converted, 0);
    cv::cvtColor(converted, expected, lab ? cv::COLOR_Lab2BGR : cv::COLOR_YUV2BGR);
    const cv::Mat found =
        result("CLAHE",
               std::string("{clip_limit: [3, 3], tile_rows: 4, tile_columns: 4, mode: ") +
                   (lab ? "lab}" : "luma}"),
               picture);
    // One level of the equalised channel, where float32 and double round apart, is up to three
    // levels of a colour.
    EXPECT_LE(largest_difference(found, expected), 3) << lab;
    EXPECT_GT(largest_difference(found, picture), 10) << lab;
  }
}

// B(t) = 3 (1 − t)² t y₁ + 3 (1 − t) t² y₂ + t³.
TEST(RandomToneCurve, CurveByHand) {
  EXPECT_DOUBLE_EQ(tone_curve(0, 0.2, 0.9), 0);
  EXPECT_DOUBLE_EQ(tone_curve(1, 0.2, 0.9), 1);
  EXPECT_NEAR(tone_curve(0.5, 0.25, 0.75), 0.5, 1e-12);
  EXPECT_NEAR(tone_curve(0.25, 0.25, 0.75),
              3 * 0.5625 * 0.25 * 0.25 + 3 * 0.75 * 0.0625 * 0.75 + 0.015625, 1e-12);
  for (double t = 0; t <= 1; t += 0.125) EXPECT_NEAR(tone_curve(t, 1.0 / 3, 2.0 / 3), t, 1e-12);
}

TEST(RandomToneCurve, OneCurveOrThree) {
  const auto channels_agree = [](const char* parameters) {
    const cv::Vec3b p =
        result("RandomToneCurve", parameters, one({90, 90, 90}), 3).at<cv::Vec3b>(0, 0);
    return p[0] == p[1] && p[1] == p[2];
  };
  EXPECT_TRUE(channels_agree("{scale: 0.2}"));
  EXPECT_FALSE(channels_agree("{scale: 0.2, per_channel: true}"));
}

// All variance along (1, 2, 2) / 3 (B G R): the shift is along it, α · 0.1 · λ · 255 long, λ the
// variance of x / 255.
TEST(FancyPCA, ShiftsAlongThePrincipalColour) {
  cv::Mat picture(1, 100, CV_8UC3);
  for (int i = 0; i < 100; ++i) {
    const double s = 3 * ((i % 10) - 4.5);
    picture.at<cv::Vec3b>(0, i) = {rounded(60 + s), rounded(100 + 2 * s), rounded(100 + 2 * s)};
  }
  // s has the mean square 9 · 8.25; lengths along the direction are 3 s.
  const double lambda = 9 * 9 * 8.25 / (255 * 255);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Random draws(seed, 0, 0, 0);
    const double length = 255 * 5 * draws.normal() * lambda;
    const cv::Vec3d shift =
        cv::Vec3d(result("FancyPCA", "{alpha: 5}", picture, seed).at<cv::Vec3b>(0, 45)) -
        cv::Vec3d(picture.at<cv::Vec3b>(0, 45));
    EXPECT_NEAR(shift[0], length / 3, 1.1) << seed;  // input and output are whole levels
    EXPECT_NEAR(shift[1], 2 * length / 3, 1.1) << seed;
    EXPECT_NEAR(shift[2], 2 * length / 3, 1.1) << seed;
  }
}

// Chromaticities of black bodies from Planck's law and the CIE 1931 observer, as tables print them.
TEST(PlanckianJitter, LocusIsThatOfBlackBodies) {
  const std::vector<std::array<double, 3>> known{{2000, 0.5267, 0.4133}, {3000, 0.4369, 0.4041},
                                                 {4000, 0.3804, 0.3767}, {5000, 0.3451, 0.3516},
                                                 {6500, 0.3135, 0.3236}, {10000, 0.2807, 0.2884},
                                                 {15000, 0.2637, 0.2673}};
  for (const auto& [kelvin, x, y] : known) {
    EXPECT_NEAR(planckian_xy(kelvin)[0], x, 0.001) << kelvin;
    EXPECT_NEAR(planckian_xy(kelvin)[1], y, 0.0011) << kelvin;
  }
}

TEST(PlanckianJitter, WarmLightIsRedderAndGreenStays) {
  const cv::Vec3b warm =
      result("PlanckianJitter", "{temperature_limit: [3500, 3500]}", one({100, 100, 100}))
          .at<cv::Vec3b>(0, 0);
  const cv::Vec3b cold =
      result("PlanckianJitter", "{temperature_limit: [12000, 12000]}", one({100, 100, 100}))
          .at<cv::Vec3b>(0, 0);
  EXPECT_EQ(warm[1], 100);
  EXPECT_EQ(cold[1], 100);
  EXPECT_TRUE(warm[2] > 110 && warm[0] < 90) << warm;
  EXPECT_TRUE(cold[2] < 95 && cold[0] > 105) << cold;
}

// 1 ± 0.2 · g, g between 0 and 1: from the edge with 0 to the one with 1; everywhere between the
// ends.
TEST(Illumination, GradientsByTheirEnds) {
  const cv::Mat picture = flat({80, 60}, {100, 100, 100});
  for (const char* mode : {"linear", "corner", "gaussian"})
    for (const bool darker : {false, true})
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        const cv::Mat found = result("Illumination",
                                     std::string("{intensity_range: [0.2, 0.2], mode: ") + mode +
                                         ", effect_type: " + (darker ? "darken}" : "brighten}"),
                                     picture, seed);
        double low = 0, high = 0;
        cv::minMaxLoc(found.reshape(1), &low, &high);
        EXPECT_TRUE(darker ? low >= 80 && high <= 100 : low >= 100 && high <= 120) << mode;
        EXPECT_TRUE(darker ? low <= 81 : high >= 119)
            << mode << ' ' << low << ' '
            << high;  // the centre of the corner pixel, or of the spot's, is not quite at 1
        EXPECT_TRUE(std::string(mode) == "gaussian" || (darker ? high >= 99 : low <= 101)) << mode;
      }
}

TEST(FractalPlane, SpansZeroToOneAndIsSmoother) {
  const auto roughness_of = [](double roughness) {
    Random random(4, 0, 0, 0);
    const cv::Mat plane = fractal_plane({64, 64}, roughness, random);
    double low = 0, high = 0, sum = 0;
    cv::minMaxLoc(plane, &low, &high);
    EXPECT_NEAR(low, 0, 1e-6);  // float32
    EXPECT_NEAR(high, 1, 1e-6);
    for (int x = 1; x < 64; ++x)
      sum += std::abs(plane.at<float>(32, x) - plane.at<float>(32, x - 1));
    return sum;
  };
  EXPECT_GT(roughness_of(1.2), 2 * roughness_of(5));
  Random random(4, 0, 0, 0);
  EXPECT_EQ(fractal_plane({1, 1}, 3, random).at<float>(0, 0), 0.5F);
}

// The plane that the stream gives after the documented draws, and the formula on it.
TEST(Plasma, FormulasOnThePlane) {
  const cv::Mat picture = textured({20, 12});
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Random a(seed, 0, 0, 0), b(seed, 0, 0, 0);
    a.uniform(), a.uniform();  // brightness, contrast
    b.uniform();               // intensity
    const cv::Mat first = fractal_plane({20, 12}, 3, a), second = fractal_plane({20, 12}, 3, b);
    const cv::Mat bright =
        result("PlasmaBrightnessContrast",
               "{brightness_range: [0.2, 0.20000001], contrast_range: [-0.3, -0.29999999]}",
               picture, seed);
    const cv::Mat shadow =
        result("PlasmaShadow", "{shadow_intensity_range: [0.5, 0.50000001]}", picture, seed);
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 20; ++x)
        for (int c = 0; c < 3; ++c) {
          const double v = picture.at<cv::Vec3b>(y, x)[c], p = first.at<float>(y, x);
          EXPECT_NEAR(bright.at<cv::Vec3b>(y, x)[c],
                      std::clamp(v * (1 - 0.3 * p) + 51 * p, 0.0, 255.0),
                      0.501);  // rounding, and a draw of 1e-8
          EXPECT_NEAR(shadow.at<cv::Vec3b>(y, x)[c], v * (1 - 0.5 * second.at<float>(y, x)), 0.501);
        }
  }
}

}  // namespace
}  // namespace yolov7::dataset
