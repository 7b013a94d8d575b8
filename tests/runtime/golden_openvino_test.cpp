// The interpreter against the reference values, and OpenVINO against both. The golden cases'
// running statistics come from a forward pass in training mode, which the interpreter does in
// double precision.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "network/config/builder.hpp"
#include "runtime/openvino/openvino_detector.hpp"
#include "tests/golden/reference.hpp"
#include "tests/runtime/reference_interpreter.hpp"

using namespace yolov7;
using namespace yolov7::reference;

namespace {

struct Case {
  nlohmann::json golden;
  network::Network network;
};

Case open_case(const std::string& name) {
  Case one;
  one.golden = golden::load(golden::golden_dir() / ("forward-" + name + ".json"));
  const std::string folder = name.find("deploy") != std::string::npos ? "deploy/" : "training/";
  network::Overrides overrides;
  overrides.class_count = one.golden.at("nc");
  overrides.width_multiple = one.golden.at("overrides").value("width_multiple", 0.0);
  const std::string cfg =
      YOLOV7_SOURCE_DIR "/configs/" + folder + one.golden.at("cfg").get<std::string>();
  one.network = network::build(network::read_config(cfg), cfg, overrides);
  return one;
}

/// All numbers within 1e-9 · max(1, |v|): the rule for float64.
void expect_level(const Map& map, const nlohmann::json& wanted_json, const std::string& where) {
  const golden::Digest wanted = golden::read_digest(wanted_json);
  const std::vector<double> values = by_cell(map, 3);
  const std::vector<std::int64_t> shape{map.n, 3, map.h, map.w, map.c / 3};
  golden::expect_digest(golden::digest_of(values.data(), values.size(), shape, wanted), wanted,
                        1e-9, 1e-9, where);
}

void compare(const std::string& name) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  const Case one = open_case(name);
  SCOPED_TRACE(name);
  const int size = one.golden.at("size");
  const Map input = formula_input(2, size);
  Interpreter interpreter(one.network, formula_tensors(one.network));
  const std::vector<Map> train = interpreter.run(input, true);
  for (std::size_t l = 0; l < train.size(); ++l)
    expect_level(train[l], one.golden.at("train").at(l), "train " + std::to_string(l));
  const std::vector<Map> eval = interpreter.run(input, false);
  for (std::size_t l = 0; l < eval.size(); ++l)
    expect_level(eval[l], one.golden.at("eval_raw").at(l), "eval_raw " + std::to_string(l));
  const std::vector<double> decoded = decode(one.network, eval);
  const golden::Digest wanted = golden::read_digest(one.golden.at("eval_decoded"));
  golden::expect_digest(golden::digest_of(decoded.data(), decoded.size(), wanted.shape, wanted),
                        wanted, 1e-9, 1e-9, "eval_decoded");

  const std::vector<float> pixels(input.values.begin(), input.values.end());
  runtime::DetectorOptions options;
  options.raw_maps = true;
  const runtime::Prediction p = runtime::predict_openvino(
      one.network, to_weights(one.network, interpreter.tensors()), options, pixels, 2, size, size);
  for (std::size_t l = 0; l < eval.size(); ++l) {
    // The float32 rule: every raw value within 4 × fp32_noise[l].max of the double-precision one.
    const double allowed = 4 * one.golden.at("fp32_noise").at(l).at("max").get<double>();
    const std::vector<double> exact = by_cell(eval[l], 3);
    ASSERT_EQ(p.raw.at(l).values.size(), exact.size());
    double worst = 0;
    for (std::size_t i = 0; i < exact.size(); ++i)
      worst = std::max(worst, std::abs(p.raw[l].values[i] - exact[i]));
    EXPECT_LE(worst, allowed) << "level " << l;
    std::printf("%s level %zu: float32 off by %.3g, allowed %.3g\n", name.c_str(), l, worst,
                allowed);
  }
  // dx/dt ≤ S/2, dw/dt ≤ 0.6·A for the raw errors above (below 2.5e-3): 1e-3 relative to the value
  // or to 32 px.
  ASSERT_EQ(p.decoded.size(), decoded.size());
  double worst = 0;
  for (std::size_t i = 0; i < decoded.size(); ++i)
    worst =
        std::max(worst, std::abs(p.decoded[i] - decoded[i]) / std::max(32.0, std::abs(decoded[i])));
  EXPECT_LE(worst, 1e-3);
}

}  // namespace

TEST(GoldenOpenvino, Tiny) { compare("yolov7-tiny"); }
TEST(GoldenOpenvino, Slim) { compare("yolov7-slim"); }
TEST(GoldenOpenvino, DeploySlim) { compare("yolov7-deploy-slim"); }
TEST(GoldenOpenvino, Full) { compare("yolov7"); }
