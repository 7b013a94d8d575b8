#include "dataset/index/class_match.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "dataset/index/index_report.hpp"

namespace yolov7::dataset {

std::optional<ClassMatch> match_classes(const std::vector<std::string>& model_names,
                                        const std::vector<std::string>& data_names) {
  if (model_names.size() != data_names.size()) return std::nullopt;
  std::unordered_map<std::string, int> positions;
  for (std::size_t i = 0; i < model_names.size(); ++i)
    if (!positions.emplace(model_names[i], static_cast<int>(i)).second) return std::nullopt;
  ClassMatch match;
  std::vector<bool> taken(model_names.size());
  for (std::size_t i = 0; i < data_names.size(); ++i) {
    const auto found = positions.find(data_names[i]);
    if (found == positions.end() || taken[static_cast<std::size_t>(found->second)])
      return std::nullopt;
    taken[static_cast<std::size_t>(found->second)] = true;
    match.model_class.push_back(found->second);
    match.same_order = match.same_order && found->second == static_cast<int>(i);
  }
  return match;
}

std::string describe(const ClassMatch& match, const std::vector<std::string>& data_names) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < match.model_class.size(); ++i)
    if (match.model_class[i] != static_cast<int>(i))
      parts.push_back(fmt::format("data class {} '{}' is class {} of the model", i, data_names[i],
                                  match.model_class[i]));
  if (parts.empty()) return "data and model have the same classes in the same order";
  return "data and model have the same classes in another order, matched by name: " +
         first_of(parts, 10);
}

}  // namespace yolov7::dataset
