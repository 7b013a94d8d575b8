#pragma once
// Proof that a derived model is its parent: the same pictures through both, in float64 and in the
// back end that users run.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"
#include "network/graph/weights.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

/// One letterboxed picture: 3 × height × width bytes, R G B planes.
struct ProofPicture {
  std::string name;
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
  runtime::PixelBatch batch() const { return {pixels, 1, height, width}; }
};

/// Four pictures of coloured noise of several grain sizes, made by integer arithmetic from their
/// number alone: two square ones of `image_size`, a wide and a high one of half the short side
/// (rounded up to `stride`).
std::vector<ProofPicture> generated_pictures(int image_size, int stride);

/// The same of one size, for models that take no other.
std::vector<ProofPicture> noise_pictures(int count, int height, int width);

/// What a model makes of one picture.
struct Outputs {
  std::vector<std::vector<double>> raw;  ///< lead levels, each [na, H, W, 5 + nc], logits
  std::vector<double> decoded;  ///< [rows, 5 + nc]: cx, cy, w, h in pixels, objectness, classes
  int columns = 0;
};

/// Outputs for each picture, computed in float64 with the weights as they are (the training
/// library's).
using ExactOutputs = std::function<std::vector<Outputs>(
    const network::Network&, const network::Weights&, std::span<const ProofPicture>)>;

/// The same from a detector that was made with raw_maps.
std::vector<Outputs> outputs_of(runtime::Detector& detector,
                                std::span<const ProofPicture> pictures);

struct Difference {
  double largest = 0,
         mean = 0;   ///< of |a − b|; infinite where a value is not finite or the shapes differ
  double scale = 0;  ///< largest |a|
  double relative() const { return scale > 0 ? largest / scale : largest; }
};
Difference difference(std::span<const double> a, std::span<const double> b);

/// Over all pictures: one entry a level, then the decoded rows.
struct Comparison {
  std::vector<Difference> raw;
  Difference decoded;
  double largest_relative() const;
};
Comparison compare(std::span<const Outputs> a, std::span<const Outputs> b);

/// Largest difference, as a share of the largest value, at which two models in float64 count as
/// equal: rounding of double precision through the deepest network stays a thousand times below it,
/// and the smallest wrong fold far above.
inline constexpr double exact_tolerance = 1e-9;

/// Boxes of one picture matched one to one, best score first: the same class, and the highest IoU
/// among those left. Boxes without area (clipped at the border) have no IoU: it counts as 1 where
/// all corners lie within 0.01 px, else as 0.
struct BoxMatch {
  std::size_t reference = 0, candidate = 0;  ///< how many boxes
  std::size_t matched = 0;  ///< pairs with IoU ≥ least_iou and |Δ score| ≤ most_score
  double least_iou = 1, largest_score = 0;  ///< over all pairs
};
struct MatchLimits {
  double iou = 0.99, score = 0.005;
};
BoxMatch match_boxes(std::span<const Detection> reference, std::span<const Detection> candidate,
                     const MatchLimits& limits = {});

struct Model {
  const network::Network& network;
  const network::Weights& weights;
};

struct Proof {
  Comparison exact;     ///< parent and child in float64
  Comparison stored;    ///< parent and the child with its weights as they are written, in float64
  std::string backend;  ///< the default one's description
  Comparison parent_backend, child_backend;  ///< against the parent in float64
  std::vector<BoxMatch> boxes;               ///< by picture, in the default back end
  double parent_ms = 0, child_ms = 0;        ///< median time of the first picture, interleaved
  std::string breach;                        ///< why the child is not its parent; "" = it is
};

/// `child`: float64 weights; `stored`: the same, as they will be written. Breaches: float64 outputs
/// differ by more than exact_tolerance of the largest value; in the default back end a float32
/// child is further from the exact result than four times its parent (plus 1e-5 of the largest
/// value, the rounding of float32 through a deep network).
Proof prove(const Model& parent, const Model& child, const network::Weights& stored,
            std::span<const ProofPicture> pictures, const ExactOutputs& exact_outputs);

}  // namespace yolov7::equivalence
