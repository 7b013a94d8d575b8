// Samples per second of the standard training pipeline with cached pictures, on generated ones.
// Usage: benchmark_loader [threads] [picture size]. Prints one line per network size and hyper-parameter set: median of 5 runs,
// and the processor time per sample, which other work on the machine disturbs less.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <opencv2/core/utility.hpp>
#include <vector>

#include "core/random.hpp"
#include "core/threads.hpp"
#include "dataset/loader.hpp"
#include "dataset/synth_scene.hpp"
#include "image/codec.hpp"

using namespace yolov7;

namespace {

constexpr int pictures = 48, runs = 5;

dataset::Index make_index(const std::filesystem::path& folder, int size) {
  dataset::Index index;
  index.split = "train";
  for (std::size_t i = 0; i < pictures; ++i) {
    dataset::SynthPicture drawn = dataset::draw_synth_picture(dataset::standard_level(), size, 1, 0, i, false);
    dataset::Entry entry;
    entry.picture = folder / fmt::format("{:06}.jpg", i);
    entry.width = drawn.picture.cols;
    entry.height = drawn.picture.rows;
    for (dataset::Label& label : drawn.labels) label.polygon.clear();
    entry.labels = std::move(drawn.labels);
    write_picture(entry.picture, drawn.picture);
    index.entries.push_back(std::move(entry));
  }
  return index;
}

double seconds(dataset::BatchLoader& loader, int epoch, int epochs, std::size_t& samples) {
  const auto start = std::chrono::steady_clock::now();
  for (int e = 0; e < epochs; ++e) {
    loader.start(epoch + e);
    while (const auto batch = loader.next()) samples += static_cast<std::size_t>(batch->count);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(const dataset::Index& index, int size, int threads, const char* name, double mixup) {
  dataset::LoaderOptions options;
  options.image_size = size;
  options.batch_size = 16;
  options.augment = options.shuffle = true;
  options.workers = threads;
  options.cache_bytes = std::size_t{2} << 30;
  options.augmentation.mixup = mixup;
  options.augmentation.scale = mixup > 0.1 ? 0.9 : 0.5;
  options.augmentation.translate = mixup > 0.1 ? 0.2 : 0.1;
  dataset::BatchLoader loader(index, options);
  std::size_t warm = 0;
  seconds(loader, 0, 1, warm);  // fills the cache
  std::vector<double> rates;
  std::size_t all = 0;
  const std::clock_t before = std::clock();
  for (int run = 0; run < runs; ++run) {
    std::size_t samples = 0;
    const double taken = seconds(loader, 1 + 4 * run, 4, samples);
    rates.push_back(static_cast<double>(samples) / taken);
    all += samples;
  }
  const double processor_ms = 1000.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / static_cast<double>(all);
  std::sort(rates.begin(), rates.end());
  fmt::print("{:>4} px  {:<5} {} threads  {:7.1f} samples/s  (median of {}, {:.1f} to {:.1f})  {:.2f} ms of processor time each\n",
             size, name, loader.threads(), rates[runs / 2], runs, rates.front(), rates.back(), processor_ms);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : usable_cores();
  const int picture_size = argc > 2 ? std::atoi(argv[2]) : 640;
  cv::setNumThreads(1);  // the loader's threads are the parallelism
  const auto folder = std::filesystem::temp_directory_path() / "yolov7-loader-benchmark";
  std::filesystem::create_directories(folder);
  const dataset::Index index = make_index(folder, picture_size);
  for (const int size : {320, 640}) {
    measure(index, size, threads, "p5", 0.15);
    measure(index, size, threads, "tiny", 0.05);
  }
  std::filesystem::remove_all(folder);
}
