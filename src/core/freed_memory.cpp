#include "core/freed_memory.hpp"

#include <malloc.h>

namespace yolov7 {

void return_freed_memory() { ::malloc_trim(0); }

}  // namespace yolov7
