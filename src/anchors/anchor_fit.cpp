#include "anchors/anchor_fit.hpp"

#include <algorithm>

namespace yolov7::anchors {

double anchor_metric(const network::AnchorSize& label, const network::AnchorSize& anchor) {
  const double rw = label.w / anchor.w, rh = label.h / anchor.h;
  return std::min({rw, 1 / rw, rh, 1 / rh});
}

AnchorFit anchor_fit(std::span<const network::AnchorSize> labels,
                     std::span<const network::AnchorSize> anchors, double threshold) {
  if (labels.empty()) return {0, 1};
  std::size_t above = 0, recalled = 0;
  for (const network::AnchorSize& label : labels) {
    std::size_t here = 0;
    for (const network::AnchorSize& anchor : anchors)
      if (anchor_metric(label, anchor) > 1 / threshold) ++here;
    above += here;
    recalled += here > 0 ? 1 : 0;
  }
  const auto n = static_cast<double>(labels.size());
  return {static_cast<double>(above) / n, static_cast<double>(recalled) / n};
}

std::vector<network::AnchorSize> label_sizes(const dataset::Index& index, int image_size) {
  std::vector<network::AnchorSize> sizes;
  for (const dataset::Entry& entry : index.entries) {
    const double scale = static_cast<double>(image_size) / std::max(entry.width, entry.height);
    for (const dataset::Label& label : entry.labels)
      sizes.push_back({label.box.w * entry.width * scale, label.box.h * entry.height * scale});
  }
  return sizes;
}

AnchorFit anchor_fit(const dataset::Index& index, const network::Network& network, int image_size,
                     double threshold) {
  const std::vector<network::AnchorSize> labels = label_sizes(index, image_size);
  std::vector<network::AnchorSize> anchors;
  for (const network::Level& level : network.levels)
    if (!level.auxiliary) anchors.insert(anchors.end(), level.anchors.begin(), level.anchors.end());
  return anchor_fit(labels, anchors, threshold);
}

}  // namespace yolov7::anchors
