#pragma once
// What `yolov7 train` can be asked for about labels of a network, ignored regions, drawn images and
// images without labels (training 23 to 25).
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace yolov7::run {

struct SemiOptions {
  std::string machine_weight = "one";      ///< of labels of a network: one or confidence
  std::string ignore_regions = "machine";  ///< where predictions are no background
  double synthetic_share = -1;   ///< of drawn images in every batch; below 0 = as they come
  std::string unlabelled;        ///< images without labels: a folder, a list; "" = none
  double unlabelled_weight = 1;  ///< λ; 0 = plain training
  double unlabelled_ratio = 1;   ///< unlabelled images for each labelled one of a batch
  double pseudo_conf = 0.6;      ///< detections of the teacher from here on are labels …
  double pseudo_ignore = 0.1;    ///< … and from here to there ignored regions
  int burn_in = -1;  ///< first epochs without unlabelled images; −1 = burn_in_epochs() says
};

std::vector<Setting> settings(SemiOptions& options);

/// Whether unlabelled images take part at all.
bool learns_unlabelled(const SemiOptions& options);
/// --burn-in, else a fifth of all epochs, rounded up.
int burn_in_epochs(const SemiOptions& options, int epochs);
/// Error (usage): options that do not go together; `verb` stands in front.
void require_possible(const SemiOptions& options, const std::vector<std::string>& given,
                      const char* verb);
/// Unlabelled images of a batch of so many labelled ones: at least one for each process, and a
/// multiple of their number.
int unlabelled_batch(const SemiOptions& options, int batch, int processes);

}  // namespace yolov7::run
