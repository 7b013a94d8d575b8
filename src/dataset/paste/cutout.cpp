#include "dataset/paste/cutout.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {
namespace {

cv::Rect whole_pixels(const Xyxy& box, cv::Size size) {
  const cv::Point first(static_cast<int>(std::floor(box.x1)), static_cast<int>(std::floor(box.y1)));
  const cv::Point last(static_cast<int>(std::ceil(box.x2)), static_cast<int>(std::ceil(box.y2)));
  return cv::Rect(first, last) & cv::Rect({0, 0}, size);
}

/// The box and a quarter of its sides around it, at least 4 px.
cv::Rect with_margin(const Xyxy& box, cv::Size size) {
  const double x = std::max(4.0, box.width() / 4), y = std::max(4.0, box.height() / 4);
  return whole_pixels({box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y}, size);
}

cv::Mat1b polygon_mask(const std::vector<cv::Point2d>& polygon, cv::Size size) {
  const cv::Mat coverage = outline_coverage(polygon, cv::Rect({0, 0}, size));
  return cv::Mat1b(coverage >= 0.5F);
}

cv::Mat1b box_mask(const Xyxy& box, cv::Size size) {
  cv::Mat1b mask(size, static_cast<std::uint8_t>(0));
  mask(whole_pixels(box, size)).setTo(255);
  return mask;
}

/// Outside of the box is background for sure; the largest piece that is left, without holes.
cv::Mat1b grabcut_mask(const cv::Mat& picture, const Xyxy& box) {
  constexpr int rounds = 4;
  cv::Mat labels, background, foreground;
  const cv::Rect inside = whole_pixels(box, picture.size());
  if (inside.width < 4 || inside.height < 4 || inside.size() == picture.size()) return {};
  cv::setRNGSeed(1);  // its clusters begin with random numbers of OpenCV
  cv::grabCut(picture, labels, inside, background, foreground, rounds, cv::GC_INIT_WITH_RECT);
  cv::Mat1b mask((labels == cv::GC_FGD) | (labels == cv::GC_PR_FGD));
  std::vector<std::vector<cv::Point>> pieces;
  cv::findContours(mask, pieces, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  if (pieces.empty()) return {};
  const auto largest = std::max_element(
      pieces.begin(), pieces.end(),
      [](const auto& a, const auto& b) { return cv::contourArea(a) < cv::contourArea(b); });
  mask.setTo(0);
  cv::drawContours(mask, pieces, static_cast<int>(largest - pieces.begin()), cv::Scalar(255),
                   cv::FILLED);
  return mask;
}

}  // namespace

const char* cut_word(CutBy by) {
  switch (by) {
    case CutBy::polygon: return "polygon";
    case CutBy::grabcut: return "grabcut";
    case CutBy::whole_box: return "box";
  }
  return "";
}

bool plausible_mask(const cv::Mat1b& mask, const Xyxy& box) {
  if (mask.empty()) return false;
  const cv::Rect extent = cv::boundingRect(mask);
  const double share = cv::countNonZero(mask) / box.area();
  return share >= 0.2 && share <= 0.97 && extent.width >= 0.8 * box.width() &&
         extent.height >= 0.8 * box.height();
}

bool cut_out(const cv::Mat& image, const Label& label, const std::string& wanted, Cutout& cutout) {
  const Xyxy box = clip(to_pixels(label.box, image.cols, image.rows), image.cols, image.rows);
  const cv::Rect part = with_margin(box, image.size());
  if (part.empty() || box.width() < 2 || box.height() < 2) return false;
  Cutout one;
  one.class_index = label.class_index;
  one.picture = image(part).clone();
  one.box = {box.x1 - part.x, box.y1 - part.y, box.x2 - part.x, box.y2 - part.y};
  for (const cv::Point2d& p : label.polygon)
    one.polygon.emplace_back(p.x * image.cols - part.x, p.y * image.rows - part.y);
  one.image_side = std::max(image.cols, image.rows);
  if (!one.polygon.empty() && (wanted == "auto" || wanted == "polygon")) {
    one.mask = polygon_mask(one.polygon, part.size());
    one.by = CutBy::polygon;
    if (cv::countNonZero(one.mask) == 0) return false;
  } else if (wanted == "auto" || wanted == "grabcut") {
    one.mask = grabcut_mask(one.picture, one.box);
    one.by = CutBy::grabcut;
    if (!plausible_mask(one.mask, one.box)) {
      if (wanted == "grabcut") return false;
      one.mask = box_mask(one.box, part.size());
      one.by = CutBy::whole_box;
    }
  } else if (wanted == "box") {
    one.mask = box_mask(one.box, part.size());
  } else {
    return false;  // a polygon is wanted, and there is none
  }
  cutout = std::move(one);
  return true;
}

}  // namespace yolov7::dataset
