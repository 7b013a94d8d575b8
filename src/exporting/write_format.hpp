#pragma once
// One file of an export from its emitter to its final name: written beside, read back, compared
// with the network that it came from, then renamed.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "equivalence/file_proof.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::exporting {

/// What a file is compared with.
struct Verification {
  runtime::Detector& parent;
  std::span<const equivalence::ProofPicture> pictures;        ///< where the sides are open
  std::span<const equivalence::ProofPicture> fixed_pictures;  ///< of the model's height and width
};

struct WrittenFormat {
  std::filesystem::path path;
  std::uint64_t bytes = 0;  ///< of all files
  std::optional<equivalence::FileProof> proof;
  std::string verified;  ///< one line: what was compared, or why nothing was
  std::string command;   ///< what uses it
};

/// folder / file name of the format for these weights; the name ends before its last suffix.
std::filesystem::path final_path(const Format& format, const ExportOptions& options);

/// Replaces what an earlier export left at `path`. `verification`: none = not compared. Errors:
/// what the emitter reports; the file is not its parent. Then nothing is at `path` that was not
/// there before.
WrittenFormat write_format(const Format& format, const ExportModel& model,
                           const ExportOptions& options, const std::filesystem::path& path,
                           const Verification* verification);

}  // namespace yolov7::exporting
