#pragma once
// Small data sets of images that differ, with labels.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <opencv2/core.hpp>
#include <string>

#include "dataset/formats/conversion.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/read_index.hpp"
#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::dataset {

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Counts in are counts out and what was dropped.
inline void expect_balance(const Conversion& account) {
  for (const InOut& count : {account.annotations, account.pictures, account.boxes})
    EXPECT_EQ(count.in, count.out + count.dropped);
}

/// A PNG of 32 × 24 px whose bytes depend on the number.
inline void write_numbered(const std::filesystem::path& path, int number) {
  cv::Mat image(24, 32, CV_8UC3, cv::Scalar(number % 256, number / 256, 7));
  std::filesystem::create_directories(path.parent_path());
  write_picture(path, image);
}

/// images/<split>/<stem>.png with labels/<split>/<stem>.txt.
inline void add_image(const std::filesystem::path& root, const std::string& split,
                      const std::string& stem, int number, const std::string& rows) {
  write_numbered(root / "images" / split / (stem + ".png"), number);
  test::write_text(root / "labels" / split / (stem + ".txt"), rows);
}

inline std::filesystem::path add_description(const std::filesystem::path& root,
                                             const std::string& names) {
  std::string text;
  for (const char* split : {"train", "val", "test"})
    if (std::filesystem::exists(root / "images" / split))
      text += fmt::format("{0}: images/{0}\n", split);
  test::write_text(root / "data.yaml", text + "names: " + names + "\n");
  return root / "data.yaml";
}

/// Content and labels of every image of a set, by split: what counts, without paths.
inline std::multimap<std::string, std::string> contents(const std::filesystem::path& data) {
  const Description description = read_description(data);
  std::multimap<std::string, std::string> result;
  for (const char* split : {"train", "val", "test"}) {
    if (description.split(split).empty()) continue;
    for (const Entry& entry : read_index(description, split, {}).entries)
      result.emplace(split, identity(entry));
  }
  return result;
}

/// Every file below, with its bytes; without our own caches.
inline std::map<std::string, std::string> snapshot(const std::filesystem::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.is_regular_file() &&
        entry.path().filename().string().find(".yolov7-index") == std::string::npos)
      files[entry.path().string()] = test::read_text(entry.path());
  return files;
}

}  // namespace yolov7::dataset
