#pragma once
// data.yaml (data 1): train, val, test, nc, names, path. Nothing in it is ever executed or
// downloaded.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dataset/index/pictures.hpp"

namespace yolov7::dataset {

struct ReadySet;

struct Description {
  std::filesystem::path file;
  std::vector<std::filesystem::path> train, val, test;  ///< resolved entries: folders or list files
  int class_count = 0;
  std::vector<std::string> names;         ///< class_count of them
  int key_point_columns = 0;              ///< `kpt_shape: [n, d]`: n · d columns behind each box
  bool no_key_points = false;             ///< `kpt_shape: [0, …]`: long rows are polygons
  std::string download;                   ///< said when something is missing, never run
  std::shared_ptr<const ReadySet> ready;  ///< of open_data(): images and labels of all splits

  const std::vector<std::filesystem::path>& split(
      const std::string& name) const;  ///< "train", "val" or "test"
};

/// Errors: missing or malformed file, no names and no nc, their numbers differ, no `val` key, an
/// entry that exists at none of the places tried (they are listed).
Description read_description(const std::filesystem::path& path);
/// `kpt_shape` as the data.yaml has it, in one line; "" where there is none, and of a set that
/// open_data() has prepared. Who writes a data.yaml for the same label files needs it.
std::string key_point_shape(const Description& description);

}  // namespace yolov7::dataset
