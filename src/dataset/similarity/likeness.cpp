#include "dataset/similarity/likeness.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "dataset/similarity/prepared.hpp"

namespace yolov7::dataset::similarity {
namespace {

constexpr int most_move = 4;  // px of 64
/// Below this, small images are not compared any further, nor symmetries whose value is so much
/// below the best one. Different images stay below 0.25.
constexpr double least_scan = 0.3, symmetry_margin = 0.12;

struct Place {
  double correlation = -1;
  int dx = 0, dy = 0;     ///< a(x + dx, y + dy) lies on b(x, y)
  double fx = 0, fy = 0;  ///< to be added to dx and dy: at most half a px
};

/// The rectangles of a and b that lie on one another.
std::pair<cv::Rect, cv::Rect> overlap(const Place& place, int side) {
  const int width = side - std::abs(place.dx), height = side - std::abs(place.dy);
  return {{std::max(place.dx, 0), std::max(place.dy, 0), width, height},
          {std::max(-place.dx, 0), std::max(-place.dy, 0), width, height}};
}

cv::Mat1f spectrum_of(const cv::Mat1f& structure) {
  cv::Mat1f spectrum;
  cv::dft(structure, spectrum);
  return spectrum;
}

/// Where a parabola through three neighbours has its top, from the middle one.
double top_of(double before, double middle, double after) {
  const double bend = 2 * middle - before - after;
  return bend > 0 ? std::clamp((after - before) / (2 * bend), -0.5, 0.5) : 0;
}

/// Circular correlation of structures of length 1, from their Fourier transforms.
Place best_place(const cv::Mat1f& a, const cv::Mat1f& b, int reach) {
  const int side = a.rows;
  cv::Mat1f product, correlation;
  cv::mulSpectrums(a, b, product, 0, true);
  cv::dft(product, correlation, cv::DFT_INVERSE | cv::DFT_SCALE | cv::DFT_REAL_OUTPUT);
  const auto at = [&](int dx, int dy) {
    return static_cast<double>(correlation((dy + side) % side, (dx + side) % side));
  };
  Place best;
  for (int dy = -reach; dy <= reach; ++dy)
    for (int dx = -reach; dx <= reach; ++dx)
      if (at(dx, dy) > best.correlation) best = {at(dx, dy), dx, dy};
  best.fx = top_of(at(best.dx - 1, best.dy), best.correlation, at(best.dx + 1, best.dy));
  best.fy = top_of(at(best.dx, best.dy - 1), best.correlation, at(best.dx, best.dy + 1));
  return best;
}

/// Symmetries of a that may bring it onto b, the best first; none where the two are unlike.
std::vector<int> likely_symmetries(Prepared& a, Prepared& b) {
  constexpr int reach = most_move / 2;
  std::vector<std::pair<double, int>> found;
  for (int s = 0; s < symmetries; ++s) {
    double value = best_place(a.scan(0, s), b.scan(0, 0), reach).correlation;
    for (std::size_t cut = 1; cut < scan_cuts.size(); ++cut)
      value = std::max({value, best_place(a.scan(0, s), b.scan(cut, 0), reach).correlation,
                        best_place(a.scan(cut, s), b.scan(0, 0), reach).correlation});
    if (value >= least_scan) found.emplace_back(-value, s);
  }
  std::sort(found.begin(), found.end());
  std::vector<int> result;
  for (const auto& [value, s] : found)
    if (value <= found.front().first + symmetry_margin) result.push_back(s);
  // The image as it is comes first: of a symmetric one another symmetry must be truly better.
  if (const auto as_it_is = std::find(result.begin(), result.end(), 0); as_it_is != result.end())
    std::rotate(result.begin(), as_it_is, as_it_is + 1);
  return result;
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

/// `a` moved by so many of its px: the result at x is `a` at x + dx.
cv::Mat shifted(const cv::Mat& a, double dx, double dy) {
  cv::Mat result;
  cv::warpAffine(a, result, cv::Matx23d(1, 0, dx, 0, 1, dy), a.size(),
                 cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
  return result;
}

/// `a` brought onto the place of the other image, where it is moved by so many px of 64.
cv::Mat2f moved(const cv::Mat2f& a, const Place& place) {
  constexpr double scale = static_cast<double>(colour_side) / gray_side;
  return shifted(a, (place.dx + place.fx) * scale, (place.dy + place.fy) * scale);
}

constexpr double lowest_gain = 0.6, highest_gain = 1.6;  // between two contrasts

/// Root mean square of the least of these squares, a share of them.
double least_squares(std::vector<double>& squares, double share) {
  const auto kept = static_cast<std::size_t>(share * static_cast<double>(squares.size()));
  if (kept == 0) return 0;
  std::nth_element(squares.begin(), squares.begin() + static_cast<std::ptrdiff_t>(kept - 1),
                   squares.end());
  double sum = 0;
  for (std::size_t i = 0; i < kept; ++i) sum += squares[i];
  return std::sqrt(sum / static_cast<double>(kept));
}

/// Contrast may differ by a factor; an image without colour may be a gray copy of any.
double colour_difference(const cv::Mat2f& a, const cv::Mat2f& b) {
  constexpr double least = 2, share = 0.8;
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
  return least_squares(squares, share);
}

struct Fit {
  double gain = 1, rest = 0;
};

/// The best line through the levels of the two images, and what it leaves of b at nearly all
/// pixels.
Fit fit_levels(const cv::Mat1f& a, const cv::Mat1f& b) {
  constexpr double nearly_all = 0.97, floor = 4;
  const double mean_a = cv::mean(a)[0], mean_b = cv::mean(b)[0];
  double aa = 0, ab = 0, bb = 0;
  for (int y = 0; y < a.rows; ++y)
    for (int x = 0; x < a.cols; ++x) {
      const double p = a(y, x) - mean_a, q = b(y, x) - mean_b;
      aa += p * p, ab += p * q, bb += q * q;
    }
  const double gain = std::clamp(aa > 0 ? ab / aa : 0, lowest_gain, highest_gain);
  std::vector<double> squares;
  for (int y = 0; y < a.rows; ++y)
    for (int x = 0; x < a.cols; ++x) {
      const double rest = b(y, x) - mean_b - gain * (a(y, x) - mean_a);
      squares.push_back(rest * rest);
    }
  const double deviation = std::sqrt(bb / static_cast<double>(squares.size()));
  return {gain, least_squares(squares, nearly_all) / (deviation + floor)};
}

int changes_of(const Alignment& found, double gain, double colour) {
  constexpr double least_cut = 0.025, least_contrast = 0.14, least_colour = 3;
  constexpr int least_move = 2;
  const Place& place = found.place;
  return (found.symmetry != 0 ? 1 : 0) +
         (fine_cuts[std::max(found.cut_a, found.cut_b)] > least_cut ? 1 : 0) +
         (std::max(std::abs(place.dx), std::abs(place.dy)) >= least_move ? 1 : 0) +
         (std::abs(std::log(gain)) > least_contrast ? 1 : 0) + (colour > least_colour ? 1 : 0);
}

/// Four ways to be near. The limits lie between what changed copies and what different images
/// reach, of BCCD and of drawn sets (data-services D2).
bool is_near(const Likeness& l) {
  // Few changes must be enough, and fewer where what an image shows many images show.
  const int most_changes = l.blocks < 48 ? 2 : 3;
  if (l.changes > most_changes) return false;
  const bool copy = l.blocks >= 4 && l.correlation >= 0.85 && l.agreeing >= 0.9 && l.colour <= 8 &&
                    l.unexplained <= 0.4;
  const bool alike_elsewhere =
      (l.middle >= 0.88 && l.colour <= 2.5) || (l.middle >= 0.85 && l.colour <= 1);
  const bool partly_covered =
      l.blocks >= 12 && l.correlation >= 0.55 && l.agreeing >= 0.7 && alike_elsewhere;
  const bool same_scene = l.blocks >= 56 && l.correlation >= 0.58 && l.agreeing >= 0.65 &&
                          l.middle >= 0.6 && l.colour <= 4;
  // A logo on a simple image hides or disturbs many of its few blocks, but not its levels.
  const bool marked = l.blocks >= 8 && l.correlation >= 0.6 && l.agreeing >= 0.8 &&
                      l.unexplained <= 0.15 && l.colour <= 1;
  return copy || partly_covered || same_scene || marked;
}

}  // namespace

Likeness compare(Prepared& a, Prepared& b) {
  Likeness likeness;
  if (a.sketch().plain != 0 || b.sketch().plain != 0) return likeness;
  const std::vector<int> likely = likely_symmetries(a, b);
  if (likely.empty()) return likeness;
  Alignment best;
  const auto look = [&](const cv::Mat1f& spectrum_a, int symmetry, std::size_t cut_a,
                        std::size_t cut_b) {
    const Place place = best_place(spectrum_a, b.spectrum(cut_b), most_move);
    const double better = best.symmetry == 0 && symmetry != 0 ? 0.01 : 0;
    if (place.correlation > best.place.correlation + better) best = {place, symmetry, cut_a, cut_b};
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
  const cv::Mat2f colour_a = turned(colour_of(a.sketch(), fine_cuts[best.cut_a]), best.symmetry);
  likeness.colour =
      colour_difference(moved(colour_a, best.place), colour_of(b.sketch(), fine_cuts[best.cut_b]));
  const cv::Mat1f gray_a =
      shifted(turned(a.gray(best.cut_a), best.symmetry), best.place.fx, best.place.fy);
  const Fit fit = fit_levels(gray_a(left), b.gray(best.cut_b)(right));
  likeness.unexplained = fit.rest;
  likeness.changes = changes_of(best, fit.gain, likeness.colour);
  likeness.near = is_near(likeness);
  return likeness;
}

Likeness compare(const Sketch& a, const Sketch& b) {
  Prepared first(a), second(b);
  return compare(first, second);
}

}  // namespace yolov7::dataset::similarity
