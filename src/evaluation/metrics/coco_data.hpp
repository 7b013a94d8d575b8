#pragma once
// What COCO's metrics are computed from, and their result.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace yolov7::evaluation {

/// Left, top, width, height in pixels.
struct Ltwh {
  double left = 0, top = 0, width = 0, height = 0;
};

struct CocoAnnotation {
  std::int64_t id = 0, image = 0, category = 0;
  Ltwh box;
  double area = 0;     ///< decides the area range; for COCO it is the segmentation's
  bool crowd = false;  ///< ignored: absorbs any number of detections
};
struct CocoDetection {
  std::int64_t image = 0, category = 0;
  Ltwh box;
  double score = 0;
};
struct CocoCategory {
  std::int64_t id = 0;
  std::string name;
};
struct CocoGroundTruth {
  std::vector<std::int64_t> images;
  std::vector<CocoCategory> categories;
  std::vector<CocoAnnotation> annotations;
  std::map<std::string, std::int64_t>
      text_ids;  ///< pictures whose id in the file is a text; they are in `images` too, last
  std::map<std::int64_t, std::string> file_stems = {};  ///< of pictures whose file the ground-truth
                                                        ///< file names: without folder and suffix
};

struct CocoOptions {
  std::array<int, 3> max_detections{
      1, 10, 100};  ///< per picture and category; the largest one counts for AP
  int threads = 0;  ///< 0 = usable cores; the result does not depend on it
};

inline constexpr std::size_t coco_ious = 10, coco_recalls = 101, coco_areas = 4, coco_limits = 3;

struct CocoResult {
  std::array<double, 12> stats{};                          ///< the well-known twelve; −1 = absent
  std::vector<CocoCategory> categories;                    ///< sorted by id
  std::vector<double> ap_per_category, ap50_per_category;  ///< −1 = category without ground truth
  CocoOptions options;                                     ///< with the limits in ascending order
  /// [iou][recall][category][area] at the last limit, and [iou][category][area][limit]; −1 =
  /// absent.
  std::vector<double> precision, recall;

  double precision_at(std::size_t iou, std::size_t recall_point, std::size_t category,
                      std::size_t area) const {
    return precision[((iou * coco_recalls + recall_point) * categories.size() + category) *
                         coco_areas +
                     area];
  }
  double recall_at(std::size_t iou, std::size_t category, std::size_t area,
                   std::size_t limit) const {
    return recall[((iou * categories.size() + category) * coco_areas + area) * coco_limits + limit];
  }
};

}  // namespace yolov7::evaluation
