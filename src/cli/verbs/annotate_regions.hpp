#pragma once
// Detections as objects of an annotated set, and what a teacher was not sure of in images that it
// describes whole: ignored regions of the set (training 23).
#include <span>
#include <string>

#include "active/machine_labels.hpp"
#include "dataset/formats/annotated_set.hpp"

namespace yolov7::cli {

/// What a teacher found, clipped to an image of this size, with its score and the attributes
/// `origin` "machine" and `teacher`.
dataset::AnnotatedObject machine_object(const Detection& found, const std::string& teacher,
                                        int width, int height);

/// Adds the detections of `doubt` and more that are no labels as regions, machine_object(). Those
/// under 1 px are left out. Returns how many there are.
std::size_t add_doubtful_regions(std::span<const Detection> detections,
                                 const active::JudgedImage& judged, double doubt,
                                 const std::string& teacher, dataset::AnnotatedImage& image);

}  // namespace yolov7::cli
