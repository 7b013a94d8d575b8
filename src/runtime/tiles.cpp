#include "runtime/tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"

namespace yolov7::runtime {
namespace {

/// Starts of the fewest parts of length `tile` that cover `side` with the overlap.
std::vector<int> starts(int side, int tile, double overlap) {
  if (side <= tile) return {0};
  const double step = std::max(tile * (1 - overlap), 1.0);
  const int count = static_cast<int>(std::ceil((side - tile) / step)) + 1;
  std::vector<int> out;
  for (int i = 0; i < count; ++i)
    out.push_back(
        static_cast<int>(std::lround(static_cast<double>(side - tile) * i / (count - 1))));
  return out;
}

/// Whether the box ends where the part does although the picture goes on.
bool is_cut(const Xyxy& box, const cv::Rect& part, cv::Size picture) {
  const double near_x = std::max(2.0, 0.01 * part.width),
               near_y = std::max(2.0, 0.01 * part.height);
  return (part.x > 0 && box.x1 < part.x + near_x) || (part.y > 0 && box.y1 < part.y + near_y) ||
         (part.x + part.width < picture.width && box.x2 > part.x + part.width - near_x) ||
         (part.y + part.height < picture.height && box.y2 > part.y + part.height - near_y);
}

struct Piece {
  Detection detection;
  bool cut;
};

bool covers(const Piece& kept, const Piece& one, const NmsOptions& options) {
  if (!options.agnostic && kept.detection.class_index != one.detection.class_index) return false;
  const Xyxy &a = kept.detection.box, &b = one.detection.box;
  if (iou(a, b) > options.iou_thres) return true;
  return one.cut && b.area() > 0 && intersection_area(a, b) / b.area() > 0.5;
}

}  // namespace

std::vector<cv::Rect> tile_grid(cv::Size picture, int tile, double overlap) {
  if (tile < 1)
    throw usage_error(fmt::format("{}: expected a positive number of pixels, found {}",
                                  setting_name("tile"), tile));
  if (!(overlap >= 0 && overlap <= 0.9))
    throw usage_error(
        fmt::format("{}: expected 0 to 0.9, found {}", setting_name("tile-overlap"), overlap));
  const std::vector<int> columns = starts(picture.width, tile, overlap),
                         rows = starts(picture.height, tile, overlap);
  if (const std::size_t count = columns.size() * rows.size(); count > most_tiles)
    throw usage_error(
        fmt::format("{} {}: an image of {} x {} px has {} parts of this size, expected at most {}",
                    setting_name("tile"), tile, picture.width, picture.height, count, most_tiles));
  std::vector<cv::Rect> out;
  for (const int y : rows)
    for (const int x : columns)
      out.push_back({x, y, std::min(tile, picture.width), std::min(tile, picture.height)});
  return out;
}

std::vector<Detection> merge_parts(std::span<const PartDetections> parts, cv::Size picture,
                                   const NmsOptions& options) {
  std::vector<Piece> pieces;
  for (const PartDetections& part : parts)
    for (const Detection& one : part.detections)
      pieces.push_back({one, is_cut(one.box, part.part, picture)});
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return a.cut != b.cut ? b.cut : a.detection.score > b.detection.score;
  });
  std::vector<Piece> kept;
  for (const Piece& one : pieces)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const Piece& other) { return covers(other, one, options); }))
      kept.push_back(one);
  std::vector<Detection> out;
  for (const Piece& one : kept) out.push_back(one.detection);
  sort_by_score(out);
  if (out.size() > static_cast<std::size_t>(options.max_det))
    out.resize(static_cast<std::size_t>(options.max_det));
  return out;
}

DetectResult detect_tiled(Detector& detector, const cv::Mat& bgr, const LookOptions& options,
                          DetectBuffers& buffers) {
  const cv::Rect whole(0, 0, bgr.cols, bgr.rows);
  std::vector<cv::Rect> grid = tile_grid(bgr.size(), options.tile, options.tile_overlap);
  if (grid.size() > 1) grid.insert(grid.begin(), whole);
  DetectResult all;
  std::vector<PartDetections> parts;
  for (const cv::Rect& part : grid) {
    check_stop(options.stop);
    DetectResult one = detect(detector, bgr(part), options.image_size, options.nms, buffers);
    for (Detection& detection : one.detections) {
      detection.box.x1 += part.x, detection.box.x2 += part.x;
      detection.box.y1 += part.y, detection.box.y2 += part.y;
    }
    all.highest_score = std::max(all.highest_score, one.highest_score);
    all.rows += one.rows;
    all.dropped_not_finite += one.dropped_not_finite;
    all.beyond_max_nms += one.beyond_max_nms;
    all.at_max_det = all.at_max_det || one.at_max_det;
    all.input = one.input;
    all.timing = {all.timing.pre + one.timing.pre, all.timing.inference + one.timing.inference,
                  all.timing.post + one.timing.post, all.timing.compile + one.timing.compile};
    parts.push_back({part, std::move(one.detections)});
  }
  all.detections = merge_parts(parts, bgr.size(), options.nms);
  if (all.detections.size() >= static_cast<std::size_t>(options.nms.max_det)) all.at_max_det = true;
  return all;
}

}  // namespace yolov7::runtime
