#pragma once
// Several people's boxes of the same image: how far they agree, what to look at again, and one set
// of boxes from all.
#include <cstddef>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::platforms {

/// What one person drew on an image.
struct Opinion {
  std::string author;
  std::vector<dataset::AnnotatedObject> objects;
};

/// Boxes of two opinions in pairs at the least cost: 1 − IoU for a pair, 1 − least_iou for two
/// boxes that stay alone; no pair under `least_iou`. Of equal pairs the one of the same class is
/// made. The partner's index for each box of `one`, or −1.
std::vector<int> pair_boxes(const std::vector<dataset::AnnotatedObject>& one,
                            const std::vector<dataset::AnnotatedObject>& other, double least_iou);

/// Over pairs of opinions. Agreement is 2 · agreed / (boxes of one + boxes of the other), as F1 is;
/// agreed: a pair of the same class. 1 where neither has a box.
struct AgreementCount {
  std::size_t agreed = 0, boxes = 0;  ///< boxes: of both sides
  double iou_sum = 0;                 ///< of the agreed pairs
  void add(const AgreementCount& other) {
    agreed += other.agreed;
    boxes += other.boxes;
    iou_sum += other.iou_sum;
  }
  double value() const {
    return boxes == 0 ? 1 : 2.0 * static_cast<double>(agreed) / static_cast<double>(boxes);
  }
  double mean_iou() const { return agreed == 0 ? 0 : iou_sum / static_cast<double>(agreed); }
};

struct ImageAgreement {
  AgreementCount count;
  std::size_t disputed = 0;  ///< pairs of the same place and different classes
  std::size_t alone = 0;     ///< boxes without a partner
};
/// `per_class` (one per class) gets the counts of this image added.
ImageAgreement agreement_of(const std::vector<Opinion>& opinions, double least_iou,
                            std::vector<AgreementCount>& per_class);

struct Merged {
  std::vector<dataset::AnnotatedObject> objects;
  std::vector<std::string> left_out;  ///< boxes that no majority drew, in words
  std::vector<std::string> disputed;  ///< kept boxes whose class has no majority, in words
};
/// Boxes that more than half of the opinions drew (any class), at the mean of their corners; shape,
/// marks and attributes are those of the box nearest to that mean. Class: of most of them; a tie
/// goes to the last opinion among them, and is named. `names`: of the classes.
Merged merge_opinions(const std::vector<Opinion>& opinions, double least_iou,
                      const std::vector<std::string>& names);

}  // namespace yolov7::platforms
