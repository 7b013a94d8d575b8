#include "dataset/doctor/contrast.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "dataset/doctor/smaller_image.hpp"
#include "dataset/similarity/halved.hpp"
#include "dataset/similarity/kernels/level_rows.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr int light_side = 640, whole_side = 256, quick_side = 160;
constexpr std::size_t most_boxes = 64;

const kernels::LevelRows& loops() {
  static const kernels::LevelRows chosen = kernels::level_rows(best_instruction_set());
  return chosen;
}

/// Means of four channels over rectangles; the fourth is the strength of edges.
class Means {
 public:
  /// `sums`: of what lies above and left of a pixel, with one row and column more than the image.
  explicit Means(cv::Mat sums) : sums_(std::move(sums)), size_(sums_.cols - 1, sums_.rows - 1) {}

  /// Of each channel: the mean inside the box less that in a ring around it.
  cv::Vec4d difference(const CxcywhNormalized& box) const {
    constexpr double ring = 1.5;
    const cv::Rect inner = pixels(box, 1), outer = pixels(box, ring);
    const int around = outer.area() - inner.area();
    if (around <= 0) return {};
    const cv::Vec4d in = sum(inner), out = sum(outer) - in;
    return in / static_cast<double>(inner.area()) - out / static_cast<double>(around);
  }

 private:
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

  cv::Mat sums_;
  cv::Size size_;
};

/// B, G, R and the edges of an image at a long side of at most 256 px.
Means whole_means(const cv::Mat& bgr) {
  const cv::Mat small = at_most(bgr, whole_side);
  cv::Mat gray, across, down, edges, all, sums;
  cv::cvtColor(small, gray, cv::COLOR_BGR2GRAY);
  cv::Sobel(gray, across, CV_16S, 1, 0, 3, 0.5);
  cv::Sobel(gray, down, CV_16S, 0, 1, 3, 0.5);
  cv::convertScaleAbs(cv::abs(across) + cv::abs(down), edges);
  cv::merge(std::vector<cv::Mat>{small, edges}, all);
  cv::integral(all, sums, CV_32S);
  return Means(sums);
}

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

/// A plane at half of its size, again and again while its long side has twice `quick_side`.
cv::Mat1b quick_plane(const cv::Mat& plane) {
  cv::Mat half = plane;
  double gain = 1;
  for (int i = 0; i < similarity::most_halves; ++i) {
    if (std::max(half.cols, half.rows) < 2 * quick_side || std::min(half.cols, half.rows) < 2)
      break;
    half = similarity::halved(half), gain /= 4;
  }
  if (gain == 1) return half;
  cv::Mat1b result;
  half.convertTo(result, CV_8U, gain);
  return result;
}

/// Brightness, Cb, Cr and edges at a long side of less than 320 px.
Means quick_means(const PicturePlanes& planes) {
  const cv::Mat1b gray = quick_plane(planes.luma);
  const auto like = [&](const cv::Mat& plane) {
    const cv::Mat1b small = quick_plane(plane);
    if (small.size() == gray.size()) return small;
    cv::Mat1b result;
    cv::resize(small, result, gray.size(), 0, 0, cv::INTER_NEAREST);
    return result;
  };
  cv::Mat pixels;
  cv::merge(std::vector<cv::Mat>{gray, like(planes.blue), like(planes.red), edges_of(gray)},
            pixels);
  cv::Mat sums(gray.rows + 1, gray.cols + 1, CV_32SC4);
  sums.row(0).setTo(cv::Scalar::all(0));
  for (int y = 0; y < gray.rows; ++y)
    loops().integral(pixels.ptr(y), gray.cols, sums.ptr<std::int32_t>(y),
                     sums.ptr<std::int32_t>(y + 1));
  return Means(sums);
}

/// The boxes of the rows under a layout; fewer than rows where one of them is none.
std::vector<CxcywhNormalized> boxes_under(const Layout& layout, const std::vector<RawRow>& rows,
                                          const cv::Size& size) {
  std::vector<CxcywhNormalized> boxes;
  for (const RawRow& row : rows) {
    if (!row.is_box()) continue;
    const auto box = box_under(layout, row.numbers(), size.width, size.height,
                               layout.own() ? half_outside : box_slack);
    if (!box) return {};
    if (boxes.size() < most_boxes) boxes.push_back(*box);
  }
  return boxes;
}

using ContrastOf = std::function<double(const CxcywhNormalized&)>;

/// `begin` is called before the first box; `contrast_of` tells the distance of the means inside a
/// box and around it.
BoxContrast contrast_of_boxes(const cv::Size& size, const std::vector<RawRow>& rows, double spread,
                              const std::function<ContrastOf()>& begin) {
  BoxContrast look;
  ContrastOf contrast_of;
  std::vector<double> own;  // of each box, as the format says
  for (std::size_t i = 0; i < layout_count; ++i) {
    const auto boxes = boxes_under(layout_at(i), rows, size);
    if (boxes.empty()) continue;
    if (!contrast_of) contrast_of = begin();
    double sum = 0;
    int more = 0;
    for (std::size_t k = 0; k < boxes.size(); ++k) {
      const double contrast = contrast_of(boxes[k]);
      sum += contrast;
      if (i == 0)
        own.push_back(contrast);
      else
        more += !own.empty() && contrast > own[k] ? 1 : 0;
    }
    look.boxes = static_cast<int>(boxes.size());
    look.contrast[i] = static_cast<float>(sum / static_cast<double>(boxes.size()) / (spread + 4));
    if (i > 0 && !own.empty()) look.votes[i] = static_cast<std::int16_t>(more);
  }
  return look;
}

/// Deviation of the gray levels.
double spread_of(const cv::Mat& bgr) {
  cv::Mat gray;
  cv::cvtColor(at_most(bgr, light_side), gray, cv::COLOR_BGR2GRAY);
  cv::Scalar mean, deviation;
  cv::meanStdDev(gray, mean, deviation);
  return deviation[0];
}

}  // namespace

bool has_odd_row(const std::vector<RawRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const RawRow& row) {
    return row.is_box() && !box_under(Layout{}, row.numbers(), 1, 1, own_box_slack);
  });
}

BoxContrast quick_contrast(const PicturePlanes& planes, const std::vector<RawRow>& rows,
                           double spread) {
  const auto begin = [&]() -> ContrastOf {
    return [means = quick_means(planes)](const CxcywhNormalized& box) {
      const cv::Vec4d d = means.difference(box);
      // As B, G and R: ITU-R BT.601 in full range.
      return cv::norm(cv::Vec4d(d[0] + 1.772 * d[1], d[0] - 0.344136 * d[1] - 0.714136 * d[2],
                                d[0] + 1.402 * d[2], d[3]));
    };
  };
  return contrast_of_boxes({planes.width, planes.height}, rows, spread, begin);
}

BoxContrast whole_contrast(const cv::Mat& bgr, const std::vector<RawRow>& rows) {
  const auto begin = [&]() -> ContrastOf {
    return [means = whole_means(bgr)](const CxcywhNormalized& box) {
      return cv::norm(means.difference(box));
    };
  };
  BoxContrast result = contrast_of_boxes(bgr.size(), rows, spread_of(bgr), begin);
  result.whole = true;
  return result;
}

BoxContrast whole_contrast(std::string_view bytes, const std::string& source,
                           const std::vector<RawRow>& rows) {
  return whole_contrast(decode_picture(bytes, source), rows);
}

}  // namespace yolov7::dataset::doctor
