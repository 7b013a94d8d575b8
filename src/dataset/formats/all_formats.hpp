#pragma once
// The rows of the table of formats; each is defined in the file of its format.
#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

Format yolo_format();
Format coco_format();
Format voc_format();
Format labelme_format();
Format cvat_images_format();
Format cvat_video_format();
Format createml_format();
Format via_format();
Format kitti_format();
Format csv_format();
Format openimages_format();
Format widerface_format();
Format dota_format();
Format label_studio_format();
Format supervisely_format();
Format datumaro_format();

}  // namespace yolov7::dataset
