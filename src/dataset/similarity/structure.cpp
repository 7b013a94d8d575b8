#include "dataset/similarity/structure.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "dataset/similarity/kernels/level_rows.hpp"

namespace yolov7::dataset::similarity {
namespace {

constexpr int highest_frequency = 12;  // cycles per image side

struct Frequency {
  int u, v;
  double radius;
};

/// One of each class that the symmetries of the square exchange, but the lowest: 64 of them.
const std::vector<Frequency>& frequencies() {
  static const std::vector<Frequency> list = [] {
    std::vector<Frequency> result;
    for (int u = 0; u <= highest_frequency; ++u)
      for (int v = u; v <= highest_frequency; ++v) {
        const int square = u * u + v * v;
        if (square >= 2 && square <= highest_frequency * highest_frequency)
          result.push_back({u, v, std::sqrt(static_cast<double>(square))});
      }
    return result;
  }();
  return list;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void take_out(std::vector<double>& x, const std::vector<double>& unit) {
  const double share = product(x, unit);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= share * unit[i];
}

/// Of all parabolas over the radius, by Gram and Schmidt.
const std::vector<std::vector<double>>& parabolas() {
  static const std::vector<std::vector<double>> basis = [] {
    std::vector<std::vector<double>> result;
    for (int power = 0; power < 3; ++power) {
      std::vector<double> one;
      for (const Frequency& f : frequencies()) one.push_back(std::pow(f.radius, power));
      for (const auto& other : result) take_out(one, other);
      const double length = std::sqrt(product(one, one));
      for (double& x : one) x /= length;
      result.push_back(std::move(one));
    }
    return result;
  }();
  return basis;
}

/// ln of what the band leaves of the power of an image whose amplitude falls with the frequency, as
/// that of natural images does (Field, "Relations between the statistics of natural images and the
/// response properties of cortical cells", J. Opt. Soc. Am. A 4 (12), 1987).
double expected_power(double radius) {
  const double w = 2 * std::numbers::pi * radius / gray_side;
  const double pass = std::exp(-w * w / 2) - std::exp(-36 * w * w / 2);
  return 2 * std::log(std::abs(pass) / radius);
}

const std::vector<double>& expected_powers() {
  static const std::vector<double> list = [] {
    std::vector<double> result;
    for (const Frequency& f : frequencies()) result.push_back(expected_power(f.radius));
    return result;
  }();
  return list;
}

const cv::Mat1f& window() {
  static const cv::Mat1f mat = [] {
    cv::Mat1f result(gray_side, gray_side);
    const auto one = [](int i) { return std::sin(std::numbers::pi * (i + 1) / (gray_side + 1)); };
    for (int y = 0; y < gray_side; ++y)
      for (int x = 0; x < gray_side; ++x) result(y, x) = static_cast<float>(one(y) * one(x));
    return result;
  }();
  return mat;
}

/// Weights of a Gaussian over three deviations to each side. OpenCV computes them in software,
/// which takes longer than a blur, so they are kept.
const cv::Mat1f& gaussian(int deviation) {
  static const std::map<int, cv::Mat1f> all = [] {
    std::map<int, cv::Mat1f> result;
    for (const int one : {1, 4, 6}) result[one] = cv::getGaussianKernel(6 * one + 1, one, CV_32F);
    return result;
  }();
  return all.at(deviation);
}

/// A Gaussian over three deviations to each side, and the mirror image of the square beyond its
/// edges, as cv::GaussianBlur has it.
cv::Mat1f blurred(const cv::Mat1f& square, int deviation) {
  static const kernels::LevelRows loops = kernels::level_rows(best_instruction_set());
  const int reach = 3 * deviation, taps = 2 * reach + 1;
  const cv::Mat1f& weights = gaussian(deviation);
  const auto mirrored = [](int i) {
    return i < 0 ? -i : i < gray_side ? i : 2 * (gray_side - 1) - i;
  };
  cv::Mat1f result(gray_side, gray_side);
  std::vector<const float*> rows(static_cast<std::size_t>(taps));
  std::vector<float> padded(static_cast<std::size_t>(gray_side + 2 * reach));
  for (int y = 0; y < gray_side; ++y) {
    for (int k = 0; k < taps; ++k)
      rows[static_cast<std::size_t>(k)] = square[mirrored(y - reach + k)];
    float* const row = padded.data() + reach;
    loops.down(rows.data(), weights[0], taps, row);
    for (int x = 1; x <= reach; ++x) {
      row[-x] = row[x];
      row[gray_side - 1 + x] = row[gray_side - 1 - x];
    }
    loops.across(padded.data(), weights[0], taps, result[y]);
  }
  return result;
}

}  // namespace

double cosine(const Direction& a, const Direction& b) {
  int sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum / 65536.0;
}

cv::Mat cut_square(const cv::Mat& square, double cut) {
  if (cut == 0) return square;
  // Pixel centres of the target in the source; their outermost lie inside it.
  const double scale = 1 - 2 * cut, offset = cut * square.cols + scale / 2 - 0.5;
  const cv::Matx23d map(scale, 0, offset, 0, scale, offset);
  cv::Mat result;
  cv::warpAffine(square, result, map, square.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REFLECT_101);
  return result;
}

cv::Mat1f band_of(const cv::Mat1f& gray) {
  cv::Mat1f band;
  cv::subtract(blurred(gray, 1), blurred(gray, 6), band);
  return band;
}

cv::Mat1f structure_of(const cv::Mat1f& band) {
  constexpr double floor = 4;  // gray levels
  cv::Mat1f squares, result;
  cv::multiply(band, band, squares);
  cv::Mat1f strength = blurred(squares, 4);
  cv::sqrt(strength, strength);
  strength += floor;
  cv::divide(band, strength, result);
  result -= cv::mean(result)[0];
  const double length = cv::norm(result);
  if (length > 0) result /= length;
  return result;
}

Direction direction_of(const cv::Mat1f& structure) {
  cv::Mat1f spectrum;
  cv::dft(structure.mul(window()), spectrum);
  // Packed: what stands at (u, v) of the upper half stands at (u, 2 v - 1) and (u, 2 v), and column
  // 0 likewise in its own column. Of (u, -v) the power is that of (-u, v).
  const auto power = [&](int u, int v) {
    const int row = (u + gray_side) % gray_side, across = std::abs(u);
    const double real = v == 0 ? spectrum(2 * across - 1, 0) : spectrum(row, 2 * v - 1);
    const double imaginary = v == 0 ? spectrum(2 * across, 0) : spectrum(row, 2 * v);
    return real * real + imaginary * imaginary;
  };
  constexpr double least = 1e-9;  // of a structure of length 1
  std::vector<double> values;
  for (const Frequency& f : frequencies())
    values.push_back(
        std::log((power(f.u, f.v) + power(-f.u, f.v) + power(f.v, f.u) + power(-f.v, f.u)) / 4 +
                 least) -
        expected_powers()[values.size()]);
  for (const auto& one : parabolas()) take_out(values, one);
  double square = 0;
  for (const double x : values) square += x * x;
  Direction result{};
  if (square <= 0) return result;
  for (std::size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<std::int8_t>(
        std::clamp(std::lround(256 * values[i] / std::sqrt(square)), -127L, 127L));
  return result;
}

int informative_blocks(const cv::Mat1f& band) {
  constexpr int block = gray_side / blocks_per_side;
  int count = 0;
  for (int y = 0; y < gray_side; y += block)
    for (int x = 0; x < gray_side; x += block) {
      const double length = cv::norm(band(cv::Rect(x, y, block, block)));
      count += length >= noise_level * block ? 1 : 0;
    }
  return count;
}

cv::Mat turned(const cv::Mat& square, int number) {
  cv::Mat result;
  if (number & 4)
    cv::transpose(square, result);
  else
    result = square;
  if (const int flips = number & 3; flips != 0) {
    cv::Mat flipped;
    cv::flip(result, flipped, flips == 1 ? 1 : flips == 2 ? 0 : -1);
    result = flipped;
  }
  return result;
}

}  // namespace yolov7::dataset::similarity
