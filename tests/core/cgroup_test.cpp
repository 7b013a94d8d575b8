#include "core/cgroup.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

/// A root of control groups whose files a test writes.
class Cgroups : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { root.write(path, text); }
  CgroupPlace place(const std::string& own) const { return {root.path(), own}; }
  const test::ScratchFolder root;
};

TEST_F(Cgroups, Version2CountsTheQuotasAboveItsOwn) {
  write("a/b/cpu.max", "max 100000\n");
  write("a/cpu.max", "150000 100000\n");
  write("cpu.max", "800000 100000\n");
  EXPECT_EQ(cgroup_cores(place("0::/a/b\n")), 1.5);
  EXPECT_EQ(cgroup_cores(place("0::/\n")), 8);
  write("a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cores(place("0::/a/b\n")), 0.5);
}

TEST_F(Cgroups, Version1HasAFolderOfItsOwnForEachController) {
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  write("cpu/job/cpu.cfs_quota_us", "300000\n");
  write("cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cores(place("2:cpu,cpuacct:/job/step\n1:memory:/\n")), 3);
  EXPECT_EQ(cgroup_cores(place("2:cpu,cpuacct:/\n")), std::numeric_limits<double>::infinity());
  EXPECT_EQ(cgroup_cores(place("1:memory:/job\n")), std::numeric_limits<double>::infinity());
  EXPECT_EQ(cgroup_cores(place("no line of this kind\n")), std::numeric_limits<double>::infinity());
}

TEST_F(Cgroups, MemoryIsWhatEveryLevelLeavesAndPageCacheCountsAsLeft) {
  write("a/b/memory.max", "max\n");
  write("a/b/memory.current", "700\n");
  write("a/memory.max", "1000\n");
  write("a/memory.current", "800\n");
  write("a/memory.stat", "anon 500\ninactive_file 300\n");
  EXPECT_EQ(cgroup_memory_left(place("0::/a/b\n")), 1000u - (800 - 300));
  write("memory/job/memory.limit_in_bytes", "400\n");
  write("memory/job/memory.usage_in_bytes", "100\n");
  write("memory/job/memory.stat", "inactive_file 90\ntotal_inactive_file 50\n");
  EXPECT_EQ(cgroup_memory_left(place("4:memory:/job\n")), 400u - (100 - 50));
  EXPECT_EQ(cgroup_memory_left(place("4:memory:/job\n0::/a\n")), 350u);
  EXPECT_EQ(cgroup_memory_left(place("")), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace yolov7
