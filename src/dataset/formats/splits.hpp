#pragma once
// Splits of a data set that is converted: names in one spelling, or shares drawn by a seed.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// "train", "val" or "test" for their usual spellings (valid, Validation, train2017, test-dev2017);
/// "" for those that say nothing (default, all, data, images, labels); others as they are.
std::string split_name(std::string_view written);
/// split_name() of the folder nearest to the file that is train, val or test; else "".
std::string split_of_folders(const std::filesystem::path& relative);

/// "train", "val" or "test" where a part of the file's name says so ("labels_train.json"); else by
/// its folders.
std::string split_of_file(const std::filesystem::path& relative);

/// Shares of train, val and test in percent. Error (usage): not two or three numbers ≥ 0 with the
/// sum 100; it names the setting `option`.
std::vector<double> parse_shares(const std::string& text, const std::string& option = "split");
/// Draws the splits of the images that are usable so far, in their order; borders are the rounded
/// cumulative shares (split/assignment). Without shares everything is train.
void draw_splits(std::vector<AnnotatedImage>& images, const std::vector<double>& shares,
                 std::uint64_t seed);

}  // namespace yolov7::dataset
