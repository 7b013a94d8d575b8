#include "nn/torchscript.hpp"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include <nlohmann/json.hpp>

#include "kernels/torch.hpp"
#include "nn/script_error.hpp"
#include "nn/script_source.hpp"

namespace yolov7::nn {
namespace {

at::Tensor tensor_of(const ScriptSource::Weight& weight, const exporting::ExportModel& model,
                     bool half) {
  return at::tensor(model.fused->weights.at(weight.name).to_floats(), at::kFloat)
      .view(weight.shape)
      .to(half ? at::kHalf : at::kFloat);
}

torch::jit::Module script_module(const exporting::ExportModel& model,
                                 const exporting::ExportOptions& options) {
  const ScriptSource source = script_source(model.network(), model.program,
                                            {.decoded = model.decoded(),
                                             .folded = options.fold_obj,
                                             .half = options.half,
                                             .half_output = options.half && options.half_io});
  torch::jit::Module module("yolov7");
  for (const auto& [attribute, weight] : source.weights)
    module.register_parameter(attribute, tensor_of(weight, model, options.half), false);
  for (const auto& [attribute, constant] : source.constants)
    module.register_buffer(attribute, at::tensor(constant.values, at::kFloat).view(constant.shape));
  module.define(source.text);
  module.eval();
  return torch::jit::freeze_module(module);
}

}  // namespace

void write_script(const exporting::ExportModel& model, const exporting::ExportOptions& options,
                  const exporting::Metadata& metadata, bool lite,
                  const std::filesystem::path& path) {
  nlohmann::ordered_json config = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) config[key] = value;
  const torch::jit::ExtraFilesMap extra{{"config.txt", config.dump(1)}};
  script_guarded(path, "cannot be written", [&] {
    at::NoGradGuard no_gradient;
    const torch::jit::Module module = script_module(model, options);
    if (lite)
      module._save_for_mobile(path.string(), extra);
    else
      module.save(path.string(), extra);
  });
}

}  // namespace yolov7::nn
