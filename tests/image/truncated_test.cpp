#include "image/codec/truncated.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

class TruncatedRules : public testing::Test {
 protected:
  ~TruncatedRules() override { set_truncated_rule({}); }
};

TEST_F(TruncatedRules, SharesOfRows) {
  const DecodedRows rows{98, 100}, fewer{97, 100}, whole{}, all{100, 100};
  EXPECT_TRUE(enough_rows(rows));
  EXPECT_FALSE(enough_rows(fewer));
  set_truncated_rule({TruncatedRule::Kind::keep, 0.97});
  EXPECT_TRUE(enough_rows(fewer));
  set_truncated_rule({TruncatedRule::Kind::drop, 0.97});
  EXPECT_FALSE(enough_rows(rows));
  EXPECT_FALSE(enough_rows(all)) << "the file lacks its end, even if each row is there";
  EXPECT_TRUE(enough_rows(whole)) << "0 of 0: the file has its end";
}

TEST_F(TruncatedRules, TheReasonIsNamed) {
  EXPECT_EQ(
      describe_missing({90, 100}, 0.98),
      "truncated or corrupt JPEG: the end of the file is missing: 90 of 100 rows are decoded, "
      "expected at least 98 %");
  EXPECT_EQ(
      describe_missing({90, 100}, 2),
      "truncated or corrupt JPEG: the end of the file is missing: 90 of 100 rows are decoded, "
      "and truncated drop uses no such file");
}

// Noise of 64 × 400 px, 16 rows a group: a cut in the middle leaves about half of the rows.
TEST_F(TruncatedRules, EveryDecoderCallFollowsTheRule) {
  cv::Mat noise(400, 64, CV_8UC3);
  for (int i = 0; i < 400 * 64 * 3; ++i)
    noise.data[i] = static_cast<unsigned char>(static_cast<unsigned>(i) * 2654435761u >> 13);
  const std::string jpeg = encode_jpeg(noise), half = jpeg.substr(0, jpeg.size() / 2),
                    unmarked = jpeg.substr(0, jpeg.size() - 2);
  EXPECT_NE(test::error_of([&] { decode_picture(half, "a.jpg"); }), "no error");
  EXPECT_EQ(test::error_of([&] { decode_picture(unmarked, "a.jpg"); }), "no error");
  set_truncated_rule({TruncatedRule::Kind::keep, 0.3});
  const ReducedPicture kept = decode_reduced_picture(half, "a.jpg", 0);
  EXPECT_GT(kept.rows.decoded, 120);
  EXPECT_LT(kept.rows.decoded, 280);
  EXPECT_EQ(kept.bgr.at<cv::Vec3b>(399, 0), cv::Vec3b(114, 114, 114));
  set_truncated_rule({TruncatedRule::Kind::drop, 0.3});
  EXPECT_NE(test::error_of([&] { decode_picture(unmarked, "a.jpg"); }), "no error");
  EXPECT_EQ(test::error_of([&] { decode_picture(jpeg, "a.jpg"); }), "no error");
  // A limit of a call goes before the rule.
  DecodeLimits limits;
  limits.least_rows = 0.3;
  EXPECT_EQ(test::error_of([&] { decode_picture(half, "a.jpg", limits); }), "no error");
}

}  // namespace
}  // namespace yolov7
