#pragma once
// The account of a conversion: counts in = counts out + drops, each drop named.
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dataset/index/label.hpp"

namespace yolov7::dataset {

struct ConversionDrop {
  std::string kind;            ///< "annotation", "image" or "box"
  std::filesystem::path file;  ///< relative to the source
  int line = 0;                ///< from 1; 0 = the whole file
  std::size_t boxes = 0;       ///< that were lost with it
  std::string reason;
};

struct InOut {
  std::size_t in = 0, out = 0, dropped = 0;
};

struct SplitCount {
  std::string name;
  std::size_t pictures = 0, boxes = 0, empty = 0;  ///< empty: pictures without a box
  std::vector<std::size_t> boxes_per_class;
};

/// Something that objects or images have and the written format has no place for.
struct ConversionLoss {
  std::string what;  ///< "rotation"
  std::size_t count = 0;
  std::string where;  ///< where it goes instead, in words, or "" if it is lost
};

struct Conversion {
  std::filesystem::path source, out;
  std::string from, to;  ///< names of the formats
  std::vector<std::string> names;
  InOut annotations, pictures, boxes;
  std::size_t difficult = 0;  ///< kept boxes that are marked so
  std::size_t clipped = 0;    ///< kept boxes that reached beyond their picture
  std::size_t truncated = 0;  ///< kept images whose file lacks its end
  std::string split_rule;     ///< where the splits come from, in words
  std::vector<SplitCount> splits;
  std::map<std::string, std::size_t> not_boxes;  ///< shapes that are none, by kind ("polyline")
  std::vector<ConversionLoss> losses;
  std::vector<ConversionDrop> drops;
  std::vector<Problem> notes;  ///< nothing was lost, but look at it
  std::vector<std::pair<std::filesystem::path, std::string>> renamed;
  bool val_is_train = false;

  void drop(ConversionDrop one);  ///< counts it, too
};

/// Error if a count does not add up: a defect of ours, never of the data.
void require_balance(const Conversion& conversion);
nlohmann::json to_json(const Conversion& conversion);
/// What is lost, dropped and to be looked at, as summary_lines() says it.
void add_reasons(const Conversion& conversion, const std::string& all_in,
                 std::vector<std::string>& lines);
/// For people; at most ten drops and ten notes. `all_in`: where the others are.
std::vector<std::string> summary_lines(const Conversion& conversion,
                                       const std::string& all_in = "conversion.json");

}  // namespace yolov7::dataset
