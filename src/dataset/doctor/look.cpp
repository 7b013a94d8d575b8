#include "dataset/doctor/look.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset::doctor {
namespace {

constexpr int longest_side = 640, evidence_side = 256;
constexpr std::size_t most_boxes = 64;
constexpr double slack = 0.005;

cv::Mat at_most(const cv::Mat& picture, int side) {
  cv::Mat half = picture;  // halves are made far quicker than other sizes
  while (half.cols % 2 == 0 && half.rows % 2 == 0 && std::max(half.cols, half.rows) >= 2 * side) {
    cv::Mat smaller;
    cv::resize(half, smaller, cv::Size(half.cols / 2, half.rows / 2), 0, 0, cv::INTER_AREA);
    half = smaller;
  }
  const double scale = static_cast<double>(side) / std::max(half.cols, half.rows);
  if (scale >= 1) return half;
  cv::Mat small;
  cv::resize(half, small,
             cv::Size(std::max(1, static_cast<int>(std::lround(half.cols * scale))),
                      std::max(1, static_cast<int>(std::lround(half.rows * scale)))),
             0, 0, cv::INTER_AREA);
  return small;
}

bool is_gray(const cv::Mat& bgr) {
  constexpr int tolerance = 2;
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* row = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x)
      if (std::abs(row[x][0] - row[x][1]) > tolerance ||
          std::abs(row[x][1] - row[x][2]) > tolerance)
        return false;
  }
  return true;
}

/// Gray levels below which these shares of the pixels lie.
void take_levels(const cv::Mat& gray, Look& look) {
  std::array<std::size_t, 256> counts{};
  for (int y = 0; y < gray.rows; ++y) {
    const unsigned char* row = gray.ptr(y);
    for (int x = 0; x < gray.cols; ++x) ++counts[row[x]];
  }
  const auto all = static_cast<double>(gray.total());
  double below = 0, sum = 0, squares = 0;
  bool have_low = false, have_middle = false, have_high = false;
  for (int level = 0; level < 256; ++level) {
    const auto here = static_cast<double>(counts[static_cast<std::size_t>(level)]);
    below += here, sum += here * level, squares += here * level * level;
    if (!have_low && below >= 0.01 * all) look.low = level, have_low = true;
    if (!have_middle && below >= 0.5 * all) look.middle = level, have_middle = true;
    if (!have_high && below >= 0.99 * all) look.high = level, have_high = true;
  }
  look.mean = sum / all;
  look.spread = std::sqrt(std::max(0.0, squares / all - look.mean * look.mean));
}

/// Mean square of what lies between Gaussians of 1 and 2 px; of an image of many rows over every
/// second strip of `strip` rows, which tells as much as all of it.
double band_energy(const cv::Mat& levels, int strip) {
  constexpr int fine_size = 7, coarse_size = 11, reach = coarse_size / 2;  // three deviations
  const bool whole = levels.rows < 8 * strip;
  if (whole) strip = levels.rows;
  double sum = 0;
  std::size_t count = 0;
  for (int y = whole ? 0 : strip / 2; y < levels.rows; y += 2 * strip) {
    const cv::Range inner(y, std::min(y + strip, levels.rows)),
        outer(std::max(0, inner.start - reach), std::min(levels.rows, inner.end + reach));
    cv::Mat fine, coarse;
    cv::GaussianBlur(levels.rowRange(outer), fine, {fine_size, fine_size}, 1);
    cv::GaussianBlur(fine, coarse, {coarse_size, coarse_size}, std::sqrt(3.0));
    const cv::Range rows(inner.start - outer.start, inner.end - outer.start);
    sum += cv::norm(fine.rowRange(rows), coarse.rowRange(rows), cv::NORM_L2SQR);
    count += static_cast<std::size_t>(rows.size()) * static_cast<std::size_t>(levels.cols);
  }
  return sum / static_cast<double>(count);
}

/// Energy of one octave of structures against that of the next coarser ones. Rounding to whole
/// gray levels hardly counts, because the finest scale is left out.
void take_sharpness(const cv::Mat& gray, Look& look) {
  constexpr double least = 1e-4;
  std::array<double, 3> energy{};
  int strip = 32;
  cv::Mat levels;
  gray.convertTo(levels, CV_32F);
  for (double& octave : energy) {
    octave = std::log(band_energy(levels, strip) + least);
    cv::Mat half;
    cv::resize(levels, half, cv::Size(std::max(1, levels.cols / 2), std::max(1, levels.rows / 2)),
               0, 0, cv::INTER_AREA);
    levels = half;
    strip /= 2;
  }
  look.fine_octave = energy[0] - energy[1];
  look.fine_octaves = energy[0] - energy[2];
}

