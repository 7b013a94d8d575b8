#include "training/validation.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "core/log.hpp"
#include "core/memory.hpp"
#include "dataset/loading/epoch_plan.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/report/report.hpp"
#include "network/graph/cost.hpp"
#include "nn/torch_detector.hpp"

namespace yolov7::training {
namespace {

using evaluation::ValidationResult;

constexpr int loader_batches = 4;  // in work, finished, in use

std::unique_ptr<runtime::Detector> make_detector(const RunContext& context,
                                                 const network::Network& description,
                                                 const network::Weights& weights, bool raw_maps,
                                                 const nn::FakeQuantizers* quantizers) {
  runtime::DetectorOptions options;
  options.threads = context.threads;
  options.raw_maps = raw_maps;
  options.kept_shapes = 1;  // the batches are sorted by shape
  // The detector that users run; the reference one where this build has no OpenVINO.
  if (quantizers != nullptr || !context.device.is_cpu())
    return nn::make_torch_detector(description, weights, options, context.device, quantizers);
  return runtime::openvino_available()
             ? runtime::make_openvino_detector(description, weights, options)
             : nn::make_torch_detector(description, weights, options);
}

evaluation::ValidationOptions validation_options(const RunContext& context, const Data& data,
                                                 const run::TrainOptions& o) {
  evaluation::ValidationOptions options;
  options.image_size = data.val_size;
  options.batch_size = 2 * context.own(o.batch_size);
  options.workers = loader_threads(*context.group, o.workers);
  options.single_cls = o.single_cls;
  options.v5_metric = o.v5_metric;
  return options;
}

/// The largest batch of the validation, in pixels a picture.
cv::Size largest_shape(const RunContext& context, const Data& data, const run::TrainOptions& o) {
  dataset::LoaderOptions loading;
  loading.batch_size = 2 * context.own(o.batch_size);
  loading.image_size = data.val_size;
  loading.stride = data.stride;
  loading.rectangular = true;
  cv::Size largest;
  for (const dataset::PlannedBatch& batch : dataset::plan_epoch(data.val, loading, 0).batches)
    if (batch.shape.area() > largest.area()) largest = batch.shape;
  return largest;
}

/// Raw lead maps of a prediction as the loss wants them: [B, na, H, W, 5 + nc].
std::vector<at::Tensor> raw_tensors(const runtime::Prediction& prediction) {
  std::vector<at::Tensor> maps;
  for (const auto& map : prediction.raw)
    maps.push_back(torch::from_blob(
        const_cast<float*>(map.values.data()),
        {prediction.count, map.anchors, map.height, map.width, prediction.columns}, at::kFloat));
  return maps;
}

}  // namespace

double fitness(double map50, double map) { return 0.1 * map50 + 0.9 * map; }

void repeat_validation(run::EpochRecord& record, const run::EpochRecord& earlier) {
  record.val_loss = earlier.val_loss;
  record.precision = earlier.precision;
  record.recall = earlier.recall;
  record.official_map50 = earlier.official_map50;
  record.official_map = earlier.official_map;
  record.coco_map50 = earlier.coco_map50;
  record.coco_map = earlier.coco_map;
  record.fitness = earlier.fitness;
}

std::vector<double> validate(const RunContext& context, const Data& data, const Model& model,
                             const run::TrainOptions& o, run::EpochRecord& record) {
  at::NoGradGuard no_gradient;
  const auto detector = make_detector(context, model.network->description(), model.ema->store(),
                                      /*raw_maps=*/true, model.quantizers.get());
  std::array<double, 3> loss{};
  std::size_t batches = 0;
  evaluation::ValidationOptions options = validation_options(context, data, o);
  options.part = context.group->rank();
  options.parts = context.group->size();
  options.exchange = [&](const std::string& own) { return context.group->gather(own); };
  const ValidationResult result = evaluation::evaluate(
      *detector, data.val, options,
      [&](const dataset::Batch& batch, const runtime::Prediction& prediction) {
        const at::Tensor parts = (*model.validation_loss)(raw_tensors(prediction), batch.targets)
                                     .parts.to(at::kDouble)
                                     .contiguous();
        for (std::size_t i = 0; i < 3; ++i) loss[i] += parts.data_ptr<double>()[i];
        ++batches;
      });
  const std::vector<double> sums =
      context.group->sum({loss[0], loss[1], loss[2], static_cast<double>(batches)});
  record.validated = true;
  for (std::size_t i = 0; i < 3; ++i) record.val_loss[i] = sums[i] / std::max(sums[3], 1.0);
  record.precision = result.official.mean_p;
  record.recall = result.official.mean_r;
  record.official_map50 = result.official.map50;
  record.official_map = result.official.map;
  record.coco_map50 = result.map50();
  record.coco_map = result.map();
  record.fitness = fitness(record.coco_map50, record.coco_map);
  if (result.highest_score < 0.001f)
    log::info(fmt::format(
        "validation: nothing above the confidence threshold 0.001 yet (highest score {:.2g})",
        result.highest_score));
  std::vector<double> class_ap(data.val.names.size(), 0);
  for (std::size_t i = 0; i < result.official.classes.size(); ++i)
    class_ap.at(static_cast<std::size_t>(result.official.classes[i])) = result.official.ap[i];
  return class_ap;
}

ValidationMemory validation_from_shapes(const RunContext& context, const Data& data,
                                        const nn::TorchNetwork& network,
                                        const run::TrainOptions& o) {
  constexpr double certain = 0.5;  // tensors that a back end joins or leaves out
  const cv::Size shape = largest_shape(context, data, o);
  const network::Cost cost = network::cost(network.description(), shape.height, shape.width);
  ValidationMemory memory;
  memory.per_picture = certain * static_cast<double>(cost.inference_activation_bytes) +
                       loader_batches * 3.0 * shape.area();
  return memory;
}

namespace {

/// Where it cannot be measured: every activation, and the weights as the network and the detector
/// have them.
ValidationMemory whole_validation(const nn::TorchNetwork& network, const network::Cost& cost,
                                  cv::Size shape) {
  ValidationMemory memory;
  memory.per_picture = static_cast<double>(cost.inference_activation_bytes) +
                       (1 + loader_batches) * 3.0 * shape.area();
  memory.fixed = 2 * 4.0 * static_cast<double>(network.description().parameter_count());
  return memory;
}

}  // namespace

ValidationMemory measure_validation_memory(const RunContext& context, const Data& data,
                                           const Model& model, const run::TrainOptions& o,
                                           std::uint64_t allowed) {
  at::NoGradGuard no_gradient;
  const nn::TorchNetwork& network = *model.network;
  const cv::Size shape = largest_shape(context, data, o);
  constexpr int most = 4;
  malloc_trim(0);
  const network::Cost cost = network::cost(network.description(), shape.height, shape.width);
  const double needed =
      most * (static_cast<double>(cost.inference_activation_bytes) + 3.0 * shape.area());
  if (static_cast<double>(resident_bytes()) + needed > static_cast<double>(allowed))
    return whole_validation(network, cost, shape);
  const double before = static_cast<double>(resident_bytes());
  const auto detector = make_detector(context, network.description(), network.store(),
                                      /*raw_maps=*/true, model.quantizers.get());
  runtime::Prediction prediction;
  const auto with = [&](int count) {
    const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * 3 *
                                           static_cast<std::size_t>(shape.area()));
    detector->predict({pixels, count, shape.height, shape.width}, prediction);
    return static_cast<double>(resident_bytes()) - before;
  };
  with(1);  // what is made once: libraries, threads
  const double two = with(2), four = with(most);
  ValidationMemory memory;
  const double picture = std::max(0.0, (four - two) / 2);
  memory.per_picture = picture + loader_batches * 3.0 * shape.area();
  memory.fixed = std::max(0.0, two - 2 * picture);
  return memory;
}

FinalMetrics measure(const RunContext& context, const Data& data,
                     const network::Network& description, const run::TrainOptions& o,
                     const network::Weights& weights, const std::filesystem::path& folder,
                     const nn::FakeQuantizers* quantizers) {
  const auto detector =
      make_detector(context, description, weights, /*raw_maps=*/false, quantizers);
  evaluation::ValidationOptions options = validation_options(context, data, o);
  if (!folder.empty()) options.pictures = 3;
  const ValidationResult result = evaluation::evaluate(*detector, data.val, options);
  if (!folder.empty()) {
    evaluation::write_report(folder, result, data.val, {});
    for (const std::string& line :
         evaluation::console_lines(result, data.val, data.val.names.size() < 50))
      log::info(line);
  }
  return {result.map50(), result.map()};
}

}  // namespace yolov7::training
