#include "dataset/augment/transforms/auto_augment_operations.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/core.hpp>

#include "dataset/augment/transforms/boxes.hpp"

namespace yolov7::dataset {
namespace {

using Table = std::array<std::uint8_t, 256>;

constexpr int fill = 128;

std::uint8_t truncated(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

/// A table for each channel, in place.
void look_up(cv::Mat& bgr, const std::array<Table, 3>& tables) {
  for (int y = 0; y < bgr.rows; ++y) {
    auto* p = bgr.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, p += 3)
      for (std::size_t c = 0; c < 3; ++c) p[c] = tables[c][p[c]];
  }
}

template <class F>
void look_up_all(cv::Mat& bgr, F value) {
  Table table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = truncated(value(i));
  look_up(bgr, {table, table, table});
}

std::array<std::array<long, 256>, 3> histograms(const cv::Mat& bgr) {
  std::array<std::array<long, 256>, 3> counts{};
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* p = bgr.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, p += 3)
      for (std::size_t c = 0; c < 3; ++c) ++counts[c][p[c]];
  }
  return counts;
}

double sign(Random& random) { return random.chance(0.5) ? -1 : 1; }
/// Factor of the four blends.
double factor(double level) { return 0.18 * level + 0.1; }

/// The pixels of a box: [⌊min⌋, min(⌊max⌋, side − 1)], both ends included; empty outside the
/// picture.
cv::Rect content_of(const Xyxy& box, cv::Size size) {
  const int x1 = std::max(0, static_cast<int>(std::floor(box.x1))),
            y1 = std::max(0, static_cast<int>(std::floor(box.y1)));
  const int x2 = std::min(static_cast<int>(std::floor(box.x2)), size.width - 1),
            y2 = std::min(static_cast<int>(std::floor(box.y2)), size.height - 1);
  return x2 < x1 || y2 < y1 ? cv::Rect() : cv::Rect(cv::Point(x1, y1), cv::Point(x2 + 1, y2 + 1));
}

// Matrices of content, source → destination, in continuous coordinates.
cv::Matx33d shift(double dx, double dy) { return {1, 0, dx, 0, 1, dy, 0, 0, 1}; }
cv::Matx33d shear_x(double a) { return {1, -a, 0, 0, 1, 0, 0, 0, 1}; }  // x' = x − a · y
cv::Matx33d shear_y(double a) { return {1, 0, 0, -a, 1, 0, 0, 0, 1}; }
cv::Matx33d rotation(double degrees, cv::Size size) {
  const double a = degrees * CV_PI / 180, c = std::cos(a), s = std::sin(a), x = size.width / 2.0,
               y = size.height / 2.0;
  return {c, s, x - c * x - s * y, -s, c, y + s * x - c * y, 0,
          0, 1};  // counter-clockwise on the screen
}

void move_all(Sample& sample, const cv::Matx33d& m, const PolicyOptions& o) {
  sample.picture = nearest_warp(sample.picture, m.inv());
  transform_objects(sample.objects, m, 1, sample.picture.size(), o.filter);
}

void cut(cv::Mat& bgr, double cx, double cy, double half_x, double half_y) {
  const cv::Rect hole =
      cv::Rect(cv::Point(static_cast<int>(cx - half_x), static_cast<int>(cy - half_y)),
               cv::Point(static_cast<int>(cx + half_x), static_cast<int>(cy + half_y))) &
      cv::Rect(0, 0, bgr.cols, bgr.rows);
  if (!hole.empty()) bgr(hole) = cv::Scalar::all(fill);
}

/// A square of half side a at a uniform pixel.
void cutout(Sample& sample, double a, Random& random) {
  const double x = static_cast<double>(random.integer(0, sample.picture.cols - 1)),
               y = static_cast<double>(random.integer(0, sample.picture.rows - 1));
  cut(sample.picture, x, y, std::floor(a), std::floor(a));
}

void cut_one_box(Sample& sample, double level, Random& random) {
  if (sample.objects.empty()) return;
  const Xyxy& box = sample
                        .objects[static_cast<std::size_t>(random.integer(
                            0, static_cast<std::int64_t>(sample.objects.size()) - 1))]
                        .box;
  const double q = 0.075 * level, x = std::floor(random.uniform(box.x1, box.x2)),
               y = std::floor(random.uniform(box.y1, box.y2));
  cut(sample.picture, x, y, std::floor(q * box.width() / 2), std::floor(q * box.height() / 2));
}

void contrast(Sample& s, double level, const PolicyOptions& o) {
  const cv::Mat grey = policy_grey(s.picture);
  const double mean = o.published_contrast
                          ? std::min(255.0, static_cast<double>(grey.total()) / 256)
                          : cv::mean(grey)[0];
  s.picture = policy_blend(cv::Mat(s.picture.size(), CV_8UC3, cv::Scalar::all(std::floor(mean))),
                           s.picture, factor(level));
}

