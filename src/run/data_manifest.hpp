#pragma once
// What the train split of a run consisted of, file by file, so that a changed data set can be named
// and not only noticed.
#include <filesystem>
#include <string>

#include "dataset/index/index.hpp"

namespace yolov7::run {

/// train_data.txt of a run folder: the classes, then one line per picture: the hash of picture and
/// labels, and the path.
void write_manifest(const std::filesystem::path& run_folder, const dataset::Index& train);

/// The first difference between the split and what the run began with, in words: a class, a picture
/// or its labels that changed, one that is new or gone. "" where they agree. Without a manifest (an
/// old run folder) it can only say that they differ.
std::string first_difference(const std::filesystem::path& run_folder, const dataset::Index& train);

}  // namespace yolov7::run
