#pragma once
// Batches with a fixed share of drawn images (training 24).
#include <cstddef>
#include <cstdint>
#include <vector>

namespace yolov7::dataset {

struct DrawnShare {
  double share = 0;  ///< of drawn images in every batch, 0 … 1
  std::uint64_t seed = 0;
  bool shuffle = true;  ///< off: both kinds in the order of the index
};

/// `count` entries of an epoch of `length` entries (more than `length` where an epoch is filled up
/// for several processes). Place P, counted over all epochs, has a drawn image where
/// ⌊(P + 1) · share⌋ > ⌊P · share⌋, so any stretch of B places has ⌊B · share⌋ or ⌈B · share⌉ of
/// them. Each kind follows an endless series of its own: all of the kind once, in a drawn order,
/// and again in another. A pure function of its arguments. `drawn`: one mark an entry. Error: a
/// kind is asked for, and there is none of it.
std::vector<std::size_t> order_with_drawn(const std::vector<bool>& drawn, const DrawnShare& options,
                                          int epoch, std::size_t length, std::size_t count);

}  // namespace yolov7::dataset
