#include "dataset/formats/yolo.hpp"

#include <fmt/format.h>

#include "core/value.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

using YoloFiles = test::FormatFiles;

TEST(YoloRows, EachKindByHand) {
  const YoloRows rows = parse_yolo_rows(
      "\xEF\xBB\xBF"
      "2 0.5 0.5 0.2 0.4\r\n"
      "\n"
      "0.0\t0.1 0.2  0.3 0.2 0.3 0.4 \n"
      "1 -0.00001 0.5 0.2 0.2\n",
      {});
  ASSERT_EQ(rows.objects.size(), 3u);
  EXPECT_EQ(rows.objects[0].class_index, 2);
  EXPECT_EQ(rows.objects[0].box, (Xyxy{0.4, 0.3, 0.6, 0.7}));
  EXPECT_EQ(rows.objects[1].line, 3);
  EXPECT_EQ(rows.objects[1].box, (Xyxy{0.1, 0.2, 0.3, 0.4}));
  EXPECT_EQ(rows.objects[1].rings.front().size(), 3u);
  EXPECT_EQ(rows.objects[2].fault, "");  // six decimals round beyond the edge: clipped later
}

TEST(YoloRows, BadRowsSayWhatAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"0 0.5 0.5 0.2",
       "expected 5 columns per label (or an odd number from 7 for a polygon), "
       "found 4"},
      {"0 0.5 0.5 0.2 0.2 0.9", "a prediction's score stands last"},
      {"0 0,5 0.5 0.2 0.2",
       "expected a number in column 2, found '0,5' (decimals are written with "
       "a point)"},
      {"0 nan 0.5 0.2 0.2", "expected a number in column 2, found 'nan'"},
      {"0 320 240 100 50", "expected a fraction of the image in column 2, found '320'"},
      {"1.5 0.5 0.5 0.2 0.2", "expected a whole class number, found '1.5'"},
      {"-1 0.5 0.5 0.2 0.2", "expected a whole class number, found '-1'"},
      {"9223372036854775808 0.5 0.5 0.2 0.2", "expected a whole class number"},
      {"0 0.5 0.5 -0.2 0.2", "width or height is below 0"},
      {"0 0.1 0.1 0.2 0.1 0.2 0.2 0.3", "found 8"}};
  for (const auto& [row, words] : cases) {
    const YoloRows rows = parse_yolo_rows(row, {});
    ASSERT_EQ(rows.objects.size(), 1u) << row;
    EXPECT_NE(rows.objects[0].fault.find(words), std::string::npos) << rows.objects[0].fault;
  }
}

TEST(YoloRows, KeyPointsAndPredictionsOnlyWhereTheyAreExpected) {
  const YoloRows pose =
      parse_yolo_rows("0 0.5 0.5 0.2 0.2 0.1 0.1 2 0.3 0.3 0\n0 0.5 0.5 0.2 0.2", {6, false});
  EXPECT_EQ(pose.objects[0].key_points, (std::vector<KeyPoint>{{"1", {0.1, 0.1}, false}}));
  EXPECT_TRUE(pose.objects[1].key_points.empty());
  EXPECT_EQ(pose.objects[0].fault, "");
  EXPECT_EQ(pose.objects[1].fault, "");
  const YoloRows scored = parse_yolo_rows("0 0.5 0.5 0.2 0.2 0.75", {0, true});
  EXPECT_EQ(scored.objects[0].score, 0.75);
}

TEST_F(YoloFiles, KeyPointsWithoutKptShapeAreKnownByTheirShapeOrRefused) {
  image("images/a.png");
  image("images/b.png");
  file("data.yaml", "train: images\nnames: [x]\n");
  file("labels/a.txt", "0 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 0.6 1\n");
  file("labels/b.txt", "0 0.5 0.5 0.2 0.4 0.45 0.4 1 0 0 0\n");
  AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 2u);
  EXPECT_TRUE(set.images[0].objects.at(0).rings.empty());
  EXPECT_NEAR(set.images[0].objects.at(0).box.x1, 30, 1e-12);  // 100 px wide
  EXPECT_EQ(set.images[0].objects[0].key_points.size(), 2u);
  EXPECT_TRUE(set.images[0].objects[0].key_points[1].hidden);
  EXPECT_EQ(set.images[1].objects.at(0).key_points.size(), 1u);  // 0 0 0 is not labelled
  EXPECT_TRUE(noted("like key points")) << said();
  file("labels/a.txt", "");
  EXPECT_NE(fault("yolo").find("labels/b.txt:1: found 11 columns"), std::string::npos)
      << fault("yolo");
  file("data.yaml", "train: images\nnames: [x]\nkpt_shape: [0, 0]\n");
  set = read("yolo");
  EXPECT_EQ(set.images[1].objects.at(0).rings.size(), 1u);
}

