#pragma once
// What compress looks at before anything is written: the parent, the data, the folder.
#include <string>

#include "cli/verbs/compress_measure.hpp"
#include "cli/verbs/compress_options.hpp"
#include "compression/budget/journal.hpp"

namespace yolov7::cli {

struct CompressInputs {
  int image_size = 0, epochs = 0;  ///< of each pruned network's training
  bool has_test = false;  ///< the data have a test split that can be read, and it is not what
                          ///< candidates are measured on
  compression::Beginning beginning{};  ///< hashes of the inputs, and all settings
};

/// The size and the epochs are in the beginning, too. Errors: no such file, a file that is no
/// checkpoint, one that cannot be trained further although prune is among the stages, one that was
/// trained for integers and is to be fitted, epochs that nobody tells, a teacher that cannot be
/// read.
CompressInputs read_inputs(CompressOptions& options);

/// Adds the data to the beginning: the splits that the stages use, and images without labels.
/// Errors: a budget that the labels cannot show, too few images to calibrate with, no image without
/// labels that can be read.
void add_data(CompressInputs& inputs, const CompressOptions& options, const CompressMeter& meter);

/// Error: a folder with files that are not of compress.
void require_own_folder(const CompressOptions& options);

}  // namespace yolov7::cli
