#pragma once
// How busy other processes keep the cores that this process may use.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace yolov7 {

/// Ticks that the cores `cores` were busy with anything, by the text of /proc/stat (proc(5)); idle
/// time and waiting for disks do not count. nullopt: the text lacks one of them.
std::optional<std::uint64_t> busy_ticks(std::string_view stat, const std::vector<int>& cores);

/// Measures from its construction on.
class LoadMeter {
 public:
  LoadMeter();
  /// Busy cores of all other processes, on average since the last call or the construction: 1.5
  /// where one kept a core busy and another one half of one. nullopt: less than a tenth of a second
  /// has passed (the measurement goes on), or the system does not say.
  std::optional<double> others();

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    std::optional<std::uint64_t> ticks;
    double own_seconds = 0;
  };
  Sample sample() const;
  std::vector<int> cores_;
  Sample last_;
};

/// Threads for work that is cut into equal parts, on `cores` cores of which `others` are busy with
/// other processes: one for each core that is left, at least one. A part on a core that is shared
/// takes twice its time, and all others wait for it.
int threads_beside(int cores, double others);

}  // namespace yolov7
