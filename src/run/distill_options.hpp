#pragma once
// What `yolov7 train` can be asked for about a teacher (export 9.5).
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace yolov7::run {

struct DistillOptions {
  std::string teacher;             ///< checkpoint of the teacher; "" = none
  std::string method = "channel";  ///< what the student is to repeat of it
  double weight = 1;               ///< λ; 0 = plain training
  int off = -1;                    ///< last epochs without the teacher; −1 = off_epochs() says
  double temperature = 0;          ///< channel, logit; 0 = the method's own
};

std::vector<Setting> settings(DistillOptions& options);

/// Whether a teacher takes part at all.
bool distils(const DistillOptions& options);
/// How many of the last epochs go without the teacher: --distill-off, else those of
/// --close-mosaic, else 6 % of all, rounded.
int off_epochs(const DistillOptions& options, int epochs, int close_mosaic);
/// Whether the loss of this epoch (from 0) has the teacher's term.
bool distils_in(const DistillOptions& options, int epoch, int epochs, int close_mosaic);
/// 1 for channel, 3 for logit, unless the options say another one.
double temperature_of(const DistillOptions& options);

/// Error (usage): options of a distillation without a teacher; `verb` stands in front.
void require_possible(const DistillOptions& options, const std::vector<std::string>& given,
                      const char* verb);

}  // namespace yolov7::run
