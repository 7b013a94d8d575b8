#pragma once
// Run lengths of COCO: down the columns, the first run is "off".
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// The compressed text: each run as signed digits of 5 bits, lowest first, bit 5 set where more
/// follow, 48 added; from the fourth run on the difference to the run two before. Nothing where the
/// text is cut off, or a run is negative or over 32 bits.
std::optional<std::vector<std::uint32_t>> runs_of_text(std::string_view text);
std::string text_of_runs(const std::vector<std::uint32_t>& runs);

/// Whether the runs fill width × height exactly.
bool fills(const MaskRuns& mask);
std::uint64_t area_of(const MaskRuns& mask);  ///< pixels that are on
Xyxy box_of(const MaskRuns& mask);            ///< edges; all 0 for an empty mask

}  // namespace yolov7::dataset
