#pragma once
// A data set as the doctor looks at it: every image and every row, the unusable ones too.
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/doctor/look.hpp"
#include "dataset/doctor/raw_rows.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/picture_facts.hpp"
#include "dataset/similarity/near_pairs.hpp"

namespace yolov7::dataset::doctor {

struct Picture {
  std::filesystem::path file, label;
  bool has_label = false;
  std::string label_fault;  ///< why the label file cannot be read, or ""
  std::string label_hash;   ///< of its bytes
  std::vector<RawRow> rows;
  PictureFacts facts;
  Look look;
  similarity::Sketch sketch;  ///< plain where the image was not looked at

  bool usable() const { return facts.fault.empty(); }
  /// Whether this row is a box of the format itself, up to `slack` of the image outside it.
  bool own_box(const RawRow& row, double slack) const;
};

struct Split {
  std::string name;
  std::vector<Picture> pictures;               ///< sorted by path
  std::vector<std::filesystem::path> orphans;  ///< label files without an image
  Index index;                                 ///< the same split as training reads it
};

/// The anchors of a network, in pixels of its input, level by level from the finest.
struct NetworkRule {
  struct Level {
    double stride = 8;
    std::vector<std::pair<double, double>> anchors;  ///< width, height
  };
  std::string name;  ///< for messages
  std::vector<Level> levels;
  int image_size = 640;
  double anchor_threshold = 4;                 ///< anchor_t
  double least_scale = 0.5, most_scale = 1.6;  ///< of the training transform (data 8.4)
  /// Anchors found for this set at this size; empty where nobody searched.
  std::vector<std::pair<double, double>> fitted;
};

struct Subject {
  Description description;
  std::vector<Split> splits;
  std::optional<NetworkRule> network;
  bool single_cls = false;  ///< all classes count as one: no check tells them apart
  std::size_t pictures() const;
};

}  // namespace yolov7::dataset::doctor
