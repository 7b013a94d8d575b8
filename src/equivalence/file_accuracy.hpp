#pragma once
// What a file and its parent reach on labelled images. Who measures it has the data and the
// metrics; here are the figures, and what they may be.
#include <cstddef>
#include <functional>
#include <string>

#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

/// Over the rows that the parent finds likely (objectness above 0.1): the mean of the largest
/// difference of a corner, in pixels, and of the difference of the score.
struct RowErrors {
  std::size_t rows = 0;
  double box = 0, score = 0;
};
/// Adds the rows of two predictions of the same images to `sums`, whose members are sums here.
/// Nothing where the two have other rows.
void add_row_errors(RowErrors& sums, const runtime::Prediction& parent,
                    const runtime::Prediction& file);

/// mAP of COCO, and its change from parent to file with the interval of draws of the same images
/// for both (paired bootstrap).
struct Accuracy {
  std::string data, split;  ///< "data.yaml", "val"
  std::size_t images = 0, labels = 0;
  double parent_map50 = 0, parent_map = 0, file_map50 = 0, file_map = 0;
  double change = 0, low = 0, high = 0;  ///< of mAP
  int draws = 0;
  double budget = 0;      ///< mAP that the file may lose
  RowErrors errors = {};  ///< no rows: not measured
};

/// "" or why the file loses more than it may.
std::string accuracy_breach(const Accuracy& accuracy);

/// Both on the same images, letterboxed alike. `suppression`: what is baked into a file that
/// suppresses; it counts for the parent then, too. Nothing: the low threshold of validation.
using MeasureAccuracy =
    std::function<Accuracy(runtime::Detector& file, const NmsOptions* suppression)>;

}  // namespace yolov7::equivalence
