#pragma once
// The numbers by which the steps of the pipeline draw: Random(seed, epoch, sample, operation).
// Saved runs depend on them: never renumber, only add.
#include <cstdint>

namespace yolov7::dataset {

enum class Operation : std::uint32_t {
  shuffle = 1,          ///< the epoch's order; sample 0
  mosaic = 2,           ///< mosaic or single picture
  mosaic_kind = 3,      ///< four or nine tiles
  mosaic_position = 4,  ///< centre or window: y, x
  mosaic_partners = 5,
  copy_paste = 6,
  perspective = 7,
  mixup = 8,  ///< whether
  mixup_partner = 9,
  mixup_ratio = 10,
  hsv = 11,
  paste_in = 12,  ///< whether
  paste_in_sources = 13,
  paste_in_places = 14,
  flip_vertical = 15,
  flip_horizontal = 16,
  quad = 17,            ///< sample: the first of the four
  weighted_order = 18,  ///< the epoch's order where pictures have weights; sample 0
  multi_scale = 19,     ///< input size of a batch; sample: its number
  other_order = 20,     ///< where drawn images have a share: a round of the others; sample 0
  drawn_order = 21,     ///< a round of the drawn ones; epoch: the round; sample 0
};

/// Added to the operations of the second mosaic of a mixup.
inline constexpr std::uint32_t mixup_operations = 1000;

/// From here on: the steps of the list `augment`. Step i of the list on the sample: + 64 · i; on
/// tile t of its mosaic before that: + 1 + t; on those of the second mosaic of a mixup, and for
/// further pictures: + 32.
inline constexpr std::uint32_t augment_operations = 1u << 20;

}  // namespace yolov7::dataset
