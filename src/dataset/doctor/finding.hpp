#pragma once
// What the doctor finds in a data set, and the change that cures it (data-services D1).
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::dataset::doctor {

/// info: worth knowing. warning: a training goes through, and its result may be worse. error:
/// something is lost or wrong.
enum class Severity { info, warning, error };
std::string_view name_of(Severity severity);

/// One change that `--fix` makes in the new set. The source is never touched.
struct Change {
  enum class Kind { drop_row, replace_row, drop_image, rename_image, drop_label_file };
  Kind kind = Kind::drop_row;
  int line = 0;                   ///< of the label file; 0 where it is about a whole file
  std::string after;              ///< replace_row: the new row; rename_image: the new file name
  bool loses_key_points = false;  ///< replace_row: in another layout nobody knows theirs
};
std::string_view name_of(Change::Kind kind);

struct Finding {
  std::string_view check;  ///< its name in the table of checks
  Severity severity = Severity::warning;
  std::string split;            ///< "" = the set as a whole
  std::filesystem::path file;   ///< an image, a label file, or data.yaml
  int line = 0;                 ///< of a label file, from 1; 0 = the whole file
  std::string text;             ///< what was found, with its numbers
  std::string cause;            ///< the likely cause, one of a fixed list; "" = none named
  std::filesystem::path image;  ///< the image that it is about, where `file` is another
  std::vector<int> lines;       ///< all lines of `file`, where there are several
  std::vector<Change> changes;  ///< what `--fix` does about it; on the label file of `image`
};

nlohmann::json to_json(const Finding& finding);

/// One check of the table.
struct Check {
  std::string_view name, summary;
  Severity severity = Severity::warning;
  bool fixes = false;  ///< `--fix` has a change for it
};

}  // namespace yolov7::dataset::doctor
