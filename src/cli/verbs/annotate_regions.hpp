#pragma once
// What a teacher was not sure of in images that it describes whole: ignored regions of the set
// (training 23).
#include <span>
#include <string>

#include "active/machine_labels.hpp"
#include "dataset/formats/annotated_set.hpp"

namespace yolov7::cli {

/// Adds the detections of `doubt` and more that are no labels as regions with the attributes
/// `origin` "machine" and `teacher` and their score. Those under 1 px are left out. Returns how
/// many there are.
std::size_t add_doubtful_regions(std::span<const Detection> detections,
                                 const active::JudgedImage& judged, double doubt,
                                 const std::string& teacher, dataset::AnnotatedImage& image);

}  // namespace yolov7::cli
