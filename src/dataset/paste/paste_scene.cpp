#include "dataset/paste/paste_scene.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {
namespace {

cv::Size scaled_size(const Cutout& cutout, double scale) {
  return {std::max(1, static_cast<int>(std::lround(cutout.picture.cols * scale))),
          std::max(1, static_cast<int>(std::lround(cutout.picture.rows * scale)))};
}

/// Whole pixels make the scale along both sides a little different.
struct Scaled {
  double x, y;
  Scaled(const Cutout& cutout, double scale) {
    const cv::Size size = scaled_size(cutout, scale);
    x = static_cast<double>(size.width) / cutout.picture.cols;
    y = static_cast<double>(size.height) / cutout.picture.rows;
  }
};

Xyxy placed_box(const Cutout& cutout, double scale, cv::Point at) {
  const Scaled s(cutout, scale);
  return {at.x + cutout.box.x1 * s.x, at.y + cutout.box.y1 * s.y, at.x + cutout.box.x2 * s.x,
          at.y + cutout.box.y2 * s.y};
}

cv::Mat resized(const cv::Mat& picture, cv::Size size) {
  cv::Mat out;
  cv::resize(picture, out, size, 0, 0,
             size.width < picture.cols ? cv::INTER_AREA : cv::INTER_LINEAR);
  return out;
}

/// 0 … 1 as 32-bit float, before the seam.
cv::Mat1f coverage_of(const Cutout& cutout, double scale) {
  cv::Mat1f coverage;
  resized(cutout.mask, scaled_size(cutout, scale)).convertTo(coverage, CV_32F, 1.0 / 255);
  return coverage;
}

cv::Mat1f feathered(const cv::Mat1f& coverage, double sigma) {
  if (!(sigma > 0)) return coverage;
  cv::Mat1f soft;
  cv::GaussianBlur(coverage, soft, cv::Size(), sigma, 0, cv::BORDER_CONSTANT);
  return soft;
}

/// Mean colour where the mask is set; nothing where that is fewer than 20 pixels.
std::optional<cv::Scalar> mean_where(const cv::Mat& picture, const cv::Mat& mask) {
  constexpr int least = 20;
  if (cv::countNonZero(mask) < least) return std::nullopt;
  return cv::mean(picture, mask);
}

cv::Rect whole_pixels(const Xyxy& box, cv::Size size) {
  const cv::Point first(static_cast<int>(std::floor(box.x1 + 1e-6)),
                        static_cast<int>(std::floor(box.y1 + 1e-6)));
  const cv::Point last(static_cast<int>(std::ceil(box.x2 - 1e-6)),
                       static_cast<int>(std::ceil(box.y2 - 1e-6)));
  return cv::Rect(first, last) & cv::Rect({0, 0}, size);
}

}  // namespace

PasteScene::PasteScene(cv::Mat image, const std::vector<Label>& labels) : image_(std::move(image)) {
  for (const Label& label : labels) objects_.push_back(placed(label, 0));
}

PasteScene::Placed PasteScene::placed(const Label& label, std::size_t pasted) const {
  Placed one;
  one.label = label;
  one.box = to_pixels(label.box, image_.cols, image_.rows);
  one.pasted = pasted;
  one.place = whole_pixels(clip(one.box, image_.cols, image_.rows), image_.size());
  if (one.place.empty()) return one;
  if (label.polygon.empty()) {
    one.seen = cv::Mat1b(one.place.size(), static_cast<std::uint8_t>(255));
  } else {
    std::vector<cv::Point2d> outline;
    for (const cv::Point2d& p : label.polygon)
      outline.emplace_back(p.x * image_.cols, p.y * image_.rows);
    one.seen = cv::Mat1b(outline_coverage(outline, one.place) >= 0.5F);
  }
  one.whole = cv::countNonZero(one.seen);
  return one;
}

bool PasteScene::fits(const Cutout& cutout, const PasteLook& look, cv::Point at) const {
  const Xyxy box = placed_box(cutout, look.scale, at);
  return box.x1 >= 0 && box.y1 >= 0 && box.x2 <= image_.cols && box.y2 <= image_.rows;
}

double PasteScene::least_visible_after(const Cutout& cutout, const PasteLook& look,
                                       cv::Point at) const {
  const cv::Mat1b covering(coverage_of(cutout, look.scale) >= 0.5F);
  const cv::Rect place(at, covering.size());
  double least = 1;
  for (const Placed& one : objects_) {
    const cv::Rect both = place & one.place;
    if (one.whole == 0) continue;
    int lost = 0;
    if (!both.empty())
      lost = cv::countNonZero(one.seen(both - one.place.tl()) & covering(both - at));
    least = std::min(least, static_cast<double>(cv::countNonZero(one.seen) - lost) / one.whole);
  }
  return least;
}

