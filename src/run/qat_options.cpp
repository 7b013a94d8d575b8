#include "run/qat_options.hpp"

namespace yolov7::run {

std::vector<Setting> settings(QatOptions& o) {
  return group(
      "Training for 8-bit integers",
      {
          setting("qat", o.on,
                  "train the network of --weights for 8-bit integers: batch-norms folded, rounding "
                  "in the forward pass, ranges of activations learned, taught by --weights itself"),
          setting("qat-weights", o.weights,
                  "scales of the weights: one an output channel, or one a tensor")
              .choices({"per-channel", "per-tensor"}),
          setting("qat-activation-bits", o.activation_bits,
                  "bits of activations; below 8 for experiments: no file format has them")
              .range(4, 8),
          setting("qat-freeze", o.freeze,
                  "last epochs in which ranges are not learned any more; -1 = a third of all")
              .range(-1, 1'000'000),
      });
}

int frozen_epochs(const QatOptions& o, int epochs) { return o.freeze >= 0 ? o.freeze : epochs / 3; }

bool learns_ranges_in(const QatOptions& o, int epoch, int epochs) {
  return epoch < epochs - frozen_epochs(o, epochs);
}

}  // namespace yolov7::run
