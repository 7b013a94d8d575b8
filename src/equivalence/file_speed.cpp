#include "equivalence/file_speed.hpp"

#include <chrono>
#include <numeric>
#include <utility>

#include "core/statistics.hpp"
#include "core/stop.hpp"

namespace yolov7::equivalence {
namespace {

constexpr std::size_t least_calls = 2, most_calls = 10;
constexpr double enough_ms = 250;

double sum(const std::vector<double>& times) {
  return std::accumulate(times.begin(), times.end(), 0.0);
}

Speed speed_of(const std::vector<double>& times, int images) {
  return {0, median(times), 1000.0 * images * static_cast<double>(times.size()) / sum(times)};
}

}  // namespace

SpeedByTurns::SpeedByTurns(const ProofPicture& picture, int images, std::stop_token stop)
    : images_(images), height_(picture.height), width_(picture.width), stop_(std::move(stop)) {
  for (int i = 0; i < images; ++i)
    pixels_.insert(pixels_.end(), picture.pixels.begin(), picture.pixels.end());
}

double SpeedByTurns::milliseconds(runtime::Detector& detector) const {
  check_stop(stop_);
  runtime::Prediction prediction;
  const auto begin = std::chrono::steady_clock::now();
  detector.predict({pixels_, images_, height_, width_}, prediction);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

void SpeedByTurns::time_parent(runtime::Detector& parent) {
  milliseconds(parent);  // what a first call compiles and allocates is no part of it
  std::vector<double> times;
  const auto enough = [&] {
    return half_ > 0 ? times.size() == half_
                     : times.size() >= most_calls ||
                           (times.size() >= least_calls && sum(times) >= enough_ms);
  };
  while (!enough()) times.push_back(milliseconds(parent));
  half_ = times.size();
  of_parent_.insert(of_parent_.end(), times.begin(), times.end());
}

void SpeedByTurns::time_file(runtime::Detector& file) {
  milliseconds(file);
  while (of_file_.size() < 2 * half_) of_file_.push_back(milliseconds(file));
}

FileSpeed SpeedByTurns::found() const {
  FileSpeed speed;
  speed.images = images_, speed.height = height_, speed.width = width_;
  speed.calls = static_cast<int>(of_file_.size());
  speed.parent = speed_of(of_parent_, images_);
  speed.file = speed_of(of_file_, images_);
  return speed;
}

}  // namespace yolov7::equivalence
