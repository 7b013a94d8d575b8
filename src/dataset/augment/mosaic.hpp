#pragma once
// Mosaics of four and nine pictures (data 8.2) as pure functions of the drawn values.
#include <array>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

/// A resized picture (long side s) and its normalized labels.
struct Tile {
  cv::Mat picture;
  std::span<const Label> labels;
  std::shared_ptr<const std::vector<Label>> own =
      {};  ///< keeps `labels` where they are not the index's
  std::function<cv::Mat()> load =
      {};  ///< gives the picture, of load_size, where it stands for one that is not there yet
  cv::Size load_size = {};
  std::shared_ptr<const LabelWeights> weights = {};  ///< of the labels; null: all 1, no region
  cv::Size size() const { return load ? load_size : picture.size(); }
};

/// Of a sample that has been resized; shares its pixels.
Tile to_tile(const Sample& sample);

/// Four tiles around the centre, on 2s × 2s pixels of grey 114. `centre_y`, `centre_x` are the
/// draws of U(s/2, 3s/2), rounded down here. Labels are clipped to [0, 2s] and stay in tile order,
/// those cut away without area (data K13). `canvas` is memory to draw into; nobody else may use it.
/// Where `needed` is not empty only its pixels are drawn, and only tiles that reach into it are
/// loaded.
Sample mosaic4(const std::array<Tile, 4>& tiles, int s, double centre_y, double centre_x,
               cv::Mat canvas = {}, const cv::Rect& needed = {});

/// Nine tiles in the order centre, top, then clockwise; the result is the 2s × 2s window of the 3s
/// × 3s canvas whose corner is the draws of U(0, s), rounded down here.
Sample mosaic9(const std::array<Tile, 9>& tiles, int s, double window_y, double window_x,
               cv::Mat canvas = {}, const cv::Rect& needed = {});

}  // namespace yolov7::dataset
