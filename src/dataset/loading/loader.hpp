#pragma once
// Batches by a pool of threads through a bounded queue. The same batches for any number of threads:
// every draw is a pure function of (seed, epoch, sample, operation).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataset/batch.hpp"
#include "dataset/index/index.hpp"
#include "dataset/loading/loader_options.hpp"

namespace yolov7::dataset {

class BatchLoader {
 public:
  /// The index must outlive the loader. Samples are built by min(usable cores, batch size, workers)
  /// threads, with a batch size of 1 or no workers in the thread that calls next(). Errors: an
  /// index without pictures, sizes below 1, an image size that is no multiple of the stride, quad
  /// with batches of fewer than four, a batch size that `parts` does not divide.
  BatchLoader(const Index& index, const LoaderOptions& options);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  std::size_t batches() const;           ///< per epoch; the last partial batch is kept
  int threads() const;                   ///< 0: next() builds the batches itself
  std::size_t cached_pictures() const;   ///< how many of the pictures fit into cache_bytes
  std::size_t decoded_pictures() const;  ///< how often a picture was read from its file so far
  /// Starts epoch `epoch` at batch `first` (resume). Ends whatever ran before.
  void start(int epoch, std::size_t first = 0);
  /// From the next start() on, the epoch's pictures are drawn with replacement in proportion to
  /// these (one a picture, none negative, not all 0); mosaic partners come from what was drawn.
  /// Empty: every picture once. Errors: another number of weights; rectangular batches.
  void set_weights(std::vector<double> weights);
  /// The next batch in order, or nothing at the end of the epoch. An exception of a worker is
  /// thrown here, in the place of its batch, and again by every further call until start(). Error:
  /// start() was never called.
  std::optional<Batch> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yolov7::dataset
