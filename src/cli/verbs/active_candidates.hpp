#pragma once
// A pool that a detector has looked at, as active select chooses from it.
#include <vector>

#include "active/selection.hpp"
#include "cli/verbs/active_labelled.hpp"
#include "cli/verbs/active_pool.hpp"

namespace yolov7::cli {

/// Scores, features and groups of the images of `pool`, in its order; they have sketches. A group
/// is what shows the same: near duplicates (data-services D2), unless `keep_similar`. Those with a
/// labelled image are known, and so is a file of the labelled set in any case. Where the pool was
/// looked at a second time, mirrored, the scores have the disagreement. Errors: stopped_error().
std::vector<active::Candidate> candidates_of(const Pool& pool, const Labelled& labelled,
                                             std::size_t class_count, bool keep_similar);

}  // namespace yolov7::cli
