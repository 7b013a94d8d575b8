#include "dataset/formats/mask_runs.hpp"

#include <algorithm>
#include <limits>

namespace yolov7::dataset {

std::optional<std::vector<std::uint32_t>> runs_of_text(std::string_view text) {
  std::vector<std::uint32_t> runs;
  std::size_t i = 0;
  while (i < text.size()) {
    std::int64_t value = 0;
    int shift = 0;
    bool more = true;
    while (more) {
      if (i >= text.size() || shift > 35) return std::nullopt;
      const int digit = static_cast<unsigned char>(text[i++]) - 48;
      if (digit < 0 || digit > 63) return std::nullopt;
      value |= static_cast<std::int64_t>(digit & 0x1F) << shift;
      more = (digit & 0x20) != 0;
      shift += 5;
      if (!more && (digit & 0x10) != 0) value |= -(std::int64_t{1} << shift);
    }
    if (runs.size() > 2) value += runs[runs.size() - 2];
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    runs.push_back(static_cast<std::uint32_t>(value));
  }
  return runs;
}

std::string text_of_runs(const std::vector<std::uint32_t>& runs) {
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::int64_t value = runs[i];
    if (i > 2) value -= runs[i - 2];
    bool more = true;
    while (more) {
      const int digit = static_cast<int>(value & 0x1F);
      value >>= 5;
      more = (digit & 0x10) != 0 ? value != -1 : value != 0;
      text += static_cast<char>((digit | (more ? 0x20 : 0)) + 48);
    }
  }
  return text;
}

bool fills(const MaskRuns& mask) {
  std::uint64_t sum = 0;
  for (const std::uint32_t run : mask.runs) sum += run;
  return mask.width > 0 && mask.height > 0 &&
         sum == static_cast<std::uint64_t>(mask.width) * static_cast<std::uint64_t>(mask.height);
}

std::uint64_t area_of(const MaskRuns& mask) {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < mask.runs.size(); i += 2) sum += mask.runs[i];
  return sum;
}

Xyxy box_of(const MaskRuns& mask) {
  const auto height = static_cast<std::uint64_t>(std::max(mask.height, 1));
  std::uint64_t at = 0, x1 = ~std::uint64_t{0}, y1 = x1, x2 = 0, y2 = 0;
  for (std::size_t i = 0; i < mask.runs.size(); ++i) {
    const std::uint64_t from = at, to = at + mask.runs[i];  // behind the last pixel
    at = to;
    if (i % 2 == 0 || from == to) continue;
    const std::uint64_t first = from / height, last = (to - 1) / height;
    x1 = std::min(x1, first), x2 = std::max(x2, last + 1);
    if (first == last) {
      y1 = std::min(y1, from % height), y2 = std::max(y2, (to - 1) % height + 1);
    } else {  // it goes round the edge of a column
      y1 = 0, y2 = height;
    }
  }
  if (x2 == 0) return {};
  return {static_cast<double>(x1), static_cast<double>(y1), static_cast<double>(x2),
          static_cast<double>(y2)};
}

}  // namespace yolov7::dataset
