#include "dataset/similarity/likeness.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

namespace yolov7::dataset::similarity {
namespace {

constexpr int symmetries = 8;
constexpr int most_move = 4;     // px of 64
constexpr int coarse_side = 16;  // a move of one px is four of 64
/// Below this, coarse images are not compared any further, nor symmetries whose value is so much
/// below the best one.
constexpr double least_coarse = 0.25, symmetry_margin = 0.12;

struct Place {
  double correlation = -1;
  int dx = 0, dy = 0;  ///< a(x + dx, y + dy) lies on b(x, y)
};

/// The rectangles of a and b that lie on one another.
std::pair<cv::Rect, cv::Rect> overlap(const Place& place, int side) {
  const int width = side - std::abs(place.dx), height = side - std::abs(place.dy);
  return {{std::max(place.dx, 0), std::max(place.dy, 0), width, height},
          {std::max(-place.dx, 0), std::max(-place.dy, 0), width, height}};
}

/// Best of the moves by at most 1 px, over the overlap alone.
double coarse_correlation(const cv::Mat1f& a, const cv::Mat1f& b) {
  double best = -1;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      const auto [left, right] = overlap({0, dx, dy}, coarse_side);
      float product = 0, one = 1e-9F, two = 1e-9F;
      for (int y = 0; y < left.height; ++y) {
        const float* p = a.ptr<float>(left.y + y) + left.x;
        const float* q = b.ptr<float>(right.y + y) + right.x;
        for (int x = 0; x < left.width; ++x)
          product += p[x] * q[x], one += p[x] * p[x], two += q[x] * q[x];
      }
      best = std::max(best, static_cast<double>(product / std::sqrt(one * two)));
    }
  return best;
}

/// Symmetries of a that may bring it onto b, the best first; none where the two are unlike.
std::vector<int> likely_symmetries(const cv::Mat1f& a, const cv::Mat1f& b) {
  std::vector<std::pair<double, int>> found;
  for (int s = 0; s < symmetries; ++s) {
    const double value = coarse_correlation(turned(a, s), b);
    if (value >= least_coarse) found.emplace_back(-value, s);
  }
  std::sort(found.begin(), found.end());
  std::vector<int> result;
  for (const auto& [value, s] : found)
    if (value <= found.front().first + symmetry_margin) result.push_back(s);
  return result;
}

cv::Mat1f spectrum_of(const cv::Mat1f& structure) {
  cv::Mat1f spectrum;
  cv::dft(structure, spectrum);
  return spectrum;
}

/// Circular correlation by Fourier transforms; the structures have length 1.
Place best_place(const cv::Mat1f& a, const cv::Mat1f& b) {
  cv::Mat1f product, correlation;
  cv::mulSpectrums(a, b, product, 0, true);
  cv::dft(product, correlation, cv::DFT_INVERSE | cv::DFT_SCALE | cv::DFT_REAL_OUTPUT);
  Place best;
  for (int dy = -most_move; dy <= most_move; ++dy)
    for (int dx = -most_move; dx <= most_move; ++dx)
      if (const double value =
              correlation((dy + gray_side) % gray_side, (dx + gray_side) % gray_side);
          value > best.correlation)
        best = {value, dx, dy};
  return best;
}

struct Alignment {
  Place place;
  int symmetry = 0;
  std::size_t cut_a = 0, cut_b = 0;
};

void fill_agreement(const cv::Mat1f& a, const cv::Mat1f& b, Likeness& likeness) {
  std::vector<double> values;
  const int n = blocks_per_side;
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column) {
      const int x1 = a.cols * column / n, x2 = a.cols * (column + 1) / n;
      const int y1 = a.rows * row / n, y2 = a.rows * (row + 1) / n;
      const cv::Rect block(x1, y1, x2 - x1, y2 - y1);
      const double pixels = block.area(), p = cv::norm(a(block)), q = cv::norm(b(block));
      if (std::max(p, q) < noise_level * std::sqrt(pixels)) continue;
      values.push_back(a(block).dot(b(block)) / (p * q + noise_level * noise_level * pixels / 4));
    }
  likeness.blocks = static_cast<int>(values.size());
  if (values.empty()) return;
  const auto agreeing =
      std::count_if(values.begin(), values.end(), [](double v) { return v > 0.5; });
  likeness.agreeing = static_cast<double>(agreeing) / static_cast<double>(values.size());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  likeness.middle = *middle;
}

