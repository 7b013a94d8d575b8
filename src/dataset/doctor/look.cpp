#include "dataset/doctor/look.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "dataset/doctor/smaller_image.hpp"
#include "dataset/similarity/halved.hpp"
#include "dataset/similarity/kernels/level_rows.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr int longest_side = 640;

const kernels::LevelRows& loops() {
  static const kernels::LevelRows chosen = kernels::level_rows(best_instruction_set());
  return chosen;
}

/// Gray levels below which these shares of the pixels lie; every second row tells as much as all.
void take_levels(const cv::Mat& gray, Look& look) {
  // Neighbours are often equal: four tables spare the wait for the same count.
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  std::size_t total = 0;
  for (int y = 0; y < gray.rows; y += 2) {
    const unsigned char* row = gray.ptr(y);
    int x = 0;
    for (; x + 4 <= gray.cols; x += 4)
      for (std::size_t k = 0; k < 4; ++k) ++tables[k][row[x + static_cast<int>(k)]];
    for (; x < gray.cols; ++x) ++tables[0][row[x]];
    total += static_cast<std::size_t>(gray.cols);
  }
  const auto all = static_cast<double>(total);
  double below = 0, sum = 0, squares = 0;
  bool have_low = false, have_middle = false, have_high = false;
  for (int level = 0; level < 256; ++level) {
    double here = 0;
    for (const auto& table : tables) here += table[static_cast<std::size_t>(level)];
    below += here, sum += here * level, squares += here * level * level;
    if (!have_low && below >= 0.01 * all) look.low = level, have_low = true;
    if (!have_middle && below >= 0.5 * all) look.middle = level, have_middle = true;
    if (!have_high && below >= 0.99 * all) look.high = level, have_high = true;
  }
  look.mean = sum / all;
  look.spread = std::sqrt(std::max(0.0, squares / all - look.mean * look.mean));
}

/// Mean square of what lies between Gaussians of about half a px and 1 px of a level whose pixels
/// are sums over `area` px of the image: the structures of about a px and a half of the level (Burt
/// and Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans. Communications 31 (4),
/// 1983, with a finer Gaussian taken away as well, so that noise counts little). Nothing where the
/// level is too small.
std::optional<double> band_energy(const cv::Mat1w& level, double area) {
  constexpr int taps = 5;
  constexpr double gain = 256;
  if (level.rows < 2 * taps || level.cols < 2 * taps) return std::nullopt;
  std::vector<std::int32_t> scratch(2 * static_cast<std::size_t>(level.cols));
  double sum = 0;
  for (int y = 0; y + taps <= level.rows; ++y) {
    const std::uint16_t* rows[taps];
    for (int k = 0; k < taps; ++k) rows[k] = level[y + k];
    sum += loops().band(rows, level.cols, scratch.data());
  }
  const double count = static_cast<double>(level.rows - taps + 1) * (level.cols - taps + 1);
  return sum / count / (gain * gain) / (area * area);
}

/// Energy of one octave of structures against that of the next coarser ones. Rounding to whole
/// gray levels hardly counts, because the finest scale is left out.
void take_sharpness(const cv::Mat& gray, Look& look) {
  constexpr double least = 1e-4;
  std::array<std::optional<double>, 3> energy{};
  cv::Mat level = gray;
  double area = 1;
  for (std::optional<double>& octave : energy) {
    if (std::min(level.cols, level.rows) < 2) break;
    const cv::Mat1w half = similarity::halved(level);
    area *= 4;
    octave = band_energy(half, area);
    level = half;
  }
  const auto less = [&](std::size_t coarse) {
    if (!energy[0] || !energy[coarse]) return 0.0;
    return std::log(*energy[0] + least) - std::log(*energy[coarse] + least);
  };
  look.fine_octave = less(1);
  look.fine_octaves = less(2);
}

}  // namespace

Look look_at(std::string_view bytes, const PicturePlanes& planes, const std::vector<RawRow>& rows) {
  Look look;
  look.taken = true;
  look.stored = stored_form(bytes);
  look.gray = planes.gray;
  const cv::Mat gray = at_most(planes.luma, longest_side);
  take_levels(gray, look);
  take_sharpness(gray, look);
  static_cast<BoxContrast&>(look) = quick_contrast(planes, rows, look.spread);
  return look;
}

}  // namespace yolov7::dataset::doctor
