#pragma once
// What `dataset check` shows of label mistakes: a table, and a crop of the image for each of the
// likeliest.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/doctor/label_errors.hpp"

namespace yolov7::cli {

/// The list, best first; the first `crops` have a "crop", a JPEG in base64: the surroundings of the
/// label (green) and of the prediction that speaks against it (red).
nlohmann::json mistakes_json(const std::vector<dataset::doctor::Mistake>& mistakes,
                             const std::vector<std::string>& names, std::size_t crops);
/// Counts by kind, then the first `most` of each.
std::vector<std::string> mistake_lines(const std::vector<dataset::doctor::Mistake>& mistakes,
                                       const std::vector<std::string>& names, std::size_t most);

}  // namespace yolov7::cli
