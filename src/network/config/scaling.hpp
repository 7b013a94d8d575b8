#pragma once
// Compound scaling of concatenation-based networks (YOLOv7, arXiv 2207.02696, section 4.2;
// architecture 2.12).
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::network {

/// A chain of 3×3 convolutions, and the concatenation that takes all or every second one of them.
struct ScaledGroup {
  int layer = 0;              ///< of the concatenation, in the text before scaling
  int before = 0, after = 0;  ///< number of 3×3 convolutions, before and after scaling
  bool dense = false;  ///< the concatenation takes every convolution; false: every second one
};

struct ScaledConfig {
  std::string text;
  std::vector<ScaledGroup> groups;
};

/// Scales the configuration `text`.
/// `depth` changes the groups. A group of N 3×3 convolutions gets N · depth of them, rounded; at
/// least one. Where the concatenation takes every second one, the number stays even and is at least
/// two. The concatenation takes the new ones in the same way. The widths inside a group stay.
/// Repeat counts above one are multiplied by `depth`.
/// `width` changes all other layers with an output width c (the transitions): they get c · width,
/// rounded up to a multiple of 8.
/// Errors: factors outside 0.1 … 16; what build() refuses.
ScaledConfig scale_config(std::string_view text, const std::string& source, double depth,
                          double width);

}  // namespace yolov7::network
