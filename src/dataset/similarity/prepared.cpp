#include "dataset/similarity/prepared.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset::similarity {
namespace {

constexpr int scan_side = gray_side / 2;

cv::Mat1f spectrum_of(const cv::Mat1f& structure) {
  cv::Mat1f spectrum;
  cv::dft(structure, spectrum);
  return spectrum;
}

/// Mean 0, length 1.
cv::Mat1f unit(cv::Mat1f mat) {
  mat -= cv::mean(mat)[0];
  const double length = cv::norm(mat);
  if (length > 0) mat /= length;
  return mat;
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

const cv::Mat1f& Prepared::scan(std::size_t cut, int symmetry) {
  cv::Mat1f& spectrum = scans_[cut][static_cast<std::size_t>(symmetry)];
  if (!spectrum.empty()) return spectrum;
  if (small_.empty())
    cv::resize(structure(0), small_, {scan_side, scan_side}, 0, 0, cv::INTER_AREA);
  const cv::Mat1f cut_one = cut_square(small_, scan_cuts[cut]);
  spectrum = spectrum_of(unit(cv::Mat1f(turned(cut_one, symmetry)).clone()));
  return spectrum;
}

}  // namespace yolov7::dataset::similarity
