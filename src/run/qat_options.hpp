#pragma once
// What `yolov7 train` can be asked for about 8-bit integers in training (export 9.6).
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace yolov7::run {

struct QatOptions {
  bool on = false;
  std::string weights = "per-channel";  ///< one scale an output channel, or one a tensor
  int activation_bits = 8;
  int freeze = -1;  ///< last epochs in which ranges are not learned; −1 = frozen_epochs() says
};

std::vector<Setting> settings(QatOptions& options);

/// --qat-freeze, else a third of all epochs, rounded down.
int frozen_epochs(const QatOptions& options, int epochs);
/// Whether ranges are learned in this epoch (from 0).
bool learns_ranges_in(const QatOptions& options, int epoch, int epochs);

}  // namespace yolov7::run
