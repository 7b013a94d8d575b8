#include "core/allocation.hpp"

#include <cstdlib>  // says whether the library is glibc

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace yolov7 {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // A block above the first limit has pages of its own; free memory above the second is given back;
  // an area of a thread grows in steps of the third, and is kept where the others have less room.
  constexpr int own_pages = 32 << 20, given_back = 256 << 20, step = 16 << 20;
  mallopt(M_MMAP_THRESHOLD, own_pages);
  mallopt(M_TRIM_THRESHOLD, given_back);
  mallopt(M_TOP_PAD, step);
#endif
}

}  // namespace yolov7
