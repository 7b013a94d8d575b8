#pragma once
// Places where tests end or starve a writer of the store.
#include <filesystem>

namespace yolov7::versions {

/// Called before every change of the store. YOLOV7_FAILPOINTS=version-kill=N ends the process at
/// the Nth call (SIGKILL), version-full=N makes it the Error of a full disk.
void writing_step(const std::filesystem::path& path);

}  // namespace yolov7::versions
