#pragma once
// Batches by a pool of threads through a bounded queue. The same batches for any number of threads: every draw is a
// pure function of (seed, epoch, sample, operation).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataset/augment.hpp"
#include "dataset/batch.hpp"
#include "dataset/index.hpp"

namespace yolov7::dataset {

struct LoaderOptions {
  int batch_size = 16;
  int image_size = 640;         ///< long side, multiple of stride
  int stride = 32;              ///< grid size gs
  bool augment = false;         ///< training pipeline of data 8
  bool rectangular = false;     ///< data 7.3; always for validation
  double rectangular_pad = 0.5; ///< 0.5 validation, 0 training
  bool shuffle = false;
  bool quad = false;            ///< data 9
  int workers = 8;              ///< at most; usable cores decide
  int prefetch = 4;             ///< batches finished or being built ahead of the caller, at least 1
  std::uint64_t seed = 0;
  /// What this process loads where several share the work. `samples`: the part-th of `parts` equal slices of every batch, whose sizes
  /// are made multiples of `parts` by taking pictures twice. `batches`: every parts-th batch whole, from number `part` on.
  enum class Sharing { samples, batches };
  Sharing sharing = Sharing::samples;
  int part = 0, parts = 1;
  int epochs = 1;                      ///< of the training: how far it is, for transforms with a schedule
  int last_mosaic_epoch = 1 << 30;     ///< later epochs have no mosaic, mixup, copy-paste and paste-in
  std::size_t cache_bytes = 1u << 30;  ///< budget of the decoded-picture cache; 0 = none
  bool scaled_decoding = false;        ///< load_resized()
  AugmentOptions augmentation;
};

class BatchLoader {
 public:
  /// The index must outlive the loader. Samples are built by min(usable cores, batch size, workers) threads, with a batch
  /// size of 1 or no workers in the thread that calls next(). Errors: an index without pictures, sizes below 1, an image
  /// size that is no multiple of the stride, quad with batches of fewer than four, a batch size that `parts` does not divide.
  BatchLoader(const Index& index, const LoaderOptions& options);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  std::size_t batches() const;  ///< per epoch; the last partial batch is kept
  int threads() const;          ///< 0: next() builds the batches itself
  std::size_t cached_pictures() const;  ///< how many of the pictures fit into cache_bytes
  std::size_t decoded_pictures() const; ///< how often a picture was read from its file so far
  /// Starts epoch `epoch` at batch `first` (resume). Ends whatever ran before.
  void start(int epoch, std::size_t first = 0);
  /// From the next start() on, the epoch's pictures are drawn with replacement in proportion to these (one a picture, none negative, not
  /// all 0); mosaic partners come from what was drawn. Empty: every picture once. Errors: another number of weights; rectangular batches.
  void set_weights(std::vector<double> weights);
  /// The next batch in order, or nothing at the end of the epoch. An exception of a worker is thrown here, in the place of
  /// its batch, and again by every further call until start(). Error: start() was never called.
  std::optional<Batch> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yolov7::dataset
