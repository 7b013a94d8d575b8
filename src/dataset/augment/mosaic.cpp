#include "dataset/augment/mosaic.hpp"

#include <cmath>
#include <opencv2/core.hpp>
#include <utility>

#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

/// Copies the part of the tile that lies in `allowed`, and appends its labels, clipped to the
/// canvas.
void place(const Tile& tile, cv::Point origin, const cv::Rect& allowed, Sample& sample) {
  const cv::Size size = tile.size();
  const cv::Rect target = cv::Rect(origin, size) & allowed;
  if (!target.empty()) {
    const cv::Mat picture =
        tile.load ? tile.load() : tile.picture;  // given back before the next one is loaded, which
                                                 // finds its memory still in the cache
    picture(target - origin).copyTo(sample.picture(target));
  }
  for (Object& object :
       to_objects(tile.labels, tile.weights.get(), size.width, size.height, origin.x, origin.y)) {
    clip_object(object, sample.picture.cols, sample.picture.rows);
    sample.objects.push_back(std::move(object));
  }
}

Sample blank(int side, cv::Mat canvas, const cv::Rect& needed) {
  canvas.create(side, side, CV_8UC3);
  canvas(needed).setTo(cv::Scalar::all(letterbox_grey));
  Sample sample;
  sample.picture = std::move(canvas);
  return sample;
}

cv::Rect or_all(const cv::Rect& needed, int side) {
  return needed.empty() ? cv::Rect(0, 0, side, side) : needed;
}

/// Upper left corners on the 3s × 3s canvas; each depends on the tile before it.
std::array<cv::Point, 9> origins9(const std::array<Tile, 9>& tiles, int s) {
  const auto w = [&](std::size_t i) { return tiles[i].size().width; };
  const auto h = [&](std::size_t i) { return tiles[i].size().height; };
  const int right = s + w(0), bottom = s + h(0);
  return {cv::Point(s, s),
          cv::Point(s, s - h(1)),
          cv::Point(s + w(1), s - h(2)),
          cv::Point(right, s),
          cv::Point(right, s + h(3)),
          cv::Point(right - w(5), bottom),
          cv::Point(right - w(5) - w(6), bottom),
          cv::Point(s - w(7), bottom - h(7)),
          cv::Point(s - w(8), bottom - h(7) - h(8))};
}

}  // namespace

Tile to_tile(const Sample& sample) {
  auto labels = std::make_shared<std::vector<Label>>();
  auto weights = std::make_shared<LabelWeights>();
  bool marked = false;
  for (const Object& object : sample.objects) {
    Label label = to_label(object, sample.picture.size());
    marked |= object.ignored || object.weight != 1;
    if (object.ignored) {
      weights->ignored.push_back(label.box);
    } else {
      labels->push_back(std::move(label));
      weights->weights.push_back(object.weight);
    }
  }
  Tile tile{sample.picture, *labels, labels};
  if (marked) tile.weights = std::move(weights);
  return tile;
}

Sample mosaic4(const std::array<Tile, 4>& tiles, int s, double centre_y, double centre_x,
               cv::Mat canvas, const cv::Rect& needed) {
  const cv::Rect drawn = or_all(needed, 2 * s);
  Sample sample = blank(2 * s, std::move(canvas), drawn);
  const int yc = static_cast<int>(std::floor(centre_y)),
            xc = static_cast<int>(std::floor(centre_x));
  for (std::size_t i = 0; i < 4; ++i) {
    const bool right = i % 2 == 1, below = i >= 2;
    const cv::Size size = tiles[i].size();
    const cv::Point origin(right ? xc : xc - size.width, below ? yc : yc - size.height);
    const cv::Rect allowed(cv::Point(right ? xc : 0, below ? yc : 0),
                           cv::Point(right ? 2 * s : xc, below ? 2 * s : yc));
    place(tiles[i], origin, allowed & drawn, sample);
  }
  return sample;
}

Sample mosaic9(const std::array<Tile, 9>& tiles, int s, double window_y, double window_x,
               cv::Mat canvas, const cv::Rect& needed) {
  const cv::Rect drawn = or_all(needed, 2 * s);
  Sample sample = blank(2 * s, std::move(canvas), drawn);
  const cv::Point window(static_cast<int>(std::floor(window_x)),
                         static_cast<int>(std::floor(window_y)));
  const auto origins = origins9(tiles, s);
  for (std::size_t i = 0; i < 9; ++i) place(tiles[i], origins[i] - window, drawn, sample);
  return sample;
}

}  // namespace yolov7::dataset
