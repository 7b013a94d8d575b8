#pragma once
// Prepares a set that was read for writing: checks the images, converts coordinates to pixels,
// clips boxes, chooses classes and assigns splits.
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
  std::vector<double> shares;      ///< train, val, test in percent; used only where the source has
                                   ///< no splits
  std::uint64_t seed = 0;
  bool keep_degenerate = false;  ///< boxes under 1 px stay, if they have an area
  bool scale_to_image = false;   ///< scale the boxes where the annotation gives another image size
  BoxOrientation orientation = BoxOrientation::unknown;  ///< Pascal VOC alone
  /// Decode each image whole, so that a damaged one is found; else read its header only.
  bool decode = true;
  /// Off: an annotation that gives the size is kept without its image.
  bool require_images = true;
  int least_side_px = 10;  ///< with `decode`: smaller images are dropped (data 4: above 9 px)
  int threads = 0;         ///< 0 = usable cores
  /// Inspects the images instead of this function. Must return one PictureFacts per path, in order.
  /// May be empty.
  std::function<std::vector<PictureFacts>(const std::vector<std::filesystem::path>&,
                                          const ExpectedImage&)>
      look = {};
};

/// Reason of the drop of an image that no annotation names.
inline constexpr const char* without_annotation = "no annotation";
/// Part of the reason of the drop of a box that is there twice: nothing is lost with it.
inline constexpr const char* same_corners = "with the same corners as";

/// Afterwards `set` holds only images that can be used, each with file, size and split. Its objects
/// have no fault, and their boxes are clipped to the image. Every annotation, image and box that is
/// left out is listed in `account`, with the reason; so are images that no annotation names.
/// `account` also gets the counts, splits and classes. Errors: no usable image; no class; a name
/// twice in `names`; no name of `names` in the source; counts that do not balance;
/// stopped_error().
void prepare_set(AnnotatedSet& set, const SourceTree& tree, const PrepareOptions& options,
                 Conversion& account, const std::stop_token& stop = {});

}  // namespace yolov7::dataset
