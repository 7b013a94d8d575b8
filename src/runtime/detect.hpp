#pragma once
// One picture in, its objects out: letterbox, network, suppression, back to the picture
// (evaluation 3.2, 3.4).
#include <opencv2/core/mat.hpp>
#include <span>
#include <stop_token>
#include <vector>

#include "core/settings.hpp"
#include "image/boxes/box.hpp"
#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::runtime {

/// Milliseconds. Pre: letterbox and planes; post: suppression and the way back. Compiling for a new
/// shape is apart.
struct DetectTiming {
  double pre = 0, inference = 0, post = 0, compile = 0;
};

struct DetectResult {
  std::vector<Detection>
      detections;           ///< in pixels of the picture, clipped, not rounded; descending score
  float highest_score = 0;  ///< of all rows, also below the threshold; 0 if no row is finite
  std::size_t rows = 0;     ///< of the network's prediction
  std::size_t dropped_not_finite = 0;  ///< rows with NaN or Inf
  std::size_t beyond_max_nms = 0;      ///< boxes that NmsOptions::max_nms left out
  bool at_max_det = false;  ///< as many objects as NmsOptions::max_det allows: there may be more
  /// Every row was dropped: the network gave no answer, which is not an answer without objects.
  bool nothing_finite() const { return rows > 0 && dropped_not_finite == rows; }
  cv::Size input;  ///< letterboxed size
  DetectTiming timing;
};

/// Buffers that a caller with many pictures keeps between them.
struct DetectBuffers {
  std::vector<std::uint8_t> pixels;
  Prediction prediction;
};

/// Most pixels of a side of the network's input: an image of it takes 800 MB in bytes.
inline constexpr int longest_input_side = 16384;
/// `image_size` rounded up to a multiple of `stride`.
int rounded_image_size(int image_size, int stride);

/// How pictures are looked at.
struct LookOptions {
  int image_size =
      640;  ///< long side of the network input in pixels, a multiple of the detector's stride
  NmsOptions nms;
  int tile = 0;  ///< side of square parts, in pixels of the picture, that are looked at besides the
                 ///< whole; 0 = none
  double tile_overlap = 0.2;  ///< of neighbouring parts, as a share of their side
  std::stop_token stop = {};  ///< looked at before each part
};

/// The options of a command line that these members are, those of `nms` aside.
std::vector<Setting> settings(LookOptions& options);

/// `bgr`: 8 bit, 3 channels. `image_size`: the long side of the network input in pixels, a multiple
/// of the detector's stride; the short side is the smallest multiple that holds the picture; small
/// pictures are enlarged. Errors: another picture type, an image size that is no multiple of the
/// stride.
DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size,
                    const NmsOptions& options, DetectBuffers& buffers);
DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size,
                    const NmsOptions& options);

/// Whole pictures (no tiles). Neighbours of one input size go through the network together, whose
/// time is then shared out evenly.
std::vector<DetectResult> detect_whole(Detector& detector, std::span<const cv::Mat> pictures,
                                       int image_size, const NmsOptions& options,
                                       DetectBuffers& buffers);

}  // namespace yolov7::runtime
