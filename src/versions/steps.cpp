#include "versions/steps.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/error.hpp"
#include "core/failpoint.hpp"

namespace yolov7::versions {

void writing_step(const std::filesystem::path& path) {
  if (failpoint::hit("version-kill")) std::raise(SIGKILL);
  if (failpoint::hit("version-full"))
    throw Error(fmt::format("{}: cannot write: {}", path.string(), std::strerror(ENOSPC)));
}

}  // namespace yolov7::versions
