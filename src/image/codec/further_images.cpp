#include "image/codec/further_images.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "image/codec/codec.hpp"

namespace yolov7 {
namespace {

using namespace std::string_view_literals;

/// Unsigned numbers in one byte order; nothing where they would lie outside.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  std::optional<std::uint64_t> at(std::uint64_t offset, unsigned width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return std::nullopt;
    std::uint64_t value = 0;
    for (unsigned k = 0; k < width; ++k)
      value = value << 8 |
              static_cast<unsigned char>(bytes_[offset + (big_endian_ ? k : width - 1 - k)]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

constexpr std::uint64_t subfile_type_tag = 254, type_short = 3, smaller_or_mask = 1 | 4;

/// TIFF, or BigTIFF with its longer fields.
class Directories {
 public:
  explicit Directories(std::string_view bytes)
      : numbers_(bytes, bytes.starts_with("MM"sv)), big_(numbers_.at(2, 2) == std::uint64_t{43}) {
    // Directories that do not overlap hold no more entries; the work ends there.
    const std::uint64_t most = bytes.size() / entry_size();
    std::set<std::uint64_t> seen;
    std::uint64_t entries = 0;
    auto directory = numbers_.at(word(), word());
    while (directory && *directory != 0 && seen.insert(*directory).second) {
      const auto count = numbers_.at(*directory, big_ ? 8 : 2);
      if (!count || *count > most || (entries += *count) > most || seen.size() > most) return;
      const std::uint64_t first = *directory + (big_ ? 8 : 2);
      if (seen.size() > 1 && is_page(first, *count)) ++further_;
      directory = numbers_.at(first + *count * entry_size(), word());
    }
  }
  std::size_t further() const { return further_; }

 private:
  unsigned word() const { return big_ ? 8 : 4; }
  std::uint64_t entry_size() const { return big_ ? 20 : 12; }
  bool is_page(std::uint64_t first, std::uint64_t count) const {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t entry = first + i * entry_size();
      if (numbers_.at(entry, 2) != subfile_type_tag) continue;
      const unsigned width = numbers_.at(entry + 2, 2) == type_short ? 2 : 4;
      const auto kind = numbers_.at(entry + entry_size() - word(), width);
      return (kind.value_or(0) & smaller_or_mask) == 0;
    }
    return true;
  }

  Numbers numbers_;
  bool big_;
  std::size_t further_ = 0;
};

/// The image that is read is one of the frames where its control chunk stands before its pixels.
std::size_t further_frames(std::string_view png) {
  const Numbers numbers(png, true);
  std::uint64_t frames = 0, own = 0;
  for (std::uint64_t at = 8; at + 8 <= png.size();) {
    const std::string_view name = png.substr(at + 4, 4);
    if (name == "IDAT"sv) break;
    if (name == "acTL"sv) frames = numbers.at(at + 8, 4).value_or(0);
    if (name == "fcTL"sv) own = 1;
    at += 12 + numbers.at(at, 4).value_or(0);
  }
  return frames - std::min(own, frames);
}

/// Of the multi-picture index (CIPA DC-007).
std::size_t further_views_of(std::string_view index) {
  constexpr std::uint64_t entries_tag = 0xb002, entry_size = 16, first_view = 0x020001,
                          last_view = 0x020003;
  const Numbers numbers(index, index.starts_with("MM"sv));
  const std::uint64_t directory = numbers.at(4, 4).value_or(index.size()),
                      count = numbers.at(directory, 2).value_or(0);
  std::size_t views = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t field = directory + 2 + 12 * i;
    if (numbers.at(field, 2) != entries_tag) continue;
    const std::uint64_t size = numbers.at(field + 4, 4).value_or(0),
                        first = numbers.at(field + 8, 4).value_or(index.size());
    for (std::uint64_t at = entry_size; at + entry_size <= size; at += entry_size) {
      const auto attribute = numbers.at(first + at, 4);
      if (!attribute) break;
      const std::uint64_t kind = *attribute & 0xffffff;
      if (kind >= first_view && kind <= last_view) ++views;
    }
    break;
  }
  return views;
}

std::size_t further_views(std::string_view jpeg) {
  constexpr std::string_view prefix = "MPF\0"sv;
  const Numbers numbers(jpeg, true);
  for (std::uint64_t at = 2; numbers.at(at, 1) == std::uint64_t{0xff};) {
    const auto marker = numbers.at(at + 1, 1), length = numbers.at(at + 2, 2);
    if (marker == std::uint64_t{0xff}) {  // a fill byte
      ++at;
      continue;
    }
    if (!marker || !length || *length < 2 || *marker == 0xda) break;
    const std::string_view data = jpeg.substr(at + 4, *length - 2);
    if (*marker == 0xe2 && data.starts_with(prefix))
      return further_views_of(data.substr(prefix.size()));
    at += 2 + *length;
  }
  return 0;
}

}  // namespace

std::size_t further_images(std::string_view bytes) {
  const auto format = picture_format(bytes);
  if (!format) return 0;
  switch (*format) {
    case PictureFormat::tiff: return Directories(bytes).further();
    case PictureFormat::png: return further_frames(bytes);
    case PictureFormat::jpeg: return further_views(bytes);
    case PictureFormat::bmp:
    case PictureFormat::webp:
    case PictureFormat::further: break;
  }
  return 0;
}

}  // namespace yolov7
