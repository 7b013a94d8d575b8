#include "core/earlier_result.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/error.hpp"

namespace yolov7 {

void require_earlier(const std::filesystem::path& result, const std::string& kind,
                     const std::function<void()>& read) {
  std::error_code error;
  if (!std::filesystem::exists(result, error)) return;
  try {
    read();
  } catch (const Error&) {
    throw Error(fmt::format("{}: expected no file, or {}, found another file; move it away",
                            result.string(), kind));
  }
}

}  // namespace yolov7
