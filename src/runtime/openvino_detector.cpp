#include <fmt/format.h>

#include "core/error.hpp"
#include "runtime/detector.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <algorithm>
#include <list>
#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/threads.hpp"
#include "runtime/openvino_detector.hpp"
#include "runtime/openvino_model.hpp"

namespace yolov7::runtime {
namespace {


/// Runs `action`; an exception of OpenVINO, whose text spans lines, becomes one line of ours.
template <class Action>
auto guarded(const char* what, Action&& action) {
  try {
    return action();
  } catch (const ov::Exception& exception) {
    std::string reason = exception.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw Error(fmt::format("OpenVINO cannot {}: {}", what, reason));
  }
}

ov::element::Type precision_type(const std::string& precision) {
  if (precision == "float32") return ov::element::f32;
  if (precision == "bfloat16") return ov::element::bf16;
  throw usage_error(fmt::format("precision: expected float32 or bfloat16, found '{}'", precision));
}

void require_bfloat16(const ov::Core& core) {
  const auto known = core.get_property("CPU", ov::device::capabilities);
  if (std::find(known.begin(), known.end(), ov::device::capability::BF16) == known.end())
    throw Error("precision bfloat16: expected a CPU with AVX512_BF16 or AMX, found none; use float32");
}

std::shared_ptr<const network::NetworkAndWeights> runnable_copy(const network::Network& network, const network::Weights& weights, bool as_stored) {
  if (!as_stored && !is_fused(network)) return std::make_shared<const network::NetworkAndWeights>(network::fuse(network, weights));
  auto copy = std::make_shared<network::NetworkAndWeights>();
  copy->network = network;
  // The model's constants lie over this memory, in float32.
  for (const auto& [name, tensor] : weights.entries()) copy->weights.set(name, tensor.converted(network::DataType::float32));
  return copy;
}

class OpenvinoDetector final : public Detector {
 public:
  OpenvinoDetector(const network::Network& network, const network::Weights& weights, const DetectorOptions& options)
      : runnable_(runnable_copy(network, weights, options.as_stored)), options_(options), precision_(precision_type(options.precision)),
        threads_(options.threads > 0 ? options.threads : usable_cores()) {
    if (precision_ == ov::element::bf16) guarded("list the CPU's capabilities", [&] { require_bfloat16(core_); });
  }

  std::string description() const override {
    const std::string build = ov::get_openvino_version().buildNumber;
    return fmt::format("OpenVINO {}, CPU, {}, {} thread{}", build.substr(0, build.find('-')), options_.precision, threads_, threads_ == 1 ? "" : "s");
  }
  int class_count() const override { return runnable_->network.class_count; }
  int stride() const override { return static_cast<int>(runnable_->network.largest_stride()); }

  void prepare(int count, int height, int width) override { compiled(count, height, width); }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    const ov::Shape shape{static_cast<std::size_t>(std::max(batch.count, 0)), 3, static_cast<std::size_t>(std::max(batch.height, 0)),
                          static_cast<std::size_t>(std::max(batch.width, 0))};
    if (ov::shape_size(shape) != batch.pixels.size() || batch.pixels.empty())
      throw Error(fmt::format("expected {} x 3 x {} x {} bytes of pixels, found {}", batch.count, batch.height, batch.width, batch.pixels.size()));
    // OpenVINO takes a non-const pointer and only reads.
    run(ov::Tensor(ov::element::u8, shape, const_cast<std::uint8_t*>(batch.pixels.data())), compiled(batch.count, batch.height, batch.width),
        prediction);
  }

