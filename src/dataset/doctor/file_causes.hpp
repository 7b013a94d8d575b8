#pragma once
// Which layout single files have in a set that follows the format (causes.hpp).
#include <string>
#include <unordered_map>
#include <vector>

#include "dataset/doctor/row_file.hpp"

namespace yolov7::dataset::doctor {

/// Of one label file.
struct FileVerdict {
  Layout layout;                      ///< of the affected rows
  std::vector<std::size_t> affected;  ///< rows, by place in Picture::rows
  bool named = false;                 ///< false: they are no boxes under any layout
  std::string evidence;
};

using FileVerdicts = std::unordered_map<const Picture*, FileVerdict>;

/// Files whose verdict may hang on their images while these were measured quickly alone, given what
/// is settled of the others. Judging counts on it that all of them were measured whole.
std::vector<const Picture*> files_in_doubt(const std::vector<RowFile>& files);
/// Judges every file twice: the second time the causes that were found often are likelier.
void judge_files(const std::vector<RowFile>& files, FileVerdicts& verdicts);

}  // namespace yolov7::dataset::doctor
