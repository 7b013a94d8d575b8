#pragma once
// What a split's index says to people: counts, problems, and the warnings of data 4.
#include <filesystem>

#include "dataset/index/index.hpp"

namespace yolov7::dataset {

/// The picture and label path that a message about missing labels shows as the example.
struct MissingExample {
  std::filesystem::path picture, label;
};

/// Through log: one line of counts, at most ten problems and how many more there are, then what is
/// likely wrong: many missing labels, no label at all, classes without a box.
void report(const Index& index, const MissingExample& example);
/// "a.jpg, b.jpg and 3 more": at most `most` of them.
std::string first_of(const std::vector<std::string>& names, std::size_t most);

}  // namespace yolov7::dataset
