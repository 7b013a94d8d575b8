#pragma once
// Which objects are pasted how often, before any image is drawn (docs/synthetic.md).
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataset/arrange/gathered_set.hpp"

namespace yolov7::dataset {

/// An object of the set: of which image, and which of its labels.
struct ObjectSource {
  std::size_t image = 0, label = 0;
  bool operator==(const ObjectSource&) const = default;
};

/// Objects of one class that may be cut out, by how good they are: whole ones that nothing else
/// lies on; where there is none, all that are large enough.
struct ClassSources {
  std::vector<ObjectSource> sources;
  std::size_t too_small = 0, at_border = 0, overlapped = 0;  ///< left out, each by its first reason
  bool second_choice = false;  ///< there was no whole one: those at borders and under others count
};
/// Of the training images. Too small: a side below 8 px. At the border: within 1 px of it.
/// Overlapped: another labelled box covers more than 15 % of its own.
std::vector<ClassSources> find_sources(const GatheredSet& set);

struct PastePlanOptions {
  std::size_t balance =
      0;               ///< objects that each class gets at least; 0 = the median of the classes
  double share = 0.5;  ///< of the training images of the result that may be drawn
  int per_image = 3;   ///< objects pasted into one image at most
  std::uint64_t seed = 0;
};

struct DrawnImage {
  std::size_t background = 0;  ///< image of the set
  std::vector<ObjectSource> objects;
};

struct PastePlan {
  std::size_t target = 0;                   ///< objects of a class
  std::vector<std::size_t> before, wanted;  ///< by class, in the training images; to be pasted
  std::vector<std::size_t> planned;  ///< by class; fewer than wanted where the share is reached
  std::vector<DrawnImage> images;
};

/// The class that is farthest from the target comes next, its sources in turn, in an order drawn by
/// the seed; an image gets 1 to `per_image` objects. Backgrounds are the training images in turn,
/// in a drawn order. Objects that are in the background count as well where the target is looked
/// at. Errors: no training image, no object.
PastePlan plan_pastes(const GatheredSet& set, std::span<const ClassSources> sources,
                      const PastePlanOptions& options);

}  // namespace yolov7::dataset
