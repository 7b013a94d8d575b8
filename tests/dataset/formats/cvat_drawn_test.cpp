#include "dataset/formats/cvat_drawn.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::dataset {
namespace {

TEST(CvatDrawn, AllThatPeopleDrewCounts) {
  const auto counts = cvat_drawn(R"(<?xml version="1.0"?>
<annotations><version>1.1</version>
<image id="0" name="a.png" width="9" height="9">
  <box label="cat" xtl="1" ytl="1" xbr="4" ybr="4" z_order="0"/>
  <box label="cat" xtl="1" ytl="1" xbr="4" ybr="4" z_order="1"/>
  <box label="dog" xtl="1" ytl="1" xbr="4" ybr="4"/>
  <polyline label="cat" points="1,1;2,2"/>
  <points label="cat" points="1,1"/>
  <tag label="night"/>
</image>
<image id="1" name="b.png" width="9" height="9">
  <box label="cat" xtl="1" ytl="1" xbr="4" ybr="4" group_id="3"/>
  <skeleton label="cat" group_id="3"><points label="nose" points="2,2"/></skeleton>
  <skeleton label="cat" group_id="0"><points label="nose" points="2,2"/></skeleton>
</image>
<image id="2" name="c.png" width="9" height="9"/>
</annotations>)",
                                 "x.xml");
  // The second cat is the first one again. The first skeleton is that of the box.
  EXPECT_EQ(counts, (std::map<std::string, std::size_t>{{"a.png", 4}, {"b.png", 2}, {"c.png", 0}}));
}

TEST(CvatDrawn, AnotherFileIsRefused) {
  EXPECT_NE(test::error_of([] { cvat_drawn("<a/>", "x.xml"); }).find("x.xml: expected an export"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::dataset
