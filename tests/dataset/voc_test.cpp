#include "dataset/formats/voc.hpp"

#include <gtest/gtest.h>

#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

using test::error_of;

TEST(Voc, ReadsWhatMatters) {
  const auto a = parse_voc(R"(<?xml version="1.0"?>
<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<annotation>
  <folder>JPEGImages</folder><filename>C:\pics\..\a b.jpg</filename>
  <size><width>640</width><height>480</height><depth>3</depth></size>
  <object><name> fish &amp; chips </name><difficult>1</difficult>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
    <bndbox><ymax>40.5</ymax><xmax>30</xmax><ymin>20</ymin><xmin> 10 </xmin></bndbox></object>
  <object><name>b</name><bndbox><xmin>a</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
  <object><name>b</name></object>
  <object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
  <object><name>b</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax></bndbox></object>
  <object><name>b</name><bndbox><xmin>nan</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
</annotation>)",
                           "a.xml");
  EXPECT_EQ(a.filename, "a b.jpg");
  EXPECT_EQ(a.folder, "JPEGImages");
  EXPECT_EQ(a.width, 640);
  EXPECT_EQ(a.height, 480);
  ASSERT_EQ(a.objects.size(), 6u);
  EXPECT_EQ(a.objects[0].name, "fish & chips");
  EXPECT_TRUE(a.objects[0].difficult);
  EXPECT_EQ(a.objects[0].box_px, (Xyxy{10, 20, 30, 40.5}));
  EXPECT_EQ(a.objects[0].line, 6);
  EXPECT_EQ(a.objects[0].fault, "");
  EXPECT_FALSE(a.objects[1].difficult);
  EXPECT_EQ(a.objects[1].fault, "expected a number in <xmin>, found 'a'");
  EXPECT_EQ(a.objects[1].line, 9);
  EXPECT_EQ(a.objects[2].fault, "no <bndbox>");
  EXPECT_EQ(a.objects[3].fault, "no class name");
  EXPECT_EQ(a.objects[4].fault, "expected a number in <ymax>, found ''");
  EXPECT_EQ(a.objects[5].fault, "expected a number in <xmin>, found 'nan'");
}

// Two runs of a tool appended to one file, objects inside another element, two boxes in one object,
// a box without an object: each is read, or stands among the objects with the reason why it is not.
TEST(Voc, NothingIsLostInUnusualShapes) {
  const std::string box =
      "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>";
  const std::string second =
      "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax></bndbox>";
  const auto object = [](const std::string& name, const std::string& boxes) {
    return "<object><name>" + name + "</name>" + boxes + "</object>";
  };
  const auto a = parse_voc("<annotation><filename>a.jpg</filename><objects>" + object("cat", box) +
                               "</objects>" + object("dog", box + "\n" + second) + box +
                               "</annotation>\n<annotation><filename>a.jpg</filename>" +
                               object("hen", box) + "</annotation>\n<annotation><filename>b.jpg" +
                               "</filename>" + object("cow", box) + "</annotation>",
                           "a.xml");
  ASSERT_EQ(a.objects.size(), 6u);
  EXPECT_EQ(a.objects[0].name, "cat");
  EXPECT_EQ(a.objects[1].box_px, (Xyxy{1, 2, 3, 4}));
  EXPECT_EQ(a.objects[2].name, "dog");
  EXPECT_EQ(a.objects[2].box_px, (Xyxy{5, 6, 7, 8}));
  EXPECT_EQ(a.objects[2].line, 2);
  EXPECT_EQ(a.objects[3].fault, "a <bndbox> outside of an <object>, so without a class");
  EXPECT_EQ(a.objects[4].name, "hen");
  EXPECT_EQ(a.objects[4].fault, "");
  EXPECT_EQ(a.objects[5].fault,
            "it stands under a second <annotation>, which is of another image (b.jpg)");
}

TEST(Voc, DeepNestingIsRefused) {
  std::string open, close;
  for (int i = 0; i < 100'000; ++i) open += "<a>", close += "</a>";
  EXPECT_EQ(error_of([&] { parse_voc("<annotation>" + open + close + "</annotation>", "a.xml"); }),
            "a.xml:1: expected at most 100 nested elements, found more");
}

TEST(Voc, EntitiesOfTheFileAreRead) {
  const auto named = [](const std::string& entity) {
    const auto a = parse_voc(
        "<!DOCTYPE annotation [<!ENTITY e \"cat\"><!ENTITY f SYSTEM \"x\">]>\n<annotation><object>"
        "<name>" +
            entity +
            "</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
            "</object></annotation>",
        "a.xml");
    return a.objects.at(0);
  };
  EXPECT_EQ(named("&e;").name, "cat");
  EXPECT_EQ(named("&e;").fault, "");
  EXPECT_EQ(named("&f;").fault,
            "the class is the entity &f;, which the file does not define as text");
  EXPECT_EQ(named("&g;").fault,
            "the class is the entity &g;, which the file does not define as text");
}

TEST(Voc, BrokenXmlIsNamedWithItsLine) {
  EXPECT_TRUE(error_of([] {
                parse_voc("<annotation>\n<object>\n</annotation>", "x.xml");
              }).starts_with("x.xml:3: broken XML: "));
  EXPECT_TRUE(error_of([] { parse_voc("", "x.xml"); }).starts_with("x.xml:1: broken XML: "));
  EXPECT_TRUE(
      error_of([] { parse_voc("no xml at all", "x.xml"); }).starts_with("x.xml:1: broken XML: "));
  EXPECT_EQ(error_of([] { parse_voc("<svg/>", "x.xml"); }),
            "x.xml:1: expected <annotation> as the root, found <svg>");
  EXPECT_EQ(error_of([] {
              parse_voc("<annotation>\n<object><name>\xFF</name></object></annotation>", "x.xml");
            }),
            "x.xml:2: broken XML: text that is not UTF-8");
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_NE(error_of([&] { parse_voc(deep, "x.xml"); }), "no error");
}

TEST(Voc, Latin1IsConverted) {
  const auto a = parse_voc(
      "<?xml version=\"1.0\" "
      "encoding=\"ISO-8859-1\"?><annotation><filename>\xFC.jpg</filename></annotation>",
      "x.xml");
  EXPECT_EQ(a.filename, "ü.jpg");
}

TEST(Voc, BaseNames) {
  EXPECT_EQ(base_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(base_name("C:\\a\\b.jpg"), "b.jpg");
  EXPECT_EQ(base_name("b.jpg"), "b.jpg");
  EXPECT_EQ(base_name("a/"), "");
}

}  // namespace
}  // namespace yolov7::dataset
