#pragma once
// Large pictures in parts: objects that are too small in the whole are found in a part, objects
// that a part cuts are found in a neighbour or in the whole. Idea: slicing aided inference (Akyon,
// Altinuc, Temizel, ICIP 2022).
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/detect.hpp"

namespace yolov7::runtime {

/// Each part is a pass of the network, and all are listed before the first one.
inline constexpr std::size_t most_tiles = 1'000'000;
/// Squares of side `tile` that cover the picture, each overlapping its neighbours by at least
/// `overlap` of its side, spread evenly; a picture no larger than a tile is one rectangle. Error: a
/// tile below 1, an overlap outside 0 … 0.9, more than most_tiles.
std::vector<cv::Rect> tile_grid(cv::Size picture, int tile, double overlap);

/// Detections of one part, in pixels of the picture.
struct PartDetections {
  cv::Rect part;
  std::vector<Detection> detections;
};

/// Boxes that a part's inner border cuts count after all others: they go where another box overlaps
/// them by more than the IoU threshold, or holds more than half of them. Others are suppressed as
/// usual. Descending score, at most max_det.
std::vector<Detection> merge_parts(std::span<const PartDetections> parts, cv::Size picture,
                                   const NmsOptions& options);

/// The whole picture and all its parts, one after the other through the network; memory is that of
/// one. Error: stopped_error() between two parts.
DetectResult detect_tiled(Detector& detector, const cv::Mat& bgr, const LookOptions& options,
                          DetectBuffers& buffers);

}  // namespace yolov7::runtime
