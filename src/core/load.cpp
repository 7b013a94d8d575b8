#include "core/load.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "core/text.hpp"

namespace yolov7 {
namespace {

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

double own_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

/// Busy ticks of a line "cpu3 user nice system idle iowait irq softirq steal …".
std::optional<std::uint64_t> busy_of(std::string_view line) {
  constexpr std::size_t columns = 8, idle = 3, waiting = 4;
  std::uint64_t busy = 0;
  std::size_t column = 0;
  for (const std::string_view word :
       text::split_blank(line.substr(std::min(line.find(' '), line.size())))) {
    const auto ticks = text::parse_int(word);
    if (!ticks || *ticks < 0) return std::nullopt;
    if (column != idle && column != waiting) busy += static_cast<std::uint64_t>(*ticks);
    if (++column == columns) return busy;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> busy_ticks(std::string_view stat, const std::vector<int>& cores) {
  std::uint64_t sum = 0;
  std::size_t found = 0;
  for (const std::string_view line : text::lines(stat)) {
    if (line.rfind("cpu", 0) != 0) continue;
    const auto core = text::parse_int(line.substr(3, std::min(line.find(' '), line.size()) - 3));
    if (!core || std::find(cores.begin(), cores.end(), *core) == cores.end()) continue;
    const auto busy = busy_of(line);
    if (!busy) return std::nullopt;
    sum += *busy;
    ++found;
  }
  return found > 0 && found == cores.size() ? std::optional(sum) : std::nullopt;
}

LoadMeter::LoadMeter() : cores_(allowed_cores()), last_(sample()) {}

LoadMeter::Sample LoadMeter::sample() const {
  std::ifstream file("/proc/stat");
  const std::string stat((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return {std::chrono::steady_clock::now(), busy_ticks(stat, cores_), own_seconds()};
}

std::optional<double> LoadMeter::others() {
  const Sample now = sample();
  const double seconds = std::chrono::duration<double>(now.time - last_.time).count();
  if (seconds < 0.1) return std::nullopt;
  const Sample before = std::exchange(last_, now);
  if (!now.ticks || !before.ticks || *now.ticks < *before.ticks) return std::nullopt;
  const double busy = static_cast<double>(*now.ticks - *before.ticks) /
                      static_cast<double>(::sysconf(_SC_CLK_TCK)),
               own = now.own_seconds - before.own_seconds;
  return std::clamp((busy - own) / seconds, 0.0, static_cast<double>(cores_.size()));
}

int threads_beside(int cores, double others) {
  return std::clamp(cores - static_cast<int>(std::lround(others)), 1, std::max(1, cores));
}

}  // namespace yolov7
