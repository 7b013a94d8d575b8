#pragma once
// The container of HEIC and AVIF (ISO/IEC 14496-12 and 23008-12): which coded parts make up the
// primary image, and what has to be done to it. FFmpeg reads it in few of its versions, and then
// leaves out the grid of parts, the crop and the turn.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::video {

struct HeifPart {
  bool av1 = false;                ///< else HEVC
  std::string_view configuration;  ///< content of hvcC or av1C
  std::string data;
};

/// One of the transformations of the container, in the order in which they are done.
struct HeifStep {
  enum class Kind { crop, turn, mirror } kind = Kind::crop;
  double x = 0, y = 0, width = 0, height = 0;  ///< crop
  int amount =
      0;  ///< turn: quarter turns counter-clockwise; mirror: 0 top and bottom, 1 left and right
};

struct HeifImage {
  std::uint32_t width = 0, height = 0;  ///< before the steps
  std::uint32_t rows = 1, columns = 1;
  std::vector<HeifPart> parts;  ///< rows × columns
  std::vector<HeifStep> steps;
  std::optional<std::uint16_t> matrix;  ///< of the colours, where the container says it
  std::optional<bool> full_range;
};

bool is_heif(std::string_view bytes);
/// Every offset is checked. Errors name `source`: cut, damaged, of another kind.
HeifImage read_heif(std::string_view bytes, const std::string& source);

}  // namespace yolov7::video
