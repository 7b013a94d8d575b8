#include <fmt/format.h>

#include "core/error.hpp"
#include "runtime/detector.hpp"
#include "runtime/openvino/quantized_form.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <algorithm>
#include <openvino/core/version.hpp>
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/infer_request.hpp>

#include "runtime/openvino/compiled_models.hpp"
#include "runtime/openvino/openvino_detector.hpp"
#include "runtime/openvino/openvino_error.hpp"

namespace yolov7::runtime {
namespace {

class OpenvinoDetector final : public Detector {
 public:
  explicit OpenvinoDetector(std::shared_ptr<CompiledModels> models)
      : models_(std::move(models)), ready_(models_->options().kept_shapes) {}

  std::string description() const override {
    const std::string build = ov::get_openvino_version().buildNumber;
    const DetectorOptions& options = models_->options();
    const int threads = models_->threads();
    return fmt::format("OpenVINO {}, CPU, {}, {} thread{}{}", build.substr(0, build.find('-')),
                       models_->quantized() ? "int8" : options.precision, threads,
                       threads == 1 ? "" : "s",
                       options.streams > 1 ? fmt::format(", {} streams", options.streams) : "");
  }
  int class_count() const override { return models_->network().class_count; }
  int stride() const override { return static_cast<int>(models_->network().largest_stride()); }
  std::unique_ptr<Detector> sibling() override {
    return std::make_unique<OpenvinoDetector>(models_);
  }

  void prepare(int count, int height, int width) override { request({count, height, width}); }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    const ov::Shape shape{static_cast<std::size_t>(std::max(batch.count, 0)), 3,
                          static_cast<std::size_t>(std::max(batch.height, 0)),
                          static_cast<std::size_t>(std::max(batch.width, 0))};
    if (ov::shape_size(shape) != batch.pixels.size() || batch.pixels.empty())
      throw Error(fmt::format("expected {} x 3 x {} x {} bytes of pixels, found {}", batch.count,
                              batch.height, batch.width, batch.pixels.size()));
    // OpenVINO takes a non-const pointer and only reads.
    run(ov::Tensor(ov::element::u8, shape, const_cast<std::uint8_t*>(batch.pixels.data())),
        request({batch.count, batch.height, batch.width}), prediction);
  }

  void predict_floats(std::span<const float> pixels, int count, int height, int width,
                      Prediction& prediction) {
    const ov::Shape shape{static_cast<std::size_t>(count), 3, static_cast<std::size_t>(height),
                          static_cast<std::size_t>(width)};
    if (ov::shape_size(shape) != pixels.size())
      throw Error(
          fmt::format("expected {} values, found {}", ov::shape_size(shape), pixels.size()));
    run(ov::Tensor(ov::element::f32, shape, const_cast<float*>(pixels.data())),
        request({count, height, width, true}), prediction);
  }

 private:
  ov::InferRequest& request(const InputShape& shape) {
    return ready_.get(shape, [&] {
      const auto compiled = models_->get(shape);
      return guarded("make a request", [&] { return compiled->create_infer_request(); });
    });
  }

  /// Input and outputs are the caller's memory; nothing is copied on our side.
  void run(const ov::Tensor& input, ov::InferRequest& request, Prediction& prediction) {
    guarded("run the network", [&] {
      const auto outputs = request.get_compiled_model().outputs();
      const ov::Shape shape = outputs.at(0).get_shape();
      prediction.count = static_cast<int>(shape.at(0));
      prediction.rows = shape.at(1);
      prediction.columns = static_cast<int>(shape.at(2));
      prediction.decoded.resize(ov::shape_size(shape));
      prediction.parts.clear();
      prediction.raw.resize(outputs.size() - 1);
      request.set_input_tensor(input);
      request.set_output_tensor(0, ov::Tensor(ov::element::f32, shape, prediction.decoded.data()));
      for (std::size_t j = 0; j + 1 < outputs.size(); ++j) {
        const ov::Shape map = outputs[j + 1].get_shape();
        Prediction::RawMap& raw = prediction.raw[j];
        raw.anchors = static_cast<int>(map.at(1)), raw.height = static_cast<int>(map.at(2)),
        raw.width = static_cast<int>(map.at(3));
        raw.values.resize(ov::shape_size(map));
        request.set_output_tensor(j + 1, ov::Tensor(ov::element::f32, map, raw.values.data()));
      }
      request.infer();
    });
  }

  std::shared_ptr<CompiledModels> models_;
  RecentlyUsed<InputShape, ov::InferRequest> ready_;
};

}  // namespace

std::unique_ptr<Detector> make_openvino_detector(
    std::shared_ptr<const network::NetworkAndWeights> model, const DetectorOptions& options) {
  return std::make_unique<OpenvinoDetector>(
      std::make_shared<CompiledModels>(std::move(model), options));
}

std::unique_ptr<Detector> make_quantized_detector(
    std::shared_ptr<const network::NetworkAndWeights> fused, const QuantizedForm& form,
    const DetectorOptions& options) {
  DetectorOptions as_given = options;
  as_given.as_stored = true;
  return std::make_unique<OpenvinoDetector>(
      std::make_shared<CompiledModels>(std::move(fused), as_given, form));
}

Prediction predict_openvino(const network::Network& network, const network::Weights& weights,
                            const DetectorOptions& options, std::span<const float> pixels,
                            int count, int height, int width) {
  Prediction prediction;
  auto model = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{network, weights});
  OpenvinoDetector(std::make_shared<CompiledModels>(std::move(model), options))
      .predict_floats(pixels, count, height, width, prediction);
  return prediction;
}

bool openvino_available() { return true; }

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

std::unique_ptr<Detector> make_openvino_detector(std::shared_ptr<const network::NetworkAndWeights>,
                                                 const DetectorOptions&) {
  throw Error(
      "this build has no OpenVINO; build with -DYOLOV7_OPENVINO=ON after scripts/setup, or with "
      "-DOpenVINO_DIR=<folder with OpenVINOConfig.cmake>");
}

std::unique_ptr<Detector> make_quantized_detector(
    std::shared_ptr<const network::NetworkAndWeights> fused, const QuantizedForm&,
    const DetectorOptions& options) {
  return make_openvino_detector(std::move(fused), options);  // says that there is no OpenVINO
}

bool openvino_available() { return false; }

}  // namespace yolov7::runtime

#endif
