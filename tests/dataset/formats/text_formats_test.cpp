// KITTI, DOTA, WIDER FACE, CSV and OpenImages by hand, with bad input.
#include "core/file.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/text_rows.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

using TextFormats = test::FormatFiles;

TEST(Csv, QuotesSeparatorsAndLines) {
  const auto rows = parse_csv(
      "\xEF\xBB\xBF"
      "a,\"b,\"\"c\"\"\nd\",\r\n\n;x;\n\"\",e\n",
      "a.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].cells, (std::vector<std::string>{"a", "b,\"c\"\nd", ""}));
  EXPECT_EQ(rows[1].cells, std::vector<std::string>{";x;"});
  EXPECT_EQ(rows[1].line, 4);
  EXPECT_EQ(rows[2].cells, (std::vector<std::string>{"", "e"}));
  EXPECT_EQ(parse_csv("a;b;c,d\n", "").at(0).cells.size(), 3u);
  EXPECT_EQ(test::error_of([] { parse_csv("a\n\"b", "a.csv"); }),
            "a.csv:2: expected a quote that closes the cell, found the end of the file");
}

TEST_F(TextFormats, KittiCountsColumnsFromTheRight) {
  image("training/image_2/a.png");
  file("training/label_2/a.txt",
       "Person sitting 0.25 2 -1.5 10 11 30 31 1 2 3 4 5 6 0.5\n"
       "Car 0 0 -10 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10 0.75\n"
       "DontCare -1 -1 -10 50 1 60 20 -1 -1 -1 -1000 -1000 -1000 -10\n"
       "Car 0 0 -10 1 2 3\n"
       "Car 0 0 -10 nan 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n");
  const AnnotatedSet set = read("kitti");
  const auto& objects = set.images.at(0).objects;
  ASSERT_EQ(objects.size(), 3u) << said();
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"Person sitting", "Car", "DontCare"}));
  EXPECT_EQ(objects[0].box, (Xyxy{10, 11, 30, 31}));
  EXPECT_TRUE(objects[0].truncated);
  EXPECT_TRUE(objects[0].occluded);
  EXPECT_FALSE(objects[0].score);
  EXPECT_EQ(objects[1].score, 0.75);
  EXPECT_TRUE(objects[2].ignore);
  EXPECT_TRUE(dropped("expected a class and 14 or 15 numbers, found 7 columns")) << said();
  EXPECT_EQ(account.boxes.in, 5u);
}

TEST_F(TextFormats, KittiClassesWithNumbers) {
  image("training/image_2/a.png");
  file("training/label_2/a.txt",
       "Route 66 sign 0 0 -10 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10\n"
       "Route 66 sign 0 0 -10 5 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10 0.75\n"
       "Car 2 0 0 -10 1 2 30 40 -1 -1 -1 -1000 -1000 -1000 -10 0.75\n");
  const AnnotatedSet set = read("kitti");
  EXPECT_EQ(names_of(set), std::vector<std::string>{"Route 66 sign"});
  const auto& objects = set.images.at(0).objects;
  ASSERT_EQ(objects.size(), 2u) << said();
  EXPECT_EQ(objects[0].box, (Xyxy{1, 2, 30, 40}));
  EXPECT_FALSE(objects[0].score);
  EXPECT_EQ(objects[1].box, (Xyxy{5, 2, 30, 40}));
  EXPECT_EQ(objects[1].score, 0.75);
  EXPECT_TRUE(dropped("expected a class and 14 or 15 numbers, found 16 numbers")) << said();
  EXPECT_EQ(account.drops.at(0).line, 3);
}

/// A file of an image is read whatever its first row is.
TEST_F(TextFormats, ABadFirstRowDoesNotHideAFile) {
  image("images/a.png");
  image("images/b.png");
  file("labelTxt/a.txt", "10 10 40 10 40 30 10 30 ship 0\n");
  file("labelTxt/b.txt", "10 20 40 20 40 40 10 40 0 0\n50 10 90 10 90 30 50 30 ship 0\nrubbish\n");
  const AnnotatedSet set = read("dota");
  ASSERT_EQ(set.images.size(), 2u) << said();
  EXPECT_EQ(account.boxes.in, 4u) << said();
  EXPECT_EQ(account.boxes.in, account.boxes.out + account.boxes.dropped) << said();
  EXPECT_GE(account.boxes.out, 2u) << said();
}

