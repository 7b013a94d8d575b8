#pragma once
// Writes images and labels that were put together anew: lists beside a data.yaml, or a folder of
// its own.
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/arrange/gathered_set.hpp"

namespace yolov7::dataset {

/// `list`: images and labels stay where they are, and lists name them.
enum class Placement { list, link, copy };

struct OutputImage {
  const GatheredImage* image = nullptr;
  std::string split;
  std::vector<Label> labels;  ///< as they are written; with `list` those of the source
  std::string listed = {};    ///< `list`: its line; empty = the path of the image
};

struct OutputSet {
  std::vector<std::string> names;
  std::vector<OutputImage> images;
  Placement placement = Placement::list;
  std::stop_token stop = {};
  std::string key_points = {};  ///< `kpt_shape` for lists, whose label files keep their key points
};

/// Lists need label files beside the images. Where the source has none, images and labels are
/// copied, which the account notes.
Placement placement_for(const GatheredSet& set, Placement wanted, Conversion& account);

/// Into `folder`, which exists and is empty: data.yaml with train.txt, val.txt, test.txt (absolute
/// paths), or with images/<split> and labels/<split>. Without val images, val names the training
/// images, which the account says. Fills the account's counts out and splits. Call it inside
/// build_folder(). Errors: a count that does not add up (a defect of ours), a full disk,
/// stopped_error().
void write_set(const std::filesystem::path& folder, const OutputSet& set, Conversion& account);

}  // namespace yolov7::dataset
