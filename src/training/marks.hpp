#pragma once
// What a training makes of the marks of its labels (training 23, 24): weights of labels of a
// network, ignored regions, the share of drawn images.
#include <memory>
#include <vector>

#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/label_marks.hpp"
#include "run/run_state.hpp"

namespace yolov7::training {

/// One an entry of the training split.
struct TrainMarks {
  std::shared_ptr<const std::vector<dataset::LabelWeights>>
      weights;  ///< null: all labels weigh 1, and nothing is ignored
  std::shared_ptr<const std::vector<bool>> drawn;  ///< null: no share of drawn images is asked for
};

/// Reads the marks of the training split and takes what the options want of them. Says what there
/// is. `resumed`: Error where they are not those that the run began with, unless
/// --accept-changed-data; then the epoch begins anew. Error: a share of drawn images, and no image
/// is marked as drawn, or all are.
TrainMarks take_marks(const dataset::Index& train, const dataset::Description& description,
                      run::RunState& state, bool resumed);

}  // namespace yolov7::training
