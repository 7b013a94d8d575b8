#pragma once
// Images of a user for a proof.
#include <string>
#include <vector>

#include "equivalence/proof.hpp"

namespace yolov7::cli {

/// The first of a picture, a folder or a pattern, letterboxed to height × width. `stride`: the
/// smallest rectangle of its multiples that holds the picture; 0 = the full sides.
std::vector<equivalence::ProofPicture> proof_pictures(const std::string& source, int height,
                                                      int width, int stride);

}  // namespace yolov7::cli
