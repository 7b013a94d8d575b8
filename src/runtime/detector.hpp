#pragma once
// The seam between users of a detector and its back ends: plain values only.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::runtime {

/// A batch of letterboxed pictures, all of one shape: count × 3 × height × width, R G B planes, 0 …
/// 255.
struct PixelBatch {
  std::span<const std::uint8_t> pixels;
  int count = 0, height = 0, width = 0;
};

/// Decoded rows (evaluation 0.3) and, where asked for, the raw maps.
struct Prediction {
  int count = 0;
  std::size_t rows = 0;  ///< per picture
  int columns = 0;       ///< 5 + class count
  std::vector<std::size_t>
      parts;  ///< rows of each pass or model where several were joined; empty: all are of one
  bool suppressed = false;  ///< the model suppresses itself: its rows are what is left, the score
                            ///< as objectness, one class of probability 1; rows of zeros fill up
  std::vector<float> decoded;  ///< count × rows × columns: cx, cy, w, h in input pixels,
                               ///< objectness, class probabilities
  struct RawMap {
    int anchors = 0, height = 0, width = 0;
    std::vector<float> values;  ///< count × anchors × height × width × columns, logits
  };
  std::vector<RawMap> raw;  ///< lead levels, if DetectorOptions::raw_maps
  const float* picture(int i) const {
    return decoded.data() + static_cast<std::size_t>(i) * rows * static_cast<std::size_t>(columns);
  }
};

struct DetectorOptions {
  std::string precision = "float32";  ///< "float32" or "bfloat16"
  int threads = 0;                    ///< 0 = usable cores
  bool raw_maps = false;
  int kept_shapes = 4;  ///< input shapes that stay compiled, each with memory of its own; 1 where
                        ///< they come sorted
  int streams =
      1;  ///< calls that run at the same time, each of another sibling(); they share the threads
  std::filesystem::path cache_folder{};  ///< compiled networks are kept here, private to the user,
                                         ///< at most 2 GiB; empty = nowhere
  bool as_stored = false;  ///< run unfolded weights as they are (slower), for comparisons
};

/// Sides of a network's input; 0 = any multiple of the stride.
struct InputSides {
  int height = 0, width = 0;
  bool fixed() const { return height > 0; }
};

/// One model, ready to run. Not thread-safe: one call at a time.
class Detector {
 public:
  virtual ~Detector() = default;
  virtual std::string description() const = 0;  ///< "OpenVINO 2026.4.1, CPU, float32, 2 threads"
  virtual int class_count() const = 0;
  virtual int stride() const = 0;  ///< largest; input sides must be multiples of it
  /// What a file was written for; predict() takes no other sides then.
  virtual InputSides sides() const { return {}; }
  /// Another one over the same network, whose calls may run while this one's do
  /// (DetectorOptions::streams); nothing where the back end has no such thing.
  virtual std::unique_ptr<Detector> sibling() { return nullptr; }
  /// Gets ready for a batch shape (compiles the network for it, say), so that the time of predict()
  /// is that of the model alone. Never needed; errors as those of predict().
  virtual void prepare(int /*count*/, int /*height*/, int /*width*/) {}
  /// Errors: sides that are not multiples of the stride, pixels of the wrong size.
  virtual void predict(const PixelBatch& batch, Prediction& prediction) = 0;
};

/// OpenVINO on CPU, built in memory; the network is fused first unless it already is or
/// DetectorOptions::as_stored. Compiled once per input shape and kept for the last few. Error: this
/// build has no OpenVINO.
std::unique_ptr<Detector> make_openvino_detector(
    std::shared_ptr<const network::NetworkAndWeights> model, const DetectorOptions& options);
/// With a copy of network and weights.
inline std::unique_ptr<Detector> make_openvino_detector(const network::Network& network,
                                                        const network::Weights& weights,
                                                        const DetectorOptions& options) {
  return make_openvino_detector(std::make_shared<const network::NetworkAndWeights>(
                                    network::NetworkAndWeights{network, weights}),
                                options);
}
bool openvino_available();

}  // namespace yolov7::runtime
