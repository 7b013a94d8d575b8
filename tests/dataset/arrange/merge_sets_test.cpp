// Data sets put together and parts of them: counts in are counts out and named reasons.
#include "dataset/arrange/merge_sets.hpp"

#include <gtest/gtest.h>

#include "dataset/arrange/subset.hpp"
#include "tests/dataset/arrange/arrange_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

std::string rows_of(const fs::path& label) { return test::read_text(label); }

class MergeSets : public testing::Test {
 protected:
  void SetUp() override {
    add_image(scratch / "a", "train", "one", 1, "0 0.5 0.5 0.25 0.5\n1 0.25 0.25 0.125 0.125\n");
    add_image(scratch / "a", "train", "two", 2, "");
    add_image(scratch / "a", "val", "three", 3, "1 0.5 0.5 0.5 0.5\n");
    add_image(scratch / "b", "train", "one", 11, "0 0.5 0.5 0.25 0.5\n2 0.5 0.5 0.5 0.5\n");
    add_image(scratch / "b", "val", "four", 12, "1 0.5 0.5 0.25 0.25\n");
    options.data = {add_description(scratch / "a", "[cat, dog]"),
                    add_description(scratch / "b", "[dog, bird, cat]")};
    options.out = scratch / "out";
  }
  test::ScratchFolder scratch;
  MergeOptions options;
};

TEST_F(MergeSets, ClassesAreJoinedByName) {
  const auto a = snapshot(scratch / "a"), b = snapshot(scratch / "b");
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(account.names, (std::vector<std::string>{"cat", "dog", "bird"}));
  EXPECT_EQ(account.pictures.out, 5u);
  EXPECT_EQ(account.boxes.out, 6u);
  EXPECT_EQ(rows_of(scratch / "out/labels/train/one.txt"),
            "0 0.5 0.5 0.25 0.5\n1 0.25 0.25 0.125 0.125\n");
  // b's dog is class 1, its cat class 0; its image has the name of another one.
  EXPECT_EQ(rows_of(scratch / "out/labels/train/one_2.txt"),
            "1 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.5 0.5\n");
  EXPECT_EQ(rows_of(scratch / "out/labels/val/four.txt"), "2 0.5 0.5 0.25 0.25\n");
  ASSERT_EQ(account.renamed.size(), 1u);
  EXPECT_EQ(account.renamed.front().second, "one_2.png");
  EXPECT_EQ(snapshot(scratch / "a"), a);
  EXPECT_EQ(snapshot(scratch / "b"), b);
}

TEST_F(MergeSets, ChangedClassesJoinDropAndTell) {
  options.changes = parse_class_changes({"bird=", "dog=cat"});
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(account.names, (std::vector<std::string>{"cat"}));
  EXPECT_EQ(account.boxes.in, 6u);
  EXPECT_EQ(account.boxes.out, 5u);
  ASSERT_EQ(account.drops.size(), 1u);
  EXPECT_TRUE(has(account.drops.front().reason, "its class 'bird' is dropped"));
}

TEST_F(MergeSets, BoxesThatBecomeEqualAreOne) {
  add_image(scratch / "a", "train", "pair", 5, "0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5\n");
  options.data.resize(1);
  options.changes = parse_class_changes({"dog=cat"});
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(rows_of(scratch / "out/labels/train/pair.txt"), "0 0.5 0.5 0.5 0.5\n");
  ASSERT_EQ(account.drops.size(), 1u);
  EXPECT_TRUE(has(account.drops.front().reason, "there already under the new classes"));
}

TEST_F(MergeSets, TheSameImageIsTakenOnce) {
  // The same labels in other words: b's dog is a's class 1.
  add_image(scratch / "b", "val", "again", 3, "0 0.5 0.5 0.5 0.5\n");
  add_image(scratch / "b", "val", "other_split", 2, "");
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(account.pictures.in, 7u);
  EXPECT_EQ(account.pictures.out, 5u);
  ASSERT_EQ(account.drops.size(), 2u);
  EXPECT_TRUE(has(account.drops[0].reason, "the same image as"));
  const auto result = contents(scratch / "out/data.yaml");
  EXPECT_EQ(result.count("train"), 2u);  // image 2 went to val, where b has it
  EXPECT_EQ(result.count("val"), 3u);
}

