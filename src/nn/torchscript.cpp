#include "nn/torchscript.hpp"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include <map>

#include "exporting/metadata_json.hpp"
#include "kernels/torch.hpp"
#include "nn/script_error.hpp"
#include "nn/script_operations.hpp"
#include "nn/script_source.hpp"

namespace yolov7::nn {
namespace {

at::Tensor tensor_of(const ScriptSource::Weight& weight, const exporting::ExportModel& model,
                     bool half) {
  return at::tensor(model.fused->weights.at(weight.name).to_floats(), at::kFloat)
      .view(weight.shape)
      .to(half ? at::kHalf : at::kFloat);
}

/// The frozen graph has the values of the text under their names, or has dropped them.
void leave_names(const exporting::ExportModel& model, const ScriptSource& source,
                 const torch::jit::Module& module) {
  if (model.value_names == nullptr) return;
  std::map<std::string, std::string> places;
  const std::vector<torch::jit::Value*> made =
      script_operations(*module.get_method("forward").graph());
  for (std::size_t i = 0; i < made.size(); ++i)
    places.emplace(made[i]->debugNameBase(), std::to_string(i));
  for (std::size_t number = 0; number < source.values.size(); ++number)
    if (const auto found = places.find(source.values[number]); found != places.end())
      model.name_value(static_cast<int>(number), found->second);
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
  torch::jit::Module frozen = torch::jit::freeze_module(module);
  leave_names(model, source, frozen);
  return frozen;
}

}  // namespace

void write_script(const exporting::ExportModel& model, const exporting::ExportOptions& options,
                  const exporting::Metadata& metadata, bool lite,
                  const std::filesystem::path& path) {
  const torch::jit::ExtraFilesMap extra{{"config.txt", exporting::metadata_json(metadata)}};
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
