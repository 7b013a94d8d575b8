// How well and how fast images that show the same are found (data-services D2, D3). Usage:
//   benchmark_similarity [--bccd FOLDER] [--drawn N] [--seed S] [--many N]
//   --bccd FOLDER  images of BCCD; its near duplicates are listed
//   --drawn N      so many drawn images of each level (300)
//   --seed S       of drawn images and noise
//   --many N       so many images of random texture, for the time that a large set takes
// Prints, as rows of CSV: for each set and change the share that is found; the pairs found among
// the unchanged images and how many pairs there are; seconds of each step.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "core/memory.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "dataset/similarity/candidates.hpp"
#include "dataset/similarity/near_pairs.hpp"
#include "dataset/synth/synth_scene.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/similarity/changed_image.hpp"

namespace fs = std::filesystem;
using namespace yolov7;
using namespace yolov7::dataset::similarity;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct ImageSet {
  std::string name;
  std::vector<cv::Mat> images;
  std::vector<std::string> names;
};

void show(const ImageSet& set, const Likeness& likeness, const std::string& a,
          const std::string& b) {
  fmt::print(
      "# {}: {} {}: correlation {:.3f}, {} blocks, {:.2f} agree, middle {:.2f}, colour {:.1f}, "
      "unexplained {:.3f}, {} changes\n",
      set.name, a, b, likeness.correlation, likeness.blocks, likeness.agreeing, likeness.middle,
      likeness.colour, likeness.unexplained, likeness.changes);
}

void measure_changes(const ImageSet& set, const std::vector<Sketch>& sketches, std::uint64_t seed) {
  const std::size_t step = std::max<std::size_t>(set.images.size() / 100, 1);
  for (const Change& change : changes(seed)) {
    std::size_t found = 0, candidates = 0, looked = 0;
    Likeness worst{1, 64, 1, 1, 0, 0, 0, false};
    for (std::size_t i = 0; i < set.images.size(); i += step) {
      const Sketch pair[] = {sketches[i], sketch_of(change.apply(set.images[i]))};
      if (pair[0].plain != 0) continue;
      ++looked;
      candidates += candidate_pairs(pair).size();
      const Likeness likeness = compare(pair[0], pair[1]);
      found += likeness.near ? 1 : 0;
      worst = {std::min(worst.correlation, likeness.correlation),
               std::min(worst.blocks, likeness.blocks),
               std::min(worst.agreeing, likeness.agreeing),
               std::min(worst.middle, likeness.middle),
               std::max(worst.colour, likeness.colour),
               std::max(worst.unexplained, likeness.unexplained),
               std::max(worst.changes, likeness.changes),
               false};
      if (!likeness.near) show(set, likeness, set.names[i], change.name);
    }
    show(set, worst, "worst of", change.name);
    fmt::print("{},{},{},{},{},{:.3f},{:.3f}\n", set.name, seed, change.name, looked, found,
               static_cast<double>(found) / static_cast<double>(looked),
               static_cast<double>(candidates) / static_cast<double>(looked));
  }
}

void measure(const ImageSet& set, std::uint64_t seed) {
  const double start = now();
  std::vector<Sketch> sketches;
  for (const cv::Mat& image : set.images) sketches.push_back(sketch_of(image));
  const double sketched = now();
  const NearPairs near = find_near_pairs(sketches);
  const double done = now();
  const std::size_t n = sketches.size();
  for (const NearPair& pair : near.pairs)
    show(set, pair.likeness, set.names[pair.a], set.names[pair.b]);
  fmt::print("{},{},unchanged,{},{},,\n", set.name, seed, n * (n - 1) / 2, near.pairs.size());
  fmt::print(
      "# {}: {} images, {} plain, {} compared closely; sketches {:.2f} ms each, search {:.2f} s\n",
      set.name, n, near.plain.size(), near.compared,
      (sketched - start) * 1000 / static_cast<double>(n), done - sketched);
  measure_changes(set, sketches, seed);
}

ImageSet drawn(const std::string& name, const dataset::SynthLevel& level, std::size_t count,
               std::uint64_t seed) {
  ImageSet set{name, {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    set.images.push_back(dataset::draw_synth_picture(level, 640, seed, 0, i, false).picture);
    set.names.push_back(std::to_string(i));
  }
  return set;
}

/// Smooth random texture of three scales; every hundredth image is the one before it, moved.
void measure_many(std::size_t count) {
  std::vector<Sketch> sketches(count);
  const double start = now();
  parallel_for(count, usable_cores(), [&](std::size_t i) {
    Random random(7, 0, static_cast<std::uint32_t>(i % 100 == 99 ? i - 1 : i), 1);
    cv::Mat image(96, 96, CV_8UC3, cv::Scalar::all(128));
    cv::Mat3f sum(96, 96, cv::Vec3f(128, 128, 128));
    for (const int cells : {4, 9, 24}) {
      cv::Mat3f coarse(cells, cells), fine;
      for (cv::Vec3f& pixel : coarse)
        for (int c = 0; c < 3; ++c) pixel[c] = static_cast<float>(25 * random.normal());
      cv::resize(coarse, fine, sum.size(), 0, 0, cv::INTER_CUBIC);
      sum += fine;
    }
    sum.convertTo(image, CV_8U);
    sketches[i] = sketch_of(i % 100 == 99 ? image(cv::Rect(0, 0, 90, 90)).clone()
                                          : image(cv::Rect(3, 3, 90, 90)).clone());
  });
  const double sketched = now();
  const auto candidates = candidate_pairs(sketches);
  const double searched = now();
  const NearPairs near = find_near_pairs(sketches);
  const double done = now();
  std::size_t planted = 0;
  for (const NearPair& pair : near.pairs)
    planted += pair.b == pair.a + 1 && pair.b % 100 == 99 ? 1 : 0;
  fmt::print(
      "# many: {} images; sketches {:.1f} s; {} candidates {:.1f} s; all {:.1f} s; {} pairs, {} of "
      "{} planted; {:.0f} MB\n",
      count, sketched - start, candidates.size(), searched - sketched, done - searched,
      near.pairs.size(), planted, count / 100, static_cast<double>(peak_resident_bytes()) / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  std::string bccd;
  std::size_t count = 300, many = 0;
  std::uint64_t seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--bccd") bccd = argv[i + 1];
    if (name == "--drawn") count = std::strtoul(argv[i + 1], nullptr, 10);
    if (name == "--seed") seed = std::strtoul(argv[i + 1], nullptr, 10);
    if (name == "--many") many = std::strtoul(argv[i + 1], nullptr, 10);
  }
  fmt::print("set,seed,change,looked at,found,share,share among candidates\n");
  if (!bccd.empty()) {
    ImageSet set{"BCCD", {}, {}};
    std::vector<fs::path> files(fs::directory_iterator(bccd), fs::directory_iterator{});
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      set.images.push_back(read_picture(file));
      set.names.push_back(file.stem().string());
    }
    measure(set, seed);
  }
  if (count > 0) {
    measure(drawn("drawn standard", dataset::standard_level(), count, seed), seed);
    measure(drawn("drawn easy", dataset::easy_level(), count, seed), seed);
  }
  if (many > 0) measure_many(many);
  return 0;
}
