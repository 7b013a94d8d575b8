// Long calls on data sets that are asked to stop: an Error of its own exit code, and nothing
// half-written.
#include "core/stop.hpp"

#include "core/value.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/picture_cache.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/loading/augmented_set.hpp"
#include "dataset/synth/synth.hpp"
#include "tests/dataset/voc_fixture.hpp"
#include "tests/stopping.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::is_stopped;
using test::stopped;

/// Requests a stop when a message has these words.
class StopAt final : public log::Sink {
 public:
  explicit StopAt(std::string words) : words_(std::move(words)) {}
  bool wants(log::Level) const override { return true; }
  void write(log::Level, std::string_view text) override {
    if (text.find(words_) != std::string_view::npos) source.request_stop();
  }
  std::stop_source source;

 private:
  std::string words_;
};

TEST(DatasetStop, AStoppedIndexLeavesTheCacheAsItWas) {
  const test::TemporaryFolder folder;
  const Description description = read_description(test::write_small_set(folder.path(), 3));
  const fs::path cache = folder / "labels/train.yolov7-index";
  IndexOptions options;
  options.stop = stopped();
  EXPECT_TRUE(is_stopped([&] { read_index(description, "train", options); }));
  EXPECT_FALSE(fs::exists(cache));
  read_index(description, "train", {});
  const std::string before = test::read_text(cache);
  ASSERT_NE(before, "");
  options.recheck = true;
  EXPECT_TRUE(is_stopped([&] { read_index(description, "train", options); }));
  EXPECT_EQ(test::read_text(cache), before);
  options.stop = {};
  EXPECT_EQ(read_index(description, "train", options).entries.size(), 3u);
}

TEST(DatasetStop, WaitingForAnotherProcessesCacheEndsAndDoesNotGoOnWithoutTheLock) {
  const test::TemporaryFolder folder;
  const auto held = file::Lock::try_acquire(folder / ".train.yolov7-index.lock");
  ASSERT_TRUE(held);
  const auto sink = std::make_shared<StopAt>("waiting: another process works on");
  const auto before = log::install(sink);
  EXPECT_TRUE(is_stopped([&] {
    const PictureCache cache({folder.path()}, "train", folder.path(), sink->source.get_token());
  }));
  log::install(before);
}

TEST(DatasetStop, AStoppedExportBuildsNoFolder) {
  const test::TemporaryFolder folder;
  test::write_gray(folder / "in/a.png", 20, 20, 1);
  const std::vector<ExportSplit> splits{{"train", {{folder / "in/a.png", {}}}}};
  EXPECT_TRUE(is_stopped([&] {
    build_folder(folder / "out", [&](const fs::path& temporary) {
      export_yolo(temporary, {"x"}, splits, false, stopped());
    });
  }));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(DatasetStop, AStoppedSynthesisBuildsNoFolder) {
  const test::TemporaryFolder folder;
  SynthOptions options;
  options.train = options.val = 3, options.test = 0;
  options.image_size = 32;
  options.stop = stopped();
  EXPECT_TRUE(is_stopped([&] { synthesize(options, folder / "out"); }));
  EXPECT_EQ(folder.files(), 0u);
  options.stop = {};
  synthesize(options, folder / "out");
  EXPECT_TRUE(fs::exists(folder / "out/data.yaml"));
}

TEST(DatasetStop, AnAugmentedCopyEndsWhereverItIsStopped) {
  const test::TemporaryFolder folder;
  test::write_small_set(folder / "set", 4);
  const Description description = read_description(folder / "set/data.yaml");
  const Value list = parse_yaml("[{name: HorizontalFlip, p: 1}]", "list");
  // A label file without an image: each split that was read says so. At val the copies of train
  // are there already.
  test::write_text(folder / "set/labels/train/orphan.txt", "0 0.5 0.5 0.25 0.5\n");
  for (const char* where : {"train: ", "val: "}) {
    const auto sink = std::make_shared<StopAt>(where);
    const auto before = log::install(sink);
    AugmentedCopyOptions options;
    options.times = 2;
    options.stop = sink->source.get_token();
    EXPECT_TRUE(is_stopped([&] {
      write_augmented_copy(description, list, options, folder / "out");
    })) << where;
    log::install(before);
    EXPECT_TRUE(sink->source.stop_requested()) << where;
    EXPECT_EQ(folder.files(), 1u) << where;
  }
  const Index index = read_index(description, "train", {});
  const std::size_t rows[] = {0, 1};
  EXPECT_TRUE(is_stopped(
      [&] { preview_sheet(index, rows, AugmentList::parse(list), 0, 2, 64, stopped()); }));
}

TEST(DatasetStop, AConversionEndsWhereverItIsStopped) {
  const test::TemporaryFolder folder;
  test::write_gray(folder / "in/a.png", 40, 40, 1);
  test::write_text(folder / "in/instances_train.json", R"({
"images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 40}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20]}],
"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "Cat"}]})");
  ConvertOptions options;
  options.source = folder / "in";
  options.out = folder / "out";
  options.prepare.shares = {70, 30};
  options.stop = stopped();
  EXPECT_TRUE(is_stopped([&] { convert(options); }));
  EXPECT_EQ(folder.files(), 1u);
  // The first is said before images are looked at, the second before anything is written.
  for (const char* where : {"split is not used", "differ in case"}) {
    const auto sink = std::make_shared<StopAt>(where);
    const auto before = log::install(sink);
    options.stop = sink->source.get_token();
    EXPECT_TRUE(is_stopped([&] { convert(options); })) << where;
    log::install(before);
    EXPECT_TRUE(sink->source.stop_requested()) << where;
    EXPECT_EQ(folder.files(), 1u) << where;
  }
  options.stop = {};
  EXPECT_EQ(convert(options).pictures.out, 1u);
}

class VocStop : public test::VocImports {};

TEST_F(VocStop, AStoppedImportBuildsNoFolder) {
  pair("1");
  pair("2");
  options.stop = stopped();
  EXPECT_TRUE(is_stopped([&] { convert(); }));
  EXPECT_EQ(folder.files(), 1u);  // the source
  options.stop = {};
  EXPECT_EQ(convert().pictures.out, 2u);
}

}  // namespace
}  // namespace yolov7::dataset
