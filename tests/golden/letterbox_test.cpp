#include "image/letterbox.hpp"

#include <opencv2/core.hpp>

#include "golden/reference.hpp"
#include "image/codec/codec.hpp"

using namespace yolov7;

namespace {

// new_shape is one number or [height, width].
cv::Size target_of(const nlohmann::json& shape) {
  if (shape.is_array()) return {shape.at(1).get<int>(), shape.at(0).get<int>()};
  return {shape.get<int>(), shape.get<int>()};
}

LetterboxOptions options_of(const nlohmann::json& args) {
  LetterboxOptions options;
  options.automatic = args.value("auto", true);
  options.fill = args.value("scaleFill", false);
  options.scale_up = args.value("scaleup", true);
  options.stride = args.value("stride", 32);
  return options;
}

void check(const nlohmann::json& one) {
  const std::string name = one.at("image");
  const nlohmann::json& args = one.at("args");
  SCOPED_TRACE(name + " " + args.dump());
  const cv::Mat picture = read_picture(golden::shared_dir() / "images" / name);
  ASSERT_EQ(picture.rows, one.at("source_shape").at(0).get<int>());
  ASSERT_EQ(picture.cols, one.at("source_shape").at(1).get<int>());
  const Letterbox geometry =
      letterbox_geometry(picture.size(), target_of(args.at("new_shape")), options_of(args));
  EXPECT_NEAR(geometry.ratio_x, one.at("ratio").at(0), 1e-12);
  EXPECT_NEAR(geometry.ratio_y, one.at("ratio").at(1), 1e-12);
  EXPECT_EQ(geometry.dw, one.at("pad").at(0).get<double>());
  EXPECT_EQ(geometry.dh, one.at("pad").at(1).get<double>());
  const cv::Mat boxed = letterbox(picture, geometry);
  ASSERT_EQ(boxed.rows, one.at("shape").at(0).get<int>());
  ASSERT_EQ(boxed.cols, one.at("shape").at(1).get<int>());
  // 3 grey levels: another JPEG decoder and another OpenCV wrote the samples. Over a whole picture
  // such differences cancel, so that the means are held to a tenth of that.
  for (const auto& sample : one.at("samples_bgr"))
    for (int channel = 0; channel < 3; ++channel)
      EXPECT_NEAR(boxed.at<cv::Vec3b>(sample.at(0), sample.at(1))[channel],
                  sample.at(2 + channel).get<double>(), 3)
          << "row " << sample.at(0) << " column " << sample.at(1) << " channel " << channel;
  const cv::Scalar mean = cv::mean(boxed);
  for (int channel = 0; channel < 3; ++channel)
    EXPECT_NEAR(mean[channel], one.at("mean_bgr").at(channel).get<double>(), 0.3);
}

}  // namespace

TEST(Golden, Letterbox) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  YOLOV7_REQUIRE_REFERENCE(golden::shared_dir() / "images");
  golden::Cases cases("letterbox");
  for (const auto& path : golden::golden_files("letterbox")) {
    for (const auto& one : golden::load(path)) {
      check(one);
      cases.ran();
    }
  }
}
