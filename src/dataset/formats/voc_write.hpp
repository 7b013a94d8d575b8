#pragma once
// The annotated set as Pascal VOC: JPEGImages, Annotations, ImageSets/Main, labelmap.txt.
#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// Corners are written as they are: nothing is added, as parse_voc() subtracts nothing.
void write_voc(const Writing& writing);

}  // namespace yolov7::dataset
