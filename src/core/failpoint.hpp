#pragma once
// Faults on request, for tests of what cannot be brought about otherwise:
// YOLOV7_FAILPOINTS="non-finite-loss=3,4;out-of-memory=1" makes the third and fourth pass of one
// place and the first of another fail. Unset, which is always outside tests, nothing ever fails.
#include <string_view>

namespace yolov7::failpoint {

/// Counts a pass of the place (from 1) and says whether it is to fail.
bool hit(std::string_view place);

}  // namespace yolov7::failpoint
