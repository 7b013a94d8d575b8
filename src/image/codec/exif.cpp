#include "image/codec/exif.hpp"

#include <cstdint>
#include <opencv2/core.hpp>
#include <optional>

namespace yolov7 {
namespace {

// Unsigned numbers of a TIFF block in its byte order; nothing where they would lie outside.
class TiffBlock {
 public:
  TiffBlock(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  std::optional<std::uint32_t> number(std::uint64_t offset, unsigned width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return std::nullopt;
    std::uint32_t value = 0;
    for (unsigned k = 0; k < width; ++k) {
      const std::uint64_t at = offset + (big_endian_ ? k : width - 1 - k);
      value = value << 8 | static_cast<unsigned char>(bytes_[at]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

constexpr std::uint32_t orientation_tag = 0x0112, type_short = 3, type_long = 4;

}  // namespace

int exif_orientation(std::string_view block) {
  constexpr std::string_view prefix("Exif\0\0", 6);
  if (block.starts_with(prefix)) block.remove_prefix(prefix.size());
  const bool big_endian = block.starts_with("MM");
  if (!big_endian && !block.starts_with("II")) return 1;
  const TiffBlock tiff(block, big_endian);
  if (tiff.number(2, 2) != 42u) return 1;
  const auto directory = tiff.number(4, 4);
  if (!directory) return 1;
  const auto count = tiff.number(*directory, 2);
  if (!count) return 1;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::uint64_t entry = std::uint64_t{*directory} + 2 + 12 * i;
    const auto tag = tiff.number(entry, 2), type = tiff.number(entry + 2, 2),
               values = tiff.number(entry + 4, 4);
    if (!tag || !type || !values) return 1;
    if (*tag != orientation_tag) continue;
    if (*values != 1 || (*type != type_short && *type != type_long)) return 1;
    const auto value = tiff.number(entry + 8, *type == type_short ? 2 : 4);
    return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

cv::Mat apply_orientation(const cv::Mat& stored, int orientation) {
  cv::Mat upright;
  switch (orientation) {
    case 2: cv::flip(stored, upright, 1); return upright;
    case 3: cv::flip(stored, upright, -1); return upright;
    case 4: cv::flip(stored, upright, 0); return upright;
    case 5: cv::transpose(stored, upright); return upright;
    case 6: cv::rotate(stored, upright, cv::ROTATE_90_CLOCKWISE); return upright;
    case 7:
      cv::transpose(stored, upright);
      cv::flip(upright, upright, -1);
      return upright;
    case 8: cv::rotate(stored, upright, cv::ROTATE_90_COUNTERCLOCKWISE); return upright;
    default: return stored;
  }
}

}  // namespace yolov7
