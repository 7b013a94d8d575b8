#pragma once
// Weights whose memory can be given back while nobody reads them.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::exporting {

/// Large weights, as pages of a file without a name. They stay where they are and can be read at
/// any time; pages that were given back come again from that file (the machine's cache, as long as
/// it has room). For files that are checked one after the other: while one is open, the weights
/// that it was written from need no memory.
class BackedWeights {
 public:
  /// The weights may not change from here on. `folder`: where the file lies; nothing of it is left
  /// when this process ends. Where the file system has no files without names, or not the space,
  /// the weights stay in memory alone.
  BackedWeights(std::shared_ptr<const network::NetworkAndWeights> model,
                const std::filesystem::path& folder);
  BackedWeights(const BackedWeights&) = delete;
  BackedWeights& operator=(const BackedWeights&) = delete;

  std::uint64_t bytes() const;  ///< that lie in the file
  void give_back() const;

 private:
  struct Pages {
    void* first = nullptr;
    std::size_t bytes = 0;
  };
  /// Keeps the memory from being freed, and so from being used for something else, as long as it
  /// can be given back.
  std::shared_ptr<const network::NetworkAndWeights> model_;
  std::vector<Pages> pages_;
};

}  // namespace yolov7::exporting
