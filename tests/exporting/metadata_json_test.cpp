#include "exporting/metadata_json.hpp"

#include <gtest/gtest.h>

using namespace yolov7::exporting;

TEST(MetadataJson, TextsInTheirOrder) {
  EXPECT_EQ(
      metadata_json({{"stride", "32"}, {"names", "{0: 'a \"b\"'}"}, {"args", "x\ny"}}),
      "{\n \"stride\": \"32\",\n \"names\": \"{0: 'a \\\"b\\\"'}\",\n \"args\": \"x\\ny\"\n}");
  EXPECT_EQ(metadata_json({}), "{}");
}
