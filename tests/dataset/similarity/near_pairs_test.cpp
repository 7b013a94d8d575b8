// Near duplicates: the eleven changes, the known pairs of BCCD, none among drawn images.
#include "dataset/similarity/near_pairs.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/random.hpp"
#include "dataset/similarity/candidates.hpp"
#include "dataset/synth/synth_scene.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/similarity/changed_image.hpp"
#include "tests/stopping.hpp"

namespace yolov7::dataset::similarity {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> bccd() {
  const fs::path folder = test::shared_folder() / "datasets/bccd/JPEGImages";
  std::vector<fs::path> files;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<cv::Mat> drawn(std::size_t count, int size, std::uint64_t seed) {
  std::vector<cv::Mat> images;
  for (std::size_t i = 0; i < count; ++i)
    images.push_back(draw_synth_picture(standard_level(), size, seed, 0, i, false).picture);
  return images;
}

/// Each image beside its changed copies: near by compare(), and a candidate by its directions.
void expect_found(const std::vector<cv::Mat>& images, double least_share) {
  for (const Change& change : changes(5)) {
    std::size_t near = 0, candidates = 0;
    for (const cv::Mat& image : images) {
      const Sketch pair[] = {sketch_of(image), sketch_of(change.apply(image))};
      near += compare(pair[0], pair[1]).near ? 1 : 0;
      candidates += candidate_pairs(pair).size();
    }
    const auto least = static_cast<std::size_t>(least_share * static_cast<double>(images.size()));
    EXPECT_GE(near, least) << change.name;
    EXPECT_GE(candidates, least) << change.name;
  }
}

TEST(NearPairs, ChangedCopiesOfDrawnImagesAreFound) { expect_found(drawn(25, 640, 3), 0.96); }

TEST(NearPairs, ChangedCopiesOfBccdAreFound) {
  const std::vector<fs::path> files = bccd();
  if (files.empty()) GTEST_SKIP() << "the data set BCCD is missing";
  std::vector<cv::Mat> images;
  for (std::size_t i = 0; i < files.size(); i += 12) images.push_back(read_picture(files[i]));
  expect_found(images, 1);
}

/// data-services D2: seven pairs of BCCD show the same field, by eye.
TEST(NearPairs, OfBccdAreTheSevenAndNoOther) {
  const std::vector<fs::path> files = bccd();
  if (files.empty()) GTEST_SKIP() << "the data set BCCD is missing";
  std::vector<Sketch> sketches;
  for (const fs::path& file : files) sketches.push_back(read_sketch(file));
  const NearPairs near = find_near_pairs(sketches);
  std::set<std::string> found;
  const auto number = [&](std::size_t i) { return files[i].stem().string().substr(11); };
  for (const NearPair& pair : near.pairs) found.insert(number(pair.a) + " " + number(pair.b));
  EXPECT_EQ(found,
            (std::set<std::string>{"00037 00038", "00386 00391", "00229 00258", "00227 00260",
                                   "00230 00257", "00382 00395", "00231 00256"}));
  EXPECT_EQ(near.groups.several().size(), 7u);
}

TEST(NearPairs, DifferentDrawnImagesAreNotNear) {
  std::vector<Sketch> sketches;
  for (const cv::Mat& image : drawn(150, 320, 11)) sketches.push_back(sketch_of(image));
  EXPECT_EQ(find_near_pairs(sketches).pairs.size(), 0u);
}

TEST(NearPairs, FramesOfAMovingCameraMakeOneChain) {
  const cv::Mat scene = drawn(1, 800, 4).front();
  const cv::Mat other = drawn(2, 800, 4).back();
  std::vector<Sketch> sketches;
  for (int frame = 0; frame < 6; ++frame)  // 10 px a frame
    sketches.push_back(sketch_of(scene(cv::Rect(10 * frame, 5 * frame, 600, 400))));
  sketches.push_back(sketch_of(other(cv::Rect(0, 0, 600, 400))));
  const NearPairs near = find_near_pairs(sketches);
  EXPECT_EQ(near.groups.several(), (std::vector<std::vector<std::size_t>>{{0, 1, 2, 3, 4, 5}}));
}

// Of 60 copies there are 1,770 pairs. The first 1,024 join all of them, because those of the first
// copy are among them; the others lie inside one group of more than 50 and are not compared.
TEST(NearPairs, LargeGroupsAreNotComparedAnyMore) {
  const std::vector<Sketch> copies(60, sketch_of(drawn(1, 640, 3).front()));
  const NearPairs near = find_near_pairs(copies);
  EXPECT_EQ(near.compared, 1024u);
  EXPECT_EQ(near.pairs.size(), 1024u);
  EXPECT_EQ(near.groups.size_of(59), 60u);
}

TEST(NearPairs, ImagesWithoutStructureAreSaidAndNotCompared) {
  const cv::Mat white(200, 300, CV_8UC3, cv::Scalar::all(255)),
      gray(200, 300, CV_8UC3, cv::Scalar::all(90));
  const std::vector<Sketch> sketches = {sketch_of(white), sketch_of(gray), sketch_of(white)};
  const NearPairs near = find_near_pairs(sketches);
  EXPECT_EQ(near.pairs.size(), 0u);
  EXPECT_EQ(near.plain, (std::vector<std::size_t>{0, 1, 2}));
}

/// Of a texture drawn by a seed.
Sketch texture(std::size_t i) {
  Sketch sketch;
  Random random(9, 0, static_cast<std::uint32_t>(i), 1);
  double square = 0;
  std::array<double, components> values{};
  for (double& x : values) x = random.normal(), square += x * x;
  sketch.plain = 0;
  for (Direction& direction : sketch.directions)
    for (std::size_t k = 0; k < values.size(); ++k)
      direction[k] = static_cast<std::int8_t>(std::lround(256 * values[k] / std::sqrt(square)));
  return sketch;
}

/// More than 3,000 images go through tables. Pairs whose cosine is 0.85 are planted: the cosine of
/// that angle times one texture, and its sine times what another one has at right angles to it.
TEST(NearPairs, TablesFindWhatIsAlike) {
  std::vector<Sketch> sketches;
  for (std::size_t i = 0; i < 5000; ++i) sketches.push_back(texture(i));
  std::size_t planted = 0;
  for (std::size_t i = 0; i + 2 < sketches.size(); i += 50, ++planted) {
    const Direction &one = sketches[i].directions[0], &two = sketches[i + 2].directions[0];
    const double shared = cosine(one, two), length = std::sqrt(1 - shared * shared);
    for (std::size_t k = 0; k < components; ++k)
      for (Direction& direction : sketches[i + 1].directions)
        direction[k] = static_cast<std::int8_t>(
            std::lround(0.85 * one[k] + 0.5268 * (two[k] - shared * one[k]) / length));
  }
  const auto found = candidate_pairs(sketches, 2);
  std::size_t seen = 0;
  for (const auto& [a, b] : found) seen += a % 50 == 0 && b == a + 1 ? 1 : 0;
  EXPECT_GE(seen, planted * 99 / 100);
  EXPECT_LE(found.size(), planted + 20);  // cosine 0.72 in 64 dimensions by chance: 5.8 σ
  EXPECT_EQ(candidate_pairs(sketches, 1), found);
}

/// 4,000 equal directions, as of a camera that does not move: the pairs are 8 million, those that
/// are found a few for each image, and they make one chain.
TEST(NearPairs, ManyAlikeGiveChainsAndNotAllPairs) {
  const std::vector<Sketch> sketches(4000, texture(1));
  CandidateSearch search(sketches, 2);
  CandidateSearch::Pairs pairs;
  ASSERT_TRUE(search.next([](std::size_t, std::size_t) { return false; }, pairs));
  EXPECT_LE(pairs.size(), 4000u * 64u);
  Groups groups(sketches.size());
  for (const auto& [a, b] : pairs) groups.join(a, b);
  EXPECT_EQ(groups.size_of(0), 4000u);
  // What is known is not found again.
  ASSERT_TRUE(search.next([](std::size_t, std::size_t) { return true; }, pairs));
  EXPECT_TRUE(pairs.empty());
}

TEST(NearPairs, StopsWhenAsked) {
  const std::vector<Sketch> sketches = {texture(0), texture(1)};
  NearOptions options;
  options.stop = test::stopped();
  EXPECT_TRUE(test::is_stopped([&] { find_near_pairs(sketches, options); }));
}

}  // namespace
}  // namespace yolov7::dataset::similarity
