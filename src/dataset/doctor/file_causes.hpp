#pragma once
// Which layout single files have in a set that follows the format (causes.hpp).
#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

// How far a box may reach out of its image, as a share of the side: rounding is less than the
// first; people who draw over the border stay below the second.
inline constexpr double box_slack = 0.005, own_box_slack = 0.02;

/// Of one label file.
struct FileVerdict {
  Layout layout;                      ///< of the affected rows
  std::vector<std::size_t> affected;  ///< rows, by place in Picture::rows
  bool named = false;                 ///< false: they are no boxes under any layout
  std::string evidence;
};

using FileVerdicts = std::unordered_map<const Picture*, FileVerdict>;

/// A picture with rows that have four numbers.
struct RowFile {
  const Picture* picture;
  std::vector<std::size_t> rows;          ///< places of those rows
  std::array<bool, layout_count> fits{};  ///< whether all are boxes under a layout
};

/// Of usable pictures with such rows.
std::vector<RowFile> row_files(const Subject& subject);
/// The box of a row, with the slack of its layout.
std::optional<CxcywhNormalized> row_box(const Picture& picture, const RawRow& row,
                                        const Layout& layout);
/// Judges every file twice: the second time the causes that were found often are likelier.
void judge_files(const std::vector<RowFile>& files, FileVerdicts& verdicts);

}  // namespace yolov7::dataset::doctor
