#pragma once
// Splits of a Pascal VOC folder: the lists in ImageSets, or shares drawn by a seed.
#include <cstdint>
#include <string>
#include <vector>

#include "dataset/formats/voc_source.hpp"

namespace yolov7::dataset {

/// Gives every usable item the split of its ImageSets list (ImageSets/Main before ImageSets itself;
/// each devkit folder has its own). trainval.txt counts as train where there is neither train.txt
/// nor val.txt. False if there are no lists. Unknown and doubly listed names go to `notes`; items
/// in no list keep an empty split.
bool assign_listed_splits(const VocFiles& files, std::vector<VocItem>& items,
                          std::vector<Problem>& notes);

/// Shares of train, val and test in percent. Error (usage): not two or three numbers ≥ 0 with the
/// sum 100.
std::vector<double> parse_shares(const std::string& text);
/// Draws the splits of the usable items, in the order of their paths; borders are the rounded
/// cumulative shares. Without shares everything is train.
void draw_splits(std::vector<VocItem>& items, const std::vector<double>& shares,
                 std::uint64_t seed);

}  // namespace yolov7::dataset
