#include "runtime/openvino/openvino_error.hpp"

#include <gtest/gtest.h>

using yolov7::runtime::openvino_reason;

// Texts as OpenVINO 2026.4 gives them, but for the third, which is made up.
TEST(OpenvinoError, SourceLocationsAreRemoved) {
  EXPECT_EQ(openvino_reason("Exception from src/inference/src/cpp/core.cpp:84:\n"
                            "Check 'm_model->ParseFromIstream(&model_file)' failed at "
                            "src/frontends/onnx/frontend/src/core/graph_iterator_proto.cpp:563:\n"
                            "FrontEnd API failed with GeneralFailure:\nModel can't be parsed\n\n"),
            "Model can't be parsed");
  EXPECT_EQ(openvino_reason("Exception from src/inference/src/cpp/core.cpp:84:\n"
                            "Check 'res' failed at src/frontends/ir/src/input_model.cpp:219:\n"
                            "Start-end tags mismatch at offset 4999\n\n"),
            "Start-end tags mismatch at offset 4999");
  EXPECT_EQ(openvino_reason("Check 'x' failed at src/core/x.cpp:12: too large"), "too large");
  EXPECT_EQ(openvino_reason("While validating node 'Reshape_74': Check '!empty(\"a'b\")' failed at "
                            "src/core/shape_inference/include/reshape.hpp:360:\nno such sides"),
            "While validating node 'Reshape_74': no such sides");
  EXPECT_EQ(openvino_reason("FrontEnd API failed with GeneralFailure:\n[TensorFlow Frontend] Saved "
                            "Model cannot be parsed\n"),
            "Saved Model cannot be parsed");
  EXPECT_EQ(
      openvino_reason("Exception from src/inference/src/model_reader.cpp:148:\nUnable to read "
                      "the model: \"x.pb\" Please check that model format: \".pb\" is "
                      "supported. Available frontends: jax paddle onnx\n"),
      "none of OpenVINO's readers accepts this file");
}

// The number of the line ends the place, whatever the file is called.
TEST(OpenvinoError, ReasonsBehindOtherPlacesStay) {
  EXPECT_EQ(openvino_reason("Check 'x' failed at src/core/x.hpp:12: too large"), "too large");
  EXPECT_EQ(openvino_reason("Check 'x' failed at src/core/x.c:12: too large"), "too large");
  EXPECT_EQ(openvino_reason("TensorFlow Lite Frontend: no such operator"), "no such operator");
}

TEST(OpenvinoError, IsOnePrintableLine) {
  EXPECT_EQ(openvino_reason("first\nsecond\nfirst\n"), "first; second");
  EXPECT_EQ(openvino_reason("a\x1b[31m"), "a\\x1b[31m");
  EXPECT_EQ(openvino_reason(""), "OpenVINO gave no reason");
  const std::string longest = openvino_reason(std::string(1000, 'x'));
  EXPECT_EQ(longest, std::string(240, 'x') + " ...");
  // 239 letters, then characters of two bytes: none is cut in its middle.
  std::string words(239, 'x');
  for (int i = 0; i < 10; ++i) words += "\u00e9";
  EXPECT_EQ(openvino_reason(words), std::string(239, 'x') + " ...");
}
