#pragma once
// A data set as it lies in a folder, before it is a version.
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "versions/content.hpp"

namespace yolov7::versions {

struct WorkingImage {
  std::string path;  ///< relative to the root, with "/"
  std::string split;
  std::filesystem::path file;
  std::optional<std::string> annotations;  ///< annotation text; nothing: by the label file
};

struct WorkingSet {
  std::filesystem::path root;  ///< absolute
  std::filesystem::path source;
  std::vector<WorkingImage> images;  ///< sorted by path, then split
  ClassList classes;
  std::vector<std::string> left_out;           ///< what is not part of a version, with the reason
  std::optional<dataset::Conversion> account;  ///< of another format than data.yaml
  bool unpacked = false;                       ///< images come out of annotation files
};

/// `source`: a data.yaml, whose label files are looked at later, or a folder or file of any
/// annotation format (`from`: its name, or auto; or FORMAT:PATH), which is read here. Paths are
/// relative to the folder of the data.yaml, or to the source; what lies outside of it goes without
/// its leading "..". Images inside annotation files are unpacked in the user's cache folder, and
/// their paths begin with the annotation file. Errors: those of the readers; two images with one
/// path; no image.
WorkingSet read_working_set(const std::filesystem::path& source, const std::string& from,
                            int threads, const std::stop_token& stop);
}  // namespace yolov7::versions
