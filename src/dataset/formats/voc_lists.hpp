#pragma once
// Splits of a Pascal VOC folder: the lists in ImageSets.
#include <vector>

#include "dataset/formats/voc_source.hpp"

namespace yolov7::dataset {

/// Gives every usable item the split of its ImageSets list (ImageSets/Main before ImageSets itself;
/// each devkit folder has its own). trainval.txt counts as train where there is neither train.txt
/// nor val.txt. False if there are no lists. Unknown and doubly listed names go to `notes`; items
/// in no list keep an empty split.
bool assign_listed_splits(const VocFiles& files, std::vector<VocItem>& items,
                          std::vector<Problem>& notes);

}  // namespace yolov7::dataset
