#include "image/codec/tiff_memory.hpp"

#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>

namespace yolov7 {
namespace {

constexpr tmsize_t largest_allocation = tmsize_t{1} << 30;

TiffMemory& self(thandle_t handle) { return *static_cast<TiffMemory*>(handle); }

std::uint64_t size_of(const TiffMemory& m) { return m.out_ ? m.out_->size() : m.in_.size(); }

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t count) {
  TiffMemory& m = self(handle);
  const std::string_view from = m.out_ ? std::string_view(*m.out_) : m.in_;
  if (m.at_ >= from.size() || count <= 0) return 0;
  const std::size_t n = std::min<std::size_t>(static_cast<std::size_t>(count), from.size() - m.at_);
  std::memcpy(to, from.data() + m.at_, n);
  m.at_ += n;
  return static_cast<tmsize_t>(n);
}

tmsize_t write_bytes(thandle_t handle, void* from, tmsize_t count) {
  TiffMemory& m = self(handle);
  if (!m.out_ || count <= 0) return 0;
  const auto n = static_cast<std::size_t>(count);
  try {
    if (m.out_->size() < m.at_ + n) m.out_->resize(m.at_ + n);
  } catch (const std::exception&) {
    return -1;
  }
  std::memcpy(m.out_->data() + m.at_, from, n);
  m.at_ += n;
  return count;
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  TiffMemory& m = self(handle);
  m.at_ = whence == SEEK_SET ? offset : whence == SEEK_CUR ? m.at_ + offset : size_of(m) + offset;
  return m.at_;
}
int close_nothing(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return size_of(self(handle)); }
int no_mapping(thandle_t, void**, toff_t*) { return 0; }
void no_unmapping(thandle_t, void*, toff_t) {}

int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  TiffMemory& m = *static_cast<TiffMemory*>(user);
  if (!m.error_.empty()) return 1;
  char text[300];
  std::vsnprintf(text, sizeof text, format, arguments);
  m.error_ = text;
  return 1;
}
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

}  // namespace

TiffMemory::TiffMemory(std::string_view bytes) : in_(bytes) { open("r"); }
TiffMemory::TiffMemory(std::string* out) : out_(out) { open("w"); }
TiffMemory::~TiffMemory() { close(); }

void TiffMemory::open(const char* mode) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (!options) return;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest_allocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, this);
  tiff_ = TIFFClientOpenExt("picture", mode, this, read_bytes, write_bytes, seek, close_nothing,
                            size, no_mapping, no_unmapping, options);
  TIFFOpenOptionsFree(options);
}

void TiffMemory::close() {
  if (tiff_) TIFFClose(tiff_);
  tiff_ = nullptr;
}

}  // namespace yolov7
