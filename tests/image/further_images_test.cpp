#include "image/codec/further_images.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/image/picture_fixture.hpp"

using namespace yolov7;
using fixture::big;
using fixture::little;

namespace {

/// Directories at 8 (empty), 14 (one entry: what kind of image it is) and 32 (empty).
std::string tiff_of_three(std::uint64_t kind, std::uint64_t after_the_last = 0) {
  return "II" + little(42, 2) + little(8, 4) + little(0, 2) + little(14, 4) + little(1, 2) +
         little(254, 2) + little(4, 2) + little(1, 4) + little(kind, 4) + little(32, 4) +
         little(0, 2) + little(after_the_last, 4);
}

std::string chunk(const std::string& name, const std::string& data) {
  return big(data.size(), 4) + name + data + big(0, 4);
}

}  // namespace

TEST(FurtherImages, PagesOfATiff) {
  EXPECT_EQ(further_images(tiff_of_three(2)), 2u);
  EXPECT_EQ(further_images(tiff_of_three(1)), 1u) << "a smaller version";
  EXPECT_EQ(further_images(tiff_of_three(4)), 1u) << "a mask";
  EXPECT_EQ(further_images(tiff_of_three(2, 8)), 2u) << "back to the first one";
  EXPECT_EQ(further_images(tiff_of_three(2, 1000)), 2u) << "outside of the file";
  EXPECT_EQ(further_images(tiff_of_three(2).substr(0, 33)), 1u) << "cut";
  // BigTIFF: two empty directories.
  EXPECT_EQ(further_images("MM" + big(43, 2) + big(8, 2) + big(0, 2) + big(16, 8) + big(0, 8) +
                           big(32, 8) + big(0, 8) + big(0, 8)),
            1u);
}

TEST(FurtherImages, FramesOfAnAnimatedPng) {
  const std::string start = "\x89PNG\r\n\x1a\n" + chunk("IHDR", std::string(13, '\0')),
                    three = chunk("acTL", big(3, 4) + big(0, 4)),
                    control = chunk("fcTL", std::string(26, '\0')), pixels = chunk("IDAT", "x");
  EXPECT_EQ(further_images(start + three + control + pixels), 2u);
  EXPECT_EQ(further_images(start + three + pixels + control), 3u) << "the first is no frame";
  EXPECT_EQ(further_images(start + pixels), 0u);
  EXPECT_EQ(further_images(start), 0u);
}

TEST(FurtherImages, ViewsOfAnMpo) {
  const std::string rest(12, '\0');
  const auto mpo = [&](std::uint64_t kind) {
    const std::string index = std::string("MPF\0", 4) + "MM" + big(42, 2) + big(8, 4) + big(1, 2) +
                              big(0xb002, 2) + big(7, 2) + big(32, 4) + big(26, 4) + big(0, 4) +
                              big(0x030000, 4) + rest + big(kind, 4) + rest;
    return "\xff\xd8\xff\xe2" + big(index.size() + 2, 2) + index + "\xff\xda";
  };
  EXPECT_EQ(further_images(mpo(0x020002)), 1u) << "disparity";
  EXPECT_EQ(further_images(mpo(0x010001)), 0u) << "a thumbnail";
  EXPECT_EQ(further_images(mpo(0)), 0u) << "a gain map";
  EXPECT_EQ(further_images("\xff\xd8\xff\xda"), 0u);
}
