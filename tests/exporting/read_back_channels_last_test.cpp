// Files of channels-last formats through OpenVINO's readers of them, against the reference
// interpreter.
#include <gtest/gtest.h>

#include <openvino/openvino.hpp>

#include "exporting/format_table.hpp"
#include "exporting/tensorflow.hpp"
#include "exporting/tflite.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/read_back.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

struct Kind {
  const char* file;
  WriteFormat write;
};
const Kind kinds[] = {
    {"x.tflite", write_tflite}, {"x_saved_model", write_saved_model}, {"x.pb", write_frozen_graph}};

/// [B, 3, H, W] → [B, H, W, 3].
std::vector<float> channels_last(const std::vector<float>& images, int batch, int height,
                                 int width) {
  const std::size_t cells = static_cast<std::size_t>(height * width);
  std::vector<float> result;
  for (std::size_t image = 0; image < static_cast<std::size_t>(batch); ++image)
    for (std::size_t cell = 0; cell < cells; ++cell)
      for (std::size_t channel = 0; channel < 3; ++channel)
        result.push_back(images[(image * 3 + channel) * cells + cell]);
  return result;
}

std::vector<float> run(const std::filesystem::path& file, const std::vector<float>& images,
                       int batch, int height, int width) {
  static ov::Core core;
  ov::CompiledModel compiled = core.compile_model(core.read_model(file.string()), "CPU",
                                                  ov::hint::inference_precision(ov::element::f32),
                                                  ov::inference_num_threads(1));
  EXPECT_EQ(compiled.inputs().size(), 1U);
  EXPECT_EQ(compiled.outputs().size(), 1U);
  ov::InferRequest request = compiled.create_infer_request();
  std::vector<float> input = channels_last(images, batch, height, width);
  const auto side = [](int length) { return static_cast<std::size_t>(length); };
  request.set_input_tensor(
      ov::Tensor(ov::element::f32, {side(batch), side(height), side(width), 3}, input.data()));
  request.infer();
  const ov::Tensor tensor = request.get_output_tensor();
  return {tensor.data<float>(), tensor.data<float>() + tensor.get_size()};
}

std::vector<float> run_written(const Kind& kind, const network::NetworkAndWeights& net,
                               const ExportOptions& options, int batch, int height, int width,
                               const std::vector<float>& images) {
  const test::ScratchFolder folder;
  kind.write(export_model(net, height, width, options), options, folder / kind.file);
  return run(folder / kind.file, images, batch, height, width);
}

/// Boxes in parts of the image.
std::vector<double> in_parts(std::vector<double> rows, int columns, int height, int width) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t column = i % static_cast<std::size_t>(columns);
    if (column == 0 || column == 2) rows[i] /= width;
    if (column == 1 || column == 3) rows[i] /= height;
  }
  return rows;
}

}  // namespace

TEST(ReadBackChannelsLast, EachPrimitiveGivesWhatTheInterpreterGives) {
  const auto input = images(1, 8, 12);
  for (const NamedNetwork& one : one_primitive_each()) {
    const std::vector<double> rows = reference_outputs(one.model, input, 1, 8, 12).rows;
    for (const Kind& kind : kinds)
      expect_close(run_written(kind, one.model, {}, 1, 8, 12, input), in_parts(rows, 6, 8, 12),
                   tolerance, std::string(kind.file) + ", " + one.name);
  }
}

// Padding that the formats lack, which is an operation of its own, even kernels and dilation.
TEST(ReadBackChannelsLast, PaddingOfStridedOperationsAndDilation) {
  const auto input = images(1, 8, 12);
  std::vector<NamedNetwork> all = padded_and_dilated();
  all.push_back(inverted_residual());
  for (const NamedNetwork& one : all) {
    const std::vector<double> rows = reference_outputs(one.model, input, 1, 8, 12).rows;
    for (const Kind& kind : kinds)
      expect_close(run_written(kind, one.model, {}, 1, 8, 12, input), in_parts(rows, 6, 8, 12),
                   tolerance, std::string(kind.file) + ", " + one.name);
  }
}

TEST(ReadBackChannelsLast, EveryPrimitiveAndAnOpenBatch) {
  const auto net = every_primitive(3);
  const auto input = images(2, 32, 40);
  const auto expected = in_parts(reference_outputs(net, input, 2, 32, 40).rows, 8, 32, 40);
  for (const Kind& kind : kinds)
    for (const bool open : {false, true}) {
      ExportOptions options;
      options.dynamic_batch = open, options.batch_size = open ? 1 : 2;
      expect_close(run_written(kind, net, options, 2, 32, 40, input), expected, tolerance,
                   std::string(kind.file) + (open ? ", open" : ""));
    }
}

TEST(ReadBackChannelsLast, WithoutObjectness) {
  const auto input = images(1, 32, 40);
  for (const int classes : {1, 3}) {
    const auto net = every_primitive(classes);
    const std::vector<double> rows = reference_outputs(net, input, 1, 32, 40).rows;
    const std::size_t no = static_cast<std::size_t>(5 + classes), count = rows.size() / no;
    std::vector<double> expected;  // [4 + nc, N], pixels
    for (std::size_t column = 0; column < no - 1; ++column)
      for (std::size_t row = 0; row < count; ++row) {
        const double* values = rows.data() + row * no;
        expected.push_back(column < 4     ? values[column]
                           : classes == 1 ? values[4]
                                          : values[4] * values[column + 1]);
      }
    ExportOptions options;
    options.fold_obj = true;
    for (const Kind& kind : kinds)
      expect_close(run_written(kind, net, options, 1, 32, 40, input), expected, tolerance,
                   kind.file);
  }
}

// Weights alone are rounded, to 11 bits, and their errors of a layer cancel in part: ten layers
// stay below ten halves of a last place, 10 · 2^-12, of the largest value.
TEST(ReadBackChannelsLast, Float16WeightsStayClose) {
  const auto net = every_primitive(3);
  const auto input = images(1, 32, 40);
  ExportOptions options;
  options.half = true;
  expect_close(run_written(kinds[0], net, options, 1, 32, 40, input),
               in_parts(reference_outputs(net, input, 1, 32, 40).rows, 8, 32, 40), 2.5e-3, "half");
}
