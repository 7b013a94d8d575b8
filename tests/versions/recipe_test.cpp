// Versions by recipes: what each step gives, by hand, and that every byte comes again.
#include "versions/recipe.hpp"

#include "image/codec/codec.hpp"
#include "tests/versions/version_fixture.hpp"
#include "versions/verify.hpp"

namespace yolov7::versions {
namespace {

class Recipe : public VersionFixture {
 protected:
  void SetUp() override {
    write_set(4, 2);
    parent_ = commit().entry.id;
  }
  Derived made(const std::string& recipe, int threads = 2) {
    scratch.write("recipe.yaml", recipe);
    Store from = store();
    return derive(from,
                  {"pets@v1", scratch / "recipe.yaml", "made", {}, "somebody", {threads, {}}});
  }
  Content content(const Derived& derived) {
    Store from = store();
    return from.content(derived.entry.id);
  }
  std::string labels(const Item& item) {
    Store from = store();
    return from.text(*item.annotations);
  }
  cv::Mat picture(const Item& item) {
    Store from = store();
    return read_picture(from.objects().path_of(item.image));
  }
  std::string refusal(const std::string& recipe) {
    return test::error_of([&] { made(recipe); });
  }
  Digest parent_{};
};

TEST_F(Recipe, FilterAndRemapTouchNoImage) {
  const Content one = content(made("steps: [{filter: {classes: [dog], drop_empty: true}}]"));
  ASSERT_EQ(one.items.size(), 3u);  // 1, 3 and 5 have a dog
  EXPECT_EQ(one.items[0].path, "images/train/1.bmp");
  EXPECT_EQ(hex(one.items[0].image), sha256(bitmap(1)));
  EXPECT_EQ(labels(one.items[0]), "yolo\n0 0.5 0.5 0.25 0.25\n");
  ASSERT_EQ(one.classes.classes.size(), 1u);
  EXPECT_NE(refusal("steps: [{filter: {classes: [dog, dog]}}]")
                .find("expected each class once, found 'dog' twice"),
            std::string::npos);
  const Content two = content(made("steps: [{remap: {cat: animal, dog: animal}}]"));
  ASSERT_EQ(two.classes.classes.size(), 1u);
  EXPECT_EQ(two.classes.classes[0].name, "animal");
  EXPECT_EQ(labels(two.items[1]), "yolo\n0 0.5 0.5 0.25 0.25\n");
}

// A quarter of 16 pixels is 4.
TEST_F(Recipe, FilterByPixels) {
  EXPECT_EQ(made("steps: [{filter: {least_side: 4}}]").entry.boxes, 6u);
  const Derived none = made("steps: [{filter: {least_side: 5}}]");
  EXPECT_EQ(none.entry.boxes, 0u);
  EXPECT_EQ(none.counts.at("boxes that are too small, dropped"), 6u);
}

TEST_F(Recipe, SplitDoesNotMoveWhatWasThere) {
  const std::string recipe = "seed: 5\nsteps: [{split: {train: 50, val: 30, test: 20}}]";
  const Content before = content(made(recipe));
  for (int i = 10; i < 40; ++i) {
    scratch.write("data/images/train/" + std::to_string(i) + ".bmp", bitmap(i));
    scratch.write("data/labels/train/" + std::to_string(i) + ".txt", row(0, 0.5));
  }
  commit();
  scratch.write("recipe.yaml", recipe);
  Store from = store();
  const Derived more =
      derive(from, {"pets@v2", scratch / "recipe.yaml", "made", {}, "somebody", {2, {}}});
  std::map<std::string, std::string> splits;
  std::map<std::string, int> counts;
  for (const Item& item : from.content(more.entry.id).items) {
    splits[item.path] = item.split;
    ++counts[item.split];
  }
  for (const Item& item : before.items) EXPECT_EQ(splits[item.path], item.split) << item.path;
  // 36 images: 18, 10.8, 7.2 on average, standard deviations 3, 2.7, 2.4.
  EXPECT_NEAR(counts["train"], 18, 9);
  EXPECT_NEAR(counts["val"], 10.8, 8);
  EXPECT_NEAR(counts["test"], 7.2, 7);
}

TEST_F(Recipe, ResizeKeepsFractions) {
  const Content one = content(made("steps: [{resize: {side: 8}}]"));
  EXPECT_EQ(one.items[2].path, "images/train/2.png");
  EXPECT_EQ(picture(one.items[2]).size(), cv::Size(8, 8));
  EXPECT_EQ(picture(one.items[2]).at<cv::Vec3b>(3, 3), cv::Vec3b(2, 2, 2));
  EXPECT_EQ(labels(one.items[2]), "yolo\n0 0.5 0.5 0.25 0.25\n");
  const Content two = content(made("steps: [{resize: {width: 32, height: 24}}]"));
  EXPECT_EQ(picture(two.items[0]).size(), cv::Size(32, 24));
}

// 0.bmp of train and 0.png of val become PNG; both would be images/0.png.
TEST_F(Recipe, ImagesOfTwoSplitsKeepAPathOfTheirOwn) {
  scratch.write("two/images/0.bmp", bitmap(10));
  scratch.write("two/images/0.png", encode_png(cv::Mat(16, 16, CV_8UC3, cv::Scalar(20, 20, 20))));
  scratch.write("two/train.txt", "./images/0.bmp\n");
  scratch.write("two/val.txt", "./images/0.png\n");
  scratch.write("two/data.yaml", "train: train.txt\nval: val.txt\nnames: [cat]\n");
  CreateOptions o = options("two");
  o.name = "two";
  create(o);
  scratch.write("recipe.yaml", "steps: [{resize: {side: 8}}]");
  Store from = store();
  const Derived derived =
      derive(from, {"two@v1", scratch / "recipe.yaml", "made", {}, "somebody", {2, {}}});
  const Content one = content(derived);
  ASSERT_EQ(one.items.size(), 2u);
  EXPECT_EQ(one.items[0].path, "images/0.png");
  EXPECT_EQ(one.items[0].split, "train");
  EXPECT_EQ(picture(one.items[0]).at<cv::Vec3b>(3, 3), cv::Vec3b(10, 10, 10));
  EXPECT_EQ(one.items[1].path, "images/0_2.png");
  EXPECT_EQ(one.items[1].split, "val");
  EXPECT_EQ(picture(one.items[1]).at<cv::Vec3b>(3, 3), cv::Vec3b(20, 20, 20));
}

// The box from 6 to 10 of 16 pixels; tiles from 0 and from 0 at a size of 16.
TEST_F(Recipe, TilesCutBoxes) {
  const Content one = content(
      made("steps: [{resize: {side: 32}}, {tile: {size: 16, overlap: 0, least_part: 0.2}}]"));
  ASSERT_EQ(one.items.size(), 24u);
  EXPECT_EQ(one.items[0].path, "images/train/0_x0_y0.png");
  EXPECT_EQ(picture(one.items[0]).size(), cv::Size(16, 16));
  // 12 to 20 of 32: 12 to 16 in the first tile, a quarter of the box.
  EXPECT_EQ(labels(one.items[0]), "yolo\n0 0.875 0.875 0.25 0.25\n");
  // No tile has more than a quarter of the one box of each image.
  const Derived cut =
      made("steps: [{resize: {side: 32}}, {tile: {size: 16, overlap: 0, least_part: 0.3}}]");
  EXPECT_EQ(labels(content(cut).items[0]), "yolo\n");
  EXPECT_EQ(cut.counts.at("boxes of which no tile has enough, dropped"), 6u);
}

// Of 32 px the box from 12 to 20, a point at (14, 13) that is visible and one at (18, 16) that is
// hidden; tiles of 16 px. A point on the edge of a tile lies in it.
TEST_F(Recipe, TilesKeepTheKeyPointsThatLieInThem) {
  scratch.write("data/labels/train/0.txt",
                "0 0.5 0.5 0.25 0.25 0.4375 0.40625 2 0.5625 0.5 1\n0 0.25 0.25 0.125 0.125\n");
  scratch.write("data/data.yaml",
                test::read_text(scratch / "data/data.yaml") + "kpt_shape: [2, 3]\n");
  commit();
  scratch.write("recipe.yaml",
                "steps: [{resize: {side: 32}}, {tile: {size: 16, overlap: 0, least_part: 0.2}}]");
  Store from = store();
  const Derived made =
      derive(from, {"pets@v2", scratch / "recipe.yaml", "made", {}, "somebody", {2, {}}});
  const Content one = from.content(made.entry.id);
  EXPECT_EQ(labels(one.items[0]),
            "yolo\n0 0.875 0.875 0.25 0.25 0.875 0.8125 2 0 0 0\n0 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(one.items[1].path, "images/train/0_x0_y16.png");
  EXPECT_EQ(labels(one.items[1]), "yolo\n0 0.875 0.125 0.25 0.25 0 0 0 0 0 0\n");
  EXPECT_EQ(labels(one.items[2]), "yolo\n0 0.125 0.875 0.25 0.25 0 0 0 0.125 1 1\n");
  EXPECT_EQ(labels(one.items[3]), "yolo\n0 0.125 0.125 0.25 0.25 0 0 0 0.125 0 1\n");
  EXPECT_EQ(made.counts.at("key points outside of their tile, not labelled there"), 5u);
  EXPECT_EQ(one.classes.key_points, 2);
  EXPECT_EQ(one.classes.key_point_values, 3);
}

TEST_F(Recipe, AugmentRefusesKeyPoints) {
  scratch.write("data/data.yaml",
                test::read_text(scratch / "data/data.yaml") + "kpt_shape: [2, 3]\n");
  commit();
  scratch.write("recipe.yaml", "steps: [{augment: {transforms: [{name: HorizontalFlip, p: 1}]}}]");
  Store from = store();
  EXPECT_NE(test::error_of([&] {
              derive(from, {"pets@v2", scratch / "recipe.yaml", "made", {}, "somebody", {2, {}}});
            }).find("without key points"),
            std::string::npos);
}

// Parts of one image stay together.
TEST_F(Recipe, TilesOfOneImageGetOneSplit) {
  const Content one = content(
      made("steps: [{resize: {side: 32}}, {tile: {size: 16}}, {split: {train: 50, val: 50}}]"));
  std::map<std::string, std::set<std::string>> splits;
  for (const Item& item : one.items)
    splits[item.path.substr(0, item.path.find('_'))].insert(item.split);
  EXPECT_EQ(splits.size(), 6u);
  for (const auto& [path, set] : splits) EXPECT_EQ(set.size(), 1u) << path;
}

TEST_F(Recipe, AugmentAddsToTheTrainSplit) {
  const Derived derived =
      made("seed: 3\nsteps: [{augment: {times: 2, transforms: [{name: HorizontalFlip, p: 1}]}}]");
  const Content one = content(derived);
  EXPECT_EQ(one.items.size(), 4u + 2 * 4 + 2);
  EXPECT_EQ(one.items[1].path, "images/train/0_aug1.png");
  EXPECT_EQ(one.items[0].path, "images/train/0.bmp");
  EXPECT_EQ(labels(one.items[1]), "yolo\n0 0.5 0.5 0.25 0.25\n");  // in the middle
}

TEST_F(Recipe, EveryByteComesAgain) {
  const std::string recipe =
      "seed: 11\nsteps:\n  - resize: {side: 24}\n  - tile: {size: 16, overlap: 0.5}\n"
      "  - augment: {times: 2, transforms: [{name: GaussNoise, p: 1}, {name: Rotate, p: 0.5}]}\n"
      "  - split: {train: 60, val: 40}\n";
  const Derived first = made(recipe, 1);
  EXPECT_FALSE(first.already_there);
  EXPECT_TRUE(made(recipe, 4).already_there);
  Store from = store();
  EXPECT_EQ(recreate(from, first.entry.id, {3, {}}), first.entry.id);
  EXPECT_TRUE(verify(from, {{}, 2, {}}).damages.empty());
  EXPECT_NE(made("seed: 12" + recipe.substr(8)).entry.id, first.entry.id);
  EXPECT_NE(test::error_of([&] { recreate(from, parent_, {}); }).find("made by a recipe"),
            std::string::npos);
  for (const auto& entry : fs::directory_iterator(scratch / "store"))
    EXPECT_FALSE(entry.path().filename().string().starts_with("made.")) << entry.path();
}

TEST_F(Recipe, WrongOnesAreNamedWithTheirPlace) {
  EXPECT_NE(refusal("steps: [{resise: {side: 4}}]").find("did you mean 'resize'"),
            std::string::npos);
  EXPECT_NE(refusal("steps: [{resize: {sid: 4}}]").find("recipe.yaml:1"), std::string::npos);
  EXPECT_NE(refusal("steps: [{filter: {classes: [dgo]}}]").find("did you mean 'dog'"),
            std::string::npos);
  EXPECT_NE(refusal("steps: [{split: {train: 50}}]").find("with the sum 100"), std::string::npos);
  EXPECT_NE(refusal("steps: []").find("expected a list of steps"), std::string::npos);
  EXPECT_NE(refusal("step: []").find("expected seed and steps"), std::string::npos);
  EXPECT_NE(refusal("steps: [{resize: {side: 4, width: 3, height: 3}}]").find("expected side"),
            std::string::npos);
  EXPECT_EQ(store().history().size(), 1u);
}

}  // namespace
}  // namespace yolov7::versions
