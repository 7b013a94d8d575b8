#pragma once
// Protocol buffers without their compiler: the wire format is tag, then varint, four or eight
// bytes, or length and bytes (protobuf.dev, "Encoding"). ONNX, TensorFlow and Core ML files and
// TFRecord data sets are written with it, and the latter read.
#include <cstdint>
#include <cstring>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolov7 {

/// A message whose fields are appended in order. Large contents are not held: they are written when
/// the whole is, through as many levels of messages as there are.
class ProtobufMessage {
 public:
  using Writer = std::function<void(std::ostream&)>;

  ProtobufMessage& integer(int field, std::int64_t value) {  ///< also bool and enum
    key(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufMessage& real(int field, float value) {
    key(field, 5);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);  // little-endian, as the machines we build for
    own().append(bytes, sizeof value);
    return *this;
  }
  ProtobufMessage& real64(int field, double value) {
    key(field, 1);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    own().append(bytes, sizeof value);
    return *this;
  }
  ProtobufMessage& text(int field, std::string_view value) {  ///< also bytes
    length(field, value.size());
    own().append(value);
    return *this;
  }
  ProtobufMessage& integers(int field, std::span<const std::int64_t> values) {  ///< packed
    ProtobufMessage packed;
    for (const std::int64_t one : values) packed.varint(static_cast<std::uint64_t>(one));
    return message(field, std::move(packed));
  }
  ProtobufMessage& reals(int field, std::span<const float> values) {  ///< packed
    return text(field,
                {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }
  ProtobufMessage& message(int field, ProtobufMessage inner) {
    length(field, inner.size());
    for (Piece& piece : inner.pieces_) {
      if (piece.write)
        pieces_.push_back(std::move(piece));
      else
        own().append(piece.bytes);
    }
    return *this;
  }
  /// An entry of a map from text.
  ProtobufMessage& entry(int field, std::string_view name, ProtobufMessage value) {
    ProtobufMessage pair;
    pair.text(1, name).message(2, std::move(value));
    return message(field, std::move(pair));
  }
  /// `size` bytes that `write` gives later, as often as it is asked.
  ProtobufMessage& later(int field, std::uint64_t size, Writer write) {
    length(field, size);
    pieces_.push_back({{}, size, std::move(write)});
    return *this;
  }

  std::uint64_t size() const {
    std::uint64_t sum = 0;
    for (const Piece& piece : pieces_) sum += piece.write ? piece.size : piece.bytes.size();
    return sum;
  }
  void write(std::ostream& out) const {
    for (const Piece& piece : pieces_) {
      if (piece.write)
        piece.write(out);
      else
        out.write(piece.bytes.data(), static_cast<std::streamsize>(piece.bytes.size()));
    }
  }

 private:
  struct Piece {
    std::string bytes;
    std::uint64_t size = 0;
    Writer write;
  };
  std::string& own() {
    if (pieces_.empty() || pieces_.back().write) pieces_.emplace_back();
    return pieces_.back().bytes;
  }
  void varint(std::uint64_t value) {
    std::string& bytes = own();
    for (; value > 127; value >>= 7) bytes.push_back(static_cast<char>((value & 127) | 128));
    bytes.push_back(static_cast<char>(value));
  }
  void key(int field, unsigned wire_type) {
    varint(static_cast<std::uint64_t>(field) << 3 | wire_type);
  }
  void length(int field, std::uint64_t size) {
    key(field, 2);
    varint(size);
  }

  std::vector<Piece> pieces_;
};

/// The fields of a message, one after the other. The bytes are not copied.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next field; false at the end. Error (without a place): the bytes end within a
  /// field, a varint of more than 64 bits, a field number of 0, a group or another unknown wire
  /// type.
  bool next();
  int field() const { return field_; }
  bool is_number() const { return wire_ == 0; }
  bool is_bytes() const { return wire_ == 2; }
  std::uint64_t number() const { return number_; }   ///< of a varint, else 0
  std::string_view bytes() const { return bytes_; }  ///< of texts, messages and fixed numbers
  /// Numbers of a repeated field, packed or one by one, put behind those that are there. Errors as
  /// of next(); another wire type than expected.
  void append_to(std::vector<std::int64_t>& values) const;
  void append_to(std::vector<float>& values) const;

 private:
  std::uint64_t varint();

  std::string_view rest_, bytes_;
  std::uint64_t number_ = 0;
  int field_ = 0, wire_ = 0;
};

/// Readers refuse files of this size and above.
inline constexpr std::uint64_t protobuf_limit = (std::uint64_t{1} << 31) - 1;

}  // namespace yolov7