TEST_F(TextFormats, DotaKeepsTurnedBoxes) {
  image("train/images/a.png");
  // A rectangle of 20 × 10 px turned by 90 degrees: it begins at the upper right.
  file("train/labelTxt/a.txt",
       "imagesource:GoogleEarth\ngsd:0.1\n"
       "30 10 30 30 20 30 20 10 ship 1\n"
       "1 1 5 1 5 5 1 6 harbor 0\n"
       "1 1 5 1 5 5 1 ship 0\n"
       "1 1 5 1 5 5 1 x5 ship 0\n");
  const AnnotatedSet set = read("dota");
  const auto& objects = set.images.at(0).objects;
  ASSERT_EQ(objects.size(), 2u) << said();
  EXPECT_EQ(objects[0].box, (Xyxy{20, 10, 30, 30}));
  ASSERT_TRUE(objects[0].rotation);
  EXPECT_NEAR(objects[0].rotation->degrees, 90, 1e-9);
  EXPECT_NEAR(objects[0].rotation->box.width(), 20, 1e-9);
  EXPECT_TRUE(objects[0].difficult);
  EXPECT_FALSE(objects[1].rotation);  // no rectangle: its corners stay
  EXPECT_EQ(objects[1].rings.at(0).size(), 4u);
  EXPECT_TRUE(dropped("found 9 columns") || dropped("expected numbers in columns")) << said();
  EXPECT_EQ(account.boxes.in, 4u);
}

TEST_F(TextFormats, WiderFaceWithACountOfZero) {
  image("WIDER_train/images/0--P/a.png");
  image("WIDER_train/images/0--P/b.png");
  image("WIDER_train/images/0--P/c.png");
  file("wider_face_split/wider_face_train_bbx_gt.txt",
       "0--P/a.png\n2\n10 5 20 30 0 0 0 0 2 0\n1 2 3 4 2 0 0 1 0 0\n"
       "0--P/b.png\n0\n0 0 0 0 0 0 0 0 0 0\n"
       "0--P/c.png\n1\n1 2 x 4 0 0 0 0 0 0\n"
       "0--P/d.png\nmany\n");
  const AnnotatedSet set = read("widerface");
  ASSERT_EQ(set.images.size(), 3u) << said();
  ASSERT_EQ(set.images[0].objects.size(), 2u);
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_TRUE(set.images[0].objects[0].occluded);
  EXPECT_TRUE(set.images[0].objects[1].ignore);
  EXPECT_EQ(set.images[1].state, ImageState::empty_on_purpose);
  EXPECT_TRUE(dropped("expected a number in column 3, found 'x'")) << said();
  EXPECT_TRUE(dropped("expected the number of faces")) << said();
}

TEST_F(TextFormats, CsvColumnsGoByTheirNames) {
  image("images/a.png");
  image("images/b.png");
  const std::pair<const char*, const char*> same[] = {
      {"image,class,x1,y1,x2,y2\na.png,dog,10,5,30,35\n", "corners"},
      {"filename;label;xmin;ymin;w;h\na.png;dog;10;5;20;30\n", "a corner and a size"},
      {"img_fName,bbx_type,bbx_xtl,bbx_ytl,bbx_xbr,bbx_ybr\na.png,dog,10,5,30,35\n", "bbx"},
      {"path,name,x,y,width,height\n/x/images/a.png,dog,10,5,20,30\n", "width of the box"},
      {"image,width,height,class,xmin,ymin,xmax,ymax\na.png,100,50,dog,10,5,30,35\n",
       "of the image"},
      {"image,class,bbox\na.png,dog,\"[10, 5 30;35]\"\n", "one column"},
      {"image,class,x1,y1,x2,y2\na.png,dog,0.1,0.1,0.3,0.7\n", "fractions"}};
  for (const auto& [text, what] : same) {
    file("a.csv", text);
    const AnnotatedSet set = read("csv");
    ASSERT_EQ(set.images.size(), 1u) << what << "\n" << said();
    ASSERT_EQ(set.images[0].objects.size(), 1u) << what << "\n" << said();
    const Xyxy& box = set.images[0].objects[0].box;
    EXPECT_NEAR(box.x1, 10, 1e-9) << what;
    EXPECT_NEAR(box.y1, 5, 1e-9) << what;
    EXPECT_NEAR(box.x2, 30, 1e-9) << what;
    EXPECT_NEAR(box.y2, 35, 1e-9) << what;
  }
  file("a.csv",
       "image,class,x1,y1,x2,y2\na.png,dog,1,2,30,x\na.png,,1,2,30,40\n"
       "b.png,,,,,\n../../b.png,dog,1,2,3,4,5\n");
  const AnnotatedSet set = read("csv");
  EXPECT_TRUE(dropped("expected a number in column 6, found 'x'")) << said();
  EXPECT_TRUE(dropped("no class name")) << said();
  ASSERT_EQ(set.images.size(), 2u) << said();
  file("a.csv", "a.png,1,2,3,4,dog\n");
  EXPECT_NE(fault("auto").find("found the signs of none"), std::string::npos);
}

