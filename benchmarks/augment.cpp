// Processor time of every transform of the catalogue on one picture, default parameters. Usage:
// benchmark_augment [side in pixels] [name ...]. CSV on stdout: transform, milliseconds (median of
// 9 draws), and that time in units of one bilinear cv::warpAffine of the same picture in the same
// run.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "core/statistics.hpp"
#include "dataset/augment/transforms/catalogue.hpp"
#include "dataset/synth/synth_scene.hpp"

using namespace yolov7;

namespace {

constexpr int draws = 9;

double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

template <class Action>
double median_ms(Action action) {
  std::vector<double> times;
  for (int i = 0; i < draws; ++i) {
    const double start = processor_ms();
    action(i);
    times.push_back(processor_ms() - start);
  }
  return median(times);
}

dataset::Sample scene(int side, std::size_t number) {
  const dataset::SynthPicture drawn =
      dataset::draw_synth_picture(dataset::standard_level(), side, 1, 0, number, true);
  return dataset::to_sample(drawn.picture.clone(), drawn.labels);
}

}  // namespace

int main(int count, char** arguments) {
  const int side = count > 1 ? std::atoi(arguments[1]) : 640;
  const std::vector<std::string> chosen(arguments + std::min(count, 2), arguments + count);
  cv::setNumThreads(1);
  const dataset::Sample first = scene(side, 0), second = scene(side, 1);
  dataset::TransformContext context;
  context.other = [&](Random&) { return dataset::Sample{second.picture.clone(), second.objects}; };
  const cv::Mat matrix = cv::getRotationMatrix2D(
      {static_cast<float>(side) / 2, static_cast<float>(side) / 2}, 12, 1.1);
  fmt::print("transform,ms,warps\n");
  for (const dataset::TransformEntry& entry : dataset::catalogue()) {
    if (entry.name == "OneOf" || entry.name == "SomeOf" || entry.name == "Sequential" ||
        entry.name == "RandomOrder" ||
        (!chosen.empty() && std::find(chosen.begin(), chosen.end(), entry.name) == chosen.end()))
      continue;  // combinators without a list
    const auto transform = entry.make();
    cv::Mat warped;
    const double warp = median_ms([&](int) {
      cv::warpAffine(first.picture, warped, matrix, first.picture.size(), cv::INTER_LINEAR,
                     cv::BORDER_CONSTANT, cv::Scalar::all(114));
    });
    std::vector<dataset::Sample> samples;
    for (int i = 0; i < draws; ++i) samples.push_back({first.picture.clone(), first.objects});
    const double own = median_ms([&](int i) {
      Random random(1, 0, static_cast<std::uint32_t>(i), 0);
      transform->apply(samples[static_cast<std::size_t>(i)], random, context);
    });
    fmt::print("{},{:.3f},{:.2f}\n", entry.name, own, own / warp);
    std::fflush(stdout);
  }
}
