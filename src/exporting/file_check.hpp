#pragma once
// A file of an export beside the network that it was written from: what it tells, what it gives,
// how fast it is, and, where it is another detector, the operation at which it becomes one.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "equivalence/file_proof.hpp"
#include "equivalence/file_speed.hpp"
#include "equivalence/parent.hpp"
#include "exporting/format_table.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::exporting {

/// What a file is compared with.
struct Verification {
  equivalence::Parent& parent;  ///< closed while a file is open, but for its accuracy
  std::span<const equivalence::ProofPicture> pictures;        ///< where the sides are open
  std::span<const equivalence::ProofPicture> fixed_pictures;  ///< of the model's height and width
  /// The weights, folded as ExportModel::fused is; asked for where a file differs. None: the
  /// operation is not named.
  std::function<std::shared_ptr<const network::NetworkAndWeights>()> folded_parent = {};
  equivalence::MeasureAccuracy accuracy = {};  ///< none: there are no labelled images
  bool speed = false;                          ///< measure it
  std::stop_token stop = {};
};

struct FileCheck {
  std::string verdict;  ///< "equal", "structure only", "not compared", those of verdict()
  std::string detail;   ///< one line: what was compared, or why nothing was
  std::string breach;   ///< why the file is another detector, and where; "" = it is the same
  std::optional<equivalence::FileProof> proof;
  std::optional<equivalence::FileSpeed> speed;
  std::span<const equivalence::ProofPicture> pictures;  ///< that were compared
};

equivalence::FilePrecision precision_of(const Format& format, const ExportOptions& options);

/// `verification`: none = nothing is compared. `folder`: there what is needed besides is written.
/// Errors: what reading and running report, stopped_error().
FileCheck check_file(const Format& format, const ExportModel& model, const ExportOptions& options,
                     const std::filesystem::path& file, const Verification* verification,
                     const std::filesystem::path& folder);

/// "" or how what a file tells of itself differs from the network.
std::string facts_breach(const runtime::ModelFacts& facts, const ExportModel& model);

}  // namespace yolov7::exporting