/// One column holds corners or a corner and a size: as corners the second box would end before it
/// begins.
TEST_F(TextFormats, CsvBoxesOfOneColumnAreCornersWhereTheyCanBe) {
  image("a.png");
  file("a.csv", "image,class,bbox\na.png,dog,\"[10, 5, 20, 30]\"\na.png,dog,\"[60, 10, 30, 5]\"\n");
  AnnotatedSet set = read("csv");
  ASSERT_EQ(set.images.at(0).objects.size(), 2u) << said();
  EXPECT_EQ(set.images[0].objects[0].box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(set.images[0].objects[1].box, (Xyxy{60, 10, 90, 15}));
  EXPECT_TRUE(noted("taken as x, y, width, height: as corners 1 of them")) << said();
  file("a.csv",
       "image,class,bbox\na.png,dog,\"[10, 5, 20, 30]\"\na.png,dog,\"[60, 10, 90, 15]\"\n");
  set = read("csv");
  EXPECT_EQ(set.images.at(0).objects.at(0).box, (Xyxy{10, 5, 20, 30}));
  EXPECT_TRUE(noted("taken as two corners: as corners 0 of them")) << said();
}

TEST_F(TextFormats, AClassThatIsNotUtf8IsAnError) {
  image("a.png");
  file("a.csv", "image,class,x1,y1,x2,y2\na.png,caf\xE9,10,5,30,35\n");
  EXPECT_EQ(fault("csv"), source.string() + ": expected class names in UTF-8, found 'caf\\xe9'");
}

/// Splits are folders of what is written, which stays in its own one.
TEST_F(TextFormats, ASplitLeadsToNoOtherFolder) {
  image("a.png");
  file("a.csv", "image,class,x1,y1,x2,y2,split\na.png,dog,10,5,30,35,../stray\n");
  EXPECT_EQ(read("csv").images.at(0).split, "___stray");
  EXPECT_TRUE(noted("the split '../stray' has no name that a folder can have")) << said();
  options.to = "labelme";
  options.out = folder / "out";
  convert(options);
  EXPECT_TRUE(std::filesystem::exists(folder / "out/___stray/a.json"));
  EXPECT_FALSE(std::filesystem::exists(folder / "stray"));
}

TEST_F(TextFormats, OpenImagesMindsTheOrderOfItsColumns) {
  image("images/train/0a.png");
  file("annotations/class-descriptions.csv",
       "LabelName,DisplayName\n/m/1,Cat\n/m/2,\"Dog, big\"\n");
  file("annotations/train-annotations-bbox.csv",
       "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,"
       "IsDepiction,IsInside\n"
       "0a,xclick,/m/2,1,0.1,0.3,0.2,0.8,1,-1,1,0,1\n0a,xclick,/m/9,1,0.5,0.6,0.5,0.6,0,0,0,0,0\n"
       "0a,xclick,/m/2,1,0.1,nan,0.2,0.8,0,0,0,0,0\n");
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "openimages");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"Dog, big", "/m/9"}));
  const auto& objects = set.images.at(0).objects;
  ASSERT_EQ(objects.size(), 2u) << said();
  EXPECT_NEAR(objects[0].box.x2, 30, 1e-9);
  EXPECT_NEAR(objects[0].box.y1, 10, 1e-9);
  EXPECT_TRUE(objects[0].crowd);
  EXPECT_TRUE(objects[0].occluded);
  EXPECT_FALSE(objects[0].truncated);  // −1 is unknown
  EXPECT_TRUE(dropped("expected a number in XMax, found 'nan'")) << said();
}

