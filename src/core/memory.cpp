#include "core/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "core/cgroup.hpp"
#include "core/setting_name.hpp"

namespace yolov7 {
namespace {

/// /proc files have no size, so they are read as streams.
std::string proc_text(const char* path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
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
  const std::uint64_t granted = cgroup_memory_left(CgroupPlace::of_this_process());
  if (granted < result.bytes) result = {granted, "the cgroup limit"};
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
