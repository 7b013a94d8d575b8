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
