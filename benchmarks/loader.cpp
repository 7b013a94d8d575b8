// How fast training samples are made on one core: the standard pipeline (mosaic, perspective, HSV,
// flips, mixup) next to what the parts cost that nobody can leave out. Usage: benchmark_loader
// [data.yaml] [image size] [hyper-parameter set: p5|tiny]. Without a data set, on generated
// pictures of 640 px. Best run with `taskset -c 0`. Prints, each the median of rounds that follow
// each other in turn:
//   D          pictures decoded per second, by the same decoder
//   uncached   samples per second with every picture decoded anew, k decodes a sample, and their
//   share of D / k cached     samples per second from decoded pictures OpenCV     the same mosaics
//   through cv::warpAffine, then cvtColor, three LUTs, cvtColor, as a Python loader does: pictures
//   per second
#include "dataset/loading/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "core/memory.hpp"
#include "core/random.hpp"
#include "core/statistics.hpp"
#include "dataset/augment/mosaic.hpp"
#include "dataset/augment/perspective.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/loading/resized_pictures.hpp"
#include "dataset/synth/synth_scene.hpp"
#include "image/codec/codec.hpp"

using namespace yolov7;

namespace {

constexpr int rounds = 9;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

dataset::Index drawn_index(const std::filesystem::path& folder, int size) {
  dataset::Index index;
  index.split = "train";
  for (std::size_t i = 0; i < 48; ++i) {
    dataset::SynthPicture drawn =
        dataset::draw_synth_picture(dataset::standard_level(), size, 1, 0, i, false);
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

/// The official pipeline's picture part over ready mosaics.
struct OpenCvPipeline {
  std::vector<cv::Mat> mosaics;
  dataset::AugmentOptions options;
  int size;
  cv::Mat warped, hsv, planes[3];

  OpenCvPipeline(const dataset::Index& index, const dataset::AugmentOptions& augmentation, int s)
      : options(augmentation), size(s) {
    dataset::ResizedPictures pictures(index, s, true, 0);
    Random random(1, 0, 0, 1);
    for (int i = 0; i < 24; ++i) {
      std::array<dataset::Tile, 4> tiles;
      for (dataset::Tile& tile : tiles)
        tile.picture = pictures
                           .get(static_cast<std::size_t>(random.integer(
                               0, static_cast<std::int64_t>(index.entries.size()) - 1)))
                           .picture;
      mosaics.push_back(dataset::mosaic4(tiles, s, random.uniform(s / 2.0, 1.5 * s),
                                         random.uniform(s / 2.0, 1.5 * s), {})
                            .picture);
    }
  }
  void sample(std::size_t i) {
    Random random(2, 0, static_cast<std::uint32_t>(i), 1);
    const cv::Mat& mosaic = mosaics[i % mosaics.size()];
    const cv::Matx33d m = dataset::perspective_matrix(dataset::draw_perspective(options, random),
                                                      mosaic.size(), {size, size});
    cv::warpAffine(mosaic, warped, m.get_minor<2, 3>(0, 0), {size, size}, cv::INTER_LINEAR,
                   cv::BORDER_CONSTANT, cv::Scalar::all(114));
    cv::Mat tables[3] = {cv::Mat(1, 256, CV_8U), cv::Mat(1, 256, CV_8U), cv::Mat(1, 256, CV_8U)};
    for (int k = 0; k < 256; ++k)
      tables[0].at<uchar>(k) = static_cast<uchar>(k * 101 / 100 % 180),
      tables[1].at<uchar>(k) = static_cast<uchar>(std::min(255, k * 5 / 4)),
      tables[2].at<uchar>(k) = static_cast<uchar>(k * 4 / 5);
    cv::cvtColor(warped, hsv, cv::COLOR_BGR2HSV);
    cv::split(hsv, planes);
    for (int c = 0; c < 3; ++c) cv::LUT(planes[c], tables[c], planes[c]);
    cv::merge(planes, 3, hsv);
    cv::cvtColor(hsv, warped, cv::COLOR_HSV2BGR);
  }
};

dataset::LoaderOptions loader_options(int size, const std::string& set, std::size_t cache,
                                      bool scaled_decoding = false) {
  dataset::LoaderOptions options;
  options.image_size = size;
  options.batch_size = 8;
  options.augment = options.shuffle = true;
  options.workers = 0;
  options.cache_bytes = cache;
  options.scaled_decoding = scaled_decoding;
  options.augmentation.mixup = set == "p5" ? 0.15 : 0.05;
  options.augmentation.scale = set == "p5" ? 0.9 : 0.5;
  options.augmentation.translate = set == "p5" ? 0.2 : 0.1;
  return options;
}

struct Rate {
  double samples_per_second = 0, decodes_per_sample = 0;
};

/// The next epoch of the loader.
Rate run(dataset::BatchLoader& loader, int epoch) {
  std::size_t samples = 0;
  const std::size_t before = loader.decoded_pictures();
  const double taken = seconds_of([&] {
    loader.start(epoch);
    while (const auto batch = loader.next()) samples += static_cast<std::size_t>(batch->count);
  });
  return {static_cast<double>(samples) / taken,
          static_cast<double>(loader.decoded_pictures() - before) / static_cast<double>(samples)};
}

}  // namespace

int main(int argc, char** argv) {
  const int size = argc > 2 ? std::stoi(argv[2]) : 640;
  const std::string set = argc > 3 ? argv[3] : "tiny";
  cv::setNumThreads(1);
  const auto folder = std::filesystem::temp_directory_path() / "yolov7-loader-benchmark";
  std::filesystem::create_directories(folder);
  const dataset::Index index =
      argc > 1 && std::string(argv[1]) != "-"
          ? dataset::read_index(dataset::read_description(argv[1]), "train", {})
          : drawn_index(folder, 640);
  dataset::BatchLoader uncached(index, loader_options(size, set, 0)),
      cached(index, loader_options(size, set, std::size_t{8} << 30));
  OpenCvPipeline opencv(
      index,
      cached.batches() > 0 ? loader_options(size, set, 0).augmentation : dataset::AugmentOptions{},
      size);
  run(cached, 0);
  dataset::BatchLoader scaled(index, loader_options(size, set, 0, true));
  std::vector<double> quick;
  std::vector<double> decode, fresh, decodes, kept, reference, share, ratio;
  std::uint64_t first_peak = 0;
  for (int round = 0; round < rounds; ++round) {
    const double n = static_cast<double>(index.entries.size());
    decode.push_back(n / seconds_of([&] {
                       for (const dataset::Entry& entry : index.entries)
                         read_picture(entry.picture);
                     }));
    const Rate anew = run(uncached, 1 + round), ready = run(cached, 1 + round);
    quick.push_back(run(scaled, 1 + round).samples_per_second);
    fresh.push_back(anew.samples_per_second);
    decodes.push_back(anew.decodes_per_sample);
    kept.push_back(ready.samples_per_second);
    reference.push_back(n / seconds_of([&] {
                          for (std::size_t i = 0; i < index.entries.size(); ++i) opencv.sample(i);
                        }));
    share.push_back(fresh.back() * decodes.back() / decode.back());
    ratio.push_back(kept.back() / reference.back());
    if (round == 0) first_peak = peak_resident_bytes();
  }
  fmt::print("{} px, {}, {} images, {} rounds; one thread\n", size, set, index.entries.size(),
             rounds);
  fmt::print("D         {:8.1f} images/s\n", median(decode));
  fmt::print(
      "uncached  {:8.1f} samples/s, k = {:.2f} decodes each: {:.3f} of D / k ({:.3f} to {:.3f})\n",
      median(fresh), median(decodes), median(share), *std::min_element(share.begin(), share.end()),
      *std::max_element(share.begin(), share.end()));
  fmt::print("scaled    {:8.1f} samples/s (--scaled-decoding), {:.2f} times as many\n",
             median(quick), median(quick) / median(fresh));
  fmt::print("cached    {:8.1f} samples/s\n", median(kept));
  fmt::print("OpenCV    {:8.1f} images/s (warpAffine, cvtColor, LUT, cvtColor alone)\n",
             median(reference));
  fmt::print("cached / OpenCV: {:.3f} ({:.3f} to {:.3f})\n", median(ratio),
             *std::min_element(ratio.begin(), ratio.end()),
             *std::max_element(ratio.begin(), ratio.end()));
  fmt::print("peak memory after the first and the last round: {}, {}\n", memory_text(first_peak),
             memory_text(peak_resident_bytes()));
  std::filesystem::remove_all(folder);
}
