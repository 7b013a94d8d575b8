#pragma once
// Names of key points of a class, and the lines between them, as one field of its record
// (data-services E1).
#include <string>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::versions {

/// JSON text; "" where the class has no key points.
std::string point_field(const dataset::AnnotatedClass& one);
/// The other way round. Error: not of that form.
void take_point_field(const std::string& field, dataset::AnnotatedClass& one);

}  // namespace yolov7::versions
