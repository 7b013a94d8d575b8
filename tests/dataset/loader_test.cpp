// The batch loader: the same bytes for any number of threads, bounds, errors, and a clean end at
// any time.
#include "dataset/loading/loader.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <numeric>
#include <set>
#include <thread>

#include "core/threads.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/loader_fixture.hpp"

namespace yolov7::dataset {
namespace {

using test::all_batches;
using test::error_of;
using test::expect_same;
using test::TemporaryFolder;

LoaderOptions training(int workers) {
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 32, o.stride = 8;
  o.augment = o.shuffle = true;
  o.workers = workers;
  o.seed = 17;
  o.augmentation.mixup = 0.5, o.augmentation.copy_paste = 0.5, o.augmentation.paste_in = 0.5,
  o.augmentation.mosaic = 0.8;
  o.augmentation.degrees = 5, o.augmentation.shear = 2, o.augmentation.flipud = 0.3;
  return o;
}

class LoaderTest : public testing::Test {
 protected:
  TemporaryFolder folder;
  Index index = test::random_index(folder / "pictures", 14, true);
};

TEST_F(LoaderTest, TheSameBatchesForAnyNumberOfThreads) {
  BatchLoader reference(index, training(0));
  EXPECT_EQ(reference.threads(), 0);
  ASSERT_EQ(reference.batches(), 4u);
  const auto zero = all_batches(reference, 0), one = all_batches(reference, 1);
  EXPECT_EQ(zero.back().count, 2);
  EXPECT_FALSE(zero[0].pixels == one[0].pixels);
  for (const int workers : {1, 2, 4}) {
    BatchLoader loader(index, training(workers));
    EXPECT_EQ(loader.threads(), std::min(workers, usable_cores()));
    expect_same(all_batches(loader, 0), zero);
    expect_same(all_batches(loader, 1), one);
  }
}

TEST_F(LoaderTest, ResumesInTheMiddleOfAnEpoch) {
  for (const int workers : {0, 2}) {
    BatchLoader loader(index, training(workers));
    const auto all = all_batches(loader, 3), rest = all_batches(loader, 3, 2);
    ASSERT_EQ(rest.size(), 2u);
    expect_same(rest[0], all[2]);
    expect_same(rest[1], all[3]);
    EXPECT_TRUE(all_batches(loader, 3, 4).empty());
    EXPECT_TRUE(all_batches(loader, 3, 100).empty());
  }
}

TEST_F(LoaderTest, TheCacheChangesNothing) {
  LoaderOptions o = training(2);
  BatchLoader with(index, o);
  EXPECT_EQ(with.cached_pictures(), 14u);
  o.cache_bytes = 0;
  BatchLoader without(index, o);
  EXPECT_EQ(without.cached_pictures(), 0u);
  o.cache_bytes = 10'000;
  BatchLoader partly(index, o);
  EXPECT_GT(partly.cached_pictures(), 0u);
  EXPECT_LT(partly.cached_pictures(), 14u);
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto expected = all_batches(without, epoch);
    expect_same(all_batches(with, epoch), expected);
    expect_same(all_batches(partly, epoch), expected);
  }
}

TEST_F(LoaderTest, TheSeedDecides) {
  LoaderOptions o = training(0);
  BatchLoader a(index, o);
  o.seed = 18;
  BatchLoader b(index, o);
  EXPECT_FALSE(all_batches(a, 0)[0].pixels == all_batches(b, 0)[0].pixels);
}

TEST_F(LoaderTest, TargetsBelongToTheirSamples) {
  BatchLoader loader(index, training(2));
  for (const Batch& batch : all_batches(loader, 0)) {
    EXPECT_EQ(batch.pixels.size(), static_cast<std::size_t>(batch.count) * 3 * 32 * 32);
    ASSERT_EQ(batch.origins.size(), static_cast<std::size_t>(batch.count));
    float last = 0;
    for (const auto& t : batch.targets) {
      EXPECT_TRUE(t[0] >= last && t[0] < static_cast<float>(batch.count));
      last = t[0];
      for (std::size_t k = 2; k < 6; ++k) EXPECT_TRUE(t[k] >= 0 && t[k] <= 1) << t[k];
    }
  }
}

TEST_F(LoaderTest, AnUnreadablePictureIsNamedInItsTurn) {
  LoaderOptions o = training(0);
  o.shuffle = false,
  o.augmentation.mosaic = o.augmentation.paste_in = 0;  // no picture but the sample's own
  index.entries[9].picture = folder / "gone.png";       // batch 2
  for (const int workers : {0, 2}) {
    o.workers = workers;
    BatchLoader loader(index, o);
    loader.start(0);
    EXPECT_EQ(loader.next()->number, 0u);
    EXPECT_EQ(loader.next()->number, 1u);
    for (int again = 0; again < 2; ++again)
      EXPECT_NE(error_of([&] { loader.next(); }).find("gone.png"), std::string::npos);
    loader.start(0);
    EXPECT_EQ(loader.next()->number, 0u);
  }
}

TEST_F(LoaderTest, OfTwoFailuresTheFirstInOrderIsReported) {
  LoaderOptions o = training(2);
  o.shuffle = false,
  o.augmentation.mosaic = o.augmentation.paste_in = 0;  // no picture but the sample's own
  index.entries[1].picture = folder / "first.png";
  index.entries[2].picture = folder / "second.png";
  for (int i = 0; i < 20; ++i) {
    BatchLoader loader(index, o);
    loader.start(0);
    EXPECT_NE(error_of([&] { loader.next(); }).find("first.png"), std::string::npos);
  }
}

TEST_F(LoaderTest, EndsCleanlyAtAnyTime) {
  for (int taken = 0; taken < 5; ++taken)
    for (const int prefetch : {1, 4}) {
      LoaderOptions o = training(2);
      o.prefetch = prefetch;
      BatchLoader loader(index, o);
      if (taken > 0) loader.start(0);
      for (int i = 1; i < taken; ++i) ASSERT_TRUE(loader.next());
      if (taken == 3) loader.start(1);
    }
}

TEST_F(LoaderTest, StaysWithinItsPrefetch) {
  // With the files gone only what was built before can be delivered. One-sided: a slow machine
  // builds less.
  LoaderOptions o = training(2);
  o.augmentation.mosaic = o.augmentation.paste_in = 0, o.cache_bytes = 0, o.batch_size = 2,
  o.prefetch = 2;
  BatchLoader loader(index, o);
  loader.start(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  std::filesystem::remove_all(folder / "pictures");
  int delivered = 0;
  error_of([&] {
    while (loader.next()) ++delivered;
  });
  EXPECT_LE(delivered, 2);
}

TEST_F(LoaderTest, RefusesWhatCannotWork) {
  EXPECT_NE(error_of([&] { BatchLoader(Index{}, training(0)); }).find("found none"),
            std::string::npos);
  LoaderOptions o = training(0);
  o.image_size = 33;
  EXPECT_NE(error_of([&] { BatchLoader(index, o); }).find("multiple of the stride"),
            std::string::npos);
  o = training(0);
  o.quad = true, o.batch_size = 3;
  EXPECT_NE(error_of([&] { BatchLoader(index, o); }).find("quad"), std::string::npos);
  BatchLoader loader(index, training(0));
  EXPECT_NE(error_of([&] { loader.next(); }).find("start"), std::string::npos);
}

TEST_F(LoaderTest, BatchesWithoutASingleObject) {
  for (Entry& entry : index.entries) entry.labels.clear();
  for (const bool augment : {true, false}) {
    LoaderOptions o = training(2);
    o.augment = augment, o.rectangular = !augment;
    BatchLoader loader(index, o);
    const auto batches = all_batches(loader, 0);
    ASSERT_EQ(batches.size(), 4u);
    for (const Batch& batch : batches) EXPECT_TRUE(batch.targets.empty());
  }
}

TEST_F(LoaderTest, BatchSizeAboveThePicturesIsOneBatch) {
  LoaderOptions o = training(2);
  o.batch_size = 64;
  BatchLoader loader(index, o);
  EXPECT_EQ(loader.batches(), 1u);
  EXPECT_EQ(all_batches(loader, 0).at(0).count, 14);
  o.batch_size = 1;
  EXPECT_EQ(BatchLoader(index, o).threads(), 0);
}

TEST_F(LoaderTest, ValidationMapsBackToThePicture) {
  LoaderOptions o;
  o.batch_size = 4, o.image_size = 64, o.stride = 32, o.rectangular = true, o.workers = 2;
  BatchLoader loader(index, o);
  std::set<std::size_t> seen;
  for (const Batch& batch : all_batches(loader, 0)) {
    EXPECT_EQ(batch.height % 32, 0);
    std::vector<std::size_t> used(batch.origins.size(), 0);
    for (const SampleOrigin& origin : batch.origins) seen.insert(origin.entry);
    for (const auto& t : batch.targets) {
      const auto sample = static_cast<std::size_t>(t[0]);
      const SampleOrigin& origin = batch.origins[sample];
      const Label& label = index.entries[origin.entry].labels.at(used[sample]++);
      EXPECT_EQ(static_cast<int>(t[1]), label.class_index);
      // 32-bit targets: 1e-7 of a side below 100 px.
      EXPECT_NEAR((t[2] * batch.width - origin.pad_x) / origin.gain_x, label.box.cx * origin.width,
                  1e-4);
      EXPECT_NEAR((t[3] * batch.height - origin.pad_y) / origin.gain_y,
                  label.box.cy * origin.height, 1e-4);
      EXPECT_NEAR(t[4] * batch.width / origin.gain_x, label.box.w * origin.width, 1e-4);
      EXPECT_NEAR(t[5] * batch.height / origin.gain_y, label.box.h * origin.height, 1e-4);
    }
    for (std::size_t i = 0; i < used.size(); ++i)
      EXPECT_EQ(used[i], index.entries[batch.origins[i].entry].labels.size());
  }
  EXPECT_EQ(seen.size(), 14u);
}

TEST_F(LoaderTest, QuadQuartersTheBatch) {
  LoaderOptions o = training(2);
  o.quad = true, o.batch_size = 8;
  BatchLoader loader(index, o);
  o.workers = 0;
  BatchLoader here(index, o);
  const auto batches = all_batches(loader, 0);
  expect_same(all_batches(here, 0), batches);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].count, 2);
  EXPECT_EQ(batches[1].count, 1);  // of six samples two are left over
  EXPECT_EQ(batches[0].height, 64);
  EXPECT_EQ(batches[0].pixels.size(), 2u * 3 * 64 * 64);
}

}  // namespace
}  // namespace yolov7::dataset
