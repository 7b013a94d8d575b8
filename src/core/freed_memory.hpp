#pragma once
// Memory that was freed and is still this process's.

namespace yolov7 {

/// Gives it back to the machine, as far as it lies in whole pages. For the end of something large:
/// the allocator keeps such memory for later otherwise.
void return_freed_memory();

}  // namespace yolov7