void PasteScene::paste(const Cutout& cutout, const PasteLook& look, cv::Point at) {
  const cv::Size size = scaled_size(cutout, look.scale);
  const cv::Rect place = cv::Rect(at, size) & cv::Rect({0, 0}, image_.size());
  const cv::Rect part = place - at;
  const cv::Mat1f hard = coverage_of(cutout, look.scale);
  const cv::Mat1f soft = feathered(hard, look.feather)(part);
  cv::Mat picture = resized(cutout.picture, size), paint;
  if (look.blur > 0) cv::GaussianBlur(picture, picture, cv::Size(), look.blur);
  picture(part).convertTo(paint, CV_32F);
  if (look.match_light) {
    constexpr double most = 40;
    const cv::Mat around = hard(part) < 0.05F;
    const auto from = mean_where(picture(part), around), to = mean_where(image_(place), around);
    if (from && to)
      for (int c = 0; c < 3; ++c) {
        cv::Mat channel;
        cv::extractChannel(paint, channel, c);
        channel += cv::Scalar(std::clamp((*to)[c] - (*from)[c], -most, most));
        cv::insertChannel(channel, paint, c);
      }
  }
  for (int y = 0; y < place.height; ++y) {
    auto* const out = image_.ptr<cv::Vec3b>(place.y + y) + place.x;
    const auto* const in = paint.ptr<cv::Vec3f>(y);
    const auto* const share = soft.ptr<float>(y);
    for (int x = 0; x < place.width; ++x)
      for (int c = 0; c < 3; ++c)
        out[x][c] = cv::saturate_cast<std::uint8_t>(static_cast<float>(out[x][c]) * (1 - share[x]) +
                                                    in[x][c] * share[x]);
  }
  for (Placed& one : objects_) {
    const cv::Rect both = cv::Rect(at, size) & one.place;
    if (!both.empty()) one.seen(both - one.place.tl()).setTo(0, hard(both - at) >= 0.5F);
  }
  const Scaled s(cutout, look.scale);
  Label label;
  label.class_index = cutout.class_index;
  label.box = to_normalized(placed_box(cutout, look.scale, at), image_.cols, image_.rows);
  for (const cv::Point2d& p : cutout.polygon)
    label.polygon.emplace_back((at.x + p.x * s.x) / image_.cols, (at.y + p.y * s.y) / image_.rows);
  objects_.push_back(placed(label, ++pastes_));
}

std::vector<SeenObject> PasteScene::objects() const {
  std::vector<SeenObject> all;
  for (const Placed& one : objects_) {
    SeenObject seen{one.label, 1, one.pasted, false};
    const int left = one.whole > 0 ? cv::countNonZero(one.seen) : 0;
    if (one.whole > 0) seen.visible = static_cast<double>(left) / one.whole;
    if (left > 0 && left < one.whole) {
      const cv::Rect extent = cv::boundingRect(one.seen) + one.place.tl();
      const Xyxy box{std::max<double>(one.box.x1, extent.x), std::max<double>(one.box.y1, extent.y),
                     std::min<double>(one.box.x2, extent.br().x),
                     std::min<double>(one.box.y2, extent.br().y)};
      seen.label.box = to_normalized(box, image_.cols, image_.rows);
      seen.box_only = !seen.label.polygon.empty();
      seen.label.polygon.clear();
    }
    all.push_back(std::move(seen));
  }
  return all;
}

double drawn_scale(const Cutout& cutout, cv::Size image, Random& random) {
  constexpr double most = 1.5;
  const double same = static_cast<double>(std::max(image.width, image.height)) / cutout.image_side;
  return std::min(most, same * std::exp(random.uniform(std::log(0.8), std::log(1.25))));
}

double sharpness(const cv::Mat& picture) {
  cv::Mat gray, second, dx, dy;
  cv::cvtColor(picture, gray, cv::COLOR_BGR2GRAY);
  cv::Laplacian(gray, second, CV_32F);
  cv::Sobel(gray, dx, CV_32F, 1, 0);
  cv::Sobel(gray, dy, CV_32F, 0, 1);
  const double gradient = cv::mean(cv::abs(dx))[0] + cv::mean(cv::abs(dy))[0];
  return gradient > 0 ? cv::mean(cv::abs(second))[0] / gradient : 0;
}

double matching_blur(const Cutout& cutout, double scale, double image_sharpness) {
  const cv::Mat picture = resized(cutout.picture, scaled_size(cutout, scale));
  constexpr double tolerance = 1.25;
  double used = 0;
  for (const double sigma : {0.0, 0.5, 0.8, 1.2, 1.8}) {
    cv::Mat blurred = picture;
    if (sigma > 0) cv::GaussianBlur(picture, blurred, cv::Size(), sigma);
    used = sigma;
    if (sharpness(blurred) <= tolerance * image_sharpness) break;
  }
  return used;
}

}  // namespace yolov7::dataset
