#pragma once
// TensorFlow's record files (tensorflow.org, "TFRecord and tf.train.Example"): length, its masked
// checksum, the data, their masked checksum. Data sets and TensorBoard's events are such files.
#include <cstdint>
#include <string>
#include <string_view>

namespace yolov7 {

/// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4.
std::uint32_t crc32c(std::string_view bytes);
/// A checksum as records have it: turned right by 15 bits, plus 0xA282EAD8.
std::uint32_t masked_crc32c(std::string_view bytes);

/// One record around `data`.
std::string framed_record(std::string_view data);

/// The records of a file that is in memory, one after the other.
class RecordReader {
 public:
  explicit RecordReader(std::string_view file) : file_(file) {}
  /// Goes to the next record; false at the end. Errors name the record (from 0) and its byte: the
  /// file ends within it, a checksum that does not fit.
  bool next();
  std::string_view data() const { return data_; }
  std::size_t number() const { return number_ - 1; }  ///< of the record, from 0

 private:
  std::string_view file_, data_;
  std::size_t at_ = 0, number_ = 0;
};

}  // namespace yolov7
