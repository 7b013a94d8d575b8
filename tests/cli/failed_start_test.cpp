// Trainings that cannot begin say why in one line and leave no run folder; a training on next to
// nothing begins.
#include <gtest/gtest.h>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class FailedStart : public NarrowRuns {
 protected:
  /// One picture with one long flat box, 86 × 2 pixels at 96: no anchor of the configuration is
  /// near it, and nine cannot be searched from it.
  static std::vector<std::string> one_label(const std::string& name) {
    const fs::path one = *scratch / "one";
    for (const char* split : {"train", "val"}) {
      fs::create_directories(one / "images" / split);
      fs::copy_file(data() / "images/train/000001.jpg", one / "images" / split / "only.jpg",
                    fs::copy_options::overwrite_existing);
      write_text(one / "labels" / split / "only.txt", "0 0.5 0.5 0.9 0.02\n");
    }
    write_text(one / "data.yaml", "train: images/train\nval: images/val\nnc: 1\nnames: [bar]\n");
    std::vector<std::string> all = arguments(name, 1);
    *std::next(std::find(all.begin(), all.end(), "--data")) = (one / "data.yaml").string();
    *std::next(std::find(all.begin(), all.end(), "--batch")) = "1";
    return all;
  }
};

TEST_F(FailedStart, FreezingEverythingIsRefusedBeforeTheDataAreRead) {
  const Outcome all = run(arguments("frozen", 1, {"--freeze", "1000"}));
  EXPECT_EQ(all.code, 2);
  EXPECT_TRUE(has(all.err, "--freeze 1000: all 78 layers are frozen, nothing would be trained"))
      << all.err;
  EXPECT_FALSE(has(all.err, "label files")) << all.err;
  EXPECT_FALSE(fs::exists(folder("frozen")));
  // Later stages do not help the first epochs.
  const Outcome late = run(arguments("late", 9, {"--freeze", "78", "--unfreeze-at", "3:head"}));
  EXPECT_EQ(late.code, 2);
  EXPECT_TRUE(has(late.err, "nothing would be trained")) << late.err;
  EXPECT_EQ(run(arguments("head", 1, {"--freeze", "77"})).code, 0);
}

TEST_F(FailedStart, NoInputLiesInARunFolderThatIsUsedAgain) {
  const std::string hyp =
      read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/hyp/hyp.scratch.tiny.yaml");
  for (const char* verb : {"train", "evolve"}) {
    const fs::path used = folder(std::string("used_") + verb);
    write_text(used / "hyp.yaml", hyp);
    std::vector<std::string> call = arguments(used.filename().string(), 1, {"--exist-ok"});
    call[0] = verb;
    *std::next(std::find(call.begin(), call.end(), "--hyp")) = (used / "hyp.yaml").string();
    const Outcome refused = run(call);
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_TRUE(has(refused.err, "expected another file than --hyp, found the same"))
        << refused.err;
    EXPECT_EQ(read_text(used / "hyp.yaml"), hyp);
  }
  // The trials of a search are replaced as well.
  std::vector<std::string> call = arguments("trials", 1, {"--exist-ok"});
  call[0] = "evolve";
  const fs::path inside = folder("trials") / "trials/start.yaml";
  write_text(inside, hyp);
  *std::next(std::find(call.begin(), call.end(), "--hyp")) = inside.string();
  const Outcome refused = run(call);
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_TRUE(has(refused.err, "expected a file outside the search's folder")) << refused.err;
  EXPECT_EQ(read_text(inside), hyp);
}

TEST_F(FailedStart, TooFewLabelsForAnchorsKeepTheConfigurationsAndTrain) {
  const Outcome trained = run(one_label("few"));
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_TRUE(has(trained.err,
                  "expected at least as many labels as anchors (9), found 1; the anchors of the "
                  "configuration stay"))
      << trained.err;
  EXPECT_TRUE(fs::exists(folder("few") / "weights/best.pt"));
}

TEST_F(FailedStart, TooFewLabelsForPlaceholderAnchorsAreAWrongCall) {
  const fs::path hyp = *scratch / "placeholders.yaml";
  write_text(hyp, read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/hyp/hyp.scratch.tiny.yaml") +
                      "\nanchors: 2\n");
  std::vector<std::string> call = one_label("placeholders");
  *std::next(std::find(call.begin(), call.end(), "--hyp")) = hyp.string();
  const Outcome refused = run(call);
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "labels as anchors (6), found 1")) << refused.err;
  EXPECT_TRUE(has(refused.err, "label more objects, or set anchors: 0")) << refused.err;
  EXPECT_FALSE(fs::exists(folder("placeholders")));
}

TEST_F(FailedStart, AFolderThatWasThereStays) {
  std::vector<std::string> call = arguments("there", 1, {"--exist-ok"});
  *std::next(std::find(call.begin(), call.end(), "--data")) = (*scratch / "none.yaml").string();
  EXPECT_EQ(run(call).code, 1);
  EXPECT_FALSE(fs::exists(folder("there")));
  fs::create_directories(folder("there"));
  EXPECT_EQ(run(call).code, 1);
  EXPECT_TRUE(fs::exists(folder("there")));
}

}  // namespace
}  // namespace yolov7::test
