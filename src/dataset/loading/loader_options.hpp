#pragma once
// What a loader of batches is asked for.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataset/augment/augment.hpp"
#include "dataset/index/label_marks.hpp"

namespace yolov7::dataset {

struct LoaderOptions {
  int batch_size = 16;
  int image_size = 640;          ///< long side, multiple of stride
  int stride = 32;               ///< grid size gs
  bool augment = false;          ///< training pipeline of data 8
  bool rectangular = false;      ///< data 7.3; always for validation
  double rectangular_pad = 0.5;  ///< 0.5 validation, 0 training
  bool shuffle = false;
  bool quad = false;  ///< data 9
  int workers = 8;    ///< at most; usable cores decide
  int prefetch = 4;   ///< batches finished or being built ahead of the caller, at least 1
  std::uint64_t seed = 0;
  /// What this process loads where several share the work. `samples`: the part-th of `parts` equal
  /// slices of every batch, whose sizes are made multiples of `parts` by taking pictures twice.
  /// `batches`: every parts-th batch whole, from number `part` on.
  enum class Sharing { samples, batches };
  Sharing sharing = Sharing::samples;
  int part = 0, parts = 1;
  int epochs = 1;  ///< of the training: how far it is, for transforms with a schedule
  int last_mosaic_epoch = 1 << 30;  ///< later epochs have no mosaic, mixup, copy-paste and paste-in
  std::size_t cache_bytes = 1u << 30;  ///< budget of the decoded-picture cache; 0 = none
  bool scaled_decoding = false;        ///< load_resized()
  AugmentOptions augmentation;
  /// One an entry; null: all labels weigh 1, and nothing is ignored.
  std::shared_ptr<const std::vector<LabelWeights>> weights = {};
  /// Share of drawn images that every batch has; below 0: images as they come (training 24). One
  /// mark an entry in `drawn`. Without weights of pictures and rectangular batches.
  double drawn_share = -1;
  std::shared_ptr<const std::vector<bool>> drawn = {};
};

}  // namespace yolov7::dataset
