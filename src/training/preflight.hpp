#pragma once
// Before the first step, on a real batch: in which precision to compute, and whether the run fits
// into memory.
#include "training/setup.hpp"

namespace yolov7::training {

/// Chooses the compute type (options.precision becomes "float32" or "bfloat16"; a resumed run keeps
/// what it had), the batch size where
/// --autobatch asks, and the micro-batch; predicts the peak of resident memory and says it. Needs
/// description, data, network, sizes and losses; leaves weights, statistics and gradients as they
/// were. Error: nothing fits, with the batch that does where there is one. A run is float32 at
/// first (state.float32_first) where the chosen type's gradients do not point where float32's do
/// yet (check_precision), if the batch fits into memory that way; the predicted peak is float32's
/// then.
void preflight(Setup& s, bool resumed);

/// Before an epoch of a run that is float32 so far: compares again on the same pictures, and goes
/// over to options.precision where the gradients point the same way. A function of the state alone,
/// and the same in every process.
void end_float32_in_time(Setup& s);

/// How the resident memory of a run grows, measured by two passes with one and two pictures.
struct MemoryModel {
  std::uint64_t base = 0;  ///< everything that does not depend on the batch: program, libraries,
                           ///< weights and their copies, data
  double per_micro_picture = 0;  ///< bytes of a picture in the forward and backward pass
  double per_batch_picture =
      0;  ///< … in the queue of batches and in validation, which uses twice the batch
  std::uint64_t peak(int batch, int micro) const;
  /// The largest batch of at most `most` pictures whose peak is at most `bytes`; 0: none.
  int largest_batch(int most, std::uint64_t bytes) const;
  /// The largest of batch, ⌈batch/2⌉, ⌈batch/4⌉, … 1 that fits; 0: none.
  int largest_micro(int batch, std::uint64_t bytes) const;
};

}  // namespace yolov7::training
