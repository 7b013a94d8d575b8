#pragma once
// How well a network's anchors fit a data set (training 12).
#include <span>
#include <vector>

#include "dataset/index/index.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::anchors {

struct AnchorFit {
  double anchors_above_threshold =
      0;  ///< mean number of anchors per label whose metric exceeds 1 / threshold
  double best_possible_recall =
      0;  ///< share of labels with at least one such anchor; 1 without labels
};

/// How well an anchor fits a label: min over both axes of min(ratio, 1 / ratio) (training 12).
double anchor_metric(const network::AnchorSize& label, const network::AnchorSize& anchor);
/// Label and anchor sizes in pixels of the network input, compared by anchor_metric().
AnchorFit anchor_fit(std::span<const network::AnchorSize> labels,
                     std::span<const network::AnchorSize> anchors, double threshold);
/// Label sizes of a split at a training size, in pixels.
std::vector<network::AnchorSize> label_sizes(const dataset::Index& index, int image_size);
/// The same for the labels of a split at a training size, without the random factor of the
/// reference.
AnchorFit anchor_fit(const dataset::Index& index, const network::Network& network, int image_size,
                     double threshold);

}  // namespace yolov7::anchors
