#pragma once
// FlatBuffers, writing only (flatbuffers.dev, "FlatBuffer Internals"): offsets lead forward, so
// that a table stands before what it refers to, and its vtable directly before it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace yolov7::exporting {

/// A table whose fields, by their numbers in the schema, are given in any order; what they refer to
/// comes in that order in the file.
class FlatTable {
 public:
  using Writer = std::function<void(std::ostream&)>;

  template <class T>
  requires(std::is_arithmetic_v<T> && sizeof(T) <= 4) FlatTable& scalar(int field, T value) {
    fields_.push_back({field, bytes_of(&value, 1), {}});
    return *this;
  }
  FlatTable& text(int field, std::string_view value) {
    return child(field, {.bytes = std::string(value) + '\0', .count = value.size()});
  }
  template <class T>
  FlatTable& values(int field, const std::vector<T>& values) {
    return child(field, {.bytes = bytes_of(values.data(), values.size()),
                         .count = values.size(),
                         .alignment = std::max<std::size_t>(4, sizeof(T))});
  }
  /// A vector of `size` bytes at a multiple of 16, which `write` gives later, as often as asked.
  FlatTable& later(int field, std::uint64_t size, Writer write) {
    return child(field, {.count = size, .alignment = 16, .write = std::move(write)});
  }
  FlatTable& table(int field, FlatTable value) {
    return child(field, {.single = true, .tables = {std::move(value)}});
  }
  FlatTable& tables(int field, std::vector<FlatTable> values) {
    return child(field, {.of_tables = true, .tables = std::move(values)});
  }

 private:
  friend class FlatFile;
  struct Child {
    std::string bytes = {};  // without the count in front of it
    std::uint64_t count = 0;
    std::size_t alignment = 4;  // of the first element
    Writer write = {};
    bool single = false, of_tables = false;
    std::vector<FlatTable> tables = {};
  };
  struct Field {
    int number;
    std::string bytes;             // of a scalar
    std::vector<Child> reference;  // one, or none
  };
  template <class T>
  static std::string bytes_of(const T* values, std::size_t count) {
    // Little-endian, as the machines we build for.
    return {reinterpret_cast<const char*>(values), count * sizeof(T)};
  }
  FlatTable& child(int field, Child value) {
    fields_.push_back({field, std::string(4, '\0'), {}});
    fields_.back().reference.push_back(std::move(value));
    return *this;
  }

  std::vector<Field> fields_;
};

/// A whole file. The root may go once it is laid out.
class FlatFile {
 public:
  FlatFile(const FlatTable& root, std::string_view identifier) {
    const Place place = here();
    append_number<std::uint32_t>(0);
    bytes_ += identifier.substr(0, 4);
    point(place, lay_out(root));
  }
  std::uint64_t size() const { return bytes_.size() + later_size_; }
  void write(std::ostream& out) const {
    std::size_t at = 0;
    const auto up_to = [&](std::size_t end) {
      out.write(bytes_.data() + at, static_cast<std::streamsize>(end - at));
      at = end;
    };
    for (const Later& one : later_) {
      up_to(one.before);
      one.write(out);
    }
    up_to(bytes_.size());
  }

 private:
  struct Later {
    std::size_t before;  // in bytes_
    FlatTable::Writer write;
  };
  struct Place {
    std::size_t index;       // in bytes_
    std::uint64_t position;  // in the file
  };
  Place here() const { return {bytes_.size(), size()}; }
  template <class T>
  void append_number(std::uint64_t value) {
    const T number = static_cast<T>(value);
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  /// What comes `ahead` bytes later stands at a multiple of `alignment`.
  void align(std::size_t alignment, std::size_t ahead = 0) {
    while ((size() + ahead) % alignment != 0) bytes_.push_back('\0');
  }
  void point(const Place& from, std::uint64_t to) {
    const auto offset = static_cast<std::uint32_t>(to - from.position);
    std::memcpy(bytes_.data() + from.index, &offset, sizeof offset);
  }

  /// Returns where the table is.
  std::uint64_t lay_out(const FlatTable& table) {
    std::size_t slots = 0, length = 4;
    for (const auto& field : table.fields_)
      slots = std::max(slots, static_cast<std::size_t>(field.number) + 1);
    std::vector<std::size_t> offsets(slots, 0);
    for (const auto& field : table.fields_) {
      const std::size_t width = field.bytes.size();
      length = (length + width - 1) / width * width;
      offsets[static_cast<std::size_t>(field.number)] = length;
      length += width;
    }
    const std::size_t vtable = 4 + 2 * slots;
    align(4, vtable);
    append_number<std::uint16_t>(vtable);
    append_number<std::uint16_t>(length);
    for (const std::size_t offset : offsets) append_number<std::uint16_t>(offset);
    const Place start = here();
    append_number<std::uint32_t>(vtable);  // back to the vtable
    std::vector<std::pair<Place, const FlatTable::Child*>> references;
    for (const auto& field : table.fields_) {
      align(field.bytes.size());
      if (!field.reference.empty()) references.emplace_back(here(), &field.reference.front());
      bytes_ += field.bytes;
    }
    for (const auto& [place, child] : references) point(place, lay_out(*child));
    return start.position;
  }

  std::uint64_t lay_out(const FlatTable::Child& child) {
    if (child.single) return lay_out(child.tables.front());
    align(child.alignment, 4);
    const std::uint64_t start = size();
    append_number<std::uint32_t>(child.of_tables ? child.tables.size() : child.count);
    if (child.write) {
      later_.push_back({bytes_.size(), child.write});
      later_size_ += child.count;
    }
    bytes_ += child.bytes;
    const Place first = here();
    bytes_.append(4 * child.tables.size(), '\0');
    for (std::size_t i = 0; i < child.tables.size(); ++i)
      point({first.index + 4 * i, first.position + 4 * i}, lay_out(child.tables[i]));
    return start;
  }

  std::string bytes_;
  std::vector<Later> later_;
  std::uint64_t later_size_ = 0;
};

/// Readers refuse files of this size and above.
inline constexpr std::uint64_t flatbuffer_limit = (std::uint64_t{1} << 31) - 1;

}  // namespace yolov7::exporting