/// Means of an image and of its edges over rectangles.
class Means {
 public:
  explicit Means(const cv::Mat& bgr) : size_(bgr.size()) {
    cv::Mat gray, across, down, edges, all;
    cv::cvtColor(bgr, gray, cv::COLOR_BGR2GRAY);
    cv::Sobel(gray, across, CV_16S, 1, 0, 3, 0.5);
    cv::Sobel(gray, down, CV_16S, 0, 1, 3, 0.5);
    cv::convertScaleAbs(cv::abs(across) + cv::abs(down), edges);
    cv::merge(std::vector<cv::Mat>{bgr, edges}, all);
    cv::integral(all, sums_, CV_32S);
  }
  cv::Vec4d sum(const cv::Rect& r) const {
    return cv::Vec4d(sums_.at<cv::Vec4i>(r.y + r.height, r.x + r.width)) -
           cv::Vec4d(sums_.at<cv::Vec4i>(r.y, r.x + r.width)) -
           cv::Vec4d(sums_.at<cv::Vec4i>(r.y + r.height, r.x)) +
           cv::Vec4d(sums_.at<cv::Vec4i>(r.y, r.x));
  }
  cv::Rect pixels(const CxcywhNormalized& b, double grow) const {
    const double w = b.w * grow, h = b.h * grow;
    const int x1 = std::clamp(static_cast<int>(std::lround((b.cx - w / 2) * size_.width)), 0,
                              size_.width - 1),
              y1 = std::clamp(static_cast<int>(std::lround((b.cy - h / 2) * size_.height)), 0,
                              size_.height - 1);
    const int x2 = std::clamp(static_cast<int>(std::lround((b.cx + w / 2) * size_.width)), x1 + 1,
                              size_.width),
              y2 = std::clamp(static_cast<int>(std::lround((b.cy + h / 2) * size_.height)), y1 + 1,
                              size_.height);
    return {x1, y1, x2 - x1, y2 - y1};
  }
  /// Distance of the mean colours, and of the mean strength of edges, inside the box and in a ring
  /// around it.
  double contrast(const CxcywhNormalized& box) const {
    constexpr double ring = 1.5;
    const cv::Rect inner = pixels(box, 1), outer = pixels(box, ring);
    const int around = outer.area() - inner.area();
    if (around <= 0) return 0;
    const cv::Vec4d in = sum(inner), out = sum(outer) - in;
    return cv::norm(in / static_cast<double>(inner.area()) - out / static_cast<double>(around));
  }

 private:
  cv::Size size_;
  cv::Mat sums_;
};

/// The boxes of the rows under a layout; fewer than rows where one of them is none.
std::vector<CxcywhNormalized> boxes_under(const Layout& layout, const std::vector<RawRow>& rows,
                                          const cv::Size& size) {
  std::vector<CxcywhNormalized> boxes;
  for (const RawRow& row : rows) {
    if (!row.is_box()) continue;
    const auto box = box_under(layout, row.numbers(), size.width, size.height,
                               layout.own() ? half_outside : slack);
    if (!box) return {};
    if (boxes.size() < most_boxes) boxes.push_back(*box);
  }
  return boxes;
}

void take_contrast(const cv::Mat& bgr, const std::vector<RawRow>& rows, Look& look) {
  std::optional<Means> means;
  std::vector<double> own;  // of each box, as the format says
  for (std::size_t i = 0; i < layout_count; ++i) {
    const auto boxes = boxes_under(layout_at(i), rows, bgr.size());
    if (boxes.empty()) continue;
    if (!means) means.emplace(at_most(bgr, evidence_side));
    double sum = 0;
    int more = 0;
    for (std::size_t k = 0; k < boxes.size(); ++k) {
      const double contrast = means->contrast(boxes[k]);
      sum += contrast;
      if (i == 0)
        own.push_back(contrast);
      else
        more += !own.empty() && contrast > own[k] ? 1 : 0;
    }
    look.boxes = static_cast<int>(boxes.size());
    look.contrast[i] =
        static_cast<float>(sum / static_cast<double>(boxes.size()) / (look.spread + 4));
    if (i > 0 && !own.empty()) look.votes[i] = static_cast<std::int16_t>(more);
  }
}

}  // namespace

Look look_at(std::string_view bytes, const cv::Mat& bgr, const std::vector<RawRow>& rows) {
  Look look;
  look.taken = true;
  look.stored = stored_form(bytes);
  look.gray = is_gray(bgr);
  cv::Mat gray;
  cv::cvtColor(at_most(bgr, longest_side), gray, cv::COLOR_BGR2GRAY);
  take_levels(gray, look);
  take_sharpness(gray, look);
  take_contrast(bgr, rows, look);
  return look;
}

}  // namespace yolov7::dataset::doctor
