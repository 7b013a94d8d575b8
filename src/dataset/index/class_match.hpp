#pragma once
// Weights and data with the same classes in another order are matched by name.
#include <optional>
#include <string>
#include <vector>

namespace yolov7::dataset {

struct ClassMatch {
  std::vector<int> model_class;  ///< for each class of the data, the model's class of the same name
  bool same_order = true;
};

/// Nothing unless both lists hold the same names, each exactly once.
std::optional<ClassMatch> match_classes(const std::vector<std::string>& model_names,
                                        const std::vector<std::string>& data_names);
/// What to say when the order differs: "data class 0 'a' is class 2 of the model, …".
std::string describe(const ClassMatch& match, const std::vector<std::string>& data_names);

}  // namespace yolov7::dataset
