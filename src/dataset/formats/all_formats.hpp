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
Format tfrecord_format();
Format labelme_webtool_format();
Format cvat_rest_format();
Format labelbox_format();
Format darwin_format();
Format superannotate_format();
Format vott_format();
Format scalabel_format();
Format crowdhuman_format();
Format mot_format();
Format segment_anything_format();
Format imagenet_format();
/// Whether at least half of the images lie in folders that name neither a split nor "images".
bool has_class_folders(const SourceTree& tree);

}  // namespace yolov7::dataset
