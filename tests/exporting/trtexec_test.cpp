#include "exporting/trtexec.hpp"

#include <gtest/gtest.h>

#include "tests/exporting/networks.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

ExportOptions with_batches() {
  ExportOptions options;
  options.dynamic_batch = options.half = true;
  options.batch_size = 8, options.cache = "t.cache";
  return options;
}

}  // namespace

TEST(Trtexec, TheLine) {
  const ExportOptions options = with_batches();
  const auto model = export_model(every_primitive(3), 32, 40, options);
  EXPECT_EQ(trtexec_line(model, options, "a b/x-tensorrt.onnx"),
            "trtexec --onnx='a b/x-tensorrt.onnx' --saveEngine='a b/x-tensorrt.engine' --fp16 "
            "--memPoolSize=workspace:4096 --minShapes=images:1x3x32x40 "
            "--optShapes=images:4x3x32x40 --maxShapes=images:8x3x32x40 --timingCacheFile=t.cache");
  EXPECT_EQ(trtexec_line(model, {}, "x.onnx", "m/1/model.plan"),
            "trtexec --onnx=x.onnx --saveEngine=m/1/model.plan --memPoolSize=workspace:4096");
}

// --workspace went with 8.6; from 11 on an engine has the types of its file.
TEST(Trtexec, OneLineForEachVersion) {
  const ExportOptions options = with_batches();
  const auto model = export_model(every_primitive(3), 32, 40, options);
  const auto lines = trtexec_lines(model, options, "x.onnx");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].first, "up to 8.5");
  EXPECT_NE(lines[0].second.find("--fp16 --workspace=4096 "), std::string::npos) << lines[0].second;
  EXPECT_EQ(lines[1].first, "8.6 to 10");
  EXPECT_EQ(lines[1].second, trtexec_line(model, options, "x.onnx"));
  EXPECT_EQ(lines[2].first,
            "11 on, float32; for float16 give it the file of --include onnx --half");
  EXPECT_EQ(lines[2].second.find("--fp16"), std::string::npos);
  EXPECT_NE(lines[2].second.find("--memPoolSize=workspace:4096"), std::string::npos);
}

// Up to TensorRT 10 a file with quantizers needs the option; from 11 on the option is gone.
TEST(Trtexec, IntegersHaveToBeAllowed) {
  ExportOptions options;
  options.int8 = true;
  const auto model = export_model(every_primitive(3), 32, 40, options);
  const auto lines = trtexec_lines(model, options, "x.onnx");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].second, "trtexec --onnx=x.onnx --saveEngine=x.engine --int8 --workspace=4096");
  EXPECT_EQ(lines[1].second,
            "trtexec --onnx=x.onnx --saveEngine=x.engine --int8 --memPoolSize=workspace:4096");
  EXPECT_EQ(lines[2].first, "11 on");
  EXPECT_EQ(lines[2].second,
            "trtexec --onnx=x.onnx --saveEngine=x.engine --memPoolSize=workspace:4096");
}