TEST_F(YoloFiles, AWrittenPolygonIsReadAsOne) {
  image("images/a.png");
  file("data.yaml", "train: images\nnames: [x]\nkpt_shape: [0, 0]\n");
  file("labels/a.txt", "0 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6\n");
  options.source = source;
  options.out = folder / "written";
  EXPECT_EQ(convert(options).boxes.out, 1u);
  source = folder / "written";
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 1u);
  EXPECT_EQ(set.images[0].objects.at(0).rings.size(), 1u);
}

TEST_F(YoloFiles, NamesThatNoClassHasAreRefusedOrNoted) {
  image("images/a.png");
  file("data.yaml", "train: images\nnames: [cat, dog]\n");
  file("labels/a.txt", "0 0.5 0.5 0.4 0.4\n");
  options.prepare.names = {"cta", "bird"};
  EXPECT_EQ(fault("yolo"),
            "names: expected classes of the source (cat, dog), found none of these: 'cta', did you "
            "mean 'cat'?, 'bird'");
  options.prepare.names = {"cat", "bird"};
  EXPECT_EQ(read("yolo").images.size(), 1u);
  EXPECT_TRUE(noted("the source has no class of these names: 'bird'")) << said();
}

TEST_F(YoloFiles, EmptyAndMissingLabelFilesAreTwoThings) {
  image("images/a.png");
  image("images/b.png");
  image("images/c.png");
  file("labels/a.txt", "1 0.5 0.5 0.2 0.4\n5 0.5 0.5 0.2 0.2\n");
  file("labels/b.txt", "");
  file("data.yaml", "train: images\nnames: {0: x, 1: 'y: z'}\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 3u);
  ASSERT_EQ(set.images[0].objects.size(), 1u);
  const Xyxy& box = set.images[0].objects[0].box;  // 100 × 50 px
  EXPECT_NEAR(box.x1, 40, 1e-12);
  EXPECT_NEAR(box.y1, 15, 1e-12);
  EXPECT_NEAR(box.x2, 60, 1e-12);
  EXPECT_NEAR(box.y2, 35, 1e-12);
  EXPECT_TRUE(dropped("class 5 is out of range 0..1")) << said();
  EXPECT_EQ(set.images[1].state, ImageState::empty_on_purpose);
  EXPECT_EQ(set.images[2].state, ImageState::not_annotated);
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"x", "y: z"}));
}

