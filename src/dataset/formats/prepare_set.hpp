#pragma once
// From what was read to what can be written: images opened, pixels, clipped boxes, classes, splits.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"
#include "dataset/formats/image_fit.hpp"
#include "dataset/formats/source_tree.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

/// The annotations of the k-th of some images as they will be where its facts are these.
using ExpectedImage = std::function<AnnotatedImage(std::size_t k, const PictureFacts& facts)>;

struct PrepareOptions {
  std::vector<std::string> names;  ///< classes in this order; empty = those of the source
  std::vector<double> shares;      ///< train, val, test in percent, where the source has no splits
  std::uint64_t seed = 0;
  bool keep_degenerate = false;  ///< boxes under 1 px stay, if they have an area
  bool scale_to_image = false;   ///< where the annotation has another size than the image
  BoxOrientation orientation = BoxOrientation::unknown;  ///< Pascal VOC alone
  bool decode = true;          ///< whole images, so that a broken one is found; else headers
  bool require_images = true;  ///< off: an annotation with a size may stay without its image
  int least_side_px = 10;      ///< smaller images are dropped (data 4: more than 9 px)
  int threads = 0;             ///< 0 = usable cores
  /// What looks at the images in place of reading each here; one answer per path. May be empty.
  std::function<std::vector<PictureFacts>(const std::vector<std::filesystem::path>&,
                                          const ExpectedImage&)>
      look = {};
};

/// Afterwards `set` has usable images alone, each with file, size and split, and objects without a
/// fault whose boxes are clipped to their image. What is left out is dropped by name in `account`,
/// whose counts, splits and classes are filled; images of the tree that no annotation names, too.
/// Errors: no usable image; no class; a name twice in `names`; stopped_error().
void prepare_set(AnnotatedSet& set, const SourceTree& tree, const PrepareOptions& options,
                 Conversion& account, const std::stop_token& stop = {});

}  // namespace yolov7::dataset
