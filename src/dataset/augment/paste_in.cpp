#include "dataset/augment/paste_in.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "dataset/augment/copy_paste.hpp"

namespace yolov7::dataset {
namespace {

constexpr double skip_probability = 0.2, most_hidden = 0.30;
constexpr int least_place = 20, least_side = 10, least_mask_elements = 60;

/// Size fractions of the tries: 0.75 twice, then four of each, six of the smallest.
constexpr std::array<std::pair<double, int>, 5> tries{
    {{0.75, 2}, {0.5, 4}, {0.25, 4}, {0.125, 4}, {0.0625, 6}}};

cv::Rect draw_place(cv::Size picture, double fraction, Random& random) {
  const int w = picture.width, h = picture.height;
  const int mh = static_cast<int>(random.integer(1, static_cast<int>(h * fraction)));
  const int mw = static_cast<int>(random.integer(1, static_cast<int>(w * fraction)));
  const int x = std::max(0, static_cast<int>(random.integer(0, w)) - mw / 2);
  const int y = std::max(0, static_cast<int>(random.integer(0, h)) - mh / 2);
  return {cv::Point(x, y), cv::Point(std::min(w, x + mw), std::min(h, y + mh))};
}

}  // namespace

std::vector<PasteSource> cut_sources(const Sample& mosaic, std::span<const std::size_t> chosen) {
  std::vector<PasteSource> sources;
  const int w = mosaic.picture.cols, h = mosaic.picture.rows;
  for (const std::size_t j : chosen) {
    const Object& object = mosaic.objects[j];
    const auto whole = [](double v, int last) { return std::clamp(static_cast<int>(v), 0, last); };
    const int x1 = whole(object.box.x1, w - 1), y1 = whole(object.box.y1, h - 1);
    const int x2 = whole(object.box.x2, w - 1), y2 = whole(object.box.y2, h - 1);
    if (x1 >= x2 || y1 >= y2) continue;
    const cv::Rect box(x1, y1, x2 - x1, y2 - y1);
    PasteSource source;
    source.class_index = object.class_index;
    source.weight = object.weight;
    source.picture = mosaic.picture(box).clone();
    source.mask = cv::Mat::zeros(box.size(), CV_8UC1);
    std::vector<cv::Point2d> outline = object.polygon;
    for (cv::Point2d& p : outline) p = {std::trunc(p.x) - x1, std::trunc(p.y) - y1};
    fill_outline(source.mask, outline);
    sources.push_back(std::move(source));
  }
  return sources;
}

bool paste_one(Sample& sample, const PasteSource& source, const cv::Rect& place) {
  const double f = std::min(static_cast<double>(place.height) / source.picture.rows,
                            static_cast<double>(place.width) / source.picture.cols);
  const cv::Size size(static_cast<int>(source.picture.cols * f),
                      static_cast<int>(source.picture.rows * f));
  if (size.width <= least_side || size.height <= least_side) return false;
  cv::Mat picture, mask;
  cv::resize(source.mask, mask, size, 0, 0, cv::INTER_LINEAR);
  if (3 * cv::countNonZero(mask) <= least_mask_elements) return false;
  cv::resize(source.picture, picture, size, 0, 0, cv::INTER_LINEAR);
  picture.copyTo(sample.picture(cv::Rect(place.tl(), size)), mask);
  Object object;
  object.class_index = source.class_index;
  object.weight = source.weight;
  object.box = {static_cast<double>(place.x), static_cast<double>(place.y),
                static_cast<double>(place.x + size.width),
                static_cast<double>(place.y + size.height)};
  sample.objects.push_back(std::move(object));
  return true;
}

void paste_in(Sample& sample, std::span<const PasteSource> sources, Random& random) {
  for (const auto& [fraction, count] : tries) {
    for (int i = 0; i < count; ++i) {
      if (random.chance(skip_probability)) continue;
      const cv::Rect place = draw_place(sample.picture.size(), fraction, random);
      const Xyxy box{static_cast<double>(place.x), static_cast<double>(place.y),
                     static_cast<double>(place.br().x), static_cast<double>(place.br().y)};
      if (sources.empty() || place.width <= least_place || place.height <= least_place) continue;
      if (!leaves_visible(sample.objects, box, most_hidden)) continue;
      paste_one(sample,
                sources[static_cast<std::size_t>(
                    random.integer(0, static_cast<std::int64_t>(sources.size()) - 1))],
                place);
    }
  }
}

}  // namespace yolov7::dataset
