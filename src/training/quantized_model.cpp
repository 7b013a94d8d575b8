#include "training/quantized_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "compression/plan/calibration_images.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/transform/stored_ranges.hpp"
#include "training/float_parent.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

network::QuantizationScales calibrated(const Model& model, const RunContext& context,
                                       const Data& data, const run::RunState& state) {
  std::vector<std::filesystem::path> files;
  for (const dataset::Entry& entry : data.train.entries) files.push_back(entry.picture);
  const compression::CalibrationImages images = compression::letterboxed(
      compression::some_images(std::move(files), compression::usual_images), data.val_size,
      data.val_size);
  log::info(fmt::format("{}: ranges from {} images of the train split, {} px", setting_name("qat"),
                        images.count, data.val_size));
  compression::CalibrationOptions options;
  options.per_tensor = state.options.qat.weights == "per-tensor";
  options.most = (1 << state.options.qat.activation_bits) - 1;
  options.stop = context.stop;
  return compression::calibrate(
      std::make_shared<const network::NetworkAndWeights>(
          network::NetworkAndWeights{model.network->description(), model.network->store()}),
      images, options);
}

/// In the order of execution, from convolution to convolution. Those whose results are decoded
/// round nothing (nn::FakeQuantizers), so nothing is to be made good there.
void correct_biases(const nn::TorchNetwork& network, network::QuantizationScales& scales) {
  at::NoGradGuard no_gradient;
  const std::set<std::string> real = network::result_convolutions(network.description());
  for (const network::Convolution* conv :
       network::quantizable_convolutions(network.description())) {
    const auto found = scales.corrections.find(conv->tensor);
    if (found == scales.corrections.end() || !conv->bias || real.contains(conv->tensor)) continue;
    at::Tensor bias = network.tensor(conv->tensor + ".bias");
    bias.add_(at::tensor(found->second.asymmetric, at::kFloat).to(bias.device()));
  }
  scales.corrections.clear();
}

/// Of all processes the first one's, to the bit.
void share(const Model& model, const RunContext& context) {
  if (context.group->size() == 1) return;
  at::NoGradGuard no_gradient;
  std::vector<at::Tensor> values;
  for (const nn::FakeQuantizers::Range& one : model.quantizers->ranges())
    values.push_back(one.log_scale);
  for (const nn::TorchNetwork::Entry& entry : model.network->entries())
    if (entry.spec.role == network::TensorSpec::Role::bias) values.push_back(entry.tensor);
  context.group->copy_from_first(values);
}

}  // namespace

void start_quantizers(Model& model, const RunContext& context, const Data& data,
                      const run::RunState& state,
                      const std::optional<network::Checkpoint>& resumed) {
  const run::QatOptions& o = state.options.qat;
  if (!o.on) return;
  if (resumed) {
    model.quantizers = quantizers_of(resumed->quantization, model);
    if (!model.quantizers)
      throw Error(
          fmt::format("{}: expected the ranges of the run, found none", setting_name("resume")));
    model.quantizers->load(resumed->model);
  } else {
    network::QuantizationScales scales = calibrated(model, context, data, state);
    correct_biases(*model.network, scales);
    take_first_ranges(scales, *context.group);
    model.quantizers = std::make_unique<nn::FakeQuantizers>(model.network->description(),
                                                            std::move(scales), context.device);
    share(model, context);
  }
  model.network->set_quantizers(model.quantizers.get());
  log::info(fmt::format(
      "{}: {} convolutions in 8-bit integers, one scale {}; {} ranges of activations, {} bits, "
      "learned in {} of {} epochs",
      setting_name("qat"), model.quantizers->convolutions(),
      o.weights == "per-tensor" ? "a tensor" : "an output channel",
      model.quantizers->ranges().size(), o.activation_bits,
      std::max(0, state.options.epochs - run::frozen_epochs(o, state.options.epochs)),
      state.options.epochs));
}

void take_first_ranges(network::QuantizationScales& scales, Communicator& group) {
  if (group.size() == 1) return;
  constexpr std::int64_t numbers = 4;  // which double holds exactly
  at::Tensor all =
      at::empty({static_cast<std::int64_t>(scales.values.size()), numbers}, at::kDouble);
  double* row = all.mutable_data_ptr<double>();
  for (const network::ValueScale& one : scales.values) {
    row[0] = static_cast<double>(one.scale), row[1] = one.zero_point;
    row[2] = static_cast<double>(one.symmetric), row[3] = one.most;
    row += numbers;
  }
  group.copy_from_first({all});
  const double* first = all.const_data_ptr<double>();
  for (network::ValueScale& one : scales.values) {
    one = {static_cast<float>(first[0]), static_cast<int>(first[1]), static_cast<float>(first[2]),
           static_cast<int>(first[3])};
    first += numbers;
  }
}

void learn_ranges_for_epoch(const Model& model, const run::RunState& state) {
  if (!model.quantizers) return;
  const bool learns = run::learns_ranges_in(state.options.qat, state.epoch, state.options.epochs);
  if (!learns && model.quantizers->learns())
    log::info(fmt::format("epoch {}: ranges stay as they are from here on", state.epoch));
  model.quantizers->learn(learns);
}

std::string ranges_text(const Model& model) {
  if (!model.quantizers) return {};
  const network::QuantizationScales scales = model.quantizers->scales();
  int most = 255;
  for (const nn::FakeQuantizers::Range& one : model.quantizers->ranges())
    most = std::min(most, one.numbers.most);
  int bits = 0;
  while ((1 << bits) - 1 < most) ++bits;
  return network::stored_ranges_text(model.network->description(), {scales, bits});
}

std::unique_ptr<nn::FakeQuantizers> quantizers_of(const std::string& text, const Model& model) {
  if (text.empty()) return nullptr;
  const network::Network& network = model.network->description();
  return std::make_unique<nn::FakeQuantizers>(
      network, network::stored_ranges(text, network, network.source).scales,
      model.network->device());
}

void measure_start(const RunContext& context, const Data& data, const Model& model,
                   const run::RunState& state) {
  if (!model.quantizers) return;
  const run::TrainOptions& options = state.options;
  Model parent;
  parent.network =
      folded_network(network::read_checkpoint(options.weights), data.train.names, context.device);
  parent.ema = std::make_unique<Ema>(*parent.network);
  make_losses(parent, state, data.train_size);
  run::EpochRecord real, calibrated;
  validate(context, data, parent, options, real);
  validate(context, data, model, options, calibrated);
  if (!context.writes()) return;
  log::info(
      fmt::format("{}: before training: COCO mAP50 {:.4f}, mAP {:.4f} in float32; {:.4f}, {:.4f} "
                  "calibrated",
                  setting_name("qat"), real.coco_map50, real.coco_map, calibrated.coco_map50,
                  calibrated.coco_map));
  const auto json = [](const run::EpochRecord& record) {
    return nlohmann::json{{"map50", record.coco_map50}, {"map", record.coco_map}};
  };
  file::write_atomically(context.folder / "qat.json",
                         json_text({{"float32", json(real)},
                                    {"calibrated", json(calibrated)},
                                    {"weights", options.qat.weights},
                                    {"activation_bits", options.qat.activation_bits}},
                                   1) +
                             "\n");
}

}  // namespace yolov7::training
