#pragma once
// The set that is labelled already; what active select does not choose again.
#include <filesystem>
#include <string>
#include <vector>

#include "active/features.hpp"
#include "dataset/index/index.hpp"
#include "dataset/similarity/sketch.hpp"

namespace yolov7::cli {

/// Its images as features and sketches, its boxes by class of the model.
struct Labelled {
  std::vector<dataset::similarity::Sketch> sketches;
  std::vector<active::Feature> features;
  std::vector<std::size_t> boxes;  ///< by class of the model
  std::vector<std::string> strange_classes;
  std::vector<std::filesystem::path> paths;
};

/// Counts an image with its sketch in. `class_map`: classes of its labels → classes of the model,
/// −1: none.
void add_labelled(Labelled& labelled, const dataset::Entry& entry,
                  const dataset::similarity::Sketch& sketch, const std::vector<int>& class_map);

/// The training split of `data`, a set in any format; nothing where `data` is empty. `names`:
/// classes of the model. Errors: those of open_data() and read_index().
Labelled read_labelled(const std::string& data, const std::vector<std::string>& names);

}  // namespace yolov7::cli
