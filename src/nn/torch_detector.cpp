#include "nn/torch_detector.hpp"

#include <fmt/format.h>
#include <torch/version.h>

#include "core/error.hpp"
#include "core/threads.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

class TorchDetector : public runtime::Detector {
 public:
  TorchDetector(const network::Network& network, const network::Weights& weights,
                const runtime::DetectorOptions& options, at::Device device,
                const FakeQuantizers* quantizers)
      : network_(network, at::kFloat, device), options_(options) {
    if (options_.precision != "float32" && options_.precision != "bfloat16")
      throw Error(
          fmt::format("precision: expected float32 or bfloat16, found '{}'", options_.precision));
    if (options_.threads <= 0) options_.threads = usable_cores();
    network_.load(weights);
    network_.set_quantizers(quantizers);
    if (options_.precision == "bfloat16") network_.set_compute(at::kBFloat16);
  }

  std::string description() const override {
    const at::Device device = network_.device();
    return fmt::format("LibTorch {}, {}, {}, {} threads", TORCH_VERSION,
                       device.is_cpu() ? "CPU" : device.str(), options_.precision,
                       options_.threads);
  }
  int class_count() const override { return network_.description().class_count; }
  int stride() const override { return static_cast<int>(network_.description().largest_stride()); }

  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    c10::InferenceMode no_gradient;
    at::set_num_threads(options_.threads);
    const at::Tensor images =
        image_tensor(batch.pixels, batch.count, batch.height, batch.width, network_.device());
    const std::vector<at::Tensor> maps = network_.forward(images);
    const at::Tensor rows = decode(maps, network_.description()).to(at::kCPU).contiguous();
    prediction.count = batch.count;
    prediction.rows = static_cast<std::size_t>(rows.size(1));
    prediction.columns = static_cast<int>(rows.size(2));
    prediction.decoded.assign(rows.const_data_ptr<float>(),
                              rows.const_data_ptr<float>() + rows.numel());
    prediction.raw.clear();
    if (!options_.raw_maps) return;
    for (const at::Tensor& map : maps) {
      const at::Tensor values = map.to(at::kCPU).contiguous();
      prediction.raw.push_back(
          {static_cast<int>(map.size(1)), static_cast<int>(map.size(2)),
           static_cast<int>(map.size(3)),
           std::vector<float>(values.const_data_ptr<float>(),
                              values.const_data_ptr<float>() + values.numel())});
    }
  }

 private:
  TorchNetwork network_;
  runtime::DetectorOptions options_;
};

}  // namespace

std::unique_ptr<runtime::Detector> make_torch_detector(const network::Network& network,
                                                       const network::Weights& weights,
                                                       const runtime::DetectorOptions& options,
                                                       at::Device device,
                                                       const FakeQuantizers* quantizers) {
  return std::make_unique<TorchDetector>(network, weights, options, device, quantizers);
}

std::unique_ptr<runtime::Detector> make_torch_detector(const network::Network& network,
                                                       const network::Weights& weights,
                                                       const runtime::DetectorOptions& options) {
  return make_torch_detector(network, weights, options, at::kCPU);
}

}  // namespace yolov7::nn
