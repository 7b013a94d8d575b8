#pragma once
// How much memory a run takes, as a function of its batch, and how much it may take.
#include <cstdint>
#include <string>

#include "core/memory.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// How the memory of a run grows.
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

/// What came out of the check before the first step.
struct MemoryPlan {
  int micro_batch = 0;  ///< pictures per forward and backward pass; 0 = the whole batch
  std::uint64_t predicted_peak = 0;  ///< of the process's resident memory, or the GPU's; bytes
  MemoryModel model;                 ///< by which it was predicted
  std::uint64_t allowed = 0;         ///< bytes that this process may hold
  std::string limited_by;            ///< Room::limited_by
};

/// What one process may use, and what it uses by now: resident memory, or the GPU's.
struct Room {
  std::uint64_t resident = 0;  ///< now
  std::uint64_t total = 0;     ///< that it may hold in all
  std::uint64_t allowed = 0;   ///< the same, less what is kept free
  std::string
      limited_by;  ///< "the machine", "the cgroup limit", the setting memory-limit, "the GPU"
};
/// `limit`: --memory-limit in GB.
Room room(const RunContext& context, double limit);

/// One line: what is predicted and what may be used.
std::string fits_text(const MemoryModel& model, const Room& room, int batch, int micro);

}  // namespace yolov7::training