void flip(Sample& s) {
  // Columns reversed through continuous coordinates: x' = w − x.
  s.picture =
      nearest_warp(s.picture, {-1, 0, static_cast<double>(s.picture.cols), 0, 1, 0, 0, 0, 1});
}

using O = const PolicyOptions&;
constexpr std::array<PolicyOperation, 25> operations{{
    {"AutoContrast", false, [](Sample& s, double, Random&, O) { auto_contrast(s.picture); }},
    {"Equalize", false, [](Sample& s, double, Random&, O) { equalize(s.picture); }},
    {"Posterize", false,
     [](Sample& s, double l, Random&, O) {
       posterize(s.picture, std::max(1, static_cast<int>(0.4 * l)));
     }},  // data F24
    {"Solarize", false,
     [](Sample& s, double l, Random&, O) { solarize(s.picture, static_cast<int>(25.6 * l)); }},
    {"SolarizeAdd", false,
     [](Sample& s, double l, Random&, O) { solarize_add(s.picture, static_cast<int>(11 * l)); }},
    {"Color", false,
     [](Sample& s, double l, Random&, O) {
       s.picture = policy_blend(policy_grey(s.picture), s.picture, factor(l));
     }},
    {"Contrast", false, [](Sample& s, double l, Random&, O o) { contrast(s, l, o); }},
    {"Brightness", false,
     [](Sample& s, double l, Random&, O) {
       s.picture = policy_blend(cv::Mat::zeros(s.picture.size(), CV_8UC3), s.picture, factor(l));
     }},
    {"Sharpness", false,
     [](Sample& s, double l, Random&, O) {
       s.picture = policy_blend(policy_smooth(s.picture), s.picture, factor(l));
     }},
    {"Cutout", false,
     [](Sample& s, double l, Random& r, O o) { cutout(s, 10 * l * o.pixel_scale, r); }},
    {"BBox_Cutout", false, [](Sample& s, double l, Random& r, O) { cut_one_box(s, l, r); }},
    {"Rotate_BBox", false,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, rotation(sign(r) * 3 * l, s.picture.size()), o);
     }},
    {"TranslateX_BBox", false,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, shift(sign(r) * 25 * l * o.pixel_scale, 0), o);
     }},
    {"TranslateY_BBox", false,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, shift(0, sign(r) * 25 * l * o.pixel_scale), o);
     }},
    {"ShearX_BBox", false,
     [](Sample& s, double l, Random& r, O o) { move_all(s, shear_x(sign(r) * 0.03 * l), o); }},
    {"ShearY_BBox", false,
     [](Sample& s, double l, Random& r, O o) { move_all(s, shear_y(sign(r) * 0.03 * l), o); }},
    {"Rotate_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, rotation(sign(r) * 3 * l, s.picture.size()), o);
     }},
    {"ShearX_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) { move_all(s, shear_x(sign(r) * 0.03 * l), o); }},
    {"ShearY_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) { move_all(s, shear_y(sign(r) * 0.03 * l), o); }},
    {"TranslateX_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, shift(sign(r) * 12 * l * o.pixel_scale, 0), o);
     }},
    {"TranslateY_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) {
       move_all(s, shift(0, sign(r) * 12 * l * o.pixel_scale), o);
     }},
    {"Flip_Only_BBoxes", true, [](Sample& s, double, Random&, O) { flip(s); }},
    {"Solarize_Only_BBoxes", true,
     [](Sample& s, double l, Random&, O) { solarize(s.picture, static_cast<int>(25.6 * l)); }},
    {"Equalize_Only_BBoxes", true, [](Sample& s, double, Random&, O) { equalize(s.picture); }},
    {"Cutout_Only_BBoxes", true,
     [](Sample& s, double l, Random& r, O o) { cutout(s, 5 * l * o.pixel_scale, r); }},
}};

}  // namespace

std::span<const PolicyOperation> policy_operations() { return operations; }

const PolicyOperation* find_policy_operation(std::string_view name) {
  const auto found = std::find_if(operations.begin(), operations.end(),
                                  [&](const PolicyOperation& one) { return one.name == name; });
  return found == operations.end() ? nullptr : &*found;
}

void apply_policy_operation(const PolicyOperation& operation, double probability, double level,
                            Sample& sample, Random& random, const PolicyOptions& options) {
  if (!operation.only_boxes) {
    if (random.chance(probability)) operation.apply(sample, level, random, options);
    return;
  }
  for (const std::size_t i : random.permutation(sample.objects.size())) {
    if (!random.chance(probability / 3)) continue;
    const cv::Rect place = content_of(sample.objects[i].box, sample.picture.size());
    if (place.empty()) continue;
    Sample content{sample.picture(place).clone(), {}};
    operation.apply(content, level, random, options);
    content.picture.copyTo(sample.picture(place));
  }
}

