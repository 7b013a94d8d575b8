#pragma once
// Protocol buffers, writing only: the wire format is tag, then varint, four or eight bytes, or
// length and bytes (protobuf.dev, "Encoding"). ONNX, TensorFlow and Core ML files are written with
// it.
#include <cstdint>
#include <cstring>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolov7::exporting {

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

/// Readers refuse files of this size and above.
inline constexpr std::uint64_t protobuf_limit = (std::uint64_t{1} << 31) - 1;

}  // namespace yolov7::exporting
