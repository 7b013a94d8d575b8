#include "equivalence/file_speed.hpp"

#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

#include "core/statistics.hpp"
#include "core/stop.hpp"

namespace yolov7::equivalence {
namespace {

constexpr int least_calls = 3, most_calls = 20;
constexpr double enough_ms = 1000;

double milliseconds(runtime::Detector& detector, const runtime::PixelBatch& batch) {
  runtime::Prediction prediction;
  const auto begin = std::chrono::steady_clock::now();
  detector.predict(batch, prediction);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

Speed speed_of(const std::vector<double>& times, int images) {
  const double all = std::accumulate(times.begin(), times.end(), 0.0);
  return {0, median(times), 1000.0 * images * static_cast<double>(times.size()) / all};
}

}  // namespace

FileSpeed measure_speed(runtime::Detector& parent, runtime::Detector& file,
                        const ProofPicture& picture, int images, const std::stop_token& stop) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < images; ++i)
    pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
  const runtime::PixelBatch batch{pixels, images, picture.height, picture.width};
  FileSpeed found;
  found.images = images, found.height = picture.height, found.width = picture.width;
  std::vector<double> of_parent, of_file;
  double spent = 0;
  // What the first calls compile and allocate is no part of it.
  check_stop(stop);
  milliseconds(parent, batch);
  check_stop(stop);
  milliseconds(file, batch);
  while (found.calls < least_calls || (found.calls < most_calls && spent < enough_ms)) {
    check_stop(stop);
    of_parent.push_back(milliseconds(parent, batch));
    of_file.push_back(milliseconds(file, batch));
    spent += of_parent.back() + of_file.back();
    ++found.calls;
  }
  found.parent = speed_of(of_parent, images);
  found.file = speed_of(of_file, images);
  return found;
}

}  // namespace yolov7::equivalence