void auto_contrast(cv::Mat& bgr) {
  const auto counts = histograms(bgr);
  std::array<Table, 3> tables{};
  for (std::size_t c = 0; c < 3; ++c) {
    int low = 0, high = 255;
    while (low < 255 && counts[c][static_cast<std::size_t>(low)] == 0) ++low;
    while (high > 0 && counts[c][static_cast<std::size_t>(high)] == 0) --high;
    for (int v = 0; v < 256; ++v)
      tables[c][static_cast<std::size_t>(v)] =
          high > low ? truncated((v - low) * 255.0 / (high - low)) : static_cast<std::uint8_t>(v);
  }
  look_up(bgr, tables);
}

void equalize(cv::Mat& bgr) {
  const auto counts = histograms(bgr);
  std::array<Table, 3> tables{};
  for (std::size_t c = 0; c < 3; ++c) {
    long sum = 0, last = 0, below = 0;
    for (const long count : counts[c]) sum += count, last = count > 0 ? count : last;
    const long step = (sum - last) / 255;
    for (std::size_t v = 0; v < 256; ++v) {
      tables[c][v] = step == 0 ? static_cast<std::uint8_t>(v)
                     : v == 0  ? std::uint8_t{0}
                               : truncated(static_cast<double>((below + step / 2) / step));
      below += counts[c][v];
    }
  }
  look_up(bgr, tables);
}

void posterize(cv::Mat& bgr, int bits) {
  const int mask = bits >= 8 ? 255 : 255 << (8 - bits) & 255;
  look_up_all(bgr, [&](int v) { return v & mask; });
}

void solarize(cv::Mat& bgr, int threshold) {
  look_up_all(bgr, [&](int v) { return v >= threshold ? 255 - v : v; });
}

void solarize_add(cv::Mat& bgr, int addition) {
  look_up_all(bgr, [&](int v) { return v < 128 ? v + addition : v; });
}

cv::Mat policy_blend(const cv::Mat& u, const cv::Mat& v, double f) {
  cv::Mat out(v.size(), CV_8UC3);
  for (int y = 0; y < v.rows; ++y) {
    const auto *a = u.ptr<std::uint8_t>(y), *b = v.ptr<std::uint8_t>(y);
    auto* p = out.ptr<std::uint8_t>(y);
    for (int i = 0; i < 3 * v.cols; ++i) p[i] = truncated(a[i] + f * (b[i] - a[i]));
  }
  return out;
}

cv::Mat policy_grey(const cv::Mat& bgr) {
  cv::Mat out(bgr.size(), CV_8UC3);
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* p = bgr.ptr<std::uint8_t>(y);
    auto* q = out.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, p += 3, q += 3)
      q[0] = q[1] = q[2] = truncated(0.2989 * p[2] + 0.5870 * p[1] + 0.1140 * p[0]);
  }
  return out;
}

cv::Mat policy_smooth(const cv::Mat& bgr) {
  cv::Mat out = bgr.clone();
  for (int y = 1; y + 1 < bgr.rows; ++y)
    for (int x = 1; x + 1 < bgr.cols; ++x)
      for (int c = 0; c < 3; ++c) {
        int sum = 4 * bgr.at<cv::Vec3b>(y, x)[c];
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) sum += bgr.at<cv::Vec3b>(y + dy, x + dx)[c];
        out.at<cv::Vec3b>(y, x)[c] = static_cast<std::uint8_t>(sum / 13);
      }
  return out;
}

cv::Mat nearest_warp(const cv::Mat& bgr, const cv::Matx33d& inverse) {
  cv::Mat out(bgr.size(), CV_8UC3, cv::Scalar::all(fill));
  for (int y = 0; y < out.rows; ++y) {
    auto* row = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < out.cols; ++x) {
      const double px = x + 0.5, py = y + 0.5;
      // The least part of a pixel decides nothing: sums that should be whole are not quite.
      constexpr double tie = 1e-9;
      const double sx = std::floor(inverse(0, 0) * px + inverse(0, 1) * py + inverse(0, 2) + tie),
                   sy = std::floor(inverse(1, 0) * px + inverse(1, 1) * py + inverse(1, 2) + tie);
      if (sx >= 0 && sy >= 0 && sx < bgr.cols && sy < bgr.rows)
        row[x] = bgr.at<cv::Vec3b>(static_cast<int>(sy), static_cast<int>(sx));
    }
  }
  return out;
}

}  // namespace yolov7::dataset
