#pragma once
// A libtiff handle on bytes in memory, with its messages kept per handle instead of printed.
#include <cstdint>
#include <string>
#include <string_view>

struct tiff;  // libtiff's TIFF

namespace yolov7 {

class TiffMemory {
 public:
  explicit TiffMemory(std::string_view bytes);  ///< to read; the bytes must outlive the object
  explicit TiffMemory(std::string* out);        ///< to write; complete after close()
  TiffMemory(const TiffMemory&) = delete;
  TiffMemory& operator=(const TiffMemory&) = delete;
  ~TiffMemory();

  ::tiff* get() const { return tiff_; }  ///< null if it could not be opened; see error()
  void close();                          ///< writes the directory of a file being written
  /// The first error libtiff reported, or "". libtiff goes on after some of them, so this decides,
  /// not its results.
  const std::string& error() const { return error_; }

  // For the callbacks of libtiff.
  std::string_view in_;
  std::string* out_ = nullptr;
  std::uint64_t at_ = 0;
  std::string error_;

 private:
  void open(const char* mode);
  ::tiff* tiff_ = nullptr;
};

}  // namespace yolov7
