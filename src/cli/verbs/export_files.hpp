#pragma once
// What an export needs besides the emitters: the weights that files are compared with, and their
// images. Shared by export, verify and train.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/model.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/model_accuracy.hpp"
#include "exporting/export_options.hpp"
#include "exporting/file_check.hpp"

namespace yolov7::cli {

/// Weights as they are exported. The checkpoint itself is gone then: of large networks there is one
/// copy in memory.
struct ExportSource {
  exporting::ExportModel model;
  std::string dataset_identity;  ///< of the training split
  std::string ranges;            ///< Checkpoint::quantization
};
/// Errors: what reading and folding the weights report.
ExportSource read_source(const exporting::ExportOptions& options);

/// The weights, ready to be compared with files.
class ParentModel {
 public:
  /// Error: --data with unequal height and width, and what opening the data reports.
  ParentModel(const ExportSource& source, const exporting::ExportOptions& options);
  ParentModel(const ParentModel&) = delete;
  ParentModel& operator=(const ParentModel&) = delete;
  /// `speed`: measure it, too.
  exporting::Verification verification(bool speed);
  /// Opened where it is needed, so that it is not in memory beside a file.
  equivalence::Parent& parent() { return parent_; }
  /// nullptr: there are no labelled images.
  FileAccuracy* accuracy() { return accuracy_ ? &*accuracy_ : nullptr; }

 private:
  std::shared_ptr<const network::NetworkAndWeights> folded_;
  equivalence::Parent parent_;
  std::vector<equivalence::ProofPicture> open_, fixed_;
  std::optional<FileAccuracy> accuracy_;
};

/// Writes, compares and prints what the options ask for. `given`: names of those that the user
/// gave. One format that fails does not keep the others from being written; `output` has the exit
/// code. An interruption leaves and tells the files that are written; an Error where there are
/// none.
nlohmann::json export_files(const exporting::ExportOptions& options,
                            const std::vector<std::string>& given, Output& output);

}  // namespace yolov7::cli