cv::Mat2f colour_of(const Sketch& sketch, double cut) {
  const cv::Mat stored(colour_side, colour_side, CV_8SC2,
                       const_cast<std::int8_t*>(sketch.colour.data()));
  cv::Mat2f colour;
  stored.convertTo(colour, CV_32F);
  return cut_square(colour, cut);
}

/// `a` brought onto the place of the other image, where it is moved by so many px of 64.
cv::Mat2f moved(const cv::Mat2f& a, const Place& place) {
  constexpr double scale = static_cast<double>(colour_side) / gray_side;
  cv::Mat2f result;
  cv::warpAffine(a, result, cv::Matx23d(1, 0, place.dx * scale, 0, 1, place.dy * scale), a.size(),
                 cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
  return result;
}

/// Contrast may differ by a factor; an image without colour may be a gray copy of any.
double colour_difference(const cv::Mat2f& a, const cv::Mat2f& b) {
  constexpr double least = 2, lowest_gain = 0.6, highest_gain = 1.6, share = 0.8;
  const double pixels = colour_side * colour_side;
  const double one = cv::norm(a) / std::sqrt(pixels), two = cv::norm(b) / std::sqrt(pixels);
  if (one < least || two < least) return 0;
  const double gain = std::clamp(a.dot(b) / a.dot(a), lowest_gain, highest_gain);
  std::vector<double> squares;
  for (int y = 0; y < colour_side; ++y)
    for (int x = 0; x < colour_side; ++x) {
      const cv::Vec2f difference = a(y, x) * gain - b(y, x);
      squares.push_back(difference.dot(difference));
    }
  std::sort(squares.begin(), squares.end());
  const auto kept = static_cast<std::size_t>(share * pixels);
  double sum = 0;
  for (std::size_t i = 0; i < kept; ++i) sum += squares[i];
  return std::sqrt(sum / static_cast<double>(kept));
}

/// What a line through the levels of the two images leaves of b: fitted three times, to the pixels
/// that the fit before explains best.
double unexplained(const cv::Mat1f& a, const cv::Mat1f& b) {
  constexpr double share = 0.8, floor = 4;
  struct Pixel {
    float a, b, rest;
  };
  std::vector<Pixel> pixels;
  for (int y = 0; y < a.rows; ++y)
    for (int x = 0; x < a.cols; ++x) pixels.push_back({a(y, x), b(y, x), 0});
  std::size_t count = pixels.size();
  double rest = 0, deviation = 0;
  for (int pass = 0; pass < 3; ++pass) {
    double sum_a = 0, sum_b = 0, aa = 0, ab = 0, bb = 0;
    const auto n = static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) sum_a += pixels[i].a, sum_b += pixels[i].b;
    const double mean_a = sum_a / n, mean_b = sum_b / n;
    for (std::size_t i = 0; i < count; ++i) {
      const double p = pixels[i].a - mean_a, q = pixels[i].b - mean_b;
      aa += p * p, ab += p * q, bb += q * q;
    }
    const double gain = aa > 0 ? std::max(0.0, ab / aa) : 0;
    deviation = std::sqrt(bb / n);
    rest = std::sqrt(std::max(0.0, bb - 2 * gain * ab + gain * gain * aa) / n);
    for (Pixel& pixel : pixels)
      pixel.rest = static_cast<float>(std::abs(pixel.b - mean_b - gain * (pixel.a - mean_a)));
    count = static_cast<std::size_t>(share * static_cast<double>(pixels.size()));
    std::nth_element(pixels.begin(), pixels.begin() + static_cast<std::ptrdiff_t>(count),
                     pixels.end(), [](const Pixel& p, const Pixel& q) { return p.rest < q.rest; });
  }
  return rest / (deviation + floor);
}

