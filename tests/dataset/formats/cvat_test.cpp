#include <fmt/format.h>

#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

using Cvat = test::FormatFiles;

const char* const labels =
    "<labels><label><name>car</name><attributes><attribute><name>n</name><input_type>number"
    "</input_type></attribute><attribute><name>b</name><input_type>checkbox</input_type>"
    "</attribute><attribute><name>t</name><input_type>text</input_type></attribute></attributes>"
    "</label><label><name>1</name><type>points</type><parent>s</parent></label></labels>";

TEST_F(Cvat, ImagesByHand) {
  image("images/a.png");
  file("annotations.xml", fmt::format(R"(<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotations><version>1.1</version><meta><task>{}</task></meta>
<image id="0" name="C:\x\a.png" width="100" height="50">
<box label="car" xtl="10" ytl="10" xbr="30" ybr="20" rotation="90" occluded="1" z_order="3" group_id="4">
<attribute name="n">2.5</attribute><attribute name="b">true</attribute><attribute name="t">0003</attribute></box>
<polygon label="car" points="1,2;11,2;11,22"/>
<ellipse label="car" cx="50" cy="25" rx="10" ry="5"/>
<mask label="car" left="2" top="1" width="2" height="3" rle="1, 1, 1, 1, 1, 1"/>
<box label="" xtl="1" ytl="1" xbr="3" ybr="2"/>
<box label="bus" xtl="1" ytl="1" xbr="3" ybr="2"/>
<box label="car" xtl="x" ytl="1" xbr="3" ybr="2"/>
<polygon label="car" points="1,2;3"/>
<mask label="car" left="99" top="1" width="2" height="3" rle="6"/>
<polyline label="car" points="1,2;3,4"/><cuboid label="car"/><tag label="wet"><attribute name="t">2</attribute></tag>
<skeleton label="s"><points label="1" points="1,2"/></skeleton>
</image>
<image id="1" name="gone.png" width="1e99" height="-5"/></annotations>)",
                                      labels));
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "cvat");
  EXPECT_EQ(names_of(set), std::vector<std::string>{"car"});
  ASSERT_EQ(set.images.size(), 1u) << said();
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 4u) << said();
  EXPECT_NEAR(objects[0].box.x1, 15, 1e-9);  // 20 × 10 about (20, 15), turned
  EXPECT_NEAR(objects[0].box.y2, 25, 1e-9);
  EXPECT_EQ(objects[0].group, "4");
  EXPECT_EQ(objects[0].attributes,
            (std::vector<Attribute>{{"n", 2.5}, {"b", true}, {"t", std::string("0003")}}));
  EXPECT_EQ(objects[1].box, (Xyxy{1, 2, 11, 22}));
  EXPECT_EQ(objects[2].box, (Xyxy{40, 20, 60, 30}));
  // Rows of the window: off on / off on / off on: column 3 of the image, rows 1 to 3.
  EXPECT_EQ(objects[3].box, (Xyxy{3, 1, 4, 4}));
  EXPECT_EQ(objects[3].mask->runs, (std::vector<std::uint32_t>{151, 3, 4846}));
  for (const char* reason :
       {"its label is empty", "the label 'bus' is not among those of the file",
        "expected a number in xtl, found 'x'", "expected points as x,y;x,y, found '3'",
        "the window of a mask does not lie in its image", "gone.png"})
    EXPECT_TRUE(dropped(reason)) << reason << "\n" << said();
  EXPECT_EQ(account.not_boxes.at("polyline"), 1u);
  EXPECT_EQ(account.not_boxes.at("cuboid"), 1u);
  EXPECT_EQ(account.not_boxes.at("skeleton"), 1u);
  EXPECT_EQ(set.images[0].tags.at(0).name, "wet");
  EXPECT_EQ(account.not_boxes.at("attribute of a tag"), 1u);
}

/// Boxes of each frame, "frame: x1", in order.
std::string first_edges(const AnnotatedSet& set) {
  std::string text;
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects)
      text += fmt::format("{}: {} ", image.id, object.box.x1);
  return text;
}

TEST_F(Cvat, TracksMoveBetweenKeyFramesAndEndOutside) {
  for (const char* name : {"10", "13", "16", "19", "22"})
    image(fmt::format("images/frame_0000{}.png", name));
  const auto track = [](const std::string& boxes) {
    return fmt::format(
        "<annotations><meta><task><start_frame>10</start_frame><stop_frame>22</stop_frame>"
        "<frame_filter>step=3</frame_filter>{}<original_size><width>100</width><height>50</height>"
        "</original_size></task></meta><track id=\"4\" label=\"car\">{}</track></annotations>",
        labels, boxes);
  };
  const auto box = [](int frame, int x, bool outside) {
    return fmt::format(
        "<box frame=\"{}\" outside=\"{}\" keyframe=\"1\" occluded=\"0\" xtl=\"{}\" "
        "ytl=\"1\" xbr=\"{}\" ybr=\"9\"/>",
        frame, outside ? 1 : 0, x, x + 10);
  };
  file("a.xml", track(box(10, 10, false) + box(19, 40, false)));
  AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "cvat-video");
  // 30 px over 9 frames; the last one is held to the end.
  EXPECT_EQ(first_edges(set), "10: 10 13: 20 16: 30 19: 40 22: 40 ");
  EXPECT_EQ(set.images[1].objects[0].track->id, "4");
  EXPECT_FALSE(set.images[1].objects[0].track->keyframe);
  file("a.xml", track(box(10, 10, false) + box(16, 30, true)));
  EXPECT_EQ(first_edges(read("cvat-video")), "10: 10 13: 20 ");
  file("a.xml", track("<box frame=\"-1\" xtl=\"1\" ytl=\"1\" xbr=\"9\" ybr=\"9\"/>" +
                      box(22, 1, false) + "<points frame=\"22\" points=\"1,2\"/>"));
  EXPECT_EQ(first_edges(read("cvat-video")), "22: 1 ");
  EXPECT_TRUE(dropped("expected a frame 0..10000000, found '-1'")) << said();
  for (const ConversionDrop& drop : account.drops)
    if (drop.kind == "box") {
      EXPECT_EQ(drop.file.string(), "a.xml") << drop.reason;
    }
  EXPECT_EQ(account.not_boxes.at("points"), 1u);
}

TEST_F(Cvat, BrokenXmlGetsOneLine) {
  image("a.png");
  std::string deep = "<annotations><image name=\"a.png\">";
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  for (int i = 0; i < 1000; ++i) deep += "</a>";
  deep += "</image></annotations>";
  const std::pair<std::string, const char*> cases[] = {
      {"<annotations>\n<image name=\"a.png\">\n<box", "a.xml:3: broken XML"},
      {deep, "at most 100 nested elements"},
      {"<annotations>\n<image name=\"\xFF.png\"/></annotations>",
       "a.xml:2: broken XML: text that "
       "is not UTF-8"}};
  for (const auto& [text, words] : cases) {
    file("a.xml", text);
    const std::string message = fault("cvat");
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace yolov7::dataset
