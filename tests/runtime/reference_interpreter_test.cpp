// OpenVINO against the interpreter, which shares no code with it (and which
// golden_openvino_test.cpp checks against the reference values).
#include "tests/runtime/reference_interpreter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "network/config/builder.hpp"
#include "runtime/openvino/openvino_detector.hpp"

using namespace yolov7;
using namespace yolov7::reference;

// Formula weights with running mean 0 and variance 1, 64 × 64.
TEST(ReferenceInterpreter, AgreesWithOpenvino) {
  for (const char* cfg : {YOLOV7_SOURCE_DIR "/configs/training/yolov7-tiny.yaml",
                          YOLOV7_SOURCE_DIR "/configs/deploy/yolov7.yaml"}) {
    const network::Network network = network::build(network::read_config(cfg), cfg);
    Interpreter interpreter(network, formula_tensors(network));
    const Map input = formula_input(1, 64);
    const std::vector<Map> exact = interpreter.run(input, false);
    runtime::DetectorOptions options;
    options.raw_maps = true;
    const std::vector<float> pixels(input.values.begin(), input.values.end());
    const runtime::Prediction p = runtime::predict_openvino(
        network, to_weights(network, interpreter.tensors()), options, pixels, 1, 64, 64);
    for (std::size_t l = 0; l < exact.size(); ++l) {
      const std::vector<double> values = by_cell(exact[l], 3);
      ASSERT_EQ(p.raw.at(l).values.size(), values.size());
      // Rounding grows along some 60 layers of unit gain; the golden files allow up to 1.7e-3 for
      // these networks at values of a few units. Values here shrink or grow with the layers, hence
      // relative to the largest.
      double largest = 1;
      for (const double v : values) largest = std::max(largest, std::abs(v));
      for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(p.raw[l].values[i], values[i], 2e-4 * largest)
            << cfg << " level " << l << ' ' << i;
    }
  }
}
