#include "core/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "core/setting_name.hpp"

namespace yolov7 {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// /proc files have no size, so they are read as streams.
std::string proc_text(const char* path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::uint64_t number_in(const fs::path& path) {
  std::ifstream in(path);
  std::uint64_t value = unlimited;
  return in >> value ? value : unlimited;  // "max" is no number
}

/// What the cgroup at `folder` and every one above it leave; page cache that the kernel gives up
/// first counts as left.
std::uint64_t left_in(const fs::path& root, fs::path folder, const char* limit_name,
                      const char* usage_name, const char* cache_key) {
  std::uint64_t left = unlimited;
  for (;;) {
    const fs::path at = root / folder.relative_path();
    const std::uint64_t limit = number_in(at / limit_name), used = number_in(at / usage_name);
    if (limit != unlimited && used != unlimited) {
      std::ifstream stat(at / "memory.stat");
      std::uint64_t cache = 0, value = 0;
      for (std::string key; stat >> key >> value;)
        if (key == cache_key) cache = value;
      const std::uint64_t held = used - std::min(used, cache);
      left = std::min(left, limit - std::min(limit, held));
    }
    if (folder == folder.parent_path()) return left;
    folder = folder.parent_path();
  }
}

std::uint64_t cgroup_left() {
  std::uint64_t left = unlimited;
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      folder = line.substr(second + 1);
    if (controllers.empty())
      left = std::min(
          left, left_in("/sys/fs/cgroup", folder, "memory.max", "memory.current", "inactive_file"));
    if (controllers == "memory")
      left = std::min(left, left_in("/sys/fs/cgroup/memory", folder, "memory.limit_in_bytes",
                                    "memory.usage_in_bytes", "total_inactive_file"));
  }
  return left;
}

}  // namespace

std::uint64_t proc_bytes(std::string_view text, std::string_view key) {
  const auto at = text.find(std::string(key) + ":");
  if (at == std::string_view::npos) return 0;
  std::string_view rest = text.substr(at + key.size() + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::uint64_t kibibytes = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), kibibytes);
  return kibibytes * 1024;
}

std::uint64_t resident_bytes() { return proc_bytes(proc_text("/proc/self/status"), "VmRSS"); }
std::uint64_t peak_resident_bytes() { return proc_bytes(proc_text("/proc/self/status"), "VmHWM"); }

AvailableMemory available_memory(std::uint64_t limit) {
  AvailableMemory result{proc_bytes(proc_text("/proc/meminfo"), "MemAvailable"), "the machine"};
  if (const std::uint64_t left = cgroup_left(); left < result.bytes)
    result = {left, "the cgroup limit"};
  if (limit > 0) {
    const std::uint64_t left = limit - std::min(limit, resident_bytes());
    if (left < result.bytes) result = {left, setting_name("memory-limit")};
  }
  return result;
}

std::string memory_text(std::uint64_t bytes) {
  const double mebibytes = static_cast<double>(bytes) / (1 << 20);
  return mebibytes < 1000 ? fmt::format("{:.0f} MiB", mebibytes)
                          : fmt::format("{:.1f} GiB", mebibytes / 1024);
}

}  // namespace yolov7
