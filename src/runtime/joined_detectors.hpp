#pragma once
// Several passes that answer as one detector: test-time augmentation and ensembles
// (evaluation 1.13, 2.4). Their rows stand one after the other; Prediction::parts says how many
// each pass gave.
#include <memory>
#include <vector>

#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::runtime {

inline constexpr int augmented_passes = 3;

/// Three passes over each batch: as it is, mirrored and scaled by 0.83, scaled by 0.67; boxes are
/// mapped back. Pictures are scaled in 8 bit, so a pixel may differ from scaling in float32 by half
/// a level. `clip_tails`: without the rows of the coarsest level of the first pass and of the
/// finest of the last. No raw maps.
std::unique_ptr<Detector> make_augmented_detector(std::unique_ptr<Detector> detector,
                                                  bool clip_tails, int level_count);

/// All members on each batch. Stride: the largest of theirs. Errors: no member, members of
/// different class counts.
std::unique_ptr<Detector> make_ensemble(std::vector<std::unique_ptr<Detector>> members);

/// Suppression over one picture of a prediction. Joined passes are candidates together; `wbf` fuses
/// them as lists.
NmsResult suppress(const Prediction& prediction, int picture, int class_count,
                   const NmsOptions& options);

}  // namespace yolov7::runtime