/// Three ways to be near. The limits lie between what changed copies and what different images
/// reach, of BCCD and of drawn sets (data-services D2).
bool is_near(const Likeness& l) {
  const bool copy = l.blocks >= 4 && l.correlation >= 0.85 && l.agreeing >= 0.9 && l.colour <= 8;
  const bool alike_elsewhere =
      (l.middle >= 0.88 && l.colour <= 2.5) || (l.middle >= 0.85 && l.colour <= 1);
  const bool partly_covered =
      l.blocks >= 12 && l.correlation >= 0.55 && l.agreeing >= 0.7 && alike_elsewhere;
  const bool same_scene = l.blocks >= 56 && l.correlation >= 0.58 && l.agreeing >= 0.65 &&
                          l.middle >= 0.6 && l.colour <= 4;
  return copy || partly_covered || same_scene;
}

}  // namespace

const cv::Mat1f& Prepared::gray(std::size_t cut) {
  if (grays_[cut].empty())
    grays_[cut] = cut == 0 ? gray_of(*sketch_, 0) : cv::Mat1f(cut_square(gray(0), fine_cuts[cut]));
  return grays_[cut];
}

const cv::Mat1f& Prepared::band(std::size_t cut) {
  if (bands_[cut].empty()) bands_[cut] = band_of(gray(cut));
  return bands_[cut];
}

const cv::Mat1f& Prepared::structure(std::size_t cut) {
  if (structures_[cut].empty()) structures_[cut] = structure_of(band(cut));
  return structures_[cut];
}

const cv::Mat1f& Prepared::spectrum(std::size_t cut) {
  if (spectra_[cut].empty()) spectra_[cut] = spectrum_of(structure(cut));
  return spectra_[cut];
}

const cv::Mat1f& Prepared::coarse() {
  if (coarse_.empty())
    cv::resize(structure(0), coarse_, {coarse_side, coarse_side}, 0, 0, cv::INTER_AREA);
  return coarse_;
}

Likeness compare(Prepared& a, Prepared& b) {
  Likeness likeness;
  if (a.sketch_->plain != 0 || b.sketch_->plain != 0) return likeness;
  const std::vector<int> likely = likely_symmetries(a.coarse(), b.coarse());
  if (likely.empty()) return likeness;
  Alignment best;
  const auto look = [&](const cv::Mat1f& spectrum_a, int symmetry, std::size_t cut_a,
                        std::size_t cut_b) {
    const Place place = best_place(spectrum_a, b.spectrum(cut_b));
    if (place.correlation > best.place.correlation) best = {place, symmetry, cut_a, cut_b};
  };
  for (const int s : likely) {
    const cv::Mat1f whole = spectrum_of(turned(a.structure(0), s));
    look(whole, s, 0, 0);
    for (std::size_t cut = 1; cut < fine_cuts.size(); ++cut) {
      look(whole, s, 0, cut);
      look(spectrum_of(turned(a.structure(cut), s)), s, cut, 0);
    }
  }
  likeness.correlation = best.place.correlation;
  const auto [left, right] = overlap(best.place, gray_side);
  fill_agreement(cv::Mat1f(turned(a.band(best.cut_a), best.symmetry))(left),
                 b.band(best.cut_b)(right), likeness);
  const cv::Mat2f colour_a = turned(colour_of(*a.sketch_, fine_cuts[best.cut_a]), best.symmetry);
  likeness.colour =
      colour_difference(moved(colour_a, best.place), colour_of(*b.sketch_, fine_cuts[best.cut_b]));
  likeness.unexplained = unexplained(cv::Mat1f(turned(a.gray(best.cut_a), best.symmetry))(left),
                                     b.gray(best.cut_b)(right));
  likeness.near = is_near(likeness);
  return likeness;
}

Likeness compare(const Sketch& a, const Sketch& b) {
  Prepared first(a), second(b);
  return compare(first, second);
}

}  // namespace yolov7::dataset::similarity