  void predict_floats(std::span<const float> pixels, int count, int height, int width, Prediction& prediction) {
    float_input_ = true;
    const ov::Shape shape{static_cast<std::size_t>(count), 3, static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
    if (ov::shape_size(shape) != pixels.size()) throw Error(fmt::format("expected {} values, found {}", ov::shape_size(shape), pixels.size()));
    run(ov::Tensor(ov::element::f32, shape, const_cast<float*>(pixels.data())), compiled(count, height, width), prediction);
  }

 private:
  struct Compiled {
    int count = 0, height = 0, width = 0;
    ov::InferRequest request;
  };

  /// The request for a shape: a kept one, moved to the front, or a new one that pushes the oldest out.
  Compiled& compiled(int count, int height, int width) {
    for (auto entry = compiled_.begin(); entry != compiled_.end(); ++entry)
      if (entry->count == count && entry->height == height && entry->width == width) {
        compiled_.splice(compiled_.begin(), compiled_, entry);
        return compiled_.front();
      }
    if (compiled_.size() >= static_cast<std::size_t>(std::max(options_.kept_shapes, 1))) compiled_.pop_back();  // before the new one takes memory
    compiled_.push_front({count, height, width, compile(count, height, width)});
    return compiled_.front();
  }

  ov::InferRequest compile(int count, int height, int width) {
    OpenvinoModelOptions options;
    options.batch = count, options.height = height, options.width = width;
    options.raw_maps = options_.raw_maps, options.float_input = float_input_;
    const auto model = make_openvino_model(runnable_, options);
    // One call at a time on all cores is what LATENCY means; the precision is always given because the silent default is
    // bf16. Pinned threads of two detectors, or of a detector and a loader, would wait for each other on the same cores.
    return guarded("compile the network for the CPU", [&] {
      ov::CompiledModel ready = core_.compile_model(model, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                                    ov::hint::inference_precision(precision_), ov::inference_num_threads(threads_),
                                                    ov::hint::enable_cpu_pinning(false));
      if (const ov::element::Type used = ready.get_property(ov::hint::inference_precision); used != precision_)
        throw Error(fmt::format("OpenVINO: expected precision {}, found {}", options_.precision, used.get_type_name()));
      return ready.create_infer_request();
    });
  }

  /// Input and outputs are the caller's memory; nothing is copied on our side.
  void run(const ov::Tensor& input, Compiled& compiled, Prediction& prediction) {
    guarded("run the network", [&] {
      const auto outputs = compiled.request.get_compiled_model().outputs();
      const ov::Shape shape = outputs.at(0).get_shape();
      prediction.count = static_cast<int>(shape.at(0));
      prediction.rows = shape.at(1);
      prediction.columns = static_cast<int>(shape.at(2));
      prediction.decoded.resize(ov::shape_size(shape));
      prediction.raw.resize(outputs.size() - 1);
      compiled.request.set_input_tensor(input);
      compiled.request.set_output_tensor(0, ov::Tensor(ov::element::f32, shape, prediction.decoded.data()));
      for (std::size_t j = 0; j + 1 < outputs.size(); ++j) {
        const ov::Shape map = outputs[j + 1].get_shape();
        Prediction::RawMap& raw = prediction.raw[j];
        raw.anchors = static_cast<int>(map.at(1)), raw.height = static_cast<int>(map.at(2)), raw.width = static_cast<int>(map.at(3));
        raw.values.resize(ov::shape_size(map));
        compiled.request.set_output_tensor(j + 1, ov::Tensor(ov::element::f32, map, raw.values.data()));
      }
      compiled.request.infer();
    });
  }

  std::shared_ptr<const network::NetworkAndWeights> runnable_;
  DetectorOptions options_;
  ov::element::Type precision_;
  int threads_;
  bool float_input_ = false;
  ov::Core core_;
  std::list<Compiled> compiled_;  // most recently used first
};

}  // namespace

std::unique_ptr<Detector> make_openvino_detector(const network::Network& network, const network::Weights& weights,
                                                 const DetectorOptions& options) {
  return std::make_unique<OpenvinoDetector>(network, weights, options);
}

Prediction predict_openvino(const network::Network& network, const network::Weights& weights, const DetectorOptions& options,
                            std::span<const float> pixels, int count, int height, int width) {
  Prediction prediction;
  OpenvinoDetector(network, weights, options).predict_floats(pixels, count, height, width, prediction);
  return prediction;
}

bool openvino_available() { return true; }

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

std::unique_ptr<Detector> make_openvino_detector(const network::Network&, const network::Weights&, const DetectorOptions&) {
  throw Error("this build has no OpenVINO; build with -DYOLOV7_OPENVINO=ON after scripts/setup, or with -DOpenVINO_DIR=<folder with OpenVINOConfig.cmake>");
}

bool openvino_available() { return false; }

}  // namespace yolov7::runtime

#endif
