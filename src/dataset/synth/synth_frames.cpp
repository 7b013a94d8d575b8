#include "dataset/synth/synth_frames.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {
namespace {

/// Numbers of random streams. Never change them: the same seed would draw other sets.
constexpr std::uint32_t empty_stream = 100, scene_stream = 102;

/// The outline as it is seen through the window, not cut.
Outline seen(const Outline& outline, const cv::Rect2d& window, double scale) {
  Outline moved = outline;
  for (cv::Point2d& p : moved) p = (p - window.tl()) * scale;
  return moved;
}

}  // namespace

std::vector<SynthShot> synth_shots(double share, std::size_t count, std::uint64_t seed, int split) {
  std::vector<SynthShot> shots;
  if (count == 0) return shots;
  const auto further = std::min(
      count - 1, static_cast<std::size_t>(std::lround(share * static_cast<double>(count))));
  const std::size_t scenes = count - further;
  // The first image begins a scene, and so do scenes − 1 of the others.
  std::vector<bool> begins(count, false);
  begins[0] = true;
  const auto order =
      Random(seed, static_cast<std::uint32_t>(split), 0, scene_stream).permutation(count - 1);
  for (std::size_t i = 0; i + 1 < scenes; ++i) begins[order[i] + 1] = true;
  for (std::size_t i = 0, scene = 0, frame = 0; i < count; ++i) {
    if (i > 0 && begins[i])
      ++scene, frame = 0;
    else if (i > 0)
      ++frame;
    shots.push_back({scene, frame});
  }
  return shots;
}

std::vector<bool> empty_shots(double share, std::span<const SynthShot> shots, std::uint64_t seed,
                              int split) {
  std::vector<bool> empty(shots.size(), false);
  if (shots.empty()) return empty;
  const auto wanted =
      static_cast<std::size_t>(std::lround(share * static_cast<double>(shots.size())));
  std::vector<std::size_t> first(shots.back().scene + 1, 0), frames(first.size(), 0);
  for (std::size_t i = 0; i < shots.size(); ++i) {
    if (shots[i].frame == 0) first[shots[i].scene] = i;
    ++frames[shots[i].scene];
  }
  std::size_t taken = 0;
  for (const std::size_t scene :
       Random(seed, static_cast<std::uint32_t>(split), 0, empty_stream).permutation(first.size())) {
    if (taken + frames[scene] > wanted) continue;
    taken += frames[scene];
    for (std::size_t i = 0; i < frames[scene]; ++i) empty[first[scene] + i] = true;
  }
  return empty;
}

int zipf_class(int count, double exponent, Random& random) {
  const auto weight = [&](int k) { return std::pow(k + 1.0, -exponent); };
  double sum = 0;
  for (int k = 0; k < count; ++k) sum += weight(k);
  double left = random.uniform() * sum;
  for (int k = 0; k + 1 < count; ++k)
    if ((left -= weight(k)) < 0) return k;
  return count - 1;
}

cv::Rect2d camera_window(cv::Size canvas, std::span<const Outline> objects, Random& random) {
  constexpr int tries = 10;
  constexpr double least_side = 0.97, least_inside = 0.8;
  for (int i = 0; i < tries; ++i) {
    const double side = random.uniform(least_side, 1);
    const double x = random.uniform(0, 1 - side) * canvas.width;   // one by one: arguments have no
    const double y = random.uniform(0, 1 - side) * canvas.height;  // order
    const cv::Rect2d window(x, y, side * canvas.width, side * canvas.height);
    const bool all = std::all_of(objects.begin(), objects.end(), [&](const Outline& outline) {
      const Outline inside = clip_outline(seen(outline, window, 1), window.width, window.height);
      return inside.size() >= 3 && outline_area(inside) >= least_inside * outline_area(outline);
    });
    if (all) return window;
  }
  return {0, 0, static_cast<double>(canvas.width), static_cast<double>(canvas.height)};
}

void look_through(const cv::Rect2d& window, cv::Mat& canvas, std::vector<Outline>& objects) {
  const double scale = canvas.cols / window.width;
  // A pixel (i, j) covers [i, i + 1) × [j, j + 1), so its middle lies at i + 0.5.
  const cv::Matx23d back(1 / scale, 0, window.x + 0.5 / scale - 0.5, 0, 1 / scale,
                         window.y + 0.5 / scale - 0.5);
  cv::Mat moved;
  cv::warpAffine(canvas, moved, back, canvas.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  canvas = moved;
  for (Outline& outline : objects)
    outline = clip_outline(seen(outline, window, scale), canvas.cols, canvas.rows);
}

}  // namespace yolov7::dataset
