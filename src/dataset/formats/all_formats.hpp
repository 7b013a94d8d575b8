#pragma once
// The rows of the table of formats; each is defined in the file of its format.
#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

Format yolo_format();
Format coco_format();
Format voc_format();

}  // namespace yolov7::dataset
