// Written files through OpenVINO's own reader, against the reference interpreter.
#include "tests/exporting/read_back.hpp"

#include <gtest/gtest.h>

#include <openvino/openvino.hpp>

#include "exporting/onnx.hpp"
#include "image/boxes/nms.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

std::vector<std::vector<float>> run(const std::filesystem::path& file,
                                    const std::vector<float>& images, const ov::Shape& shape) {
  static ov::Core core;
  ov::CompiledModel compiled = core.compile_model(core.read_model(file.string()), "CPU",
                                                  ov::hint::inference_precision(ov::element::f32));
  ov::InferRequest request = compiled.create_infer_request();
  request.set_input_tensor(ov::Tensor(ov::element::f32, shape, const_cast<float*>(images.data())));
  request.infer();
  std::vector<std::vector<float>> outputs;
  for (std::size_t i = 0; i < compiled.outputs().size(); ++i) {
    const ov::Tensor tensor = request.get_output_tensor(i);
    const float* values = tensor.data<float>();
    outputs.emplace_back(values, values + tensor.get_size());
  }
  return outputs;
}

std::vector<std::vector<float>> run_written(const network::NetworkAndWeights& net,
                                            const ExportOptions& options, int batch, int height,
                                            int width, const std::vector<float>& images) {
  const test::ScratchFolder folder;
  // Where sides are open the file is written for others.
  const int other = options.dynamic ? 16 : 0;
  write_onnx(export_model(net, height + other, width + 2 * other, options), options,
             folder / "x.onnx");
  return run(folder / "x.onnx", images,
             {static_cast<std::size_t>(batch), 3, static_cast<std::size_t>(height),
              static_cast<std::size_t>(width)});
}

}  // namespace

TEST(ReadBack, EachPrimitiveGivesWhatTheInterpreterGives) {
  std::vector<NamedNetwork> all = one_primitive_each();
  all.push_back(inverted_residual());
  for (const NamedNetwork& one : all) {
    const auto input = images(1, 8, 12);
    const ReferenceOutputs expected = reference_outputs(one.model, input, 1, 8, 12);
    expect_close(run_written(one.model, {}, 1, 8, 12, input).at(0), expected.raw.at(0), tolerance,
                 one.name);
  }
}

TEST(ReadBack, EveryOperatorSetAndOpenSides) {
  const auto net = every_primitive(3);
  const auto input = images(2, 32, 40);
  const ReferenceOutputs expected = reference_outputs(net, input, 2, 32, 40);
  for (const int opset : {12, 13, 18})  // the peer takes them all
    for (const int open : {0, 1, 2}) {
      ExportOptions options;
      options.opset = opset, options.batch_size = open == 0 ? 2 : 1;
      options.dynamic_batch = open == 1, options.dynamic = open == 2;
      const std::string what = "opset " + std::to_string(opset) + ", " + std::to_string(open);
      const auto raw = run_written(net, options, 2, 32, 40, input);
      ASSERT_EQ(raw.size(), 2U);
      for (std::size_t j = 0; j < 2; ++j) expect_close(raw[j], expected.raw[j], tolerance, what);
      options.grid = true;
      expect_close(run_written(net, options, 2, 32, 40, input).at(0), expected.rows, tolerance,
                   what + ", decoded");
    }
}

TEST(ReadBack, Float16StaysClose) {
  const auto net = every_primitive(3);
  const auto input = images(1, 32, 40);
  ExportOptions options;
  options.half = options.grid = true;
  // Ten layers of 11 bits: 2^-11 · 10 of the largest value at most.
  expect_close(run_written(net, options, 1, 32, 40, input).at(0),
               reference_outputs(net, input, 1, 32, 40).rows, 5e-3, "half");
}

TEST(ReadBack, WithoutObjectness) {
  for (const int classes : {1, 3}) {
    const auto net = every_primitive(classes);
    const auto input = images(1, 32, 40);
    const std::vector<double> rows = reference_outputs(net, input, 1, 32, 40).rows;
    const std::size_t no = static_cast<std::size_t>(5 + classes), count = rows.size() / no;
    std::vector<double> expected;  // [4 + nc, N]
    for (std::size_t column = 0; column < no - 1; ++column)
      for (std::size_t row = 0; row < count; ++row) {
        const double* values = rows.data() + row * no;
        expected.push_back(column < 4     ? values[column]
                           : classes == 1 ? values[4]
                                          : values[4] * values[column + 1]);
      }
    ExportOptions options;
    options.fold_obj = true;
    expect_close(run_written(net, options, 1, 32, 40, input).at(0), expected, tolerance, "v8");
  }
}

// Form C box for box against the suppression that detect and val use.
TEST(ReadBack, SuppressionInTheGraphIsOurs) {
  const struct { double conf, iou; } cases[] = {{0.25, 0.45}, {0.001, 0.65}};
  for (const int classes : {1, 3})
    for (const bool agnostic : {false, true})
      for (const auto& one : cases) {
        const auto net = every_primitive(classes);
        const auto input = images(2, 64, 64);
        ExportOptions options;
        options.nms = true, options.batch_size = 2, options.topk_all = 300;
        options.conf_thres = one.conf, options.iou_thres = one.iou, options.agnostic_nms = agnostic;
        const auto found = run_written(net, options, 2, 64, 64, input).at(0);
        const std::vector<double> rows = reference_outputs(net, input, 2, 64, 64).rows;
        const std::vector<float> decoded(rows.begin(), rows.end());
        const std::size_t half = decoded.size() / 2;
        std::size_t at = 0;
        for (const std::size_t image : {0U, 1U}) {
          NmsOptions nms;
          nms.conf_thres = one.conf, nms.iou_thres = one.iou, nms.agnostic = agnostic;
          const auto expected =
              non_maximum_suppression(decoded.data() + image * half,
                                      half / static_cast<std::size_t>(5 + classes), classes, nms)
                  .detections;
          ASSERT_GT(expected.size(), 5U) << "a test of nothing";
          for (const Detection& detection : expected) {
            ASSERT_LE((at + 1) * 7, found.size());
            const float* row = found.data() + 7 * at++;
            EXPECT_EQ(row[0], static_cast<float>(image));
            EXPECT_NEAR(row[1], detection.box.x1, 1e-3);
            EXPECT_NEAR(row[2], detection.box.y1, 1e-3);
            EXPECT_NEAR(row[3], detection.box.x2, 1e-3);
            EXPECT_NEAR(row[4], detection.box.y2, 1e-3);
            EXPECT_EQ(row[5], static_cast<float>(detection.class_index));
            EXPECT_NEAR(row[6], detection.score, 1e-5);
          }
        }
        // OpenVINO gives the rows that are left of a fixed number as −1.
        for (; at * 7 < found.size(); ++at) EXPECT_EQ(found[at * 7], -1);
      }
}
