#include "transform_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <utility>

#include "core/value.hpp"

namespace yolov7::dataset {
namespace {

Sample scene(cv::Size size) {
  Sample sample{textured(size), {}};
  const double w = size.width, h = size.height;
  sample.objects.push_back({0, {w * 0.25, h * 0.25, w * 0.75, h * 0.625}, {}});
  sample.objects.push_back({1, {0, h * 0.5, w * 0.375, h}, {}});  // at the border
  sample.objects.push_back(
      {2,
       {w * 0.625, h * 0.0625, w * 0.9375, h * 0.375},
       {{w * 0.625, h * 0.375}, {w * 0.75, h * 0.0625}, {w * 0.9375, h * 0.375}}});
  return sample;
}

bool same_objects(const std::vector<Object>& a, const std::vector<Object>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Object& x, const Object& y) {
    return x.class_index == y.class_index && x.box == y.box && x.polygon == y.polygon;
  });
}

bool same(const Sample& a, const Sample& b) {
  return largest_difference(a.picture, b.picture) == 0 && same_objects(a.objects, b.objects);
}

void check_objects(const TransformEntry& entry, const Sample& before, const Sample& after) {
  const double w = after.picture.cols, h = after.picture.rows;
  for (const Object& object : after.objects) {
    EXPECT_TRUE(object.box.x1 >= 0 && object.box.y1 >= 0 && object.box.x2 <= w &&
                object.box.y2 <= h && object.box.x1 < object.box.x2 &&
                object.box.y1 < object.box.y2)
        << object.box.x1 << ' ' << object.box.y1 << ' ' << object.box.x2 << ' ' << object.box.y2;
    constexpr double rounding = 1e-6;  // of double arithmetic on coordinates of hundreds
    for (const cv::Point2d& p : object.polygon)
      EXPECT_TRUE(p.x >= object.box.x1 - rounding && p.y >= object.box.y1 - rounding &&
                  p.x <= object.box.x2 + rounding && p.y <= object.box.y2 + rounding);
  }
  if (entry.boxes == BoxRule::none) {
    EXPECT_TRUE(same_objects(before.objects, after.objects));
    EXPECT_EQ(before.picture.size(), after.picture.size());
  }
  if (entry.boxes == BoxRule::exact) {
    ASSERT_EQ(before.objects.size(), after.objects.size());
    for (std::size_t i = 0; i < before.objects.size(); ++i)
      EXPECT_NEAR(before.objects[i].box.area(), after.objects[i].box.area(), 1e-6);
  }
  if (entry.boxes == BoxRule::covers) {
    EXPECT_EQ(before.picture.size(), after.picture.size());
    EXPECT_LE(after.objects.size(), before.objects.size());
  }
}

}  // namespace

cv::Mat textured(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double wave = std::sin(0.31 * x) * std::cos(0.23 * y),
                   edge = (x / 7 + y / 5) % 2 == 0 ? 30 : -30;
      const auto level = [](double v) {
        return static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0));
      };
      picture.at<cv::Vec3b>(y, x) = {level(90 + 50 * wave + edge),
                                     level(140 - 60 * wave + 0.5 * edge),
                                     level(120 + 40 * std::cos(0.17 * (x + y)) - edge)};
    }
  return picture;
}

cv::Mat flat(cv::Size size, const cv::Vec3b& bgr) {
  return {size, CV_8UC3, cv::Scalar(bgr[0], bgr[1], bgr[2])};
}

cv::Mat pixels(cv::Size size, const std::vector<cv::Vec3b>& bgr) {
  cv::Mat picture(size, CV_8UC3);
  for (int i = 0; i < size.area(); ++i)
    picture.at<cv::Vec3b>(i / size.width, i % size.width) = bgr.at(static_cast<std::size_t>(i));
  return picture;
}

Sample applied(const Entries& entries, std::string_view name, const std::string& parameters,
               Sample sample, std::uint64_t seed, TransformContext context) {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const TransformEntry& one) { return one.name == name; });
  if (entry == entries.end()) {
    ADD_FAILURE() << "no transform " << name;
    return sample;
  }
  const auto transform = entry->make();
  assign(transform->settings(), parse_yaml(parameters, std::string(name)));
  if (!context.other)
    context.other = [](Random& random) {
      Sample other{textured({40, 30}), {}};
      other.picture += cv::Scalar::all(static_cast<double>(random.integer(1, 20)));
      other.objects.push_back({3, {4, 4, 34, 26}, {{4, 4}, {34, 4}, {34, 26}, {4, 26}}});
      return other;
    };
  Random random(seed, 0, 0, 0);
  transform->apply(sample, random, context);
  return sample;
}

cv::Mat applied_to(const Entries& entries, std::string_view name, const std::string& parameters,
                   const cv::Mat& picture, std::uint64_t seed) {
  return applied(entries, name, parameters, Sample{picture.clone(), {}}, seed).picture;
}

int largest_difference(const cv::Mat& a, const cv::Mat& b) {
  if (a.size() != b.size() || a.type() != b.type()) return -1;
  return static_cast<int>(cv::norm(a, b, cv::NORM_INF));
}

void check_common_rules(const Entries& entries,
                        const std::map<std::string_view, std::string>& parameters) {
  for (const TransformEntry& entry : entries) {
    SCOPED_TRACE(std::string(entry.name));
    const auto found = parameters.find(entry.name);
    const std::string chosen = found == parameters.end() ? "{}" : found->second;
    const auto run = [&](Sample sample, std::uint64_t seed) {
      return applied(entries, entry.name, chosen, std::move(sample), seed);
    };
    bool effect = false;
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const Sample before = scene({128, 96}), after = run(scene({128, 96}), seed);
      ASSERT_EQ(after.picture.type(), CV_8UC3);
      ASSERT_FALSE(after.picture.empty());
      EXPECT_TRUE(same(after, run(scene({128, 96}), seed))) << "key " << seed;
      effect = effect || !same(before, after);
      check_objects(entry, before, after);
    }
    EXPECT_TRUE(effect) << "no effect under 16 keys";
    for (const cv::Size size :
         {cv::Size(1, 1), cv::Size(5, 3), cv::Size(2, 9), cv::Size(4000, 120)}) {
      SCOPED_TRACE(size.width);
      const Sample without = run(Sample{textured(size), {}}, 7);
      ASSERT_EQ(without.picture.type(), CV_8UC3);
      ASSERT_FALSE(without.picture.empty());
      EXPECT_TRUE(entry.boxes == BoxRule::mixes || without.objects.empty());
      check_objects(entry, scene(size), run(scene(size), 8));
    }
    // A picture whose rows do not follow each other in memory.
    cv::Mat larger = textured({144, 108});
    const cv::Mat rest = larger.clone();
    const cv::Rect inner(8, 6, 128, 96);
    const Sample part = run(Sample{larger(inner), scene({128, 96}).objects}, 3),
                 alone = run(Sample{rest(inner).clone(), scene({128, 96}).objects}, 3);
    EXPECT_TRUE(same(part, alone)) << "a part of a larger image";
    rest(inner).copyTo(larger(inner));
    EXPECT_EQ(largest_difference(larger, rest), 0) << "pixels outside the image changed";
  }
}

}  // namespace yolov7::dataset