TEST_F(YoloFiles, ALabelFileWithoutAnImageIsDroppedByNameWithItsBoxes) {
  image("images/a.png");
  file("labels/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("labels/orphan.txt", "0 0.5 0.5 0.2 0.4\n0 0.2 0.2 0.1 0.1\n");
  file("data.yaml", "train: images\nnames: [x]\n");
  const AnnotatedSet set = read("yolo");
  EXPECT_EQ(set.images.size(), 1u);
  EXPECT_EQ(account.boxes.in, 3u) << said();
  EXPECT_EQ(account.boxes.out, 1u) << said();
  EXPECT_TRUE(dropped("label file without an image")) << said();
}

TEST_F(YoloFiles, BoxesOfImagesOutsideTheSplitsAreCounted) {
  image("images/train/a.png");
  image("images/extra/b.png");
  image("images/extra/c.png");
  file("labels/train/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("labels/extra/b.txt", "0 0.5 0.5 0.2 0.4\n0 0.2 0.2 0.1 0.1\n");
  file("data.yaml", "train: images/train\nnames: [x]\n");
  const AnnotatedSet set = read("yolo");
  EXPECT_EQ(set.images.size(), 1u);
  EXPECT_EQ(account.annotations.in, 2u);
  EXPECT_EQ(account.boxes.in, 3u) << said();
  EXPECT_EQ(account.boxes.out, 1u) << said();
  EXPECT_EQ(account.pictures.dropped, 2u) << said();
  EXPECT_TRUE(dropped("in none of the splits, which are those of data.yaml")) << said();
  EXPECT_FALSE(noted("are in no split")) << said();
}

TEST_F(YoloFiles, NoImageGetsTheLabelsOfAnotherOne) {
  for (const char* name : {"images/train/a.png", "images/train/b.png", "images/val/a.png"})
    image(name);
  file("labels/train/b.txt", "0 0.5 0.5 0.2 0.4\n");
  file("labels/val/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("data.yaml", "train: images/train\nval: images/val\nnames: [x]\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 3u) << said();
  EXPECT_EQ(set.images[0].written, "images/train/a.png");
  EXPECT_EQ(set.images[0].state, ImageState::not_annotated);
  EXPECT_EQ(account.boxes.in, 2u) << said();
}

TEST_F(YoloFiles, LabelsInAFolderOfTheirOwnAreFoundWhereTheyFitOneImage) {
  for (const char* name : {"photos/a.png", "photos/b.png", "scans/b.png"}) image(name);
  file("texts/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("texts/b.txt", "0 0.5 0.5 0.2 0.4\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 1u) << said();
  EXPECT_EQ(set.images[0].written, "photos/a.png");
  EXPECT_EQ(set.images[0].objects.size(), 1u);
  EXPECT_TRUE(dropped("ambiguous labels: texts/b.txt fits 2 images")) << said();
}

TEST_F(YoloFiles, ImagesInNoSplitTakeNoLabelsAway) {
  for (const char* name : {"images/train/a.png", "raw/a.png"}) image(name);
  file("texts/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("data.yaml", "train: images/train\nnames: [x]\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 1u) << said();
  EXPECT_EQ(set.images[0].written, "images/train/a.png");
  EXPECT_EQ(set.images[0].objects.size(), 1u) << said();
}

TEST_F(YoloFiles, TheSideFileIsReadWhereAnImageIsGone) {
  image("images/a.png");
  file("labels/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("labels/gone.txt", "0 0.5 0.5 0.2 0.4\n");
  file("data.yaml", "train: images\nnames: [x]\n");
  file("annotations.extra.jsonl",
       R"({"image": "images/gone.png", "row": 0, "label": "0 0.5 0.5 0.2 0.4", "id": "8"})"
       "\n"
       R"({"image": "images/a.png", "row": 0, "label": "0 0.5 0.5 0.2 0.4", "id": "7"})"
       "\n");
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 1u) << said();
  EXPECT_EQ(set.images[0].objects.at(0).id, "7");
  EXPECT_TRUE(dropped("label file without an image")) << said();
  EXPECT_TRUE(noted("'images/gone.png' is no image of this data set")) << said();
}

TEST_F(YoloFiles, ForeignPathsAreFoundInsideTheSourceAlone) {
  test::write_gray(folder / "outside/train/images/s.png", 20, 20, 7);
  image("train/images/a.png");
  image("valid/images/b.png");
  file("train/labels/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("valid/labels/b.txt", "0 0.5 0.5 0.2 0.4\n");
  file("data.yaml", fmt::format("train: /home/x/set/train/images\nval: ../valid/images\n"
                                "test: {}\nnames: [a]\n",
                                (folder / "outside/train").string()));
  const AnnotatedSet set = read("yolo");
  ASSERT_EQ(set.images.size(), 2u) << said();
  EXPECT_EQ(set.images[0].split, "train");
  EXPECT_EQ(set.images[1].split, "val");
  EXPECT_TRUE(noted("is taken to be train/images")) << said();
}

TEST_F(YoloFiles, ADotIsTheFolderOfItsDescription) {
  image("a.png");
  file("a.txt", "0 0.5 0.5 0.2 0.4\n");
  for (const char* train : {".", "./"}) {
    file("data.yaml", fmt::format("train: {}\nnames: [x]\n", train));
    const AnnotatedSet set = read("yolo");
    ASSERT_EQ(set.images.size(), 1u) << train << said();
    EXPECT_EQ(set.images[0].split, "train");
    EXPECT_TRUE(account.notes.empty()) << said();
  }
  file("data.yaml", "train: ''\nnames: [x]\n");
  EXPECT_NE(fault("yolo").find("expected images at 'train: ', found none"), std::string::npos)
      << fault("yolo");
}

TEST_F(YoloFiles, AGuessInAListIsNotedWhereverItStands) {
  image("images/a.png");
  image("images/deep/b.png");
  file("labels/a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("labels/deep/b.txt", "0 0.5 0.5 0.2 0.4\n");
  file("train.txt", "images/a.png\nb.png\n");
  file("data.yaml", "train: train.txt\nnames: [x]\n");
  EXPECT_EQ(read("yolo").images.size(), 2u) << said();
  EXPECT_TRUE(noted("'b.png' is images/deep/b.png: the name is the same")) << said();
}

TEST_F(YoloFiles, DescriptionsThatFitNothingAreErrors) {
  image("a.png");
  file("a.txt", "0 0.5 0.5 0.2 0.4\n");
  file("data.yaml", "train: nowhere\nnames: [a]\n");
  EXPECT_NE(fault("yolo").find("expected images at 'train: nowhere', found none"),
            std::string::npos);
  file("other.yaml", "train: .\nnames: [a]\n");
  EXPECT_NE(fault("yolo").find("expected one description of the data set, found data.yaml and "
                               "other.yaml"),
            std::string::npos);
  std::filesystem::remove(source / "other.yaml");
  file("data.yaml", "train: .\nnames: {a: b}\n");
  EXPECT_NE(fault("yolo").find("expected class numbers 0..100000 as keys of names, found 'a'"),
            std::string::npos);
}

TEST_F(YoloFiles, BarePairsAreCalledByTheirNumbers) {
  image("a.png");
  file("a.txt", "3 0.5 0.5 0.2 0.4\n");
  EXPECT_EQ(names_of(read("auto")), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_TRUE(noted("no file names the 4 classes")) << said();
}

TEST_F(YoloFiles, AnotherListOfClassesIsNoted) {
  for (const char* place : {"a", "b", "c"}) {
    image(fmt::format("{0}/{0}.png", place));
    file(fmt::format("{0}/{0}.txt", place), "1 0.5 0.5 0.2 0.2\n");
  }
  file("a/classes.txt", "cat\ndog\n");
  file("b/classes.txt", "dog\ncat\n");
  file("c/classes.txt", "cat\r\ndog");
  const AnnotatedSet set = read("yolo");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"cat", "dog"}));
  std::vector<std::string> files;
  for (const Problem& note : account.notes)
    if (note.reason == "left out: its names are not those of a/classes.txt, which count")
      files.push_back(note.file.string());
  EXPECT_EQ(files, std::vector<std::string>{"b/classes.txt"}) << said();
}

TEST_F(YoloFiles, SplitsOfOtherNamesHaveAKeyOfTheirOwnAndANote) {
  for (const char* split : {"train", "nc", "#x"}) {
    image(fmt::format("images/{0}/{0}.png", split));
    file(fmt::format("annotations/instances_{}.json", split),
         fmt::format(R"({{"images": [{{"id": 1, "file_name": "{}.png"}}], "annotations": [
{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 30]}}],
"categories": [{{"id": 1, "name": "b"}}]}})",
                     split));
  }
  const Conversion out = write("yolo");
  const Value data = parse_yaml(test::read_text(folder / "yolo/data.yaml"), "data.yaml");
  for (const auto& [key, value] : {std::pair("train", "images/train"),
                                   {"nc", "1"},
                                   {"nc_split", "images/nc"},
                                   {"#x", "images/#x"}}) {
    ASSERT_NE(data.find(key), nullptr) << key;
    EXPECT_EQ(data.find(key)->text(), value);
  }
  std::vector<std::string> notes;
  for (const Problem& note : out.notes)
    if (note.file == "data.yaml") notes.push_back(note.reason);
  EXPECT_EQ(notes, (std::vector<std::string>{
                       "the split '#x' is neither train, val nor test: its entry is called '#x', "
                       "which training and reading pass over",
                       "the split 'nc' is neither train, val nor test: its entry is called "
                       "'nc_split', which training and reading pass over"}));
}

TEST_F(YoloFiles, NamesOfADescriptionWithoutSplits) {
  image("images/a.png");
  file("labels/a.txt", "1 0.5 0.5 0.2 0.2\n");
  file("data.yaml", "names:\n- cat\n- dog\nnc: 2\n");  // as supervision writes it
  const AnnotatedSet set = read("yolo");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"cat", "dog"}));
}

}  // namespace
}  // namespace yolov7::dataset
