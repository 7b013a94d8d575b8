#pragma once
// The averaged network as the teacher of the network that trains (training 25): what it finds on
// images without labels are their labels.
#include <cstdint>
#include <optional>
#include <span>

#include "dataset/batch.hpp"
#include "image/boxes/box.hpp"
#include "run/run_state.hpp"
#include "training/data.hpp"
#include "training/model.hpp"

namespace yolov7::training {

struct PseudoRule {
  double label = 0.6;          ///< detections of this score and more are labels
  double region = 0.1;         ///< those from here to there are ignored regions
  bool by_confidence = false;  ///< a label weighs as much as its score; else 1
};

/// Puts detections on sample `sample` (corners in pixels of the batch) into the targets and marks
/// of the batch. Boxes are clipped; one without area is left out. Samples come in rising order.
void take_pseudo_labels(dataset::Batch& batch, int sample, std::span<const Detection> found,
                        const PseudoRule& rule);

class MeanTeacher {
 public:
  /// Data has images without labels. All outlive this object.
  MeanTeacher(const Data& data, const Model& model, const run::RunState& state);

  /// The strong views of an iteration (over all epochs) with what the averaged network finds on the
  /// weak ones, `at_once` images in a pass. Nothing: the burn-in is not over. A function of the
  /// iteration, the averages and the options, wherever the run was resumed.
  std::optional<dataset::Batch> batch(std::int64_t iteration, int at_once);

 private:
  void find(const dataset::Batch& weak, int first, int count, dataset::Batch& strong);

  const Data& data_;
  const Model& model_;
  const run::RunState& state_;
  std::int64_t next_ = -1;  ///< place of the next batch of the loaders; −1: not started
};

}  // namespace yolov7::training
