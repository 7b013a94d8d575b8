#pragma once
// Small data sets made by code in a folder that goes away with the test.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::test {

/// A scratch folder in which the user's cache folder of this process lies, too.
class TemporaryFolder : public ScratchFolder {
 public:
  TemporaryFolder();
};

/// A picture of one gray level, in the format of its extension.
void write_gray(const std::filesystem::path& path, int width, int height, int shade);
/// Sets the time of every file below an hour back, so that a cache may trust it.
void age(const std::filesystem::path& folder);

/// <root>/images/train/<n>.png and labels (classes a, b) for `count` pictures of 64 × 48 px, val =
/// train; aged. Returns data.yaml.
std::filesystem::path write_small_set(const std::filesystem::path& root, int count);

/// $YOLOV7_SHARED_DIR, else the folder "shared" beside the source tree.
std::filesystem::path shared_folder();

}  // namespace yolov7::test