TEST_F(MergeSets, OtherLabelsOfTheSameImageAreAnErrorThatNamesBoth) {
  add_image(scratch / "b", "val", "again", 3, "1 0.5 0.5 0.5 0.5\n");
  const std::string error = test::error_of([&] { merge_sets(options); });
  EXPECT_TRUE(has(error, "a/images/val/three.png and ")) << error;
  EXPECT_TRUE(has(error, "b/images/val/again.png are the same image with other labels (1 and 1"))
      << error;
  EXPECT_FALSE(fs::exists(scratch / "out"));
  for (const auto& [prefer, rows] : {std::pair(Prefer::first, "1 0.5 0.5 0.5 0.5\n"),
                                     std::pair(Prefer::last, "2 0.5 0.5 0.5 0.5\n")}) {
    options.prefer = prefer;
    options.out = scratch / (prefer == Prefer::first ? "first" : "last");
    expect_balance(merge_sets(options));
    EXPECT_EQ(rows_of(options.out / "labels/val/three.txt"), rows);
  }
}

TEST_F(MergeSets, BrokenImagesAndRowsAreCounted) {
  test::write_text(scratch / "a/images/train/broken.png", "no image");
  add_image(scratch / "a", "train", "twice", 6, "0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n");
  add_image(scratch / "a", "train", "bad", 7, "0 0.5\n");
  test::write_text(scratch / "a/labels/train/orphan.txt", "0 0.5 0.5 0.5 0.5\n");
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(account.pictures.dropped, 2u);     // broken and bad
  EXPECT_EQ(account.boxes.dropped, 3u);        // the second of two equal rows, bad's, orphan's
  EXPECT_EQ(account.annotations.dropped, 2u);  // bad and orphan
}

class Subset : public MergeSets {
 protected:
  Conversion take() {
    part.data = options.data.front();
    part.out = options.out;
    Conversion account = subset(part);
    expect_balance(account);
    return account;
  }
  SubsetOptions part;
};

TEST_F(Subset, ByClassKeepsAllBoxesOfItsImages) {
  part.with_classes = {"cat"};
  const Conversion account = take();
  EXPECT_EQ(account.pictures.out, 1u);
  EXPECT_EQ(account.boxes.out, 2u);
  EXPECT_EQ(account.drops.front().reason, "no box of a wanted class");
  EXPECT_EQ(contents(options.out / "data.yaml").count("train"), 1u);
}

TEST_F(Subset, OnlySomeClassesDropsBoxesByName) {
  part.only_classes = {"dog"};
  EXPECT_TRUE(has(test::error_of([&] { take(); }), "lists leave the labels"));
  part.placement = Placement::copy;
  part.only_classes = {"dog", "dog"};
  EXPECT_TRUE(has(test::error_of([&] { take(); }), "expected each class once, found 'dog' twice"));
  part.only_classes = {"dog"};
  const Conversion account = take();
  EXPECT_EQ(account.names, (std::vector<std::string>{"dog"}));
  EXPECT_EQ(account.pictures.out, 3u);
  EXPECT_EQ(account.boxes.dropped, 1u);
  EXPECT_EQ(rows_of(options.out / "labels/train/one.txt"), "0 0.25 0.25 0.125 0.125\n");
}

TEST_F(Subset, ByNumberIsPerSplitAndBySeed) {
  for (int i = 0; i < 20; ++i)
    add_image(scratch / "a", "train", fmt::format("more{}", i), 100 + i, "0 0.5 0.5 0.5 0.5\n");
  part.count = 5;
  EXPECT_EQ(take().pictures.out, 6u);  // 5 of train, the one of val
  const auto first = contents(options.out / "data.yaml");
  options.out = scratch / "again";
  take();
  EXPECT_EQ(contents(options.out / "data.yaml"), first);
  part.count = 0;
  part.percent = 50;
  options.out = scratch / "half";
  EXPECT_EQ(take().splits.front().pictures, 11u);
}

TEST_F(Subset, ByListAndBySplit) {
  part.list = scratch.write("list.txt", (scratch / "a/images/train/two.png").string() + "\n");
  EXPECT_EQ(take().pictures.out, 1u);
  scratch.write("list.txt", (scratch / "b/images/train/one.png").string() + "\n");
  options.out = scratch / "wrong";
  EXPECT_TRUE(has(test::error_of([&] { take(); }), "expected images of the data set, found"));
  part.list.clear();
  part.splits = {"val"};
  EXPECT_EQ(take().pictures.out, 1u);
  part.with_classes = {"dgo"};
  options.out = scratch / "none";
  EXPECT_TRUE(has(test::error_of([&] { take(); }), "did you mean 'dog'?"));
}

}  // namespace
}  // namespace yolov7::dataset
