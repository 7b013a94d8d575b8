#pragma once
// Sets like those that cameras bring: many frames of one scene, classes of unequal frequency.
#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {

/// An image is a frame of a scene; frame 0 is the scene as it was drawn.
struct SynthShot {
  std::size_t scene = 0, frame = 0;
  bool operator==(const SynthShot&) const = default;
};

/// `count` images, one scene after the other: round(share · count) of them are further frames of
/// the scene before, at most count − 1. Where scenes begin is drawn by the seed, every set of
/// places alike. `share` 0: each image is a scene of its own, with the image's number.
std::vector<SynthShot> synth_shots(double share, std::size_t count, std::uint64_t seed, int split);

/// Which images have no object: all frames of a scene or none. Scenes in an order drawn by the
/// seed, each while the images stay at most round(share · count).
std::vector<bool> empty_shots(double share, std::span<const SynthShot> shots, std::uint64_t seed,
                              int split);

/// 0 … count − 1; class k in proportion to 1 / (k + 1)^exponent (Zipf's law).
int zipf_class(int count, double exponent, Random& random);

/// What a camera that has moved a little sees of a canvas: a part of its form, with sides 97 to 100
/// % as long. At least 80 % of the area of each object lies inside; after ten tries without such a
/// part it is the whole canvas.
cv::Rect2d camera_window(cv::Size canvas, std::span<const Outline> objects, Random& random);
/// Brings the part to the size of the whole: pixels, and outlines, which are cut at the border.
void look_through(const cv::Rect2d& window, cv::Mat& canvas, std::vector<Outline>& objects);

}  // namespace yolov7::dataset
