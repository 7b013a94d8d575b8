#pragma once
// Which of several training processes this one is. Free of LibTorch: the program decides by it who
// makes the run folder and who speaks.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace yolov7::run {

struct World {
  int rank = 0, size = 1;              ///< over all machines
  int local_rank = 0, local_size = 1;  ///< on this machine
  std::string address;                 ///< of the machine of rank 0; empty for one process
  std::uint16_t port = 0;

  bool alone() const { return size == 1; }
  bool writes() const { return rank == 0; }  ///< files, results and messages come from one process
};

/// From the variables of torchrun: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR,
/// MASTER_PORT; `get` is std::getenv or a stand-in. Without WORLD_SIZE, or with 1: one process.
/// LOCAL_* default to one machine. Errors (usage): a variable that is missing or no number, a rank
/// outside its size.
World world_of(const std::function<const char*(const char*)>& get);

/// GPUs that --device names, "0,2" → {0, 2}; empty for "" and "cpu". Error (usage): something else,
/// a GPU twice.
std::vector<int> gpus_of(const std::string& device);

}  // namespace yolov7::run
