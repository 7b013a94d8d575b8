#pragma once
// Compound scaling of concatenation-based networks (YOLOv7, arXiv 2207.02696, section 4.2;
// architecture 2.12).
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::network {

/// A group whose 3×3 convolutions stand in a row and whose concatenation takes several of them.
struct ScaledGroup {
  int layer = 0;              ///< its concatenation, in the text as read
  int before = 0, after = 0;  ///< 3×3 convolutions
  bool dense = false;         ///< every convolution is taken, not every second one
};

struct ScaledConfig {
  std::string text;
  std::vector<ScaledGroup> groups;
};

/// Depth goes inside the computational block: a group of N 3×3 convolutions gets N · depth of them
/// (an even number where every second one is taken; at least one, or two) with the taps of its
/// kind, and the widths inside the group stay. Width goes to all other layers with an output width,
/// which are the transitions: c · width rounded up to a multiple of 8. Repeat counts above one are
/// multiplied by depth. Errors: factors outside 0.1 … 16; what build() refuses.
ScaledConfig scale_config(std::string_view text, const std::string& source, double depth,
                          double width);

}  // namespace yolov7::network
