#pragma once
// How much memory this process has, and how much it may still take.
#include <cstdint>
#include <string>
#include <string_view>

namespace yolov7 {

struct AvailableMemory {
  std::uint64_t bytes = 0;  ///< that this process may take beside what it holds
  std::string limited_by;   ///< "the machine", "the cgroup limit", the setting memory-limit
};
/// The least of: what the machine has to give (MemAvailable), what the cgroup (v1, v2, every level
/// up to the root) leaves, and, with a `limit` above 0, that many bytes for the whole process less
/// what it holds.
AvailableMemory available_memory(std::uint64_t limit = 0);

std::uint64_t resident_bytes();       ///< VmRSS
std::uint64_t peak_resident_bytes();  ///< VmHWM, since the process began

/// Bytes of a line like "VmHWM:   123 kB" in the text of a /proc file; 0 where there is none.
std::uint64_t proc_bytes(std::string_view text, std::string_view key);
/// "512 MiB", "3.2 GiB".
std::string memory_text(std::uint64_t bytes);

}  // namespace yolov7