TEST_F(TextFormats, OpenImagesWritesTrueMarksAlone) {
  image("a.png");
  file("a.json", R"({"imagePath": "a.png", "imageWidth": 100, "imageHeight": 50, "shapes": [
{"label": "dog", "shape_type": "rectangle", "points": [[10, 5], [30, 35]],
 "flags": {"IsDepiction": false, "IsInside": true}}]})");
  options.source = source;
  options.from = "labelme";
  options.to = "openimages";
  options.out = folder / "out";
  convert(options);
  const std::string rows = file::read(folder / "out/annotations/train-annotations-bbox.csv");
  EXPECT_NE(rows.find("\na,xclick,/m/c0,1,0.1,0.3,0.1,0.7,0,0,0,0,1\n"), std::string::npos) << rows;
}

TEST_F(TextFormats, AttributesThatHaveAColumnAreNotLost) {
  image("a.png");
  file("instances_train.json", R"({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 5, 10, 30],
 "attributes": {"truncation": 0.25, "occlusion": 2}},
{"id": 2, "image_id": 1, "category_id": 1, "bbox": [11, 5, 10, 30],
 "attributes": {"dota_difficult": 2}},
{"id": 3, "image_id": 1, "category_id": 1, "bbox": [21, 5, 10, 30], "attributes": {"blur": 2}},
{"id": 4, "image_id": 1, "category_id": 1, "bbox": [31, 5, 10, 30],
 "attributes": {"IsInside": true}},
{"id": 5, "image_id": 1, "category_id": 1, "bbox": [41, 5, 10, 30],
 "attributes": {"blur": 1, "speed": 2}}], "categories": [{"id": 1, "name": "face"}]})");
  EXPECT_EQ(lost(write("createml"), "attributes"), 5u);
  // The object whose attributes have columns there, by its place.
  const std::pair<const char*, std::size_t> kept[] = {
      {"kitti", 0}, {"dota", 1}, {"widerface", 2}, {"openimages", 3}};
  const std::vector<Attribute> attributes[] = {{{"truncation", 0.25}, {"occlusion", 2.0}},
                                               {{"dota_difficult", 2.0}},
                                               {{"blur", 2.0}},
                                               {{"IsInside", true}}};
  for (const auto& [name, place] : kept) {
    EXPECT_EQ(lost(write(name), "attributes"), 4u) << name;
    ConvertOptions written;
    written.source = folder / name;
    written.from = name;
    Conversion again;
    const AnnotatedSet set = read_annotations_of(written, again);
    EXPECT_EQ(set.images.at(0).objects.at(place).attributes, attributes[place]) << name;
  }
}

TEST_F(TextFormats, NoneAndSeveralFormatsAreNamed) {
  image("a.png");
  EXPECT_NE(fault("auto").find("found the signs of none among 0 files and 1 images"),
            std::string::npos);
  file("a.txt", "0 0.5 0.5 0.1 0.1\n");
  file("a.csv", "image,class,x1,y1,x2,y2\na.png,dog,10,5,30,35\n");
  EXPECT_NE(fault("auto").find("found the signs of several: yolo, csv; from chooses one"),
            std::string::npos);
  EXPECT_NE(test::error_of([] { format_named("coc", "--from"); }).find("did you mean 'coco'"),
            std::string::npos);
  EXPECT_EQ(format_named("Pascal-VOC", "--from").name, "voc");
}

TEST(FormatTable, NamesAreUniqueAndThePageHoldsTheTable) {
  std::vector<std::string> names;
  for (const Format& format : formats()) {
    names.push_back(format.name);
    names.insert(names.end(), format.spellings.begin(), format.spellings.end());
    EXPECT_FALSE(format.description.empty()) << format.name;
    EXPECT_TRUE(format.read != nullptr || format.write != nullptr) << format.name;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  const std::string page =
      test::read_text(std::filesystem::path(YOLOV7_SOURCE_DIR) / "docs/formats.md");
  EXPECT_NE(page.find(format_table_text()), std::string::npos)
      << "docs/formats.md has another table than this:\n"
      << format_table_text();
  EXPECT_NE(page.find(format_limits_text()), std::string::npos)
      << "docs/formats.md has other limits than these:\n"
      << format_limits_text();
}

}  // namespace
}  // namespace yolov7::dataset
