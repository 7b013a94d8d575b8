#pragma once
// A run folder that is used again holds files already. What the run reads must not be one of them:
// the run would replace it.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dataset/index/index.hpp"

namespace yolov7::run {

/// An input and what it is to the user: "--weights".
struct NamedInput {
  std::filesystem::path file;
  std::string what;
};

/// Error (usage): one of the inputs is a file of `folder` or of its folder weights, through links
/// too. Inputs that do not exist (names of built-in files) are left out.
void require_inputs_elsewhere(const std::filesystem::path& folder,
                              const std::vector<NamedInput>& inputs);
/// The same of the images and label files of a split.
void require_images_elsewhere(const std::filesystem::path& folder, const dataset::Index& index);

}  // namespace yolov7::run
