#include "dataset/formats/voc_import.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/read_index.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/voc_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::voc_object;
using test::VocImports;
using test::write_gray;
using test::write_text;

TEST_F(VocImports, CornersAreTakenAsTheyAreAndClipped) {
  write_gray(source / "a.png", 100, 50, 1);
  xml("a.xml", "a.png",
      voc_object("dog", "10", "10", "60", "35") +              // centre 35, 22.5; 50 × 25
          voc_object("cat", "-10", "-5", "110", "55", true) +  // clipped to the whole picture
          voc_object("cat", "99.5", "10", "100", "20") +       // 0.5 px wide
          voc_object("cat", "99", "10", "140", "20") +         // 1 px wide after clipping: kept
          voc_object("dog", "10", "10", "60", "35") +          // again
          voc_object("cat", "10", "10", "60", "35") +          // another class: kept
          voc_object("cat", "60", "10", "10", "35") +          // turned around: again, too
          voc_object("cat", "200", "10", "300", "35"));        // outside
  const Conversion c = convert();
  EXPECT_EQ(c.names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(label("train/a.txt"),
            "1 0.35 0.45 0.5 0.5\n0 0.5 0.5 1 1\n0 0.995 0.3 0.01 0.2\n0 0.35 0.45 0.5 0.5\n");
  EXPECT_EQ(c.boxes.in, 8u);
  EXPECT_EQ(c.boxes.out, 4u);
  EXPECT_EQ(c.boxes.dropped, 4u);
  EXPECT_EQ(c.difficult, 1u);
  EXPECT_EQ(c.clipped, 2u);
  ASSERT_EQ(c.drops.size(), 4u);
  EXPECT_EQ(c.drops[0].line, 4);
  EXPECT_EQ(c.drops[0].reason,
            "box of class 'cat' under 1 px: corners 99.5 10 100 20 leave 0.5 × 10 px in an image "
            "of 100 × 50");
  EXPECT_EQ(c.drops[1].reason, "box of class 'dog' with the same corners as the one in line 2");
  EXPECT_EQ(c.drops[2].line, 8);
  EXPECT_EQ(c.drops[2].reason, "box of class 'cat' with the same corners as the one in line 7");
  EXPECT_EQ(c.drops[3].line, 9);
}

TEST_F(VocImports, CornersInTheWrongOrderAreSwappedWithANote) {
  write_gray(source / "a.png", 100, 50, 1);
  xml("a.xml", "a.png",
      voc_object("cat", "60", "10", "10", "35") +      // x 10 to 60
          voc_object("cat", "20", "45", "30", "40"));  // y 40 to 45
  const Conversion c = convert();
  EXPECT_EQ(label("train/a.txt"), "0 0.35 0.45 0.5 0.5\n0 0.25 0.85 0.1 0.1\n");
  EXPECT_EQ(c.boxes.dropped, 0u);
  std::vector<int> lines;
  for (const Problem& note : c.notes)
    if (note.reason == "xmin is above xmax, or ymin above ymax: they are swapped")
      lines.push_back(note.line);
  EXPECT_EQ(lines, (std::vector<int>{2, 3}));
}

TEST_F(VocImports, NumbersOfPixelsFrom1MoveTheBoxAndItsPolygon) {
  write_gray(source / "a.png", 100, 50, 1);
  xml("a.xml", "a.png",
      "<object><name>cat</name><bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>35</ymax>"
      "</bndbox><polygon><x1>11</x1><y1>6</y1><x2>30</x2><y2>6</y2><x3>30</x3><y3>35</y3>"
      "</polygon></object>");
  ConvertOptions reading;
  reading.source = source;
  reading.from = "voc";
  reading.read.voc_one_based = true;
  Conversion account;
  const AnnotatedSet set = read_annotations_of(reading, account);
  const AnnotatedObject& object = set.images.at(0).objects.at(0);
  EXPECT_EQ(object.box, (Xyxy{10, 5, 30, 35}));
  EXPECT_EQ(object.rings.at(0), (Ring{{10, 5}, {29, 5}, {29, 34}}));
}

TEST_F(VocImports, NothingIsLostSilently) {
  pair("good");
  write_gray(source / "JPEGImages/no xml.png", 100, 50, 99);
  write_text(source / "JPEGImages/cut.png",
             test::read_text(source / "JPEGImages/good.png").substr(0, 60));
  xml("Annotations/cut.xml", "cut.png", voc_object("a", "1", "1", "20", "20"));
  xml("Annotations/no image.xml", "gone.jpg",
      voc_object("z", "1", "1", "20", "20") + voc_object("z", "2", "1", "20", "20"));
  write_text(source / "Annotations/broken.xml", "<annotation><object>");
  write_text(source / "Annotations/._good.xml", "resource fork");
  write_text(source / "build.xml", "<project/>");
  xml("Annotations/objects.xml", "good2.png", "<object><name>a</name></object>");
  write_gray(source / "JPEGImages/good2.png", 100, 50, 98);
  const Conversion c = convert();
  EXPECT_TRUE(dropped(c, "image", "JPEGImages/no xml.png", "no annotation"));
  EXPECT_TRUE(dropped(c, "image", "JPEGImages/cut.png", "cannot be used"));
  EXPECT_TRUE(dropped(c, "annotation", "Annotations/cut.xml", "cannot be used"));
  EXPECT_TRUE(dropped(c, "annotation", "Annotations/no image.xml",
                      "no image: neither 'gone.jpg' nor one of the stem 'no image'"));
  EXPECT_TRUE(dropped(c, "annotation", "Annotations/broken.xml", "broken XML"));
  EXPECT_TRUE(dropped(c, "annotation", "build.xml", "expected <annotation>"));
  EXPECT_TRUE(dropped(c, "box", "Annotations/objects.xml", "no <bndbox>"));
  EXPECT_EQ(c.names, std::vector<std::string>{"a"});  // a class that is lost whole is no class
  EXPECT_EQ(c.annotations.in, 6u);
  EXPECT_EQ(c.annotations.out, 2u);
  EXPECT_EQ(c.pictures.in, 4u);
  EXPECT_EQ(c.pictures.out, 2u);
  EXPECT_EQ(c.boxes.in, 5u);
  EXPECT_EQ(c.boxes.out, 1u);
  EXPECT_EQ(c.boxes.dropped, 4u);
  EXPECT_EQ(label("train/good2.txt"), "");
  const nlohmann::json saved = read_json(folder / "out/conversion.json");
  EXPECT_EQ(saved["dropped"].size(), 7u);
  EXPECT_EQ(saved["boxes"]["dropped"], 4);
  EXPECT_EQ(saved["splits"]["train"]["empty"], 1);
}

TEST_F(VocImports, TheResultIsReadByOurOwnReader) {
  pair("x y");
  pair("ü", "b 'c' \"d\" &lt;script&gt; `e` &#27;[31m: #");
  const Conversion c = convert();
  const Description description = read_description(folder / "out/data.yaml");
  EXPECT_EQ(description.names, c.names);
  EXPECT_EQ(description.names[1], "b 'c' \"d\" <script> `e` \x1b[31m: #");
  const Index index = read_index(description, "train", {});
  EXPECT_EQ(index.entries.size(), 2u);
  EXPECT_EQ(index.class_histogram(), (std::vector<std::size_t>{1, 1}));
  EXPECT_TRUE(index.problems.empty());
  EXPECT_TRUE(c.val_is_train);
}

TEST_F(VocImports, PicturesByFileNameThenByStemNeverOutside) {
  write_gray(folder / "secret.png", 100, 50, 200);
  write_gray(folder / "outside/linked.png", 100, 50, 201);
  write_gray(source / "pool/name.png", 100, 50, 1);
  write_gray(source / "pool/stem.png", 100, 50, 2);
  write_gray(source / "pool/bare.png", 100, 50, 3);
  fs::create_symlink(folder / "secret.png", source / "link.png");
  fs::create_directory_symlink(folder / "outside", source / "links");
  const std::string box = voc_object("a", "1", "1", "20", "20");
  xml("x/one.xml", "../../name.png", box);                     // reduced to name.png
  xml("x/stem.xml", "other.png", box);                         // by its own stem
  xml("x/two.xml", "bare", box);                               // a file name without extension
  xml("x/secret.xml", (folder / "secret.png").string(), box);  // absolute: outside
  xml("x/link.xml", "link.png", box);
  xml("x/linked.xml", "linked.png", box);
  const Conversion c = convert();
  for (const char* name : {"name", "stem", "bare"})
    EXPECT_EQ(label(fmt::format("train/{}.txt", name)).size(),
              std::string("0 0.105 0.21 0.19 0.38\n").size())
        << name;
  for (const char* name : {"secret", "link", "linked"})
    EXPECT_TRUE(dropped(c, "annotation", fmt::format("x/{}.xml", name), "no image")) << name;
  EXPECT_EQ(c.pictures.in, 3u);
  ASSERT_EQ(c.notes.size(), 2u);
  EXPECT_NE(c.notes[0].reason.find("leads outside"), std::string::npos);
}

TEST_F(VocImports, OneNameInSeveralFoldersGoesToTheNearestOrToNobody) {
  for (const char* year : {"2007", "2012"}) {
    write_gray(source / year / "JPEGImages/1.png", 100, 50, year[3]);
    xml(std::string(year) + "/Annotations/1.xml", "1.png",
        voc_object(std::string("y") + year, "1", "1", "20", "20"));
    write_gray(source / "flat" / year / "2.png", 100, 50, year[3] + 1);
  }
  xml("xml/2.xml", "2.png", voc_object("c", "1", "1", "20", "20"));
  const Conversion c = convert();
  EXPECT_TRUE(
      dropped(c, "annotation", "xml/2.xml", "ambiguous image: flat/2007/2.png or flat/2012/2.png"));
  EXPECT_EQ(label("train/1.txt").substr(0, 2), "0 ");
  EXPECT_EQ(label("train/1_2.txt").substr(0, 2), "1 ");
  EXPECT_EQ(test::read_text(folder / "out/images/train/1_2.png"),
            test::read_text(source / "2012/JPEGImages/1.png"));
  ASSERT_EQ(c.renamed.size(), 1u);
}

TEST_F(VocImports, TwoAnnotationsOfOnePicture) {
  write_gray(source / "1.png", 100, 50, 1);
  write_gray(source / "2.png", 100, 50, 2);
  const std::string box = voc_object("a", "1", "1", "20", "20");
  xml("0.xml", "1.png", box);
  xml("1.xml", "1.png", box);
  xml("2.xml", "1.png", box);  // a stale file name; its own picture is free
  const Conversion c = convert();
  EXPECT_EQ(c.annotations.out, 2u);
  EXPECT_EQ(c.pictures.out, 2u);
  EXPECT_TRUE(dropped(c, "annotation", "0.xml", "its image 1.png already belongs to 1.xml"));
}

TEST_F(VocImports, ASizeThatIsNotThePicturesIsNoted) {
  write_gray(source / "1.png", 100, 50, 1);
  xml("1.xml", "1.png", voc_object("a", "1", "1", "20", "20"),
      "<size><width>200</width><height>100</height></size>");
  const Conversion c = convert();
  ASSERT_EQ(c.notes.size(), 1u);
  EXPECT_EQ(c.notes[0].reason,
            "says the image is 200 × 100 px, but 1.png has 100 × 50: its boxes may be wrong");
}

/// A JPEG of 100 × 80 px as stored, gray, white where x is 60 to 95 and y 10 to 60, with this EXIF
/// orientation (Exif 2.32: TIFF header, one directory, tag 0x0112, SHORT).
std::string turned_jpeg(int orientation) {
  cv::Mat pixels(80, 100, CV_8UC3, cv::Scalar::all(50));
  pixels(cv::Rect(60, 10, 35, 50)).setTo(cv::Scalar::all(255));
  std::string jpeg = encode_jpeg(pixels, 95);
  std::string exif("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 24);
  exif += static_cast<char>(orientation);
  exif += std::string(7, '\0');
  const auto length = static_cast<char>(exif.size() + 2);
  return jpeg.insert(2, std::string("\xFF\xE1\0", 3) + length + exif);
}

// The annotation has the size of the stored image, so its boxes are turned as the image is. By hand
// for a stored image of 100 × 80 px that is shown as 80 × 100.
TEST_F(VocImports, BoxesOfTheStoredImageAreTurnedWithIt) {
  const std::pair<int, const char*> expected[] = {{5, "0 0.4375 0.775 0.625 0.35\n"},
                                                  {6, "0 0.5625 0.775 0.625 0.35\n"},
                                                  {7, "0 0.5625 0.225 0.625 0.35\n"},
                                                  {8, "0 0.4375 0.225 0.625 0.35\n"}};
  for (const auto& [orientation, row] : expected) {
    const std::string stem = fmt::format("o{}", orientation);
    write_text(source / (stem + ".jpg"), turned_jpeg(orientation));
    xml(stem + ".xml", stem + ".jpg", voc_object("a", "60", "10", "95", "60"),
        "<size><width>100</width><height>80</height></size>");
  }
  const Conversion c = convert();
  ASSERT_EQ(c.notes.size(), 4u);
  EXPECT_EQ(c.notes[1].reason,
            "its size 100 × 80 px is that of o6.jpg before it is turned by EXIF (orientation 6): "
            "its boxes are turned with the image");
  for (const auto& [orientation, row] : expected) {
    const std::string stem = fmt::format("o{}", orientation);
    EXPECT_EQ(label("train/" + stem + ".txt"), row) << orientation;
    // The decoder, which turns by itself, has the white place there.
    const cv::Mat shown = read_picture(source / (stem + ".jpg"));
    ASSERT_EQ(shown.size(), cv::Size(80, 100));
    double cx = 0, cy = 0;
    ASSERT_EQ(std::sscanf(row, "0 %lf %lf", &cx, &cy), 2);
    const auto at = [&](double x, double y) {
      return static_cast<int>(shown.at<cv::Vec3b>(static_cast<int>(y), static_cast<int>(x))[0]);
    };
    EXPECT_GT(at(cx * 80, cy * 100), 240);
    EXPECT_LT(at(80 - cx * 80 + (cx > 0.5 ? -20 : 20), 100 - cy * 100), 70);
  }
}

TEST_F(VocImports, ATurnedImageWhoseSizeTellsNothingIsNoted) {
  write_text(source / "1.jpg", turned_jpeg(6));
  xml("1.xml", "1.jpg", voc_object("a", "1", "1", "20", "20"));
  const Conversion c = convert();
  ASSERT_EQ(c.notes.size(), 1u);
  EXPECT_NE(c.notes[0].reason.find("turned or mirrored by EXIF (orientation 6)"),
            std::string::npos);
}

// By hand: a stored image of 100 × 80 px with the box 60 10 95 60, no <size>. Orientation 1 leaves
// it at cx .775, cy .4375; 2 to 4 mirror at the image's middle lines, 5 to 8 swap the sides as
// well.
TEST_F(VocImports, BoxesAreTurnedWhereTheOptionSaysThatTheyAreOfTheStoredImage) {
  const char* const rows[] = {"0 0.775 0.4375 0.35 0.625\n", "0 0.225 0.4375 0.35 0.625\n",
                              "0 0.225 0.5625 0.35 0.625\n", "0 0.775 0.5625 0.35 0.625\n",
                              "0 0.4375 0.775 0.625 0.35\n", "0 0.5625 0.775 0.625 0.35\n",
                              "0 0.5625 0.225 0.625 0.35\n", "0 0.4375 0.225 0.625 0.35\n"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string stem = fmt::format("o{}", orientation);
    write_text(source / (stem + ".jpg"), turned_jpeg(orientation));
    xml(stem + ".xml", stem + ".jpg", voc_object("a", "60", "10", "95", "60"));
  }
  options.orientation = BoxOrientation::stored;
  const Conversion c = convert();
  EXPECT_EQ(c.notes.size(), 7u);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(label(fmt::format("train/o{}.txt", orientation)), rows[orientation - 1])
        << orientation;
    // The decoder, which turns by itself, has the white place there.
    const cv::Mat shown = read_picture(source / fmt::format("o{}.jpg", orientation));
    double cx = 0, cy = 0;
    ASSERT_EQ(std::sscanf(rows[orientation - 1], "0 %lf %lf", &cx, &cy), 2);
    EXPECT_GT(shown.at<cv::Vec3b>(static_cast<int>(cy * shown.rows),
                                  static_cast<int>(cx * shown.cols))[0],
              240)
        << orientation;
  }
}

TEST_F(VocImports, TheOptionOfOrientationLeavesOthersAlone) {
  // Sizes tell that the boxes are of the shown image, 80 × 100 px.
  write_text(source / "1.jpg", turned_jpeg(6));
  xml("1.xml", "1.jpg", voc_object("a", "20", "60", "70", "95"),
      "<size><width>80</width><height>100</height></size>");
  options.orientation = BoxOrientation::stored;
  EXPECT_TRUE(convert().notes.empty());
  EXPECT_EQ(label("train/1.txt"), "0 0.5625 0.775 0.625 0.35\n");
  // No size, and the boxes are of the shown image: as they are, without a note.
  std::filesystem::remove_all(folder / "out");
  xml("1.xml", "1.jpg", voc_object("a", "20", "60", "70", "95"));
  options.orientation = BoxOrientation::shown;
  EXPECT_TRUE(convert().notes.empty());
  EXPECT_EQ(label("train/1.txt"), "0 0.5625 0.775 0.625 0.35\n");
}

TEST_F(VocImports, ClassOrderAndSelection) {
  pair("1", "b");
  pair("2", "a");
  pair("3", "c");
  options.names = {"b", "a"};
  const Conversion c = convert();
  EXPECT_EQ(c.names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(label("train/1.txt").substr(0, 2), "0 ");
  EXPECT_EQ(label("train/2.txt").substr(0, 2), "1 ");
  EXPECT_EQ(label("train/3.txt"), "");
  EXPECT_TRUE(dropped(c, "box", "Annotations/3.xml", "class 'c' is not among names"));
  options.names = {"a", "a"};
  fs::remove_all(folder / "out");
  EXPECT_EQ(error_of([&] { convert(); }), "names: expected each class once, found 'a' twice");
}

TEST_F(VocImports, TheOutputMustBeNewOrEmptyAndIsAllOrNothing) {
  pair("1");
  write_text(folder / "out/mine.txt", "keep");
  EXPECT_NE(error_of([&] { convert(); }).find("nothing is overwritten"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), {}), 1);
  fs::remove(folder / "out/mine.txt");
  EXPECT_EQ(convert().pictures.out, 1u);
  EXPECT_NE(error_of([&] { convert(); }).find("nothing is overwritten"), std::string::npos);
  for (const auto& entry : fs::directory_iterator(folder.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
}

TEST_F(VocImports, NothingToConvertIsAnError) {
  fs::create_directories(source);
  EXPECT_NE(error_of([&] { convert(); })
                .find("expected annotations of Pascal VOC, found none among "
                      "0 files and 0 images"),
            std::string::npos);
  xml("1.xml", "1.png", voc_object("a", "1", "1", "20", "20"));
  const std::string message = error_of([&] { convert(); });
  EXPECT_NE(message.find("1.xml: no image"), std::string::npos) << message;
  EXPECT_FALSE(fs::exists(folder / "out"));
  source = folder / "nowhere";
  EXPECT_NE(error_of([&] { convert(); }).find("expected a folder with Pascal VOC annotations"),
            std::string::npos);
}

TEST_F(VocImports, ImageSetsAreKept) {
  for (const char* stem : {"1", "2", "3", "4", "5 x"}) pair(stem);
  write_text(source / "ImageSets/Main/train.txt",
             "\xEF\xBB\xBF"
             "1\r\n2\r\n\r\n");
  write_text(source / "ImageSets/Main/val.txt", "3.jpg\n2\n77\n");
  write_text(source / "ImageSets/Main/test.txt", "5 x  -1\n");
  write_text(source / "ImageSets/Main/trainval.txt", "1\n2\n3\n4\n");
  write_text(source / "ImageSets/Layout/test.txt", "4\n");
  options.shares = {50, 50};
  Conversion c;
  const std::string said = test::messages_of([&] { c = convert(); });
  EXPECT_NE(said.find("split is not used"), std::string::npos);
  EXPECT_EQ(c.split_rule, "the lists in ImageSets");
  ASSERT_EQ(c.splits.size(), 3u);
  EXPECT_EQ(c.splits[0].pictures, 2u);
  EXPECT_EQ(c.splits[1].pictures, 1u);
  EXPECT_EQ(c.splits[2].pictures, 1u);
  EXPECT_TRUE(fs::exists(folder / "out/labels/val/3.txt"));
  EXPECT_TRUE(fs::exists(folder / "out/labels/test/5 x.txt"));
  EXPECT_TRUE(dropped(c, "annotation", "Annotations/4.xml", "in none of the lists in ImageSets"));
  EXPECT_TRUE(dropped(c, "image", "JPEGImages/4.png", "in none of the lists in ImageSets"));
  ASSERT_EQ(c.notes.size(), 2u);
  EXPECT_EQ(text_of(c.notes[0]),
            "ImageSets/Main/val.txt:2: '2' is already in train and stays there");
  EXPECT_EQ(text_of(c.notes[1]), "ImageSets/Main/val.txt:3: '77' has no annotation");
  EXPECT_FALSE(c.val_is_train);
}

TEST_F(VocImports, TrainvalOnlyWhereTrainAndValAreAbsent) {
  for (const char* stem : {"1", "2", "3"}) pair(stem);
  write_text(source / "ImageSets/Main/trainval.txt", "1\n2\n");
  write_text(source / "ImageSets/Main/test.txt", "3\n");
  Conversion c = convert();
  ASSERT_EQ(c.splits.size(), 2u);
  EXPECT_EQ(c.splits[0].name, "train");
  EXPECT_EQ(c.splits[0].pictures, 2u);
  EXPECT_EQ(c.splits[1].name, "test");
  write_text(source / "ImageSets/Main/val.txt", "1\n");
  fs::remove_all(folder / "out");
  c = convert();
  EXPECT_EQ(c.splits[0].name, "val");
  EXPECT_TRUE(dropped(c, "annotation", "Annotations/2.xml", "in none of the lists"));
}

TEST_F(VocImports, SharesAreDrawnByTheSeedAlone) {
  for (int i = 0; i < 10; ++i) pair(std::to_string(i));
  options.shares = parse_shares("70,20,10");
  const auto draw = [&](std::uint64_t seed, int threads) {
    fs::remove_all(folder / "out");
    options.seed = seed;
    options.threads = threads;
    const Conversion c = convert();
    EXPECT_EQ(c.splits.size(), 3u);
    EXPECT_EQ(c.splits[0].pictures, 7u);
    EXPECT_EQ(c.splits[1].pictures, 2u);
    EXPECT_EQ(c.splits[2].pictures, 1u);
    std::string where;
    for (int i = 0; i < 10; ++i)
      where += fs::exists(folder / fmt::format("out/labels/train/{}.txt", i)) ? 't'
               : fs::exists(folder / fmt::format("out/labels/val/{}.txt", i)) ? 'v'
                                                                              : 'x';
    return where;
  };
  const std::string zero = draw(0, 1);
  EXPECT_EQ(zero, draw(0, 4));
  // 360 arrangements: three further seeds that all give the first one have probability 2e-8.
  EXPECT_FALSE(draw(1, 1) == zero && draw(2, 1) == zero && draw(3, 1) == zero);
}

TEST(Shares, AreCheckedAsAWhole) {
  EXPECT_EQ(parse_shares("80, 20"), (std::vector<double>{80, 20}));
  EXPECT_EQ(parse_shares("33.3,33.3,33.4").size(), 3u);
  for (const char* bad : {"", "70", "70,20", "70,20,10,0", "70,40,-10", "a,b,c", "nan,50,50",
                          "0.7,0.2,0.1", "110,-10"})
    EXPECT_NE(
        error_of([&] { parse_shares(bad); }).find("expected the shares of train, val and test"),
        std::string::npos)
        << bad;
}

TEST_F(VocImports, TheSamePictureInTwoSplitsIsNoted) {
  pair("1");
  pair("2");
  fs::copy_file(source / "JPEGImages/1.png", source / "JPEGImages/2.png",
                fs::copy_options::overwrite_existing);
  options.shares = {50, 50};
  const Conversion c = convert();
  ASSERT_EQ(c.notes.size(), 1u);
  EXPECT_NE(c.notes[0].reason.find("the same image is in two splits"), std::string::npos);
}

TEST_F(VocImports, SummariesAreShortAndComplete) {
  pair("1");
  std::string objects;
  for (int i = 0; i < 15; ++i) objects += voc_object("a", "5", "5", "5.5", std::to_string(10 + i));
  xml("Annotations/1.xml", "1.png", voc_object("a", "1", "1", "20", "20") + objects);
  const auto lines = summary_lines(convert());
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("boxes: 16 in, 1 out, 15 dropped"));
  EXPECT_TRUE(has("  and 5 more, all named in conversion.json"));
  EXPECT_TRUE(has("classes (1): a"));
}

TEST(Balance, ACountThatDoesNotAddUpIsRefused) {
  Conversion c;
  c.boxes = {3, 1, 1};
  EXPECT_EQ(error_of([&] { require_balance(c); }),
            "conversion: the boxes do not add up: 3 in, 1 out, 1 dropped");
}

TEST_F(VocImports, Bccd) {
  source = test::shared_folder() / "datasets/bccd";
  if (!fs::is_directory(source)) {
    if (const char* ci = std::getenv("CI"); ci != nullptr && std::string(ci) == "true")
      FAIL() << source << " is missing";
    GTEST_SKIP() << source << " is missing";
  }
  const Conversion c = convert();
  EXPECT_EQ(c.names, (std::vector<std::string>{"Platelets", "RBC", "WBC"}));
  // Pictures and boxes as published with the data; by class counted from the XML with an
  // independent script.
  ASSERT_EQ(c.splits.size(), 3u);
  const std::size_t pictures[] = {205, 87, 72}, boxes[] = {2804, 1137, 945};
  const std::vector<std::size_t> per_class[] = {{209, 2381, 214}, {83, 967, 87}, {69, 805, 71}};
  const Description description = read_description(folder / "out/data.yaml");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(c.splits[i].pictures, pictures[i]);
    EXPECT_EQ(c.splits[i].boxes, boxes[i]);
    const Index index = read_index(description, c.splits[i].name, {});
    EXPECT_EQ(index.entries.size(), pictures[i]);
    EXPECT_EQ(index.class_histogram(), per_class[i]);
    EXPECT_TRUE(index.problems.empty());
  }
  EXPECT_EQ(c.boxes.dropped, 2u);
}

}  // namespace
}  // namespace yolov7::dataset
