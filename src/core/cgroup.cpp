#include "core/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "core/text.hpp"

namespace yolov7 {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

std::uint64_t number_in(const fs::path& path) {
  std::ifstream in(path);
  std::uint64_t value = unlimited;
  return in >> value ? value : unlimited;  // "max" is no number
}

/// Bytes of page cache, by the group's memory.stat.
std::uint64_t cache_of(const CgroupLevel& level) {
  const char* wanted = level.version2 ? "inactive_file" : "total_inactive_file";
  std::ifstream stat(level.folder / "memory.stat");
  std::uint64_t value = 0;
  for (std::string key; stat >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

/// Quota and period in microseconds; nothing where the group has no quota.
std::optional<double> cores_of(const CgroupLevel& level) {
  double quota = 0, period = 0;
  if (level.version2) {
    std::ifstream in(level.folder / "cpu.max");
    if (!(in >> quota >> period)) return {};  // "max" is no number
  } else {
    std::ifstream of_quota(level.folder / "cpu.cfs_quota_us"),
        of_period(level.folder / "cpu.cfs_period_us");
    if (!(of_quota >> quota && of_period >> period)) return {};
  }
  if (!(quota > 0) || !(period > 0)) return {};  // −1: no quota (version 1)
  return quota / period;
}

}  // namespace

CgroupPlace CgroupPlace::of_this_process() {
  CgroupPlace place;
  std::ifstream in("/proc/self/cgroup");  // has no size, so it is read as a stream
  std::ostringstream text;
  text << in.rdbuf();
  place.own = text.str();
  return place;
}

std::vector<CgroupLevel> cgroup_levels(const CgroupPlace& place, std::string_view controller) {
  std::vector<CgroupLevel> newer, older;
  std::istringstream lines(place.own);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version2 = controllers.empty();
    const auto names = text::split(controllers, ',');
    if (!version2 && std::find(names.begin(), names.end(), controller) == names.end()) continue;
    const fs::path root = version2 ? place.root : place.root / controller;
    for (fs::path folder = line.substr(second + 1);; folder = folder.parent_path()) {
      (version2 ? newer : older).push_back({root / folder.relative_path(), version2});
      if (folder == folder.parent_path()) break;
    }
  }
  newer.insert(newer.end(), older.begin(), older.end());
  return newer;
}

std::uint64_t cgroup_memory_left(const CgroupPlace& place) {
  std::uint64_t left = unlimited;
  for (const CgroupLevel& level : cgroup_levels(place, "memory")) {
    const std::uint64_t limit =
        number_in(level.folder / (level.version2 ? "memory.max" : "memory.limit_in_bytes"));
    const std::uint64_t used =
        number_in(level.folder / (level.version2 ? "memory.current" : "memory.usage_in_bytes"));
    if (limit == unlimited || used == unlimited) continue;
    const std::uint64_t held = used - std::min(used, cache_of(level));
    left = std::min(left, limit - std::min(limit, held));
  }
  return left;
}

double cgroup_cores(const CgroupPlace& place) {
  double cores = std::numeric_limits<double>::infinity();
  for (const CgroupLevel& level : cgroup_levels(place, "cpu"))
    if (const auto granted = cores_of(level)) cores = std::min(cores, *granted);
  return cores;
}

}  // namespace yolov7
