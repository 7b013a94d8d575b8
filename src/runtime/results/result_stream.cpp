#include "runtime/results/result_stream.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"

namespace yolov7::runtime {

ResultStream::ResultStream(const std::filesystem::path& path, bool goes_on) : path_(path) {
  if (path_.has_parent_path()) file::make_folder(path_.parent_path());
  std::error_code error;
  if (!goes_on) std::filesystem::remove(path_, error);
  if (!error) out_.open(path_, (goes_on ? std::ios::app : std::ios::trunc) | std::ios::binary);
  if (error || !out_) throw Error(fmt::format("{}: cannot be written", path_.string()));
}

void ResultStream::check() const {
  if (!out_) throw Error(fmt::format("{}: cannot be written", path_.string()));
}

void ResultStream::write(std::string_view text) {
  out_ << text;
  check();
}

void ResultStream::flush() {
  out_.flush();
  check();
}

void ResultStream::close() {
  out_.close();
  check();
}

}  // namespace yolov7::runtime
