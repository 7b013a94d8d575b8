#pragma once
// Reads FlatBuffers: a few lines that share nothing with the writer. What lies outside the content,
// or not at a multiple of its size, throws.
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::testing {

class FlatView {
 public:
  static FlatView root(std::string_view file) {
    return FlatView(file, number<std::uint32_t>(file, 0));
  }
  bool has(int field) const { return place(field) != 0; }
  template <class T>
  T scalar(int field, T otherwise = 0) const {
    return has(field) ? number<T>(file_, place(field)) : otherwise;
  }
  std::string text(int field) const {
    const std::size_t at = target(field);
    const std::size_t length = number<std::uint32_t>(file_, at);
    if (file_.at(at + 4 + length) != 0) throw std::runtime_error("a text without its end");
    return std::string(file_.substr(at + 4, length));
  }
  template <class T>
  std::vector<T> values(int field) const {
    const std::size_t at = target(field);
    std::vector<T> all(number<std::uint32_t>(file_, at));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = number<T>(file_, at + 4 + i * sizeof(T));
    return all;
  }
  /// Where the first element of a vector is.
  std::size_t begin(int field) const { return target(field) + 4; }
  FlatView table(int field) const { return FlatView(file_, target(field)); }
  std::vector<FlatView> tables(int field) const {
    std::vector<FlatView> all;
    const std::size_t at = target(field);
    for (std::size_t i = 0; i < number<std::uint32_t>(file_, at); ++i) {
      const std::size_t entry = at + 4 + 4 * i;
      all.push_back(FlatView(file_, entry + number<std::uint32_t>(file_, entry)));
    }
    return all;
  }

 private:
  FlatView(std::string_view file, std::size_t at) : file_(file), at_(at) {
    const auto back = number<std::int32_t>(file, at);
    vtable_ = static_cast<std::size_t>(static_cast<std::int64_t>(at) - back);
    if (at + number<std::uint16_t>(file, vtable_ + 2) > file.size())
      throw std::runtime_error("a table beyond the end");
  }
  template <class T>
  static T number(std::string_view file, std::size_t at) {
    if (at % sizeof(T) != 0) throw std::runtime_error("a number that is not aligned");
    if (at + sizeof(T) > file.size()) throw std::runtime_error("a number beyond the end");
    T value;
    std::memcpy(&value, file.data() + at, sizeof(T));
    return value;
  }
  std::size_t place(int field) const {
    const std::size_t slot = 4 + 2 * static_cast<std::size_t>(field);
    if (slot >= number<std::uint16_t>(file_, vtable_)) return 0;
    const auto offset = number<std::uint16_t>(file_, vtable_ + slot);
    return offset == 0 ? 0 : at_ + offset;
  }
  std::size_t target(int field) const {
    if (!has(field)) throw std::runtime_error("no field " + std::to_string(field));
    return place(field) + number<std::uint32_t>(file_, place(field));
  }

  std::string_view file_;
  std::size_t at_, vtable_ = 0;
};

}  // namespace yolov7::testing
