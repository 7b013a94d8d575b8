#pragma once
// A result that replaces a file.
#include <filesystem>
#include <functional>
#include <string>

namespace yolov7 {

/// A result may replace an earlier one of its kind, and no other file. `read` opens what is there
/// and throws an Error where it is none. Does nothing where there is no file. Error names `kind`
/// ("an earlier bundle").
void require_earlier(const std::filesystem::path& result, const std::string& kind,
                     const std::function<void()>& read);

}  // namespace yolov7
