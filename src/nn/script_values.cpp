// The values inside TorchScript files (nn/torchscript.hpp).
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "nn/script_error.hpp"
#include "nn/script_operations.hpp"
#include "nn/torch_network.hpp"
#include "nn/torchscript.hpp"

namespace yolov7::nn {
namespace {

class ScriptValues final : public runtime::InnerValues {
 public:
  explicit ScriptValues(const std::filesystem::path& path) : path_(path) {
    module_ = script_guarded(path, "LibTorch cannot load it",
                             [&] { return torch::jit::load(path.string(), at::kCPU); });
    module_.eval();
  }

  std::vector<std::optional<runtime::InnerValue>> of(std::span<const std::string> names,
                                                     const runtime::PixelBatch& images) override {
    return script_guarded(path_, "LibTorch cannot run a part of it",
                          [&] { return run(names, images); });
  }

 private:
  std::vector<std::optional<runtime::InnerValue>> run(std::span<const std::string> names,
                                                      const runtime::PixelBatch& images) {
    std::vector<std::optional<runtime::InnerValue>> found(names.size());
    const auto graph = module_.get_method("forward").graph()->copy();
    torch::jit::Inline(*graph);
    const std::vector<torch::jit::Value*> made = script_operations(*graph);
    while (!graph->outputs().empty()) graph->eraseOutput(0);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto number = text::parse_int(names[i]);
      if (!number || *number < 0 || *number >= static_cast<std::int64_t>(made.size())) continue;
      graph->registerOutput(made[static_cast<std::size_t>(*number)]);
      places.push_back(i);
    }
    if (places.empty()) return found;
    torch::jit::EliminateDeadCode(graph);
    c10::InferenceMode no_gradient;
    torch::jit::Stack stack{module_._ivalue(),
                            image_tensor(images.pixels, images.count, images.height, images.width)};
    torch::jit::GraphExecutor(graph, "values").run(stack);
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (!stack.at(k).isTensor()) continue;
      const at::Tensor value = stack[k].toTensor().to(at::kFloat).contiguous();
      const float* values = value.const_data_ptr<float>();
      found[places[k]] = {{value.sizes().begin(), value.sizes().end()},
                          {values, values + value.numel()}};
    }
    return found;
  }

  std::filesystem::path path_;
  torch::jit::Module module_;
};

}  // namespace

std::unique_ptr<runtime::InnerValues> script_values(const std::filesystem::path& path) {
  return std::make_unique<ScriptValues>(path);
}

}  // namespace yolov7::nn
