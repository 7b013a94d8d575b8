#pragma once
// Control groups of this process, versions 1 and 2: memory and cores that they grant.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7 {

/// Where the kernel tells of control groups. Tests give a folder and a text of their own.
struct CgroupPlace {
  std::filesystem::path root = "/sys/fs/cgroup";
  std::string own;  ///< text of /proc/self/cgroup: lines "number:controllers:folder"

  static CgroupPlace of_this_process();
};

struct CgroupLevel {
  std::filesystem::path folder;
  bool version2 = false;
};
/// The group of this process for `controller` ("memory", "cpu"), and every group above it up to the
/// root: a limit at any level holds. Version 2 first.
std::vector<CgroupLevel> cgroup_levels(const CgroupPlace& place, std::string_view controller);

/// Bytes that may still be taken at every level; page cache that the kernel gives up first counts
/// as left. The largest number where there is no limit.
std::uint64_t cgroup_memory_left(const CgroupPlace& place);
/// Cores: the smallest quota / period of all levels. Infinity where there is no quota.
double cgroup_cores(const CgroupPlace& place);

}  // namespace yolov7
