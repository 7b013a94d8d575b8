#pragma once

namespace yolov7 {

/// For work that takes and frees the same large blocks again and again, as decoding images does:
/// freed memory stays with the process instead of being given back, cleared and taken anew for
/// every image. Holds from then on, for all threads.
void keep_freed_memory();

}  // namespace yolov7
