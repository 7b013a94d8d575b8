#pragma once
// Where a run writes, who takes part in it, and what it computes on.
#include <filesystem>
#include <optional>
#include <stop_token>

#include "core/file.hpp"
#include "kernels/torch.hpp"
#include "training/distributed/communicator.hpp"

namespace yolov7::training {

struct RunContext {
  Communicator* group = nullptr;  ///< never null in a run; outlives it
  std::filesystem::path folder;
  std::optional<file::Lock> lock;  ///< one process per run folder
  at::Device device = at::kCPU;
  int threads = 1;            ///< compute threads of this process
  std::stop_token stop = {};  ///< of this process; the group agrees on it before anybody stops

  bool writes() const { return group->writes(); }
  /// This process's share of a batch.
  int own(int batch) const { return batch / group->size(); }
};

}  // namespace yolov7::training
