#include "dataset/doctor/look.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "dataset/similarity/halved.hpp"
#include "dataset/similarity/kernels/level_rows.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr int longest_side = 640, evidence_side = 256;
constexpr std::size_t most_boxes = 64;
constexpr double slack = 0.005;

const kernels::LevelRows& loops() {
  static const kernels::LevelRows chosen = kernels::level_rows(best_instruction_set());
  return chosen;
}

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

/// Gray levels below which these shares of the pixels lie; every second row tells as much as all.
void take_levels(const cv::Mat& gray, Look& look) {
  // Neighbours are often equal: four tables spare the wait for the same count.
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  std::size_t total = 0;
  for (int y = 0; y < gray.rows; y += 2) {
    const unsigned char* row = gray.ptr(y);
    int x = 0;
    for (; x + 4 <= gray.cols; x += 4)
      for (std::size_t k = 0; k < 4; ++k) ++tables[k][row[x + static_cast<int>(k)]];
    for (; x < gray.cols; ++x) ++tables[0][row[x]];
    total += static_cast<std::size_t>(gray.cols);
  }
  const auto all = static_cast<double>(total);
  double below = 0, sum = 0, squares = 0;
  bool have_low = false, have_middle = false, have_high = false;
  for (int level = 0; level < 256; ++level) {
    double here = 0;
    for (const auto& table : tables) here += table[static_cast<std::size_t>(level)];
    below += here, sum += here * level, squares += here * level * level;
    if (!have_low && below >= 0.01 * all) look.low = level, have_low = true;
    if (!have_middle && below >= 0.5 * all) look.middle = level, have_middle = true;
    if (!have_high && below >= 0.99 * all) look.high = level, have_high = true;
  }
  look.mean = sum / all;
  look.spread = std::sqrt(std::max(0.0, squares / all - look.mean * look.mean));
}

/// Mean square of what lies between Gaussians of about half a px and 1 px of a level whose pixels
/// are sums over `area` px of the image: the structures of about a px and a half of the level (Burt
/// and Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans. Communications 31 (4),
/// 1983, with a finer Gaussian taken away as well, so that noise counts little). Nothing where the
/// level is too small.
std::optional<double> band_energy(const cv::Mat1w& level, double area) {
  constexpr int taps = 5;
  constexpr double gain = 256;
  if (level.rows < 2 * taps || level.cols < 2 * taps) return std::nullopt;
  std::vector<std::int32_t> scratch(2 * static_cast<std::size_t>(level.cols));
  double sum = 0;
  for (int y = 0; y + taps <= level.rows; ++y) {
    const std::uint16_t* rows[taps];
    for (int k = 0; k < taps; ++k) rows[k] = level[y + k];
    sum += loops().band(rows, level.cols, scratch.data());
  }
  const double count = static_cast<double>(level.rows - taps + 1) * (level.cols - taps + 1);
  return sum / count / (gain * gain) / (area * area);
}

/// Energy of one octave of structures against that of the next coarser ones. Rounding to whole
/// gray levels hardly counts, because the finest scale is left out.
void take_sharpness(const cv::Mat& gray, Look& look) {
  constexpr double least = 1e-4;
  std::array<std::optional<double>, 3> energy{};
  cv::Mat level = gray;
  double area = 1;
  for (std::optional<double>& octave : energy) {
    if (std::min(level.cols, level.rows) < 2) break;
    const cv::Mat1w half = similarity::halved(level);
    area *= 4;
    octave = band_energy(half, area);
    level = half;
  }
  const auto less = [&](std::size_t coarse) {
    if (!energy[0] || !energy[coarse]) return 0.0;
    return std::log(*energy[0] + least) - std::log(*energy[coarse] + least);
  };
  look.fine_octave = less(1);
  look.fine_octaves = less(2);
}

/// Strength of the edges of each pixel.
cv::Mat1b edges_of(const cv::Mat1b& gray) {
  cv::Mat1b edges(gray.size(), 0);
  if (gray.cols < 2 || gray.rows < 2) return edges;
  std::vector<std::int16_t> scratch(2 * static_cast<std::size_t>(gray.cols));
  for (int y = 0; y < gray.rows; ++y) {
    const int above = y > 0 ? y - 1 : 1, below = y + 1 < gray.rows ? y + 1 : y - 1;
    const std::uint8_t* rows[] = {gray[above], gray[y], gray[below]};
    loops().edges(rows, gray.cols, scratch.data(), edges[y]);
  }
  return edges;
}

/// Means of brightness, colours and edges over rectangles, at a long side of at most 511 px.
class Means {
 public:
  Means(const PicturePlanes& planes, const cv::Mat& gray) {
    cv::Mat1b small = gray;
    if (std::max(gray.cols, gray.rows) >= 2 * evidence_side && std::min(gray.cols, gray.rows) >= 2)
      similarity::halved(gray).convertTo(small, CV_8U, 0.25);
    size_ = small.size();
    cv::Mat pixels;
    cv::merge(std::vector<cv::Mat>{small, like(planes.blue), like(planes.red), edges_of(small)},
              pixels);
    sums_ = cv::Mat(size_.height + 1, size_.width + 1, CV_32SC4);
    sums_.row(0).setTo(cv::Scalar::all(0));
    for (int y = 0; y < size_.height; ++y)
      loops().integral(pixels.ptr(y), size_.width, sums_.ptr<std::int32_t>(y),
                       sums_.ptr<std::int32_t>(y + 1));
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
  /// Distance of the mean colours (as B, G and R), and of the mean strength of edges, inside the
  /// box and in a ring around it.
  double contrast(const CxcywhNormalized& box) const {
    constexpr double ring = 1.5;
    const cv::Rect inner = pixels(box, 1), outer = pixels(box, ring);
    const int around = outer.area() - inner.area();
    if (around <= 0) return 0;
    const cv::Vec4d in = sum(inner), out = sum(outer) - in;
    const cv::Vec4d d = in / static_cast<double>(inner.area()) - out / static_cast<double>(around);
    // ITU-R BT.601 in full range.
    return cv::norm(cv::Vec4d(d[0] + 1.772 * d[1], d[0] - 0.344136 * d[1] - 0.714136 * d[2],
                              d[0] + 1.402 * d[2], d[3]));
  }

 private:
  cv::Mat like(const cv::Mat& plane) const {
    if (plane.size() == size_) return plane;
    cv::Mat result;
    const bool smaller = plane.cols < size_.width;
    cv::resize(plane, result, size_, 0, 0, smaller ? cv::INTER_LINEAR : cv::INTER_AREA);
    return result;
  }

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

void take_contrast(const PicturePlanes& planes, const cv::Mat& gray,
                   const std::vector<RawRow>& rows, Look& look) {
  std::optional<Means> means;
  std::vector<double> own;  // of each box, as the format says
  for (std::size_t i = 0; i < layout_count; ++i) {
    const auto boxes = boxes_under(layout_at(i), rows, {planes.width, planes.height});
    if (boxes.empty()) continue;
    if (!means) means.emplace(planes, gray);
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

Look look_at(std::string_view bytes, const PicturePlanes& planes, const std::vector<RawRow>& rows) {
  Look look;
  look.taken = true;
  look.stored = stored_form(bytes);
  look.gray = planes.gray;
  const cv::Mat gray = at_most(planes.luma, longest_side);
  take_levels(gray, look);
  take_sharpness(gray, look);
  take_contrast(planes, gray, rows, look);
  return look;
}

}  // namespace yolov7::dataset::doctor
